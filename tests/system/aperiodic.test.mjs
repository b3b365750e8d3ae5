// SPDX-License-Identifier: Apache-2.0
// The Aperiodic API over sockets: links and files as its clients use them, read by two readers.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { DuckDBInstance } from '@duckdb/node-api';
import { tableFromIPC } from 'apache-arrow';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { readParquet } from 'parquet-wasm/node';

import { ask } from '../support/ask.mjs';
import { body, requests, skipExamples } from '../support/examples.mjs';
import { define, importRows } from '../support/markets.mjs';
import { makeFolder, skip, startServer } from '../support/server.mjs';

const KEY = 'a-key-of-the-test';
const COLUMNS = ['time', 'open_interest', 'open_interest_pct_change', 'open_interest_volatility', 'oi_price_change_ratio'];
const DATA = '/api/v1/data/open_interest';
const SYMBOL = 'perpetual-BTC-USDT%3AUSDT';
const CLIENT = { 'X-API-KEY': KEY, Accept: '*/*', 'Accept-Encoding': 'gzip, deflate, br', 'User-Agent': 'python-httpx/0.27.0' };
const START = Date.UTC(2024, 0, 1);
const EVERY = 20 * 60000;
const DAYS = 75;

// A reading every 20 minutes from January to the middle of March 2024, without 2 February.
const READINGS = Array.from({ length: DAYS * 72 }, (_, i) => ({
    time: START + i * EVERY,
    oi: i % 1000 === 7 ? 0 : 80000 + ((i * 37) % 101) * 10.5,
    mark: 42000 + ((i * 11) % 97) * 2.25,
})).filter((row) => Math.floor((row.time - START) / 864e5) !== 32);

async function startFull(t, args = ['--key', KEY]) {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');

    define(data, 'binance');
    importRows(folder, data, {
        name: 'btc', market: 'binance-BTCUSDT-future', unit: 'coins',
        columns: { time: 'time:ms', oi: 'oi', mark: 'mark' }, rows: READINGS,
    });
    return startServer(t, { data, args: ['--no-collect', ...args] });
}

function query(interval, start, end, timestamp = 'exchange') {
    return `${DATA}?timestamp=${timestamp}&interval=${interval}&exchange=binance-futures&symbol=${SYMBOL}&start_date=${start}&end_date=${end}`;
}

// Fetch a link as the clients do: as it is, without the key, on a connection of its own.
function fetchLink(server, url, options) {
    assert.ok(url.startsWith(`${server.url}/`), url);
    return ask(server, url.slice(server.url.length), options);
}

// The bars of a month by straight computation.
function bars(month, width) {
    const result = new Map();

    for (const row of READINGS) {
        const start = row.time - (row.time % width);
        if (new Date(start).toISOString().slice(0, 7) !== month) continue;
        if (!result.has(start)) result.set(start, []);
        result.get(start).push(row);
    }
    return [...result].map(([start, rows]) => {
        // A zero is none, and no change is counted across it.
        const known = rows.filter((row) => row.oi !== 0);
        const first = known[0], last = known.at(-1);
        const moves = rows.slice(1).map((row, i) => [rows[i].oi, row.oi])
            .filter(([a, b]) => a !== 0 && b !== 0 && a !== b).map(([a, b]) => (b - a) / a);
        const mean = moves.reduce((sum, x) => sum + x, 0) / moves.length;
        const change = (last.oi - first.oi) / first.oi;
        const move = (last.mark - first.mark) / first.mark;
        return {
            time: start,
            open_interest: last.oi,
            open_interest_pct_change: change * 100,
            open_interest_volatility: moves.length < 2 ? null
                : Math.sqrt(moves.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (moves.length - 1)),
            oi_price_change_ratio: move === 0 ? null : change / move,
        };
    });
}

async function until(holds) {
    const end = Date.now() + 5000;
    while (!(await holds())) assert.ok(Date.now() < end, 'it never came true');
}

function near(a, b) {
    return a === b || (a !== null && b !== null && Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b)));
}

function arrayBuffer(bytes) {
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
}

test('the requests of the reference page', { skip: skipExamples }, async (t) => {
    const server = await startFull(t);
    const [slice, python, range] = requests('aperiodic_open_interest', KEY);
    const want = body('aperiodic_open_interest').json;

    // match: year and month exact, url any string.
    const answer = await ask(server, range.target, { headers: range.headers });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(answer.json.files.map(({ year, month }) => ({ year, month })), want.files.map(({ year, month }) => ({ year, month })));
    for (const file of answer.json.files) {
        assert.deepEqual(Object.keys(file), ['year', 'month', 'url']);
        assert.match(new URL(file.url).pathname, /\/\d{4}-\d{2}\.parquet$/);
        assert.equal(new URL(file.url).searchParams.get('X-Amz-Expires'), '300');
    }
    const three = await ask(server, python.target, { headers: python.headers });
    assert.deepEqual(three.json.files.map((file) => [file.year, file.month]), [[2024, 1], [2024, 2], [2024, 3]]);
    // Nothing is stored of May 2025.
    assert.deepEqual((await ask(server, slice.target, { headers: slice.headers })).json, { files: [] });
});

test('files are the documented table, for both readers', { skip }, async (t) => {
    const server = await startFull(t);

    for (const [interval, width] of [['1h', 3600000], ['1d', 86400000]]) {
        const { json } = await ask(server, query(interval, '2024-01-15', '2024-03-02'), { headers: CLIENT });
        assert.equal(json.files.length, 3);
        // Four at a time, each on a connection of its own.
        const files = await Promise.all([...json.files, json.files[0]].map((file) => fetchLink(server, file.url)));
        assert.deepEqual(files[3].bytes, files[0].bytes);
        for (const [i, file] of files.slice(0, 3).entries()) {
            const month = `2024-0${i + 1}`;
            const want = bars(month, width);
            assert.equal(file.status, 200);
            assert.equal(file.headers['access-control-allow-origin'], '*');
            assert.ok(!('content-encoding' in file.headers));
            const buffer = arrayBuffer(file.bytes);

            // The schema as it is written.
            const { schema, num_rows } = parquetMetadata(buffer);
            assert.equal(Number(num_rows), want.length);
            assert.deepEqual(schema.slice(1).map((column) => column.name), COLUMNS);
            assert.ok(schema.slice(1).every((column) => column.repetition_type === 'OPTIONAL'));
            assert.equal(schema[1].type, 'INT64');
            assert.equal(schema[1].converted_type, undefined);
            assert.equal(schema[1].logical_type.type, 'TIMESTAMP');
            assert.equal(schema[1].logical_type.isAdjustedToUTC, false);
            assert.equal(schema[1].logical_type.unit, 'MICROS');
            for (const column of schema.slice(2)) assert.equal(column.type, 'DOUBLE');

            const rows = await parquetReadObjects({ file: buffer, compressors });
            assert.equal(rows.length, want.length);
            rows.forEach((row, k) => {
                assert.deepEqual(Object.keys(row), COLUMNS);
                assert.equal(new Date(row.time).getTime(), want[k].time);
                for (const name of COLUMNS.slice(1))
                    assert.ok(near(row[name] ?? null, want[k][name]), `${month} ${k} ${name}: ${row[name]} for ${want[k][name]}`);
            });

            const arrow = tableFromIPC(readParquet(file.bytes).intoIPCStream());
            assert.equal(arrow.numRows, want.length);
            assert.deepEqual(
                arrow.schema.fields.map((field) => [field.name, String(field.type), field.nullable]),
                [['time', 'Timestamp<MICROSECOND>', true], ...COLUMNS.slice(1).map((name) => [name, 'Float64', true])],
            );
            assert.deepEqual([...arrow.getChild('open_interest')], want.map((bar) => bar.open_interest));
        }
    }
});

test('files are tables to DuckDB', { skip }, async (t) => {
    const server = await startFull(t);
    const { json } = await ask(server, query('1h', '2024-01-15', '2024-03-02'), { headers: CLIENT });
    const folder = await makeFolder(t);
    const paths = await Promise.all(json.files.map(async ({ url }, i) => {
        const path = join(folder, `${i}.parquet`);
        writeFileSync(path, (await fetchLink(server, url)).bytes);
        return path;
    }));
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const select = async (sql) => (await connection.runAndReadAll(sql)).getRows();
    const table = `read_parquet([${paths.map((path) => `'${path}'`)}])`;

    assert.deepEqual(await select(`SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ${table})`),
        [['time', 'TIMESTAMP'], ...COLUMNS.slice(1).map((name) => [name, 'DOUBLE'])]);
    const want = ['2024-01', '2024-02', '2024-03'].flatMap((month) => bars(month, 3600000));
    const rows = await select(`SELECT epoch_ms(time), open_interest, open_interest_volatility FROM ${table} ORDER BY time`);
    assert.deepEqual(rows.map((row) => [Number(row[0]), row[1]]), want.map((bar) => [bar.time, bar.open_interest]));
    rows.forEach((row, i) => assert.ok(near(row[2], want[i].open_interest_volatility), `${row} ${want[i].open_interest_volatility}`));
});

test('a figure is the close of our own candle', { skip }, async (t) => {
    const server = await startFull(t);
    const { json } = await ask(server, query('4h', '2024-02-01', '2024-02-29'), { headers: CLIENT });
    const file = await fetchLink(server, json.files[0].url);
    const rows = await parquetReadObjects({ file: arrayBuffer(file.bytes), compressors });
    const own = await ask(
        server,
        '/oi/v1/open-interest?market=binance:usdm:BTCUSDT&interval=4h&start=2024-02-01&end=2024-03-01',
        { headers: { Authorization: `Bearer ${KEY}` } },
    );

    assert.deepEqual(
        // A candle may close at 0, which is none in a file.
        rows.filter((_, i) => own.json.data[i].close !== '0').map((row) => [new Date(row.time).getTime(), row.open_interest]),
        own.json.data.filter((row) => row.close !== '0').map((row) => [Date.parse(row.start), Number(row.close)]),
    );
});

test('a link opens by itself, in part, for a while', { skip }, async (t) => {
    const server = await startFull(t);
    const { json } = await ask(server, query('1h', '2024-01-01', '2024-01-31'), { headers: CLIENT });
    const url = json.files[0].url;
    const whole = await fetchLink(server, url);

    const head = await fetchLink(server, url, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.headers['content-length'], String(whole.bytes.length));
    assert.equal(head.bytes.length, 0);
    const size = whole.bytes.length;
    for (const [range, from, to] of [['bytes=0-3', 0, 4], ['bytes=-8', size - 8, size], [`bytes=${size - 8}-`, size - 8, size]]) {
        const part = await fetchLink(server, url, { headers: { Range: range } });
        assert.equal(part.status, 206, range);
        assert.equal(part.headers['content-range'], `bytes ${from}-${to - 1}/${size}`);
        assert.deepEqual(part.bytes, whole.bytes.subarray(from, to));
    }
    const behind = await fetchLink(server, url, { headers: { Range: `bytes=${size}-` } });
    assert.equal(behind.status, 416);
    assert.equal(behind.headers['content-range'], `bytes */${size}`);

    // What is changed is not ours; what is ours but old is too old.
    for (const changed of [url.replace('2024-01.parquet', '2024-02.parquet'), url.replace('Expires=300', 'Expires=900'), url.slice(0, -1), url.split('?')[0]]) {
        const refused = await fetchLink(server, changed);
        assert.equal(refused.status, 403, changed);
        assert.equal(typeof refused.json.error, 'string');
    }
    const [path, ] = url.slice(server.url.length).split('&X-Amz-Signature=');
    const old = path.replace(/X-Amz-Date=\d+/, `X-Amz-Date=${Math.floor(Date.now() / 1000) - 301}`);
    const secret = readFileSync(join(server.data, 'link-secret'));
    const sign = (target) => `${target}&X-Amz-Signature=${createHmac('sha256', secret).update(target).digest('hex')}`;
    assert.equal((await ask(server, sign(path))).status, 200);
    const expired = await ask(server, sign(old));
    assert.equal(expired.status, 403);
    assert.equal(expired.headers['access-control-allow-origin'], '*');
});

test('symbols, the catalogue and refusals', { skip }, async (t) => {
    const server = await startFull(t);
    const good = query('1h', '2024-01-01', '2024-01-31');

    const symbols = await ask(server, '/api/v1/metadata/symbols?exchange=binance-futures', { headers: CLIENT });
    assert.ok(symbols.json.symbols.includes('perpetual-BTC-USDT:USDT'), symbols.text);
    const catalog = await ask(server, '/api/v1/metadata/catalog', { headers: CLIENT });
    assert.deepEqual(catalog.json.metrics[0].fields.map((field) => field.name), COLUMNS);
    for (const headers of [{}, { 'X-API-KEY': 'wrong' }]) {
        // Before anything about parameters.
        for (const target of [good, `${DATA}?nonsense`, '/api/v1/metadata/symbols']) {
            const answer = await ask(server, target, { headers });
            assert.equal(answer.status, 401, target);
            assert.equal(answer.json.error, 'Authorization Required');
        }
    }
    assert.equal((await ask(server, good, { headers: { 'X-Api-Key': KEY } })).json.files.length, 1);
    for (const bad of [
        good.replace('1h', '1s'), good.replace('timestamp=exchange&', ''), good.replace('binance-futures', 'mtgox'),
        good.replace('2024-01-31', '2023-12-31'), good.replace('2024-01-31', 'soon'), `${good}&nothing=1`,
    ]) {
        const answer = await ask(server, bad, { headers: CLIENT });
        assert.equal(answer.status, 400, bad);
        assert.equal(typeof answer.json.error, 'string');
        assert.ok(Array.isArray(answer.json.details) && answer.json.details.length > 0);
    }
    assert.deepEqual((await ask(server, good.replace('BTC', 'NOTHING'), { headers: CLIENT })).json, { files: [] });
    const post = await ask(server, good, { headers: CLIENT, method: 'POST' });
    assert.equal(post.status, 405);
    assert.match(post.headers.allow, /GET/);
    // By arrival: what was imported long after stays at its instant.
    const arrival = await ask(server, query('1h', '2024-01-01', '2024-01-31', 'true'), { headers: CLIENT });
    const exchange = await ask(server, good, { headers: CLIENT });
    assert.match(arrival.json.files[0].url, /timestamp=true&/);
    assert.deepEqual(
        (await fetchLink(server, arrival.json.files[0].url)).bytes,
        (await fetchLink(server, exchange.json.files[0].url)).bytes,
    );
});

test('previews, and raw readings with both their clocks', { skip }, async (t) => {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    // Half of them had soon, half of them long after.
    const rows = Array.from({ length: 60 * 24 }, (_, i) => ({
        time: START + i * 3600000, known: START + i * 3600000 + (i % 2 ? 1500 : 864e5), oi: 100.5 + i, mark: 10,
    }));

    define(data, 'binance');
    importRows(folder, data, {
        name: 'btc', market: 'binance-BTCUSDT-future', unit: 'coins', rows,
        columns: { time: 'time:ms', oi: 'oi', mark: 'mark', 'known-time': 'known:ms' },
    });
    const server = await startServer(t, { data, args: ['--no-collect', '--key', KEY] });
    const get = (path) => ask(server, path, { headers: CLIENT });
    const market = `exchange=binance-futures&symbol=${SYMBOL}`;
    const raw = await get(`/api/v1/data/raw/open_interest?${market}&start_date=2024-01-15&end_date=2024-02-15`);
    assert.deepEqual(raw.json.files.map((file) => [file.period, file.size]), [['2024-01', null], ['2024-02', null]]);
    assert.match(raw.json.files[0].url, /\/open_interest\/exchange=binance-futures\/symbol=[^/]+\/year=2024\/month=01\/data\.parquet\?/);
    for (const [i, { url }] of raw.json.files.entries()) {
        const file = await fetchLink(server, url);
        const want = rows.filter((row) => new Date(row.time).getUTCMonth() === i);
        const read = await parquetReadObjects({ file: arrayBuffer(file.bytes), compressors });
        assert.deepEqual(Object.keys(read[0]), ['exchange_timestamp', 'local_timestamp', 'local_timestamp_kind', 'open_interest']);
        assert.deepEqual(read.map((row) => [new Date(row.exchange_timestamp).getTime(), new Date(row.local_timestamp).getTime(), row.local_timestamp_kind, row.open_interest]),
            want.map((row) => row.known - row.time < 3600000
                ? [row.time, row.known, 'local', row.oi] : [row.time, row.time, 'exchange', row.oi]));
        assert.equal(tableFromIPC(readParquet(new Uint8Array(file.bytes)).intoIPCStream()).numRows, want.length);
        // Kept: the same bytes again.
        assert.deepEqual((await fetchLink(server, url)).bytes, file.bytes);
    }
    // A late row touches a month that is over: it is written again.
    importRows(folder, data, {
        name: 'late', market: 'binance-BTCUSDT-future', unit: 'coins', columns: { time: 'time:ms', oi: 'oi' },
        rows: [{ time: START + 1800000, oi: 7.25 }],
    });
    const [{ url: touched }] = raw.json.files;
    await until(async () => (await parquetReadObjects({ file: arrayBuffer((await fetchLink(server, touched)).bytes), compressors }))
        .some((row) => row.open_interest === 7.25));
    const preview = await get(`/api/v1/data/raw/preview/open_interest?${market}`);
    assert.deepEqual(preview.json.files.map((file) => file.period), ['2024-02']);
    const bars = await get(query('5m', '2024-01-01', '2024-01-31').replace('/data/', '/data/preview/'));
    assert.deepEqual(bars.json.files.map((file) => file.month), [1]);
    for (const [path, status, code] of [
        [query('1h', '2024-01-01', '2024-01-31').replace('/data/', '/data/preview/'), 400, 'invalid_parameter'],
        [`/api/v1/data/raw/preview/open_interest?exchange=okx-perps&symbol=${SYMBOL}`, 400, 'invalid_parameter'],
        [`/api/v1/data/raw/open_interest?${market}&start_date=2024-01-01&end_date=2025-01-02`, 400, 'range_too_long'],
        [`/api/v1/data/raw/open_interest?${market}&start_date=2024-01-01`, 400, 'missing_parameter'],
        [`/api/v1/data/raw/trades?${market}&start_date=2024-01-01&end_date=2024-01-02`, 404, 'not_found'],
    ]) {
        const answer = await get(path);
        assert.deepEqual([answer.status, answer.json.code], [status, code], path);
    }
    // A preview checks the key before anything else.
    assert.equal((await ask(server, '/api/v1/data/preview/open_interest', { headers: { 'X-API-KEY': 'DEMO-KEY' } })).status, 401);
});

test('by arrival a reading is put where it was had', { skip }, async (t) => {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const rows = [0, 30, 59, 61].map((minute, i) => ({
        time: START + minute * 60000, known: START + minute * 60000 + 90000, oi: 100 + i, mark: 10 + i,
    }));

    define(data, 'binance');
    importRows(folder, data, {
        name: 'btc', market: 'binance-BTCUSDT-future', unit: 'coins', rows,
        columns: { time: 'time:ms', oi: 'oi', mark: 'mark', 'known-time': 'known:ms' },
    });
    const server = await startServer(t, { data });
    for (const [clock, closes] of [['exchange', [102, 103]], ['true', [101, 103]]]) {
        const { json } = await ask(server, query('1h', '2024-01-01', '2024-01-31', clock));
        const file = await fetchLink(server, json.files[0].url);
        const read = await parquetReadObjects({ file: arrayBuffer(file.bytes), compressors });
        assert.deepEqual(read.map((row) => row.open_interest), closes, clock);
    }
});
