// SPDX-License-Identifier: Apache-2.0
// The page in a real browser: against the server in its demo mode where there is one to start, and
// against made-up answers for what a healthy server does not do.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { browserPath, openBrowser, openPage } from '../support/browser.mjs';
import { HOSTILE, startMock } from '../support/mock_api.mjs';
import { startDemo } from '../support/demo.mjs';
import { brief, compact, exact, signedPercent } from '../../web/decimal.js';
import { full } from '../../web/time.js';

const skip = browserPath ? false : 'there is no Chromium';
const rows = (page) => page.locator('#rows tr[data-market]');
const cell = (row, name) => row.locator(`.c-${name}`);

async function latest(url, market) {
    const query = market ? `market=${encodeURIComponent(market)}` : 'limit=2000';
    return (await (await fetch(`${url}/oi/v1/latest?${query}`)).json()).data;
}

// Paint of a colour other than the background: how many pixels of the chart.
function inkOf(page) {
    return page.evaluate(() => {
        const canvas = document.querySelector('#chart canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let i = 3; i < data.length; i += 4) count += data[i] > 0;
        return count;
    });
}

// What holds soon, but not at once.
async function eventually(check, limitMs = 10000) {
    for (const end = Date.now() + limitMs; ;) {
        try {
            return await check();
        } catch (error) {
            if (Date.now() > end) throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
}

async function chartDrawn(page) {
    await page.waitForFunction(
        () =>
            document.getElementById('veil').hidden &&
            !(document.querySelector('#readout dd')?.textContent ?? '–').startsWith('–'),
    );
}

describe('decimals on the page', () => {
    test('every digit is kept', () => {
        assert.equal(exact('1234567.8900'), '1,234,567.8900');
        assert.equal(
            exact('123456789012345678901234567890.000000000000000001'),
            '123,456,789,012,345,678,901,234,567,890.000000000000000001',
        );
        assert.equal(exact('-0.5'), '−0.5');
        assert.equal(exact('12E3'), '12,000');
        assert.equal(exact('5E-7'), '0.0000005');
        assert.equal(exact(null), '–');
        assert.equal(exact('NaN'), '–');
    });
    test('short forms are rounded on the digits', () => {
        assert.equal(compact('8424513205.77'), '8.425 B');
        assert.equal(compact('999999999.5'), '1.000 B');
        assert.equal(compact('1234567890123456'), '1,234.6 T');
        assert.equal(compact('12.345'), '12.35');
        assert.equal(compact('0'), '0.00');
        assert.equal(brief('92241.16482'), '92,241.16');
        assert.equal(brief('0.000012345678'), '0.0000123457');
        assert.equal(brief('1234567890.5'), '1,234,567,891');
    });
    test('changes carry their sign', () => {
        assert.deepEqual(signedPercent('1.2'), { text: '+1.20%', sign: 1 });
        assert.deepEqual(signedPercent('-3'), { text: '−3.00%', sign: -1 });
        assert.deepEqual(signedPercent('0.00'), { text: '0.00%', sign: 0 });
        assert.equal(signedPercent(null), null);
    });
});

// What holds of any server, once for each kind.
function promises(name, start) {
    describe(`the page of ${name}`, { skip }, () => {
        let server, browser, watcher, oldRow;

        const newestRow = () => watcher.locator('#readings tr').first().textContent();

        // The first page stays open: whatever comes next, comes to it.
        before(async () => {
            server = await start();
            browser = await openBrowser();
            watcher = await openPage(browser, `${server.url}/#markets`);
            await chartDrawn(watcher);
            oldRow = await newestRow();
        });
        after(async () => {
            await browser?.close();
            await server?.close();
        });

        async function open(hash = '#markets', options) {
            const page = await openPage(browser, `${server.url}/${hash}`, options);
            await rows(page).first().waitFor();
            return page;
        }

        test('loads without an error and asks nobody else', async () => {
            const page = await open();
            await chartDrawn(page);
            assert.deepEqual(page.errors, []);
            assert.deepEqual(page.strangers, []);
            await page.close();
        });

        test('shows the largest market first, and the figures of the API', async () => {
            const page = await browser.newPage({ viewport: { width: 1920, height: 1080 } });
            // The very answer that the page got, since a live server's next one may differ.
            const answer = page.waitForResponse((reply) =>
                reply.url().includes('/oi/v1/latest?limit'),
            );
            await page.goto(`${server.url}/#markets`);
            const data = (await (await answer).json()).data;
            await rows(page).first().waitFor();
            const usd = data.map((row) => Number(row.value_usd ?? -1));
            assert.deepEqual(
                usd,
                [...usd].sort((a, b) => b - a),
            );
            // The first is followed live, and may have moved on.
            for (let at = 1; at < Math.min(30, data.length); at++) {
                const row = rows(page).nth(at),
                    want = data[at];
                assert.equal(await row.getAttribute('data-market'), want.market);
                assert.equal(await cell(row, 'exchange').textContent(), want.exchange);
                assert.equal(
                    await cell(row, 'usd').locator('span').textContent(),
                    compact(want.value_usd),
                );
                assert.equal(
                    await cell(row, 'usd').getAttribute('title'),
                    `${exact(want.value_usd)} USD`,
                );
                assert.equal(await cell(row, 'amount').textContent(), brief(want.open_interest));
                assert.equal(
                    await cell(row, 'amount').getAttribute('title'),
                    exact(want.open_interest),
                );
                for (const span of ['1h', '24h', '7d']) {
                    assert.equal(
                        await cell(row, span).textContent(),
                        signedPercent(want[`change_percent_${span}`])?.text ?? '–',
                    );
                }
            }
            await page.close();
        });

        test('a market picked is drawn, with the exact figures of its newest candle', async () => {
            const page = await open();
            await chartDrawn(page);
            const row = rows(page).nth(3);
            const market = await row.getAttribute('data-market');
            const candles = [];
            page.on('response', async (reply) => {
                const query = new URL(reply.url()).searchParams;
                if (query.get('interval') === '1h' && query.get('market') === market)
                    candles.push(...((await reply.json().catch(() => null))?.data ?? []));
            });
            await row.locator('a').click();
            await page.waitForFunction(
                (wanted) =>
                    document.querySelector('#rows [aria-current]')?.dataset.market === wanted,
                market,
            );
            await chartDrawn(page);
            assert.ok((await inkOf(page)) > 2000);
            assert.ok(page.url().includes('market='));
            assert.equal(
                await page.locator('#title').textContent(),
                market.split(':').slice(2).join(':'),
            );
            // The first candle of the range never changes any more.
            await eventually(async () => {
                await page.locator('#chart').focus();
                await page.keyboard.press('Home');
                const [start, ...shown] = await page.locator('#readout dd').allTextContents();
                const seen = candles.filter((candle) => start === full(Date.parse(candle.start)));
                assert.equal(seen.length, 1);
                const [{ open, high, low, close, price_close: price }] = seen;
                assert.deepEqual(shown.slice(0, 5), [open, high, low, close, price].map(exact));
            });
            // The oldest reading listed: amount, USD and price as the API has them.
            const listed = await page
                .locator('#readings tr')
                .last()
                .locator('td')
                .allTextContents();
            const path = `/oi/v1/open-interest?market=${encodeURIComponent(market)}&limit=60`;
            const readings = (await (await fetch(server.url + path)).json()).data;
            const same = readings.find(
                (reading) => reading.time.replace('T', ' ').replace('Z', '') === listed[0],
            );
            assert.deepEqual(
                listed.slice(1),
                [same.open_interest, same.value_usd, same.mark_price].map(exact),
            );
            assert.deepEqual(page.errors, []);
            await page.close();
        });

        test('the unit can be switched, and the address tells it', async () => {
            const page = await open();
            await chartDrawn(page);
            for (const unit of ['contracts', 'coins', 'usd']) {
                const answer = page.waitForResponse(
                    (reply) =>
                        reply.url().includes('interval=') && reply.url().includes(`unit=${unit}`),
                );
                await page
                    .locator('#units button', { hasText: new RegExp(`^${unit}$`, 'i') })
                    .click();
                const data = (await (await answer).json()).data;
                await chartDrawn(page);
                assert.equal(data[0].unit, unit);
                assert.equal(page.url().includes(`unit=${unit}`), unit !== 'usd');
            }
            await page.close();
        });

        test('an address opens the view it describes', async () => {
            const [largest] = await latest(server.url);
            const page = await open(
                `#market=${encodeURIComponent(largest.market)}&range=24h&interval=1h` +
                    '&unit=coins&view=line&sort=market&order=up',
            );
            await chartDrawn(page);
            const picked = await page.locator('.choice [aria-checked="true"]').allTextContents();
            assert.deepEqual(picked, ['24h', '1h', 'Coins', 'Line']);
            assert.equal(await page.locator('th[aria-sort="ascending"]').textContent(), 'Market');
            await page.close();
        });

        test('works from the keyboard', async () => {
            const page = await open();
            await chartDrawn(page);
            await page.keyboard.press('/');
            assert.equal(await page.evaluate(() => document.activeElement.id), 'search');
            await page.keyboard.type('eth');
            const names = await rows(page).evaluateAll((all) =>
                all.map((row) => row.dataset.market),
            );
            assert.ok(
                names.length > 0 && names.every((market) => /eth/i.test(market)),
                String(names),
            );
            await page.keyboard.press('ArrowDown');
            await page.keyboard.press('ArrowDown');
            const focused = await page.evaluate(
                () => document.activeElement.closest('tr').dataset.market,
            );
            assert.equal(focused, names[1]);
            await page.keyboard.press('Enter');
            await page.waitForFunction(
                (market) =>
                    document.querySelector('#rows [aria-current]')?.dataset.market === market,
                names[1],
            );
            await page.locator('#ranges [aria-checked="true"]').focus();
            await page.keyboard.press('ArrowRight');
            assert.equal(await page.locator('#ranges [aria-checked="true"]').textContent(), '30d');
            await page.close();
        });

        test('is dark where the system is, and where it is asked to be', async () => {
            const back = (page) =>
                page.evaluate(() => getComputedStyle(document.body).backgroundColor);
            const page = await open('#markets', { colorScheme: 'dark' });
            const dark = await back(page);
            await page.locator('#theme').click();
            const light = await back(page);
            assert.notEqual(dark, light);
            await page.reload();
            await rows(page).first().waitFor();
            assert.equal(await back(page), light);
            await page.close();
        });

        test('fits a phone without scrolling sideways', async () => {
            const page = await open('#markets', { viewport: { width: 360, height: 740 }, hasTouch: true });
            const overflow = () =>
                page.evaluate(
                    () =>
                        document.documentElement.scrollWidth - document.documentElement.clientWidth,
                );
            assert.equal(await overflow(), 0);
            assert.equal(await page.locator('#market').isVisible(), false);
            await rows(page).first().tap();
            await chartDrawn(page);
            assert.equal(await overflow(), 0);
            assert.equal(await page.locator('.list').isVisible(), false);
            await page.locator('#back').tap();
            assert.equal(await page.locator('.list').isVisible(), true);
            await page.close();
        });

        test('nothing jumps while it loads', async () => {
            const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
            await page.addInitScript(() => {
                window.shift = 0;
                new PerformanceObserver((list) => {
                    for (const entry of list.getEntries()) window.shift += entry.value;
                }).observe({ type: 'layout-shift', buffered: true });
            });
            await page.goto(`${server.url}/#markets`);
            await chartDrawn(page);
            assert.ok((await page.evaluate(() => window.shift)) < 0.1);
            await page.close();
        });

        test('a live row appears by itself', async () => {
            await eventually(async () => assert.notEqual(await newestRow(), oldRow), 90000);
            assert.equal(await watcher.locator('#live').getAttribute('data-state'), 'live');
            assert.deepEqual(watcher.errors, []);
        });

        test('every view has an address, and is come back to as it was left', async () => {
            const page = await open('#markets&q=btc');
            for (const view of ['overview', 'compare', 'options', 'health', 'markets']) {
                await page.locator(`[data-nav="${view}"]`).click();
                await page.locator(`#view-${view}`).waitFor({ state: 'visible' });
                assert.equal(await page.locator('.view:visible').count(), 1);
                assert.equal(
                    await page.locator('[aria-current="page"]').getAttribute('data-nav'),
                    view,
                );
                assert.ok(page.url().includes(`#${view}`));
            }
            assert.ok(page.url().endsWith('#markets&q=btc'));
            assert.equal(await page.locator('#search').inputValue(), 'btc');
            await page.goBack();
            await page.locator('#view-health').waitFor({ state: 'visible' });
            assert.deepEqual(page.errors, []);
            await page.close();
        });

        test('says that it is a demo', async () => {
            const page = await open();
            assert.equal(await page.locator('#demo').isVisible(), true);
            await page.close();
        });
    });
}

promises('made-up answers', () => startMock({ liveMs: 700 }));
const demo = await startDemo.prepare();
if (demo) promises('oi serve --demo', () => demo());
else test('the page of oi serve --demo', { skip: 'OI_BINARY cannot serve a demo' }, () => {});

describe('the page when things go wrong', { skip }, () => {
    let server, browser;

    before(async () => {
        server = await startMock({ liveMs: 400 });
        browser = await openBrowser();
    });
    after(async () => {
        await browser?.close();
        await server?.close();
    });

    test('a lost connection is dialled again, and rows go on', async () => {
        const page = await openPage(browser, `${server.url}/#markets`);
        await chartDrawn(page);
        const newest = page.locator('#readings tr').first().locator('td').first();
        const first = await newest.textContent();
        const changed = (before) =>
            page.waitForFunction(
                (text) => document.querySelector('#readings td').textContent !== text,
                before,
            );
        await changed(first);
        server.hangUp();
        await page.waitForFunction(() => document.getElementById('live').dataset.state === 'lost');
        await page.waitForFunction(() => document.getElementById('live').dataset.state === 'live');
        await changed(await newest.textContent());
        await page.close();
    });

    test('a hostile name is a text and nothing else', async () => {
        const page = await openPage(
            browser,
            `${server.url}/#market=${encodeURIComponent(HOSTILE)}`,
        );
        await chartDrawn(page);
        assert.equal(await page.locator('#title').textContent(), '<img src=x onerror=alert(1)>');
        await page.locator('#search').fill('onerror');
        assert.equal(await rows(page).locator('a').textContent(), '<img src=x onerror=alert(1)>');
        assert.equal(await page.locator('img[src="x"], #rows b, #market b').count(), 0);
        assert.ok((await page.locator('#coin option').allTextContents()).includes('<b>X</b>'));
        assert.deepEqual(page.errors, []);
        await page.close();
    });

    test('a search that finds nothing says what to do', async () => {
        const page = await openPage(browser, `${server.url}/#markets`);
        await rows(page).first().waitFor();
        await page.locator('#search').fill('no such market');
        assert.match(await page.locator('#list-empty').textContent(), /Clear the search/);
        await page.close();
    });

    test('filters and “show more” show what they say', async () => {
        const page = await openPage(browser, `${server.url}/#markets`);
        await rows(page).first().waitFor();
        const all = await latest(server.url);
        assert.equal(await rows(page).count(), 60);
        await page.locator('#more').click();
        assert.equal(await rows(page).count(), all.length);
        await page.locator('#exchange').selectOption('okx');
        await page.locator('#coin').selectOption('BTC');
        const want = all.filter((row) => row.exchange === 'okx' && row.coin === 'BTC');
        assert.equal(await rows(page).count(), want.length);
        await page.close();
    });

    test('a market that is not there is named, and so is a failing server', async () => {
        const page = await openPage(browser, `${server.url}/#market=nowhere:x:Y`);
        await page.waitForFunction(() =>
            document.getElementById('veil-text').textContent.includes('No such market'),
        );
        server.fail('/oi/v1/open-interest', 500, 'Internal error.');
        await page.locator('#rows a').first().click();
        await page.waitForFunction(() =>
            document.getElementById('veil-text').textContent.includes('log'),
        );
        server.heal();
        await page.locator('#veil-again').click();
        await chartDrawn(page);
        await page.close();
    });

    test('a server with keys is asked with one', async () => {
        server.fail('/oi/v1/latest', 401, 'This server asks for a key.');
        const page = await openPage(browser, `${server.url}/#markets`);
        await page.locator('#key').waitFor({ state: 'visible' });
        server.heal();
        const asked = page.waitForRequest(
            (request) =>
                request.url().endsWith('/session') &&
                request.method() === 'POST' &&
                request.postData() === 'secret',
        );
        await page.locator('#key-text').fill('secret');
        await page.keyboard.press('Enter');
        await asked;
        await rows(page).first().waitFor();
        await page.close();
    });

    test('zoom, pan and back again', async () => {
        const page = await openPage(browser, `${server.url}/#markets`);
        await chartDrawn(page);
        const box = await page.locator('#chart .u-over').boundingBox();
        const readAt = async (x) => {
            await page.mouse.move(box.x + x, box.y + 50);
            return page.locator('#readout dd').first().textContent();
        };
        const whole = await readAt(20);
        await page.mouse.move(box.x + box.width / 2, box.y + 50);
        await page.mouse.wheel(0, -400);
        await page.mouse.wheel(0, -400);
        await page.waitForTimeout(100);
        const zoomed = await readAt(20);
        assert.notEqual(zoomed, whole);
        await page.mouse.down();
        await page.mouse.move(box.x + 220, box.y + 50, { steps: 4 });
        await page.mouse.up();
        assert.notEqual(await readAt(20), zoomed);
        await page.locator('#zoom-all').click();
        assert.equal(await readAt(20), whole);
        await page.close();
    });
});
