// SPDX-License-Identifier: Apache-2.0
// The overview and the comparison in a real browser, of the server's demo: their figures are the
// API's, an address shows what it showed, all of it works from the keyboard, and axe finds no fault.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';

import { compact, exact, share, signedCompact, signedPercent, sum } from '../../web/decimal.js';
import { squarify } from '../../web/treemap.js';
import { faultsOf } from '../support/axe.mjs';
import { browserPath, openBrowser, openPage } from '../support/browser.mjs';
import { startDemo } from '../support/demo.mjs';

const demo = await startDemo.prepare();
const skip = !browserPath ? 'there is no Chromium' : demo ? false : 'OI_BINARY cannot serve a demo';

test('parts, sums and changes are computed on the digits', () => {
    assert.equal(share('1', '3'), '33.3%');
    assert.equal(share('0.10', '0.1'), '100.0%');
    assert.equal(share('1', '0'), '–');
    assert.equal(share(null, '1'), '–');
    assert.equal(sum(['0.1', '0.25', null]), '0.35');
    assert.equal(sum(['123456789012345678901234567890', '0.000000000000000001']),
        '123456789012345678901234567890.000000000000000001');
    assert.equal(sum(['-0.5', '0.25']), '-0.25');
    assert.equal(sum([null]), null);
    assert.deepEqual(signedCompact('-12923866.7'), { text: '−12.92 M', sign: -1 });
    assert.deepEqual(signedCompact('1234.5'), { text: '+1.235 K', sign: 1 });
});

test('a treemap fills its box with rectangles of the areas asked for', () => {
    const values = [500, 240, 80, 50, 33, 20, 7, 3, 1, 0.5];
    const whole = values.reduce((total, value) => total + value, 0);
    for (const [width, height] of [[700, 400], [300, 900], [375, 320]]) {
        const places = squarify(values, width, height);
        assert.equal(places.length, values.length);
        places.forEach((place, at) => {
            const area = (values[at] / whole) * width * height;
            assert.ok(Math.abs(place.width * place.height - area) < 1e-6 * width * height);
            assert.ok(place.left >= -1e-6 && place.left + place.width <= width + 1e-6);
            assert.ok(place.top >= -1e-6 && place.top + place.height <= height + 1e-6);
        });
        for (const [i, a] of places.entries())
            for (const b of places.slice(i + 1)) {
                const across = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left);
                const down = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
                assert.ok(across < 1e-6 || down < 1e-6, 'two overlap');
            }
    }
    assert.deepEqual(squarify([], 10, 10), []);
});

describe('the overview and the comparison', { skip }, () => {
    let server, browser;

    before(async () => {
        [server, browser] = await Promise.all([demo(), openBrowser()]);
    });
    after(async () => {
        await browser?.close();
        await server?.close();
    });

    // The answers that a page got, by the query of each. The page may have shown one before its text
    // is here: `heard` waits for those under way.
    async function open(hash, options = {}) {
        const answers = [], underWay = [];
        const page = await openPage(browser, 'about:blank', options);
        const keep = async (reply) => {
            const url = new URL(reply.url());
            if (!url.pathname.startsWith('/oi/v1/') || url.pathname.endsWith('/status')) return;
            const json = await reply.json().catch(() => null);
            if (json?.data) answers.push({ path: url.pathname, query: url.searchParams, json });
        };
        page.on('response', (reply) => underWay.push(keep(reply)));
        page.heard = () => Promise.all(underWay);
        await page.goto(`${server.url}/${hash}`);
        page.answers = answers;
        page.strangers = [];
        return page;
    }

    async function overview(hash = '', options) {
        const page = await open(hash, options);
        await page.locator('#groups tr').first().waitFor();
        await page.locator('#areas-legend tr').first().waitFor();
        await page.heard();
        return page;
    }

    async function comparison(hash, options) {
        const page = await open(hash, options);
        await page.locator('#compare-rows tr').first().waitFor();
        await page.heard();
        return page;
    }

    const lastOf = (page, wanted) => page.answers.filter(wanted).at(-1).json.data;

    test('the overview shows the figures of the API, digit by digit', async () => {
        const page = await overview();
        const rows = lastOf(page, ({ path, query }) => path.endsWith('/overview') && !query.has('by'));
        const [now, hour, day, week] = rows.filter((row) => row.by === 'total');
        assert.equal(await page.locator('#total-exact').textContent(), `${exact(now.value_usd)} USD`);
        assert.equal(await page.locator('#total-usd').textContent(), `${compact(now.value_usd)} USD`);
        for (const [id, row] of [['1h', hour], ['24h', day], ['7d', week]]) {
            const shown = page.locator(`#total-${id}`);
            assert.equal(await shown.locator('b').textContent(), signedPercent(row.change_percent)?.text ?? '–');
            assert.equal(await shown.getAttribute('title'), `${exact(row.change_usd)} USD`);
        }
        // The groups, and the tiles, in the server's order.
        const coins = rows.filter((row) => row.by === 'coin' && row.time === now.time);
        const listed = await page.locator('#groups tr').evaluateAll((all) =>
            all.map((row) => [...row.children].slice(0, 3).map((cell) => cell.textContent)));
        assert.deepEqual(listed, coins.map((row) => [
            row.name === 'other' ? 'Other' : row.name, compact(row.value_usd), share(row.value_usd, now.value_usd),
        ]));
        const tiles = await page.locator('#treemap > *').evaluateAll((all) => all.map((tile) => tile.getAttribute('aria-label')));
        assert.equal(tiles.length, coins.length);
        assert.ok(tiles[0].startsWith(`${coins[0].name}: ${exact(coins[0].value_usd)} USD, `));
        // Exact sums: the coins are the whole.
        assert.equal(Number(sum(coins.map((row) => row.value_usd)).replace(/0+$/, '')), Number(now.value_usd));
        // The movers in theirs.
        const movers = rows.filter((row) => row.by === 'market' && row.time === day.time).slice(0, 20);
        const moved = await page.locator('#movers tr').evaluateAll((all) =>
            all.map((row) => [row.children[0].textContent, row.children[2].title]));
        assert.deepEqual(moved, movers.map((row) => [row.name, `${exact(row.change_usd)} USD`]));
        // The figures beside the areas are the newest of the series'.
        const series = lastOf(page, ({ query }) => query.has('interval'));
        const newest = new Map(series.map((row) => [row.by === 'total' ? 'All' : row.name, row]));
        const beside = await page.locator('#areas-legend tr').evaluateAll((all) =>
            all.map((row) => [row.children[0].textContent, row.children[1].title]));
        for (const [name, title] of beside) {
            const row = newest.get(name === 'Other' ? 'other' : name);
            assert.equal(title, `${exact(row.value_usd)} USD, ${row.markets} markets`);
        }
        assert.equal(beside.length, 9);
        // One line an exchange, of those that the API has.
        const exchanges = rows.filter((row) => row.by === 'exchange' && row.time === now.time);
        assert.equal(await page.locator('#exchanges tr').count(), exchanges.length);
        assert.deepEqual(page.errors, []);
        await page.close();
    });

    test('the overview is divided as chosen, and its address says so', async () => {
        const page = await overview('#overview&by=kind&range=24h');
        const picked = await page.locator('#view-overview [aria-checked="true"]').allTextContents();
        assert.deepEqual(picked, ['Kind', '24h']);
        assert.ok((await page.locator('#groups th').allTextContents()).includes('Perpetual'));
        await page.locator('#overview-by [aria-checked="true"]').focus();
        await page.keyboard.press('ArrowRight');
        assert.ok(page.url().endsWith('#overview&by=settlement&range=24h'));
        await page.waitForFunction(() => document.querySelector('#groups').textContent.includes('Linear'));
        // An asset's tile leads to its markets.
        await page.goto(`${server.url}/#overview&by=coin`);
        await page.locator('#treemap a').first().focus();
        const name = await page.locator('#treemap a b').first().textContent();
        await page.keyboard.press('ArrowRight');
        assert.equal(await page.evaluate(() => document.activeElement === document.querySelector('#treemap').children[1]), true);
        await page.locator('#treemap a').first().click();
        await page.locator('#rows tr[data-market]').first().waitFor();
        assert.equal(await page.locator('#coin').inputValue(), name);
        assert.deepEqual(page.errors, []);
        await page.close();
    });

    test('the areas are read with the arrow keys', async () => {
        const page = await overview();
        await page.locator('#areas').focus();
        await page.keyboard.press('Home');
        const series = lastOf(page, ({ query }) => query.has('interval'));
        const first = series.find((row) => row.by === 'total' && row.value_usd !== null);
        assert.equal(await page.locator('#areas-legend td').first().getAttribute('title'),
            `${exact(first.value_usd)} USD, ${first.markets} markets`);
        assert.match(await page.locator('#areas-spoken').textContent(), /All .* USD$/);
        await page.close();
    });

    test('a comparison begins with the largest exchanges, and shows their figures', async () => {
        const page = await comparison('#compare');
        const worth = page.answers.filter(({ query }) => query.get('by') === 'total');
        const shown = await page.locator('#compare-rows tr').evaluateAll((all) =>
            all.map((row) => [row.children[0].textContent, row.children[2].textContent]));
        assert.equal(shown.length, 6);
        for (const [name, figure] of shown.slice(0, 5)) {
            const answer = worth.find(({ query }) => query.get('exchange') === name);
            assert.equal(figure, exact(answer.json.data.at(-1).value_usd));
        }
        const whole = sum(worth.map(({ json }) => json.data.at(-1).value_usd));
        assert.deepEqual(shown[5], ['All', exact(whole)]);
        assert.deepEqual(page.errors, []);
        await page.close();
    });

    test('an address shows what it showed: what, how, in what unit; and who is left out', async () => {
        const page = await comparison('#compare&of=coin:BTC,exchange:okx,binance:usdm:ETHUSDT&as=indexed&unit=coins&range=24h');
        const picked = await page.locator('#view-compare [aria-checked="true"]').allTextContents();
        assert.deepEqual(picked, ['Indexed', 'Coins', '24h']);
        assert.deepEqual(await page.locator('#compare-chips span').allTextContents(), ['BTC', 'okx', 'binance ETHUSDT']);
        assert.deepEqual(await page.locator('#compare-rows th').allTextContents(), ['BTC', 'binance:usdm:ETHUSDT']);
        const left = await page.locator('#compare-left li').allTextContents();
        assert.ok(left.some((text) => text === 'okxcoins of different assets cannot be added up'), left.join());
        const { json } = page.answers.find(({ query }) => query.get('market') === 'binance:usdm:ETHUSDT');
        const { close } = json.data.at(-1);
        assert.equal(await page.locator('#compare-rows tr').nth(1).locator('td').nth(1).textContent(), exact(close));
        assert.equal(await page.locator('#compare-rows tr').nth(1).locator('td').first().textContent(),
            share(close, json.data[0].close).replace('%', ''));
        assert.deepEqual(page.errors, []);
        await page.close();
    });

    test('markets are found, added and removed from the keyboard', async () => {
        const page = await comparison('#compare&of=coin:BTC');
        await page.keyboard.press('/');
        assert.equal(await page.evaluate(() => document.activeElement.id), 'compare-search');
        await page.keyboard.type('ethusdt');
        // The offers of all that was typed, not of the letters before.
        await page.waitForFunction(() => document.querySelector('#compare-offers li b')?.textContent.includes('ETHUSDT'));
        await page.keyboard.press('ArrowDown');
        await page.keyboard.press('ArrowUp');
        await page.keyboard.press('Enter');
        await page.waitForFunction(() => document.querySelectorAll('#compare-rows tr').length === 3);
        assert.match(page.url(), /of=coin:BTC,[a-z_]+:[a-z_]+:ETHUSDT/);
        await page.locator('#compare-chips button').first().focus();
        await page.keyboard.press('Enter');
        await page.waitForFunction(() => document.querySelectorAll('#compare-chips li').length === 1);
        assert.doesNotMatch(page.url(), /coin:BTC/);
        assert.equal(await page.evaluate(() => document.activeElement.tagName), 'BUTTON');
        await page.close();
    });

    test('the CSV is what is on the screen', async () => {
        const page = await comparison('#compare&of=coin:BTC,coin:ETH&range=24h&as=lines');
        const coming = page.waitForEvent('download');
        await page.locator('#compare-csv').click();
        const file = await coming;
        assert.equal(file.suggestedFilename(), 'open-interest-lines-usd.csv');
        const lines = (await readFile(await file.path(), 'utf8')).trimEnd().split('\n');
        assert.equal(lines[0], 'time,coin:BTC,coin:ETH');
        const { json } = page.answers.find(({ query }) => query.get('coin') === 'ETH' && query.get('by') === 'total');
        assert.equal(lines.at(-1).split(',')[2], json.data.at(-1).value_usd);
        assert.equal(lines.length, json.data.length + 1);
        await page.close();
    });

    test('axe finds no serious fault, nothing errs or overflows, light and dark, phone and wall', async () => {
        for (const [width, height, colorScheme] of [[375, 812, 'dark'], [2560, 1440, 'light']]) {
            const options = { viewport: { width, height }, colorScheme };
            const pages = await Promise.all([overview('', options), comparison('#compare&of=coin:BTC,exchange:okx', options)]);
            for (const page of pages) {
                assert.deepEqual(await faultsOf(page), [], `${page.url()} ${width} ${colorScheme}`);
                const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
                assert.ok(over <= 0, `${page.url()} is ${over} px too wide at ${width}`);
                assert.deepEqual(page.errors, []);
                await page.close();
            }
        }
    });

    test('nothing jumps while the overview loads', async () => {
        const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
        await page.addInitScript(() => {
            window.shift = 0;
            new PerformanceObserver((list) => {
                for (const entry of list.getEntries()) window.shift += entry.value;
            }).observe({ type: 'layout-shift', buffered: true });
        });
        await page.goto(server.url);
        await page.locator('#areas-legend tr').first().waitFor();
        assert.ok((await page.evaluate(() => window.shift)) < 0.1);
        await page.close();
    });
});
