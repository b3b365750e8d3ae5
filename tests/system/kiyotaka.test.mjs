// SPDX-License-Identifier: Apache-2.0
// The Kiyotaka API over sockets: the vendor's examples, sums over exchanges, refusals.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { add, ask, candle, multiply, normal } from '../support/ask.mjs';
import { body, requests, skipExamples } from '../support/examples.mjs';
import { define, importRows } from '../support/markets.mjs';
import { makeFolder, skip, startServer } from '../support/server.mjs';

const START = 1774800000;
const POINTS = '/v1/points?type=OPEN_INTEREST_AGG';
const ONE = `${POINTS}&exchange=BINANCE_FUTURES&rawSymbol=BTCUSDT&interval=HOUR&from=${START}&period=3600`;

function at(seconds) {
    return new Date((START + seconds) * 1000).toISOString();
}

test('the example of the reference page', { skip: skipExamples }, async (t) => {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const [page] = requests('kiyotaka_points-single', 'anything');
    const want = body('kiyotaka_points-single').json;
    const point = want.series[0].points[0].Point;

    define(data, 'binance');
    importRows(folder, data, {
        name: 'example',
        market: 'binance-BTCUSDT-future',
        unit: 'coins',
        columns: { time: 'time', oi: 'oi' },
        rows: [
            { time: at(0), oi: point.open },
            { time: at(1200), oi: point.high },
            { time: at(2400), oi: point.low },
            { time: at(3540), oi: point.close },
            { time: at(3600), oi: 1 },
        ],
    });
    const server = await startServer(t, { data });
    const answer = await ask(server, page.target, { headers: page.headers });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.json, want);
    const lower = { 'x-kiyotaka-key': 'anything' };
    assert.deepEqual((await ask(server, `/kiyotaka${page.target}`, { headers: lower })).json, want);
});

// Three exchanges, a reading a minute for one hour.
const MARKETS = [
    ['binance', 'binance-BTCUSDT-future', 'coins', 1],
    ['bybit', 'bybit-BTCUSDT-future', 'coins', 7],
    ['okx', 'okex-BTC-USDT-SWAP-future', 'contracts', 300],
];

function reading(market, i) {
    const factor = MARKETS[market][3];
    return {
        time: at(60 * i),
        oi: `${factor * 1000 + ((i * (13 + market)) % 60)}.5`,
        mark: `${68000 + ((i * (7 + 4 * market)) % 60)}.25`,
    };
}

async function startThree(t, args) {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');

    define(data, 'binance', 'bybit', 'okx');
    MARKETS.forEach(([name, market, unit], k) =>
        importRows(folder, data, {
            name, market, unit,
            columns: { time: 'time', oi: 'oi', mark: 'mark' },
            rows: Array.from({ length: 60 }, (_, i) => reading(k, i)),
            more: ['--sides', '1'],
        }),
    );
    return startServer(t, { data, args: ['--no-collect', ...(args ?? [])] });
}

// The total of each minute, in coins or in USD.
function totals(isInDollars) {
    return Array.from({ length: 60 }, (_, i) =>
        MARKETS.reduce((sum, [name], k) => {
            const { oi, mark } = reading(k, i);
            const coins = name === 'okx' ? multiply(oi, '0.01') : oi;
            return add(sum, isInDollars ? multiply(coins, mark) : coins);
        }, '0'),
    );
}

function exactCandle(point) {
    const { timestamp, ...figures } = point.Point;
    return Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, normal(figure)]));
}

test('a sum over exchanges is the candle of the total', { skip }, async (t) => {
    const server = await startThree(t);
    const target = `${POINTS}&exchange=BINANCE_FUTURES&exchange=BYBIT&exchange=OKEX_SWAP&coin=BTC&interval=HOUR&from=${START}&period=3600&transform.groupBy.type=GROUP_BY_TYPE_SUM`;

    for (const isInDollars of [false, true]) {
        const answer = await ask(server, target + (isInDollars ? '&transform.normalize.quote=USD' : ''));
        assert.equal(answer.status, 200, answer.text);
        const [series, ...others] = answer.exact.series;
        assert.deepEqual(others, []);
        assert.deepEqual(series.id, { type: 'OPEN_INTEREST_AGG', interval: 'HOUR', coin: 'BTC' });
        assert.equal(series.points.length, 1);
        assert.deepEqual(series.points[0].Point.timestamp, { s: String(START) });
        assert.deepEqual(exactCandle(series.points[0]), candle(totals(isInDollars)));
    }
});

test('the sum of the reference page, from our own readings', { skip: skipExamples }, async (t) => {
    const server = await startThree(t);
    const [page] = requests('kiyotaka_points-sum-usd', 'anything');
    const answer = await ask(server, page.target, { headers: page.headers });

    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.series.length, 1);
    assert.equal(exactCandle(answer.exact.series[0].points[0]).close, totals(true).at(-1));
});

test('without a sum each market is a series, as the exchanges were asked for', { skip }, async (t) => {
    const server = await startThree(t);
    const target = `${POINTS}&exchange=OKEX_SWAP&exchange=BINANCE_FUTURES&coin=BTC&interval=HOUR&from=${START + 1234}&period=3600`;
    const answer = await ask(server, target);

    assert.deepEqual(
        answer.json.series.map(({ id }) => [id.exchange, id.rawSymbol, id.normalizedSymbol, id.category, id.coin]),
        [
            ['OKEX_SWAP', 'BTC-USDT-SWAP', 'BTC-USDT', 'PERPETUAL', 'BTC'],
            ['BINANCE_FUTURES', 'BTCUSDT', 'BTC-USDT', 'PERPETUAL', 'BTC'],
        ],
    );
    const figures = Array.from({ length: 60 }, (_, i) => reading(0, i).oi);
    assert.deepEqual(exactCandle(answer.exact.series[1].points[0]), candle(figures));
    const twice = await ask(server, ONE.replace('type=', 'type=OPEN_INTEREST_AGG&type='));
    assert.equal(twice.json.series.length, 1, 'one series for each type, not for each time it is named');
    const minutes = await ask(server, ONE.replace('HOUR', 'MINUTE') + '&sortDirection=SORT_DIRECTION_DESC');
    assert.deepEqual(
        minutes.json.series[0].points.map((point) => point.Point.timestamp.s),
        Array.from({ length: 60 }, (_, i) => START + 60 * (59 - i)),
    );
});

test('no data, lists, refusals', { skip }, async (t) => {
    const server = await startThree(t);

    assert.deepEqual((await ask(server, ONE.replace(String(START), '1600000000'))).json, { series: [] });
    const symbols = await ask(server, '/v1/symbols?exchange[]=BYBIT');
    assert.equal(symbols.status, 200, symbols.text);
    assert.ok(symbols.json.rawSymbols.includes('BTCUSDT'), symbols.text);
    for (const [path, name] of [['types', 'types'], ['exchanges', 'exchanges'], ['categories', 'categories'], ['coins', 'coins'], ['normalized-symbols', 'normalizedSymbols'], ['markets', 'markets']]) {
        const list = await ask(server, `/v1/${path}`);
        assert.equal(list.status, 200, `${path}: ${list.text}`);
        assert.ok(Array.isArray(list.json[name]) && list.json[name].length > 0, `${path}: ${list.text}`);
    }
    const usage = await ask(server, '/v1/usage');
    assert.equal(usage.status, 200);
    assert.ok('weightPerMinute' in usage.json);
    for (const [target, status, code] of [
        [ONE.replace('BINANCE_FUTURES', 'BINANCE_PAST'), 400, 'INVALID_EXCHANGE'],
        [ONE.replace('BTCUSDT', 'NOTHING'), 400, 'INVALID_SYMBOL'],
        [ONE.replace('HOUR', 'FORTNIGHT'), 400, 'INVALID_TIMEFRAME'],
        [ONE.replace('OPEN_INTEREST_AGG', 'TRADE_AGG'), 400, 'INVALID_PARAMS'],
        [ONE.replace('&rawSymbol=BTCUSDT', ''), 400, 'INVALID_PARAMS'],
        [ONE.replace('HOUR', 'MINUTE').replace('=3600', '=6000060'), 403, 'POINT_COUNT_EXCEEDED'],
    ]) {
        const answer = await ask(server, target);
        assert.equal(answer.status, status, `${target}: ${answer.text}`);
        assert.equal(answer.json.error, code, target);
        assert.equal(typeof answer.json.message, 'string');
    }
    const answer = await ask(server, ONE);
    for (const name of ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'x-ratelimit-weight'])
        if (answer.headers['x-ratelimit-limit']) assert.ok(name in answer.headers, name);
    assert.equal((await ask(server, ONE, { method: 'HEAD' })).status, 200);
    const put = await ask(server, ONE, { method: 'PUT' });
    assert.equal(put.status, 405);
    assert.match(put.headers.allow, /GET/);
});

test('a key is asked for in the header', { skip }, async (t) => {
    const key = 'a-key-of-the-test';
    const server = await startThree(t, ['--key', key]);

    for (const headers of [{}, { 'X-Kiyotaka-Key': 'wrong' }]) {
        const answer = await ask(server, ONE, { headers });
        assert.equal(answer.status, 401);
        assert.equal(answer.json.error, 'INVALID_API_KEY');
        assert.equal(typeof answer.json.message, 'string');
    }
    assert.equal((await ask(server, ONE, { headers: { 'x-kiyotaka-key': key } })).json.series.length, 1);
});
