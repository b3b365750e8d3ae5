// SPDX-License-Identifier: Apache-2.0
// The oanor API over sockets: the vendor's four examples, and what is refused.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { ask } from '../support/ask.mjs';
import { body, requests, skipExamples } from '../support/examples.mjs';
import { define, importRows } from '../support/markets.mjs';
import { makeFolder, oi, skip, startServer } from '../support/server.mjs';

const BASE = '/openinterest-api/v1';
const DAY = 86400000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const COLUMNS = { time: 'time', oi: 'oi', value: 'value', last: 'last' };

function row(time, oi, value = '', last = '') {
    return { time: new Date(time).toISOString(), oi, value, last };
}

// What is the same in every answer that went well.
function assertEnvelope(answer, message) {
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(Object.keys(answer.json).sort(), ['data', 'message', 'meta', 'status', 'success']);
    assert.equal(answer.json.status, 'ok');
    assert.equal(answer.json.success, true);
    assert.equal(answer.json.message, message);
    assert.match(answer.json.meta.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.match(answer.json.meta.request_id, UUID);
}

async function makeData(t, rows, sides = 1) {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');

    define(data, 'bybit');
    importRows(folder, data, { name: 'btc', market: 'bybit:linear:BTCUSDT', unit: 'coins', columns: COLUMNS, rows, more: ['--every', '1h', '--sides', String(sides)] });
    importRows(folder, data, {
        name: 'pepe', market: 'bybit:linear:1000PEPEUSDT', unit: 'coins', columns: COLUMNS, more: ['--every', '1h'],
        rows: [row(Date.UTC(2026, 5, 9), '5000')],
    });
    return data;
}

test('the examples of oi, symbols and meta', { skip: skipExamples }, async (t) => {
    const want = body('oanor_oi').json;
    const { data: figures } = want;
    const data = await makeData(t, [
        row(figures.from, figures.open_interest_ago),
        row(figures.as_of, figures.open_interest),
        // What the vendor shows beside the bucket is the newest reading's.
        row(Date.parse(figures.as_of) + 160000, '54721.884', figures.open_interest_value_usd, figures.last_price),
    ]);
    const server = await startServer(t, { data });

    for (const name of ['oanor_oi', 'oanor_symbols']) {
        const [page] = requests(name, 'oanor_live_anything');
        const sample = body(name).json;
        const answer = await ask(server, page.target, { headers: page.headers });
        assertEnvelope(answer, sample.message);
        assert.deepEqual(answer.json.data, sample.data);
        assert.deepEqual((await ask(server, `/oanor${page.target}`)).json.data, sample.data);
    }
    const [page] = requests('oanor_meta', 'oanor_live_anything');
    const sample = body('oanor_meta').json;
    const answer = await ask(server, page.target, { headers: page.headers });
    assertEnvelope(answer, sample.message);
    assert.deepEqual(Object.keys(answer.json.data).sort(), Object.keys(sample.data).sort());
    assert.deepEqual(Object.keys(answer.json.data.endpoints).sort(), Object.keys(sample.data.endpoints).sort());
    assert.deepEqual(answer.json.data.periods, sample.data.periods);
    assert.equal(answer.json.data.service, sample.data.service);
    assert.equal(typeof answer.json.data.symbols_live, 'number');
});

test('the example of history', { skip: skipExamples }, async (t) => {
    const want = body('oanor_history').json.data;
    const first = Date.parse(want.history[0].timestamp);
    const [page] = requests('oanor_history', 'oanor_live_anything');
    const history = Array.from({ length: 50 }, (_, i) => ({
        timestamp: new Date(first + i * DAY).toISOString(),
        // The page breaks off after ten points; the others are ours.
        open_interest: want.history[i]?.open_interest ?? 50000 + i,
    }));
    const data = await makeData(t, [
        row(first - DAY, '1'),
        ...history.map((point) => row(point.timestamp, point.open_interest)),
        row(first + 49 * DAY + 3600000, '2'),
    ]);
    const server = await startServer(t, { data });
    const answer = await ask(server, page.target, { headers: page.headers });

    assertEnvelope(answer, 'Open interest history retrieved successfully');
    assert.deepEqual(answer.json.data, { ...want, history });
});

test('defaults, base, and what is cut', { skip }, async (t) => {
    const start = Date.UTC(2026, 5, 1);
    const rows = Array.from({ length: 300 }, (_, i) => row(start + i * 3600000, `${1000 + i}`, `${(1000 + i) * 10}`, '10'));
    const server = await startServer(t, { data: await makeData(t, rows) });
    const newest = new Date(start + 299 * 3600000).toISOString();

    const oi = await ask(server, `${BASE}/oi?base=btc`);
    assertEnvelope(oi, 'Open interest retrieved successfully');
    assert.deepEqual(oi.json.data, {
        symbol: 'BTCUSDT', period: '1h', open_interest: 1299, open_interest_value_usd: 12990,
        open_interest_ago: 1275, change_pct: 1.88, trend: 'rising', lookback_buckets: 24,
        from: new Date(start + 275 * 3600000).toISOString(), as_of: newest, last_price: 10,
    });
    const history = await ask(server, `${BASE}/history?symbol=BTCUSDT&limit=1000`);
    assert.equal(history.json.data.count, 200);
    assert.equal(history.json.data.history.at(-1).timestamp, newest);
    assert.equal((await ask(server, `${BASE}/history?symbol=BTCUSDT`)).json.data.count, 50);
    const four = await ask(server, `${BASE}/history?symbol=BTCUSDT&period=4h&limit=2`);
    assert.deepEqual(four.json.data.history.map((point) => point.open_interest), [1292, 1296]);
});

test('a figure is in the unit of Bybit', { skip }, async (t) => {
    const server = await startServer(t, { data: await makeData(t, [row(Date.UTC(2026, 5, 9), '1')]) });
    const { json } = await ask(server, `${BASE}/oi?symbol=1000PEPEUSDT`);
    const history = await ask(server, `${BASE}/history?symbol=1000PEPEUSDT`);

    assert.equal(json.data.open_interest, 5000);
    assert.equal(history.json.data.history[0].open_interest, 5000);
});

test('refusals come in the envelope', { skip }, async (t) => {
    const key = 'oanor_live_of_the_test';
    const data = await makeData(t, [row(Date.UTC(2026, 5, 1), '1')]);
    const server = await startServer(t, { data, args: ['--no-collect', '--key', key] });
    const headers = { 'x-oanor-key': key };

    for (const [path, status, more] of [
        ['/oi', 400], ['/oi?symbol=BTCUSDT&period=2h', 400], ['/oi?symbol=BTCUSDT&lookback=x', 400],
        ['/oi?symbol=BTCUSDT&nothing=1', 400], ['/oi?symbol=NONEUSDT', 404], ['/oi?symbol=BTCUSD', 404],
        ['/nothing', 404], ['/oi?symbol=BTCUSDT', 401, {}], ['/oi?symbol=BTCUSDT', 401, { 'x-oanor-key': 'no' }],
    ]) {
        const answer = await ask(server, BASE + path, { headers: more ?? headers });
        assert.equal(answer.status, status, `${path}: ${answer.text}`);
        assert.equal(answer.json.data, null);
        assert.equal(answer.json.status, 'error');
        assert.equal(answer.json.success, false);
        assert.equal(typeof answer.json.message, 'string');
        assert.equal(typeof answer.json.error.code, 'string');
        assert.match(answer.json.meta.request_id, UUID);
    }
    const removed = await ask(server, `${BASE}/meta`, { headers, method: 'DELETE' });
    assert.equal(removed.status, 405);
    assert.match(removed.headers.allow, /GET/);
    assert.equal((await ask(server, `${BASE}/meta`, { headers, method: 'HEAD' })).status, 200);
});

test('the description names every route and parameter, to whoever asks', { skip }, async (t) => {
    const data = await makeData(t, [row(Date.UTC(2026, 5, 1), '1')]);
    const server = await startServer(t, { data, args: ['--no-collect', '--key', 'oanor_live_of_the_test'] });

    for (const mount of ['/openinterest-api', '/oanor/openinterest-api', '/api/openinterest-api']) {
        const { status, json } = await ask(server, `${mount}/openapi.json`);
        assert.equal(status, 200);
        assert.equal(json.openapi, '3.1.0');
        assert.deepEqual(json.servers, [{ url: `${server.url}${mount}`, description: 'oanor gateway' }]);
        assert.deepEqual(json.components.securitySchemes.oanorKey, { type: 'apiKey', in: 'header', name: 'x-oanor-key' });
        for (const [path, { get }] of Object.entries(json.paths)) {
            const query = get.parameters.map((each) => `${each.name}=${each.example}`).join('&');
            const headers = { 'x-oanor-key': 'oanor_live_of_the_test' };
            assert.equal(get.operationId, `get${path.replaceAll('/', '_')}`);
            assert.ok(get.parameters.every((each) => each.schema.type === 'string'));
            // What it says works, and nothing else does.
            const answer = await ask(server, `${mount}${path}?${query}`, { headers });
            assert.equal(answer.status, 200, answer.text);
            assert.equal(answer.json.message, get.responses[200].description);
            assert.equal((await ask(server, `${mount}${path}?${query}&more=1`, { headers })).json.error.code, 'unknown_parameter');
        }
    }
});

test('an operator chooses one-sided figures for an API, and what a trend is', { skip }, async (t) => {
    const data = await makeData(t, [row(Date.UTC(2026, 5, 9, 1), '1000'), row(Date.UTC(2026, 5, 9, 3), '1010')], 2);
    const plain = await startServer(t, { data });
    const asked = async (server, path) => (await ask(server, path)).json;
    const ROWS = '/v4/timeseries/market-openinterest?markets=bybit-BTCUSDT-future&limit_per_market=1';
    const before = await asked(plain, `${BASE}/oi?symbol=BTCUSDT&lookback=2`);
    const rows = await asked(plain, ROWS);

    assert.deepEqual([before.data.open_interest, before.data.trend], [1010, 'rising']);
    await plain.stop();
    const server = await startServer(t, { data, args: ['--no-collect', '--canonical', 'oanor', '--trend-band', '1'] });
    const after = await asked(server, `${BASE}/oi?symbol=BTCUSDT&lookback=2`);
    assert.deepEqual([after.data.open_interest, after.data.change_pct, after.data.trend], [505, 1, 'flat']);
    // The other dialects are as they were.
    assert.deepEqual(await asked(server, ROWS), rows);
    for (const args of [['--canonical', 'nobody'], ['--trend-band', 'wide']]) {
        const done = oi(['serve', '--no-collect', '--listen', '127.0.0.1:0', '--data', data, ...args]);
        assert.notEqual(done.status, 0);
    }
});
