// SPDX-License-Identifier: Apache-2.0
// oi parse: what the adapters read in one saved reply.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { recorded } from '../support/markets.mjs';
import { makeFolder, oi, skip } from '../support/server.mjs';

const root = new URL('../../', import.meta.url).pathname;
const fixture = (name) => join(root, 'tests/fixtures/exchanges', name);

function parse(exchange, kind, file, ...more) {
    const done = oi(['parse', exchange, kind, file, '--format', 'json', ...more]);
    assert.equal(done.status, 0, done.stderr);
    return JSON.parse(done.stdout);
}

test('a list with figures and sizes is told in every unit', { skip }, () => {
    const { rows, skipped } = parse('bitmex', 'current', fixture('bitmex/http_get_instrument_active.json'));
    const row = (symbol) => rows.find((found) => found.native_symbol === symbol);

    assert.deepEqual(row('XBTUSD'), {
        native_symbol: 'XBTUSD',
        instrument: 'bitmex:perpetual:XBTUSD',
        raw: '400000000',
        unit: 'contracts',
        sides: 1,
        contract_size: '1',
        contracts: '400000000',
        coins: '5000',
        usd: '400000000',
        exchange_time: '1790000000000000000',
        mark_price: '80000',
    });
    assert.equal(row('ETHUSD').usd, '256032800');
    assert.equal(row('ETHUSD').contract_size, null);
    assert.equal(row('XBTUSDT').coins, '7');
    assert.ok(skipped.some(({ row: name, reason }) => name === 'ODDUSD' && /typ/.test(reason)));
});

test('a message of a stream is read like a reply', { skip }, async (t) => {
    const folder = await makeFolder(t);
    const file = join(folder, 'message.json');

    writeFileSync(file, JSON.stringify({
        topic: 'tickers.BTCUSDT', type: 'delta', ts: 1786659827783,
        data: { symbol: 'BTCUSDT', openInterest: '59972.5' },
    }));
    const [row] = parse('bybit', 'stream', file).rows;
    assert.equal(row.native_symbol, 'BTCUSDT');
    assert.equal(row.raw, '59972.5');
    assert.equal(row.coins, '29986.25');
    assert.equal(row.exchange_time, '1786659827783000000');
});

test('both sides are halved, and what a reply cannot tell is null', { skip }, () => {
    const inverse = parse('bybit', 'current', fixture('bybit/http_get_tickers_inverse.json')).rows;
    const swap = parse('okx', 'current', fixture('okx/http_get_open_interest_swap.json')).rows;

    for (const row of inverse) {
        assert.equal(row.sides, 2);
        assert.equal(row.unit, 'usd');
        assert.equal(Number(row.usd), Number(row.raw) / 2);
        assert.equal(row.contracts, null);
    }
    assert.equal(swap[0].unit, 'contracts');
    assert.equal(swap[0].contract_size, null);
    assert.equal(swap[0].coins, null);
    assert.equal(swap[0].mark_price, null);
});

test('the product is asked for where the reply does not tell, and else found', { skip }, () => {
    const found = parse('binance', 'current', fixture('binance/http_get_open_interest_coinm.json'));
    assert.match(found.rows[0].instrument, /^binance:coinm:/);
    const named = parse('binance', 'current', fixture('binance/http_get_open_interest.json'), '--product', 'usdm');
    assert.match(named.rows[0].instrument, /^binance:usdm:/);
    for (const [file, product] of [['swap', 'swap'], ['futures', 'futures'], ['option', 'option']]) {
        const { rows } = parse('okx', 'current', fixture(`okx/http_get_open_interest_${file}.json`));
        assert.match(rows[0].instrument, new RegExp(`^okx:${product}:`));
    }
    const bare = oi(['parse', 'okx', 'history', fixture('okx/http_get_open_interest_history_swap.json')]);
    assert.equal(bare.status, 2);
    assert.match(bare.stderr, /say --product swap or futures/);
});

test('definitions, history and prices are rows of the same form', { skip }, () => {
    const list = parse('okx', 'instruments', fixture('okx/http_get_instruments_swap.json'));
    const history = parse('bybit', 'history', fixture('bybit/http_get_open_interest_linear.json'));
    const mark = parse('okx', 'mark', fixture('okx/http_get_mark_price_swap.json'), '--product', 'swap');
    const keys = Object.keys(list.rows[0]);

    assert.equal(list.rows[0].contract_size, '0.01');
    assert.equal(list.rows[0].raw, null);
    assert.ok(history.rows.length > 0 && mark.rows.length > 0);
    assert.notEqual(mark.rows[0].mark_price, null);
    for (const rows of [history.rows, mark.rows])
        for (const row of rows) assert.deepEqual(Object.keys(row), keys);
});

test('a table, a packed file, an error, and wrong usage', { skip }, async (t) => {
    const folder = await makeFolder(t);
    const packed = join(folder, 'reply.json.gz');
    const bad = join(folder, 'bad.json');

    writeFileSync(packed, gzipSync(readFileSync(fixture('bitmex/http_get_instrument_active.json'))));
    const table = oi(['parse', 'bitmex', 'current', packed]);
    assert.equal(table.status, 0);
    assert.match(table.stdout, /^native_symbol +raw/);
    assert.match(table.stderr, /skipped BADUSD: openInterest: below zero/);
    writeFileSync(bad, '{"error":{"message":"no","name":"HTTPError"}}');
    for (const [args, status, words] of [
        [['bitmex', 'current', bad], 1, /bad\.json: the reply is an error of bitmex: HTTPError: no/],
        [['bitmex', 'current', join(folder, 'none')], 1, /No such file/],
        [['mtgox', 'current', bad], 2, /there is no exchange "mtgox"/],
        [['bitmex', 'now', bad], 2, /KIND must be current/],
        [['bitmex', 'history', packed], 2, /bitmex has no such reply/],
        [['bitmex', 'current'], 2, /EXCHANGE KIND FILE is missing/],
    ]) {
        const refused = oi(['parse', ...args]);
        assert.equal(refused.status, status, refused.stderr);
        assert.match(refused.stderr, words);
        assert.equal(refused.stdout, '');
    }
});

test('a real reply is read whole', { skip: skip || (!existsSync(recorded) && 'no recorded data') }, () => {
    const file = join(recorded, 'data/exchange_responses/bitmex/instrument_active_2021.json');
    const { rows, skipped } = parse('bitmex', 'current', file);

    assert.equal(rows.length, 34);
    assert.deepEqual(skipped, []);
    // 1403475 contracts of ETHUSD are 2812.46565675 BTC at 32182.72.
    const quanto = rows.find((row) => row.native_symbol === 'ETHUSD');
    assert.equal(quanto.usd, '90512794.74080136');
});
