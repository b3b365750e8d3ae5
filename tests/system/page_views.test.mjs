// SPDX-License-Identifier: Apache-2.0
// The views of one market, of options and of health in a real browser: figures are the API's, links
// and earlier knowledge show what they showed, what is taken along holds every digit, and axe finds
// no serious fault. Against the demo server where there is one, else against made-up answers.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { faultsOf } from '../support/axe.mjs';
import { browserPath, openBrowser, openPage } from '../support/browser.mjs';
import { startDemo } from '../support/demo.mjs';
import { startMock } from '../support/mock_api.mjs';
import { add, exact, subtract } from '../../web/decimal.js';
import { readMetrics, shadeOf, shadeOfDay } from '../../web/health.js';
import { regimeOf } from '../../web/market.js';
import { strikesOf } from '../../web/options.js';
import { full } from '../../web/time.js';

const skip = browserPath ? false : 'there is no Chromium';
const MARKET = 'binance:usdm:BTCUSDT';
const iso = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z');
const hashOf = (view, fields) => `#${view}&${new URLSearchParams(fields).toString().replaceAll('%3A', ':')}`;

describe('what the views compute', () => {
    test('sums and differences keep every digit', () => {
        assert.equal(subtract('100.10', '0.1'), '100.00');
        assert.equal(subtract('0.1', '100'), '-99.9');
        assert.equal(add('123456789012345678901234567890.1', '0.000000000000000000001'), '123456789012345678901234567890.100000000000000000001');
        assert.equal(add('-0.5', '0.5'), '0.0');
        assert.equal(add(null, '1'), null);
    });
    test('a regime follows from both signs', () => {
        assert.deepEqual([[1, 1], [1, -1], [-1, -1], [-1, 1], [0, 1], [1, 0]].map(([a, b]) => regimeOf(a, b)), [1, 2, 3, 4, 0, 0]);
    });
    test('strikes are added side by side, in the order of their value', () => {
        const row = (strike, side, coins) => ({ strike, option_side: side, coins });
        assert.deepEqual(
            strikesOf([row('100000', 'call', '1.5'), row('9000', 'put', '2'), row('100000', 'call', '0.25')], 'coins'),
            [{ strike: '9000', call: null, put: '2' }, { strike: '100000', call: '1.75', put: null }],
        );
    });
    test('metrics are read exchange by exchange, days have shades', () => {
        const found = readMetrics('# HELP a b\na{exchange="x"} 3\ne{exchange="x",kind="busy"} 4\nother 5\n');
        assert.deepEqual(found, { a: { x: { '': 3 } }, e: { x: { busy: 4 } } });
        assert.deepEqual(['100', '99.5', '95', '60', '1', null].map(shadeOf), ['whole', 'good', 'fair', 'poor', 'bad', 'none']);
        const day = { completeness_percent: '10', missing_s: 90, collector_down_s: 89 };
        assert.equal(shadeOfDay(day), 'unasked');
        assert.equal(shadeOfDay({ ...day, collector_down_s: 20 }), 'bad');
        assert.equal(shadeOfDay({ ...day, completeness_percent: '99.95' }), 'whole');
    });
});

const demo = await startDemo.prepare();

describe('the views', { skip }, () => {
    let server, browser;

    before(async () => {
        server = await (demo ? demo() : startMock());
        browser = await openBrowser();
    });
    after(async () => {
        await browser?.close();
        await server?.close();
    });

    const get = async (path) => (await fetch(server.url + path)).json();
    const open = (hash, options) => openPage(browser, `${server.url}/${hash}`, options);
    const drawn = (page) =>
        page.waitForFunction(
            () =>
                document.getElementById('veil')?.hidden &&
                document.querySelector('.take-code')?.textContent.includes('interval=') &&
                !(document.querySelector('#readout dd')?.textContent ?? '–').startsWith('–'),
        );
    // An hour ago there was history, and it no longer changes.
    const span = () => {
        const to = Math.floor(Date.now() / 3600000) * 3600000 - 3600000;
        return { from: iso(to - 48 * 3600000), to: iso(to) };
    };

    test('a link shows the same span, unit and candles, and the digits of the API', async () => {
        const { from, to } = span();
        const page = await open(hashOf('markets', { market: MARKET, from, to, unit: 'coins', interval: '1h' }));
        await drawn(page);
        const data = (await get(`/oi/v1/open-interest?market=${MARKET}&interval=1h&unit=coins&start=${from}&end=${to}`)).data;
        await page.locator('#chart').focus();
        await page.keyboard.press('Home');
        await page.keyboard.press('ArrowRight');
        const shown = await page.locator('#readout dd').allTextContents();
        const at = data.findIndex((candle) => full(Date.parse(candle.start)) === shown[0]);
        assert.ok(at >= 1, shown[0]);
        const { open: first, high, low, close, price_close: price } = data[at];
        assert.deepEqual(shown.slice(1, 6), [first, high, low, close, price].map(exact));
        const change = subtract(close, data[at - 1].close);
        assert.equal(shown[6].replace('+', ''), exact(change));
        const regime = regimeOf(Number(change), Number(price) - Number(data[at - 1].price_close));
        assert.equal(shown[7], ['–', 'Long build-up', 'Short build-up', 'Long unwinding', 'Short covering'][regime]);
        assert.ok(page.url().includes(`from=${from}`) && page.url().includes(`to=${to}`));
        assert.deepEqual(page.errors, []);
        await page.close();
    });

    test('keys move and zoom, the address follows, and Back to the range', async () => {
        const page = await open(hashOf('markets', { market: MARKET, range: '7d' }));
        await drawn(page);
        await page.locator('#chart').focus();
        await page.keyboard.press('+');
        await page.keyboard.press('PageUp');
        await page.waitForFunction(() => location.hash.includes('from='));
        const before = page.url();
        await page.keyboard.press('Shift+ArrowRight');
        await page.waitForFunction((url) => location.href !== url, before);
        await page.keyboard.press('0');
        await page.waitForFunction(() => !location.hash.includes('from='));
        assert.equal(await page.locator('#ranges [aria-checked="true"]').textContent(), '7d');
        assert.deepEqual(page.errors, []);
        await page.close();
    });

    test('what is on the screen can be taken along with every digit', async () => {
        const { from, to } = span();
        const page = await open(hashOf('markets', { market: MARKET, from, to, unit: 'contracts', interval: '1h' }), { acceptDownloads: true });
        await drawn(page);
        const line = await page.locator('.market .take-code').textContent();
        const url = /'(.+)'/.exec(line)[1];
        const data = (await (await fetch(url)).json()).data;
        assert.ok(data.length > 2);
        if (demo) {
            const href = await page.locator('.market a.take', { hasText: 'CSV' }).getAttribute('href');
            const [head, ...rows] = (await (await fetch(server.url + href)).text()).trim().split('\n');
            const columns = head.split(',');
            assert.deepEqual(rows.map((row) => row.split(',')[columns.indexOf('close')]), data.map((candle) => candle.close));
        }
        const download = page.waitForEvent('download');
        await page.locator('.market button.take', { hasText: 'PNG' }).click();
        const bytes = await readFile(await (await download).path());
        assert.equal(bytes.subarray(1, 4).toString(), 'PNG');
        for (const language of ['Python', 'JavaScript']) {
            await page.locator('.market .take-row button', { hasText: language }).click();
            assert.ok((await page.locator('.market .take-code').textContent()).includes(url));
        }
        await page.close();
    });

    test('an earlier moment is asked for everywhere, and a link keeps it', async () => {
        const moment = iso(Math.floor(Date.now() / 60000) * 60000 + 3600000);
        const asked = [];
        const isCandles = (url) => url.searchParams.has('interval') && url.searchParams.get('market') === MARKET;
        const page = await openPage(browser, `${server.url}/#markets`);
        page.on('request', (request) => asked.push(new URL(request.url())));
        const first = page.waitForRequest((request) => isCandles(new URL(request.url())));
        await page.goto(`${server.url}/${hashOf('markets', { market: MARKET, as_of: moment })}`);
        await Promise.all([first, drawn(page)]);
        assert.equal(await page.locator('#as-of-time').inputValue(), moment.slice(0, 16));
        assert.equal(await page.locator('#live').getAttribute('data-state'), 'past');
        // What the list of markets still asks for when it is left, is of now.
        const candles = asked.filter(isCandles);
        const moments = candles.map((url) => url.searchParams.get('as_of'));
        assert.ok(moments.length > 0 && moments.every((asOf) => asOf === moment), candles.join('\n') || 'no candles');
        await page.locator('#as-of-now').click();
        await page.waitForFunction(() => !location.hash.includes('as_of'));
        await page.close();
    });

    test('options: sums, ratio, maximum pain and strikes are the API’s', async () => {
        const answer = (what) => (reply) => new URL(reply.url()).pathname === `/oi/v1/options${what}`;
        const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
        const waits = [page.waitForResponse(answer('/expiries')), page.waitForResponse(answer(''))];
        await page.goto(`${server.url}/#options&coin=BTC&exchange=deribit`);
        const [expiries, chain] = await Promise.all(waits.map(async (reply) => (await (await reply).json()).data));
        await page.locator('.o-table [aria-current]').waitFor();
        const mine = expiries.filter((row) => row.coin === 'BTC' && row.exchange === 'deribit');
        const shown = await page.locator('.o-table tbody tr').evaluateAll((rows) =>
            rows.map((row) => [...row.querySelectorAll('td.number')].map((cell) => cell.textContent)),
        );
        assert.deepEqual(shown, mine.map((row) => [row.calls, row.puts, row.put_call_ratio, row.max_pain].map(exact)));
        const expiry = await page.locator('select[aria-label="Expiry"]').inputValue();
        const picked = mine.find((row) => row.expiry === expiry);
        const figures = await page.locator('#view-options .tiles dd').allTextContents();
        assert.deepEqual(figures.slice(2, 4), [exact(picked.put_call_ratio), exact(picked.max_pain)]);
        await page.locator('#view-options summary').click();
        const strikes = strikesOf(chain.filter((row) => row.expiry === expiry), 'coins');
        const listed = await page.locator('#view-options details tbody tr').evaluateAll((rows) =>
            rows.map((row) => [...row.children].map((cell) => cell.textContent)),
        );
        assert.deepEqual(listed, strikes.map(({ strike, call, put }) => [strike, call, put].map(exact)));
        // Both sides of the strikes come to the sums of the expiry.
        const sum = (side) => strikes.reduce((total, at) => (at[side] === null ? total : add(total, at[side])), '0');
        assert.equal(Number(sum('call')), Number(picked.calls));
        await page.locator('.o-plot').focus();
        await page.keyboard.press('Home');
        assert.ok((await page.locator('.o-readout').textContent()).includes(`calls ${exact(strikes[0].call)}, puts ${exact(strikes[0].put)}`));
        await page.close();
    });

    test('health: every day of the calendar is the API’s, and every exchange has a state', async () => {
        const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
        const reply = page.waitForResponse((one) => one.url().includes('/coverage/days'));
        await page.goto(`${server.url}/#health`);
        const { data } = await (await reply).json();
        await page.locator('.h-calendar td').first().waitFor();
        const shown = await page.locator('.h-calendar td').evaluateAll((cells) =>
            cells.map((cell) => cell.getAttribute('aria-label')).filter((text) => text.endsWith('%')),
        );
        assert.deepEqual(shown.map((text) => text.split(': ')[1]), data.map((row) => `${row.completeness_percent} %`));
        await page.locator('.h-calendar td[tabindex="0"]').focus();
        await page.keyboard.press('ArrowLeft');
        await page.waitForFunction(() => /due/.test(document.querySelector('.h-day').textContent));
        const states = await page.locator('.h-state').allTextContents();
        assert.ok(states.length >= 5 && states.every((text) => text.length > 3), String(states));
        await page.close();
    });

    test('axe finds no serious fault, and nothing errs, in light and dark, wide and on a phone', async () => {
        // Axe takes a second of a page: each view once, the settings taking turns.
        const tries = [
            [hashOf('markets', { market: MARKET }), 'light', { width: 1440, height: 900 }],
            ['#options', 'dark', { width: 375, height: 812 }],
            ['#health', 'dark', { width: 1440, height: 900 }],
        ];
        for (const [hash, colorScheme, viewport] of tries) {
            const page = await open(hash, { colorScheme, viewport });
            if (hash.startsWith('#markets')) await drawn(page);
            else await page.locator('.o-table tbody tr, .h-calendar td').first().waitFor({ state: 'attached' });
            assert.deepEqual(await faultsOf(page), [], `${hash} ${colorScheme}`);
            assert.deepEqual(page.errors, []);
            assert.deepEqual(page.strangers, []);
            const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
            assert.equal(overflow, 0, `${hash} ${viewport.width}`);
            await page.close();
        }
    });
});

describe('what is missing or was told anew', { skip }, () => {
    test('gaps and revisions are counted, listed and shaded', async (t) => {
        const server = await startMock();
        const browser = await openBrowser();
        t.after(async () => {
            await browser.close();
            await server.close();
        });
        const page = await openPage(browser, `${server.url}/${hashOf('markets', { market: MARKET, range: '24h' })}`);
        await page.waitForFunction(() => /1 gap, 4 revisions/.test(document.querySelector('#marks summary')?.textContent));
        await page.locator('#marks summary').click();
        const rows = await page.locator('#marks tbody tr').allTextContents();
        assert.equal(rows.length, 5);
        assert.match(rows[0], /GapSilent$/);
        assert.match(rows[1], /became .*Revised, known since/);
        assert.deepEqual(page.errors, []);
    });
});
