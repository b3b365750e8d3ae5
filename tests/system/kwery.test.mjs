// SPDX-License-Identifier: Apache-2.0
// The Kwery API over sockets: the vendor's example, and what its command-line client sends.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { ask, multiply, normal } from '../support/ask.mjs';
import { body, requests, skipExamples } from '../support/examples.mjs';
import { define, importRows } from '../support/markets.mjs';
import { makeFolder, skip, startServer } from '../support/server.mjs';

const PATH = '/v1/open-interest';
const KEY = 'kwery_test_0123456789';
const CLI = { 'X-API-Key': KEY, 'User-Agent': 'kwery-cli/1.0.3', 'Content-Type': 'application/json' };
const START = Date.UTC(2026, 2, 7);

function iso(time) {
    return new Date(time).toISOString().replace('.000Z', 'Z');
}

test('the example of the reference page', { skip: skipExamples }, async (t) => {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const want = body('kwery_open-interest').exact;
    // The page prints three of six rows; the others, and one behind the range, are ours.
    const rows = Array.from({ length: 7 }, (_, i) => ({
        time: iso(START + i * 4 * 3600000),
        oi: want.data[i]?.open_interest ?? `${50000 + i}.25`,
        value: want.data[i]?.open_interest_usd ?? `${4700000000 + i}.5`,
    }));

    define(data, 'binance');
    importRows(folder, data, {
        name: 'example', market: 'binance-BTCUSDT-future', unit: 'coins', rows,
        columns: { time: 'time', oi: 'oi', value: 'value' },
    });
    const server = await startServer(t, { data });
    for (const page of requests('kwery_open-interest', KEY)) {
        const answer = await ask(server, page.target, { headers: page.headers });
        assert.equal(answer.status, 200, answer.text);
        // match: partial. The first three rows; of meta everything that the page shows.
        assert.equal(answer.json.data.length, 6);
        answer.exact.data.slice(0, 3).forEach((row, i) => {
            for (const [name, figure] of Object.entries(want.data[i])) {
                const isNumber = name.startsWith('open_interest');
                assert.equal(isNumber ? normal(row[name]) : row[name], isNumber ? normal(figure) : figure, name);
            }
            assert.deepEqual(Object.keys(row), Object.keys(want.data[i]));
        });
        for (const [name, value] of Object.entries(body('kwery_open-interest').json.meta))
            assert.equal(answer.json.meta[name], value, name);
        assert.equal((await ask(server, `/kwery${page.target}`, { headers: page.headers })).text, answer.text);
    }
});

// Binance and Hyperliquid, a reading every five minutes for four days.
async function startFull(t, args = []) {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const rows = (offset) =>
        Array.from({ length: 1152 }, (_, i) => ({
            time: iso(START + i * 300000), oi: `${offset + i}.125`, mark: '64000.5',
        }));

    define(data, 'binance', 'hyperliquid');
    for (const [name, market, offset] of [['one', 'binance-BTCUSDT-future', 1000], ['two', 'hyperliquid:perp:BTC', 5000]]) {
        importRows(folder, data, {
            name, market, unit: 'coins', rows: rows(offset), columns: { time: 'time', oi: 'oi', mark: 'mark' },
            more: ['--sides', '1'],
        });
    }
    return startServer(t, { data, args: ['--no-collect', ...args] });
}

test('the command-line client asks for 500 rows and goes on behind them', { skip }, async (t) => {
    const server = await startFull(t);
    const range = `start=${encodeURIComponent(iso(START))}&end=${encodeURIComponent(iso(START + 4 * 86400000))}`;
    const ways = [
        [`${PATH}?source=binance_futures&symbol=BTC&interval=5m&limit=500&${range}`, 'binance_futures', 1000],
        [`/v1/hyperliquid/open-interest?symbol=BTC&interval=5m&limit=500&${range}`, 'hyperliquid', 5000],
    ];

    for (const [target, source, offset] of ways) {
        const rows = [], sizes = [];
        let after = null;
        do {
            const more = after === null ? '' : `&after=${encodeURIComponent(after)}`;
            const answer = await ask(server, target + more, { headers: CLI });
            assert.equal(answer.status, 200, answer.text);
            assert.equal(answer.headers['x-rows-returned'], String(answer.json.data.length));
            assert.equal(answer.headers['x-rows-capped'], 'false');
            assert.equal(answer.headers['x-credits-used'], String(50 + 3 * answer.json.data.length));
            assert.equal(answer.json.meta.has_more, answer.json.meta.next_cursor !== null);
            assert.equal(answer.json.meta.returned, answer.json.data.length);
            sizes.push(answer.json.data.length);
            rows.push(...answer.exact.data);
            after = answer.json.meta.next_cursor;
        } while (after !== null && sizes.length < 10);
        assert.deepEqual(sizes, [500, 500, 152]);
        rows.forEach((row, i) => {
            assert.deepEqual(row, {
                timestamp: iso(START + i * 300000), symbol: 'BTC', source, interval: '5m',
                open_interest: row.open_interest, open_interest_usd: row.open_interest_usd,
            });
            assert.equal(normal(row.open_interest), `${offset + i}.125`);
            assert.equal(normal(row.open_interest_usd), multiply(`${offset + i}.125`, '64000.5'));
        });
    }
});

test('a row is the first reading of its interval', { skip }, async (t) => {
    const server = await startFull(t);
    const day = await ask(server, `${PATH}?symbol=BTCUSDT&source=binance_futures&interval=24h&start=${iso(START + 86400000)}&api-key=${KEY}`);

    assert.deepEqual(
        day.json.data.map((row) => [row.timestamp, row.symbol, row.interval, row.open_interest]),
        [1, 2, 3].map((i) => [iso(START + i * 86400000), 'BTCUSDT', '1d', 1000.125 + 288 * i]),
    );
    // Without a source both, by time; without a start the newest.
    const newest = await ask(server, `${PATH}?symbol=BTC&interval=1h&end=${iso(START + 4 * 86400000)}&limit=4`);
    assert.equal(newest.json.meta.source, null);
    assert.deepEqual(
        newest.json.data.map((row) => [row.timestamp, row.source]),
        [94, 94, 95, 95].map((i, k) => [iso(START + i * 3600000), k % 2 ? 'hyperliquid' : 'binance_futures']),
    );
});

test('companions and refusals', { skip }, async (t) => {
    const server = await startFull(t, ['--key', KEY]);
    const headers = { 'X-API-Key': KEY };
    const base = `${PATH}?symbol=BTC&source=binance_futures&start=2026-03-07T00:00:00Z`;

    const symbols = await ask(server, '/v1/symbols', { headers });
    assert.ok(symbols.json.symbols.some((one) => one.symbol === 'BTC' && one.sources.includes('hyperliquid')), symbols.text);
    const sources = await ask(server, '/v1/sources', { headers });
    assert.ok(sources.json.sources.some((one) => one.source === 'binance_futures'));
    assert.equal(typeof (await ask(server, '/v1/limits', { headers })).json.plan, 'string');
    assert.equal(typeof (await ask(server, '/v1/status', { headers })).json.status, 'string');
    const newest = async (more) => (await ask(server, `/v1/status${more}`, { headers })).json;
    assert.deepEqual((await newest('')).ingestion.map((one) => one.source), ['binance_futures', 'hyperliquid']);
    assert.deepEqual((await newest('?limit=1')).ingestion.map((one) => one.source), ['binance_futures']);
    assert.equal((await newest('?limit=0')).error, 'invalid_param');
    for (const [target, status, code, more] of [
        [base.replace('BTC', 'NOTHING'), 400, 'invalid_symbol'],
        [base.replace('symbol=BTC&', ''), 400, 'invalid_symbol'],
        [base.replace('binance_futures', 'mtgox'), 400, 'invalid_source'],
        [`${base}&interval=1s`, 400, 'invalid_interval'],
        [`${base}&end=2026-03-06T00:00:00Z`, 400, 'invalid_time_range'],
        [`${base}&limit=0`, 400, 'invalid_param'],
        [`${base}&nothing=1`, 400, 'invalid_param'],
        [base, 401, 'unauthorized', {}],
        [base, 401, 'unauthorized', { 'X-API-Key': 'kwery_test_another_key' }],
        [`${base}&api-key=${KEY}`, 401, 'unauthorized', { 'X-API-Key': 'kwery_test_another_key' }],
    ]) {
        const answer = await ask(server, target, { headers: more ?? headers });
        assert.equal(answer.status, status, `${target}: ${answer.text}`);
        assert.deepEqual(Object.keys(answer.json).slice(0, 2), ['error', 'message']);
        assert.equal(answer.json.error, code, target);
        assert.equal(typeof answer.json.message, 'string');
    }
    for (const name of ['api-key', 'api_key'])
        assert.equal((await ask(server, `${base}&${name}=${KEY}`)).status, 200, name);
    const more = await ask(server, `${base}&interval=5m&limit=5000`, { headers });
    assert.equal(more.json.data.length, 1000);
    assert.equal(more.headers['x-rows-capped'], 'true');
    assert.equal((await ask(server, base, { headers, method: 'HEAD' })).status, 200);
    assert.equal((await ask(server, base, { headers, method: 'POST' })).status, 405);
});
