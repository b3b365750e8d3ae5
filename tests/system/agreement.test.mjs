// SPDX-License-Identifier: Apache-2.0
// One file, every API: hours of a recorded minute series as each dialect tells them must be those
// that its own digits make, computed here without a double.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';

import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

import { add, ask, candle, compare, multiply, normal } from '../support/ask.mjs';
import { define, importRows, recorded } from '../support/markets.mjs';
import { importFile, makeFolder, skip, startServer } from '../support/server.mjs';

const FILE = join(recorded, 'data/oi/hyperliquid_0xarchive/hl_oi_usd_1m_BTC_ETH_SOL_20250306.csv.gz');
const skipFile = skip || (existsSync(FILE) ? false : 'the recorded file is not here');
const COINS = ['BTC', 'ETH', 'SOL'];
const FROM = Date.UTC(2025, 2, 6, 11);
const TO = Date.UTC(2025, 2, 7, 4);
const HOUR = 3600000;

// coin -> hour (ms) -> [{ time, figure }], in order.
function readHours() {
    const coins = new Map(COINS.map((coin) => [coin, new Map()]));

    for (const line of gunzipSync(readFileSync(FILE)).toString().trim().split('\n').slice(1)) {
        const [time, , coin, figure] = line.split(',');
        const instant = Date.parse(time);
        const hours = coins.get(coin);
        const hour = instant - (instant % HOUR);
        if (!hours.has(hour)) hours.set(hour, []);
        hours.get(hour).push({ time: instant, figure });
    }
    return coins;
}

// The file's figures are dollars. Taken as coins they let the other dialects speak too: what is
// compared is digits.
async function start(t, unit) {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');

    define(data, 'hyperliquid');
    importFile(data, 'csv', FILE, [
        '--time', 'timestamp', '--oi', 'oi_usd', '--unit', unit, '--sides', '1', '--market', 'hyperliquid-{coin}-future',
    ]);
    return startServer(t, { data });
}

function figures(rows) {
    return rows.map((row) => row.figure);
}

function candles(hours) {
    return [...hours].map(([hour, rows]) => ({ hour, ...candle(figures(rows)) }));
}

// The hour's first reading, as the dialects tell it that give snapshots.
function firsts(hours) {
    return [...hours].map(([hour, rows]) => ({ hour, time: rows[0].time, figure: normal(rows[0].figure) }));
}

async function askFine(server, target) {
    const answer = await ask(server, target);
    assert.equal(answer.status, 200, `${target}: ${answer.text.slice(0, 300)}`);
    return answer;
}

async function nativeCandles(server, coin, unit) {
    const { json } = await askFine(server, `/oi/v1/open-interest?market=hyperliquid:perp:${coin}&unit=${unit}&interval=1h&start=2025-03-06`);
    return json.data.map((row) => ({ hour: Date.parse(row.start), open: row.open, high: row.high, low: row.low, close: row.close }));
}

async function nativeRows(server, coin, unit) {
    const { json } = await askFine(server, `/oi/v1/open-interest?market=hyperliquid:perp:${coin}&unit=${unit}&start=2025-03-06&limit=10000`);
    return json.data.map((row) => ({ time: Date.parse(row.time), figure: row.open_interest }));
}

async function kiyotakaCandles(server, coin, more = '') {
    const { exact } = await askFine(
        server,
        `/v1/points?type=OPEN_INTEREST_AGG&exchange=HYPERLIQUID_FUTURES&rawSymbol=${coin}&interval=HOUR&from=${FROM / 1000}&period=${(TO - FROM) / 1000}${more}`,
    );
    assert.equal(exact.series.length, 1);
    return exact.series[0].points.map(({ Point }) => ({
        hour: Number(Point.timestamp.s) * 1000,
        open: normal(Point.open), high: normal(Point.high), low: normal(Point.low), close: normal(Point.close),
    }));
}

test('dollars: our own API and Kiyotaka', { skip: skipFile }, async (t) => {
    const server = await start(t, 'usd');

    for (const [coin, hours] of readHours()) {
        const want = candles(hours);
        assert.equal(want.length, 17);
        assert.deepEqual(await nativeCandles(server, coin, 'usd'), want, `${coin}, native`);
        assert.deepEqual(await kiyotakaCandles(server, coin, '&transform.normalize.quote=USD'), want, `${coin}, Kiyotaka`);
        assert.deepEqual(
            await nativeRows(server, coin, 'usd'),
            [...hours.values()].flat().map((row) => ({ ...row, figure: normal(row.figure) })),
            `${coin}, rows`,
        );
    }
    // No price is in the file, so nobody may speak of coins.
    const coins = await askFine(server, `/oi/v1/open-interest?market=hyperliquid:perp:BTC&interval=1h&start=2025-03-06`);
    assert.deepEqual([coins.json.data.length, coins.json.left_out_rows], [0, 1000]);
    assert.deepEqual((await askFine(server, '/v4/timeseries/market-openinterest?markets=hyperliquid-*')).json, { data: [] });
});

test('the total of three coins is the candle of their sum', { skip: skipFile }, async (t) => {
    const server = await start(t, 'usd');
    const coins = readHours();
    const { json } = await askFine(server, '/oi/v1/open-interest?exchange=hyperliquid&unit=usd&interval=1h&total=true&start=2025-03-06');
    const want = [...coins.get('BTC')].map(([hour, rows]) => ({
        hour,
        ...candle(rows.map((row, i) => COINS.slice(1).reduce((sum, coin) => add(sum, coins.get(coin).get(hour)[i].figure), row.figure))),
    }));

    assert.deepEqual(
        json.totals[0].members.map((member) => [member.market, member.left_out !== undefined]).sort(),
        [...COINS.slice(0, 2), 'HYPE', 'SOL'].map((coin) => [`hyperliquid:perp:${coin}`, coin === 'HYPE']),
    );
    assert.deepEqual(
        json.data.map((row) => ({ hour: Date.parse(row.start), open: row.open, high: row.high, low: row.low, close: row.close })),
        want,
    );
});

test('the same digits as coins: all six', { skip: skipFile }, async (t) => {
    const server = await start(t, 'coins');

    for (const [coin, hours] of readHours()) {
        const want = candles(hours), snapshots = firsts(hours);
        assert.deepEqual(await nativeCandles(server, coin, 'coins'), want, `${coin}, native`);
        assert.deepEqual(await kiyotakaCandles(server, coin), want, `${coin}, Kiyotaka`);

        // The first reading of each hour, with its own time.
        const coinmetrics = await askFine(
            server,
            `/v4/timeseries/market-openinterest?markets=hyperliquid-${coin}-future&granularity=1h&paging_from=start`,
        );
        assert.deepEqual(
            coinmetrics.json.data.map((row) => [Date.parse(row.time), row.contract_count]),
            snapshots.map((row) => [row.time, row.figure]),
            `${coin}, Coin Metrics`,
        );
        // The same, stamped with the hour.
        const kwery = await askFine(server, `/v1/open-interest?symbol=${coin}&source=hyperliquid&interval=1h&start=2025-03-06T00:00:00Z&end=2025-03-08T00:00:00Z`);
        assert.deepEqual(
            kwery.exact.data.map((row) => [Date.parse(row.timestamp), normal(row.open_interest)]),
            snapshots.map((row) => [row.hour, row.figure]),
            `${coin}, Kwery`,
        );
        // The close of each hour, as a double.
        const links = await askFine(server, `/api/v1/data/open_interest?timestamp=exchange&interval=1h&exchange=hyperliquid-perps&symbol=perpetual-${coin}-USDC%3AUSDC&start_date=2025-03-06&end_date=2025-03-07`);
        assert.equal(links.json.files.length, 1);
        const { bytes } = await ask(server, links.json.files[0].url.slice(server.url.length));
        const bars = await parquetReadObjects({
            file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), compressors,
        });
        assert.deepEqual(
            bars.map((row) => [new Date(row.time).getTime(), row.open_interest]),
            want.map((row) => [row.hour, Number(row.close)]),
            `${coin}, Aperiodic`,
        );
        // Every reading, in two dialects.
        const rows = await nativeRows(server, coin, 'coins');
        const all = await askFine(server, `/v4/timeseries/market-openinterest?markets=hyperliquid-${coin}-future&format=json_stream`);
        assert.deepEqual(
            all.text.trim().split('\n').map((line) => JSON.parse(line)).map((row) => ({ time: Date.parse(row.time), figure: row.contract_count })),
            rows,
        );
        assert.ok(want.every((row) => compare(row.low, row.high) <= 0));
    }
});

test('before the import nothing was known', { skip: skipFile }, async (t) => {
    const server = await start(t, 'coins');
    const early = await askFine(server, '/oi/v1/open-interest?market=hyperliquid:perp:BTC&as_of=2025-03-06T12:00:00Z&interval=1h');
    assert.deepEqual(early.json.data, []);
});

// Three exchanges with readings at the same instants, each with its mark price: whatever can be said in
// two dialects must be the same figure in both, market by market and summed up.
const MARKETS = [
    { id: 'binance-BTCUSDT-future', native: 'binance:usdm:BTCUSDT', kiyotaka: 'BINANCE_FUTURES', symbol: 'BTCUSDT',
        kwery: 'binance_futures', atlas: ['binance-futures', 'perpetual-BTC-USDT:USDT'], sides: 1 },
    { id: 'bybit-BTCUSDT-future', native: 'bybit:linear:BTCUSDT', kiyotaka: 'BYBIT', symbol: 'BTCUSDT',
        atlas: ['bybit-perps', 'perpetual-BTC-USDT:USDT'], sides: 2 },
    { id: 'hyperliquid-BTC-future', native: 'hyperliquid:perp:BTC', kiyotaka: 'HYPERLIQUID_FUTURES', symbol: 'BTC',
        kwery: 'hyperliquid', atlas: ['hyperliquid-perps', 'perpetual-BTC-USDC:USDC'], sides: 1 },
];
const BEGIN = Date.UTC(2026, 2, 7);
const HOURS = 30;
const STEP = 5 * 60000;
const READINGS = MARKETS.map((_, k) => Array.from({ length: (HOURS * HOUR) / STEP }, (_, i) => ({
    time: BEGIN + i * STEP,
    oi: `${1000 * (k + 1) + ((i * 7919 + k) % 997)}.${String((i * 31 + k) % 1000).padStart(3, '0')}`,
    mark: `${90000 + ((i * 104729 + 13 * k) % 4001)}.${(i + k) % 10}`,
})));

function byHour(k, figure) {
    return Array.from({ length: HOURS }, (_, hour) =>
        READINGS[k].slice((hour * HOUR) / STEP, ((hour + 1) * HOUR) / STEP).map(figure));
}

const inCoins = (row) => normal(row.oi);
const inDollars = (row) => multiply(row.oi, row.mark);

async function startThree(t) {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');

    define(data, 'binance', 'bybit', 'hyperliquid');
    for (const [k, market] of MARKETS.entries())
        importRows(folder, data, {
            name: `rows${k}`, market: market.id, unit: 'coins', rows: READINGS[k], more: ['--sides', String(market.sides)],
            columns: { time: 'time:ms', oi: 'oi', mark: 'mark' },
        });
    return startServer(t, { data });
}

const SPAN = `start=2026-03-07&end=2026-03-09&limit=100000&convention=as_reported`;
const POINTS = `type=OPEN_INTEREST_AGG&interval=HOUR&from=${BEGIN / 1000}&period=${HOURS * 3600}`;
const ohlc = (row) => [row.open, row.high, row.low, row.close].map(normal);
const points = (json) => json.series[0].points.map(({ Point }) => ohlc(Point));

test('market by market: figures in coins and dollars, in every dialect', { skip }, async (t) => {
    const server = await startThree(t);
    const get = async (target) => (await askFine(server, target)).exact;

    for (const [k, market] of MARKETS.entries()) {
        const coins = byHour(k, inCoins), dollars = byHour(k, inDollars);
        const firsts = coins.map(([figure]) => figure), firstDollars = dollars.map(([figure]) => figure);

        for (const [unit, figures, more] of [['coins', coins, ''], ['usd', dollars, '&transform.normalize.quote=USD']]) {
            const want = figures.map((hour) => Object.values(candle(hour)));
            const own = await get(`/oi/v1/open-interest?market=${market.native}&interval=1h&unit=${unit}&${SPAN}`);
            assert.deepEqual(own.data.map(ohlc), want, `${market.id} ${unit}, native`);
            const theirs = await get(`/v1/points?${POINTS}&exchange=${market.kiyotaka}&rawSymbol=${market.symbol}${more}`);
            assert.deepEqual(points(theirs), want, `${market.id} ${unit}, Kiyotaka`);
        }
        const rows = await get(`/v4/timeseries/market-openinterest?markets=${market.id}&granularity=1h&page_size=100&paging_from=start`);
        assert.deepEqual(rows.data.map((row) => [row.contract_count, normal(row.value_usd)]),
            firsts.map((figure, i) => [figure, firstDollars[i]]), `${market.id}, Coin Metrics`);
        // One metric of a market is what its reading at the instant is worth, with 15 digits.
        const metrics = await get(`/v4/timeseries/market-metrics?markets=${market.id}&metrics=open_interest_reported_future_usd&frequency=1h&end_time=2026-03-08T05:00:00&page_size=100`);
        assert.deepEqual(metrics.data.map((row) => row.open_interest_reported_future_usd),
            firstDollars.map((figure) => normal(Number(figure).toPrecision(15))), `${market.id}, metrics`);
        if (market.kwery) {
            const snapshots = await get(`/v1/open-interest?symbol=BTC&source=${market.kwery}&interval=1h&start=2026-03-07T00:00:00Z`);
            assert.deepEqual(snapshots.data.map((row) => [normal(row.open_interest), normal(row.open_interest_usd)]),
                firsts.map((figure, i) => [figure, firstDollars[i]]), `${market.id}, Kwery`);
        } else {
            const history = await get('/openinterest-api/v1/history?symbol=BTCUSDT&period=1h');
            assert.deepEqual(history.data.history.map((row) => normal(row.open_interest)), firsts, 'oanor');
            const newest = await get('/openinterest-api/v1/oi?symbol=BTCUSDT&period=1h&lookback=24');
            assert.deepEqual([newest.data.open_interest, newest.data.open_interest_ago, newest.data.open_interest_value_usd].map(normal),
                [firsts.at(-1), firsts.at(-25), dollars.at(-1).at(-1)]);
            const latest = await get('/oi/v1/latest?exchange=bybit&convention=as_reported');
            assert.equal(normal(latest.data.find((row) => row.market === market.native).open_interest), coins.at(-1).at(-1));
        }
        const [exchange, symbol] = market.atlas;
        const name = `exchange=${exchange}&symbol=${encodeURIComponent(symbol)}&start_date=2026-03-07&end_date=2026-03-08`;
        const read = async (target) => {
            const links = await get(target);
            const { bytes } = await ask(server, links.files[0].url.slice(server.url.length));
            return parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), compressors });
        };
        const bars = await read(`/api/v1/data/open_interest?timestamp=exchange&interval=1h&${name}`);
        assert.deepEqual(bars.map((row) => row.open_interest), coins.map((hour) => Number(hour.at(-1))), `${market.id}, Aperiodic`);
        const raw = await read(`/api/v1/data/raw/open_interest?${name}`);
        assert.deepEqual(raw.map((row) => [new Date(row.exchange_timestamp).getTime(), row.open_interest]),
            READINGS[k].map((row) => [row.time, Number(row.oi)]), `${market.id}, Aperiodic's raw readings`);
    }
});

test('summed up: candles of the total, and metrics at its instants', { skip }, async (t) => {
    const server = await startThree(t);
    const get = async (target) => (await askFine(server, target)).exact;

    for (const [unit, figure, more] of [['coins', inCoins, ''], ['usd', inDollars, '&transform.normalize.quote=USD']]) {
        const sums = Array.from({ length: HOURS }, (_, hour) => {
            const parts = MARKETS.map((_, k) => byHour(k, figure)[hour]);
            return parts[0].map((_, i) => parts.reduce((sum, part) => add(sum, part[i]), '0'));
        });
        const want = sums.map((hour) => Object.values(candle(hour)));
        const own = await get(`/oi/v1/open-interest?coin=BTC&interval=1h&total=true&unit=${unit}&${SPAN}`);
        assert.deepEqual(own.data.slice(0, HOURS).map(ohlc), want, `${unit}, native`);
        const theirs = await get(`/v1/points?${POINTS}&coin=BTC&transform.groupBy.type=GROUP_BY_TYPE_SUM${MARKETS.map((market) => `&exchange=${market.kiyotaka}`).join('')}${more}`);
        assert.deepEqual(points(theirs), want, `${unit}, Kiyotaka`);
        if (unit === 'coins') continue;
        for (const [target, key] of [['asset-metrics?assets=btc', 'asset'], ['exchange-metrics?exchanges=*', 'exchange']]) {
            const { data } = await get(`/v4/timeseries/${target}&metrics=open_interest_reported_future_usd&frequency=1h&end_time=2026-03-08T05:00:00&page_size=1000`);
            // What the exchanges hold at an instant is what the asset does, but for the digits cut from each.
            for (let hour = 0; hour < HOURS; hour++) {
                const time = `${new Date(BEGIN + hour * HOUR).toISOString().slice(0, -1)}000000Z`;
                const rows = data.filter((row) => row.time === time);
                const sum = rows.reduce((total, row) => total + Number(row.open_interest_reported_future_usd), 0);
                assert.equal(rows.length, key === 'asset' ? 1 : MARKETS.length);
                assert.ok(Math.abs(sum / Number(sums[hour][0]) - 1) < 1e-12, `${time} ${key}: ${sum} for ${sums[hour][0]}`);
            }
        }
    }
});
