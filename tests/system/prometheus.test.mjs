// SPDX-License-Identifier: Apache-2.0
// The Prometheus API as Grafana's data source uses it: its health check, its editors, its panels.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';

import { ask } from '../support/ask.mjs';
import { define, importRows } from '../support/markets.mjs';
import { makeFolder, skip, startServer } from '../support/server.mjs';

const BASE = '/prometheus/api/v1';
const START = Date.UTC(2026, 2, 7) / 1000;

// Ten minutes of two perpetuals of one coin; figures that no double holds.
async function makeData(t) {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const rows = (first) => Array.from({ length: 10 }, (_, i) => ({
        time: new Date((START + 60 * i) * 1000).toISOString(), oi: `${first + i}.123456789012345678`,
    }));

    for (const [exchange, market, first] of [['okx', 'okx:swap:BTC-USDT-SWAP', 100], ['bybit', 'bybit:linear:BTCUSDT', 2000]]) {
        define(data, exchange);
        importRows(folder, data, { name: exchange, market, unit: 'coins', columns: { time: 'time', oi: 'oi' }, rows: rows(first) });
    }
    return data;
}

async function post(server, path, form) {
    const answer = await ask(server, `${BASE}${path}`, {
        method: 'POST', body: new URLSearchParams(form).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.status, 'success');
    return answer.json.data;
}

test('Grafana finds the data source alive and its labels', { skip }, async (t) => {
    const server = await startServer(t, { data: await makeData(t) });
    const get = async (path) => (await ask(server, `${BASE}${path}`)).json.data;

    assert.deepEqual(await post(server, '/query', { query: '1+1', time: START }), { resultType: 'scalar', result: [START, '2'] });
    assert.equal((await get('/status/buildinfo')).application, 'oi');
    assert.deepEqual(await get('/label/exchange/values?match[]=oi_usd'), ['bybit', 'okx']);
    assert.deepEqual(await get('/label/market/values?match[]={exchange="okx",coin="BTC",kind="perpetual",quote="USDT"}'), ['okx:swap:BTC-USDT-SWAP']);
    assert.ok((await get('/labels')).includes('coin'));
    assert.equal((await get('/metadata')).oi_usd[0].type, 'gauge');
    const series = await get(`/series?match[]=${encodeURIComponent('oi_coins{market="okx:swap:BTC-USDT-SWAP"}')}&start=${START}&end=${START + 60}`);
    assert.deepEqual(series, [{
        __name__: 'oi_coins', coin: 'BTC', exchange: 'okx', kind: 'perpetual', market: 'okx:swap:BTC-USDT-SWAP',
        product: 'swap', quote: 'USDT', settlement: 'linear', symbol: 'BTC-USDT-SWAP',
    }]);
});

test('a panel draws every figure with its digits, and sums by exchange', { skip }, async (t) => {
    const server = await startServer(t, { data: await makeData(t) });
    const range = { start: START, end: START + 600, step: 60 };

    const one = await post(server, '/query_range', { query: 'oi_coins{coin="BTC",exchange=~"okx"}', ...range });
    assert.equal(one.resultType, 'matrix');
    assert.equal(one.result.length, 1);
    // The figure at an instant is the last one before it.
    assert.deepEqual(one.result[0].values, Array.from({ length: 10 }, (_, i) => [START + 60 * (i + 1), `${100 + i}.123456789012345678`]));

    const parts = await post(server, '/query_range', { query: 'sum by (exchange) (oi_coins{coin="BTC",kind="perpetual"})', ...range });
    assert.deepEqual(parts.result.map((part) => part.metric), [{ exchange: 'bybit' }, { exchange: 'okx' }]);
    const whole = await post(server, '/query_range', { query: 'sum(oi_coins{coin="BTC",kind="perpetual"})', ...range });
    // Bybit counts both sides; what is summed is one-sided.
    const native = await ask(server, `/oi/v1/open-interest?coin=BTC&kind=perpetual&interval=1m&total=true&start=2026-03-07T00:00:00Z&end=2026-03-07T00:10:00Z`);
    assert.deepEqual(whole.result[0].values.map((sample) => sample[1]), native.json.data.map((candle) => candle.close));
    assert.deepEqual(whole.result[0].metric, {});

    const now = await post(server, '/query', { query: 'oi_coins{exchange="okx",coin="BTC",kind="perpetual",quote="USDT"}', time: START + 599.5 });
    assert.deepEqual(now.result.map((sample) => sample.value), [[START + 599.5, '109.123456789012345678']]);
    const old = await post(server, '/query', { query: 'oi_coins{exchange="okx"}', time: START + 3600 });
    assert.deepEqual(old.result, []);
});

test('what is not understood is refused in the envelope of Prometheus', { skip }, async (t) => {
    const server = await startServer(t, { data: await makeData(t) });
    const answer = await ask(server, `${BASE}/query?query=${encodeURIComponent('rate(oi_usd[5m])')}`);

    assert.equal(answer.status, 400);
    assert.equal(answer.json.errorType, 'bad_data');
    assert.match(answer.json.error, /of functions only sum is known/);
    assert.equal((await ask(server, `${BASE}/alerts`)).status, 404);
});
