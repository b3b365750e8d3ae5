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

import { add, ask, candle, compare, normal } from '../support/ask.mjs';
import { define, recorded } from '../support/markets.mjs';
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
        json.totals[0].members.map((member) => [member.market, member.left_out !== undefined]),
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
