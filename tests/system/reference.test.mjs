// SPDX-License-Identifier: Apache-2.0
// The page of our own API: every path of the description is there, and may be tried; what it shows
// is what the server answers.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { faultsOf } from '../support/axe.mjs';
import { browserPath, openBrowser, openPage } from '../support/browser.mjs';
import { binary, startServer } from '../support/server.mjs';

const skip = !binary ? 'there is no program to start' : !browserPath ? 'there is no browser' : false;

describe('the page of the API', { skip }, () => {
    const ends = [];
    let server, browser, page, description;

    before(async () => {
        server = await startServer({ after: (end) => ends.push(end) });
        browser = await openBrowser();
        description = await (await fetch(`${server.url}/oi/v1/openapi.json`)).json();
        page = await openPage(browser, `${server.url}/reference`);
        await page.locator('main:not([aria-busy])').waitFor();
    });
    after(async () => {
        await browser?.close();
        for (const end of ends.reverse()) await end();
    });

    const section = (path) => page.locator('section', { has: page.locator('h2', { hasText: new RegExp(`/oi/v1${path}$`) }) });

    test('names every path of the description, and each that ends can be tried', async () => {
        const paths = Object.entries(description.paths);
        assert.deepEqual(await page.locator('#contents a').allTextContents(), paths.map(([path]) => path));
        const ending = paths.filter(([, { get }]) => get.responses['200'].content['application/json']);
        assert.equal(await page.locator('details.try').count(), ending.length);
    });

    test('shows the answer, and the line that asks for it', async () => {
        const place = section('/conventions');
        await place.locator('details.try summary').click();
        await place.locator('[name="exchange"]').fill('deribit');
        const target = '/oi/v1/conventions?exchange=deribit';
        assert.equal(await place.locator('.take-code').first().textContent(), `curl '${server.url.replace(/\/$/, '')}${target}'`);
        await place.locator('button[type=submit]').click();
        await place.locator('.try-answer:visible').waitFor();
        assert.match(await place.locator('.try-state').textContent(), /^200 after \d+ ms$/);
        const answer = await (await fetch(new URL(target, server.url))).json();
        assert.ok(answer.data.length > 0);
        assert.deepEqual(JSON.parse(await place.locator('.try-answer').textContent()), answer);
    });

    test('shows a refusal as the server words it', async () => {
        const place = section('/open-interest');
        await place.locator('details.try summary').click();
        await place.locator('[name="market"]').fill('no:such:market');
        await place.locator('button[type=submit]').click();
        await place.locator('.try-answer:visible').waitFor();
        assert.match(await place.locator('.try-state').textContent(), /^40[04] /);
        assert.ok(JSON.parse(await place.locator('.try-answer').textContent()).error.message);
        // The browser itself says in the console that an answer was a refusal.
        assert.equal(page.errors.splice(0).filter((text) => !/status of 40[04]/.test(text)).length, 0);
    });

    test('axe finds no serious fault, nothing errs, nobody else is asked', async () => {
        assert.deepEqual(await faultsOf(page), []);
        assert.deepEqual([page.errors, page.strangers], [[], []]);
    });
});
