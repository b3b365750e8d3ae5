// SPDX-License-Identifier: Apache-2.0
// A real Chromium for the page's tests, without a word to anyone outside.

import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';

const require = createRequire(new URL('../system/package.json', import.meta.url));
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export const browserPath = PLACES.find(existsSync);

export function openBrowser() {
    const { chromium } = require('playwright-core');
    return chromium.launch({
        executablePath: browserPath,
        args: [
            '--headless',
            '--no-sandbox',
            '--disable-gpu',
            '--disable-quic',
            '--no-first-run',
            '--disable-background-networking',
            '--disable-component-update',
            '--disable-sync',
        ],
    });
}

// A page that remembers every error of its console and every request to another host.
export async function openPage(browser, url, options = {}) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
    page.errors = [];
    page.strangers = [];
    page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning')
            page.errors.push(message.text());
    });
    page.on('pageerror', (error) => page.errors.push(error.stack));
    page.on('dialog', (dialog) => {
        page.errors.push(`a dialog: ${dialog.message()}`);
        dialog.dismiss();
    });
    page.on('request', (request) => {
        if (new URL(request.url()).host !== new URL(url).host) page.strangers.push(request.url());
    });
    await page.goto(url);
    return page;
}
