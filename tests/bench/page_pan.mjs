// SPDX-License-Identifier: Apache-2.0
// How smoothly the page pans: a year of minutes of one market is imported, then the chart is moved in
// every frame, at spans from hours to the whole year, and frames and the main thread's own processor
// time are counted. The processor's time is what holds on a busy machine.
//   OI_BINARY=build/oi node tests/bench/page_pan.mjs

import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openBrowser } from '../support/browser.mjs';
import { define } from '../support/markets.mjs';
import { importFile, startServer } from '../support/server.mjs';

const MINUTES = 365 * 1440;
const START = Date.UTC(2025, 0, 1);
const MARKET = 'binance:usdm:BTCUSDT';
const FRAMES = 600;
const BUDGET_MS = 1000 / 60;
const VIEWS = [
    ['six hours of minutes', 6 * 3600, '1m'],
    ['a day of minutes', 86400, '1m'],
    ['a week', 7 * 86400, ''],
    ['three months', 90 * 86400, ''],
];

const ends = [];
const t = { after: (end) => ends.unshift(end) };
const folder = await mkdtemp(join(tmpdir(), 'oi-pan-'));
ends.push(() => rm(folder, { recursive: true, force: true }));

function writeYear(path) {
    const lines = ['time,oi,mark'];
    let amount = 90000,
        price = 95000,
        seed = 7;
    const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647 - 0.5;
    for (let at = 0; at < MINUTES; at++) {
        amount += random() * 60;
        price += random() * 90;
        lines.push(`${new Date(START + at * 60000).toISOString()},${amount.toFixed(3)},${price.toFixed(1)}`);
    }
    writeFileSync(path, lines.join('\n') + '\n');
}

// Move by a hundredth of the span in each frame, back through time; what each frame took.
function pan(page, frames) {
    return page.evaluate(async (count) => {
        const over = document.querySelector('#chart .u-over');
        const waits = [];
        let waiting = 0;
        let before = await new Promise(requestAnimationFrame);
        for (let frame = 0; frame < count; frame++) {
            over.dispatchEvent(
                new WheelEvent('wheel', { deltaX: -over.clientWidth / 100, bubbles: true, cancelable: true }),
            );
            const now = await new Promise(requestAnimationFrame);
            waits.push(now - before);
            if (!document.getElementById('veil').hidden) waiting++;
            before = now;
        }
        return { waits, waiting };
    }, frames);
}

try {
    const data = join(folder, 'data'),
        path = join(folder, 'year.csv');
    writeYear(path);
    define(data, 'binance');
    importFile(data, 'csv', path, ['--market', MARKET, '--unit', 'coins', '--sides', '1', '--time', 'time', '--oi', 'oi', '--mark', 'mark']);
    const server = await startServer(t, { data });
    const browser = await openBrowser();
    ends.unshift(() => browser.close());
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    const busy = async () => {
        const { metrics } = await session.send('Performance.getMetrics');
        return metrics.find(({ name }) => name === 'TaskDuration').value * 1000;
    };
    console.log('| what is seen | frames a second | frames over 17 ms | main thread a frame | frames that waited |');
    console.log('|---|---|---|---|---|');
    for (const [name, seconds, interval] of VIEWS) {
        const to = START + 300 * 86400000;
        const hash = new URLSearchParams({
            market: MARKET,
            from: new Date(to - seconds * 1000).toISOString(),
            to: new Date(to).toISOString(),
            interval,
            unit: 'coins',
        });
        await page.goto('about:blank');
        await page.goto(`${server.url}/#markets&${hash}`);
        await page.waitForFunction(
            () => document.getElementById('veil')?.hidden && document.querySelector('.take-code')?.textContent.includes('interval='),
        );
        await page.waitForTimeout(1000);
        const before = await busy();
        const { waits, waiting } = await pan(page, FRAMES);
        const each = ((await busy()) - before) / FRAMES;
        const whole = waits.reduce((sum, wait) => sum + wait, 0);
        console.log(
            `| ${name} | ${((FRAMES * 1000) / whole).toFixed(1)} | ${waits.filter((wait) => wait > 17.5).length} of ${FRAMES} | ` +
                `${each.toFixed(2)} ms of ${BUDGET_MS.toFixed(1)} | ${waiting} |`,
        );
    }
} finally {
    for (const end of ends) await end();
}
