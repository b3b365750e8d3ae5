// SPDX-License-Identifier: Apache-2.0
// Our own API over sockets: paging, exact figures, exports read by other people's readers, refusals.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';

import { tableFromIPC } from 'apache-arrow';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { readParquet } from 'parquet-wasm/node';

import { ask, candle, multiply, normal } from '../support/ask.mjs';
import { define, importRows } from '../support/markets.mjs';
import { makeFolder, oi, skip, startServer } from '../support/server.mjs';

const START = Date.UTC(2026, 2, 7);
const BASE = '/oi/v1/open-interest';
const MARKETS = ['binance:usdm:BTCUSDT', 'bybit:linear:BTCUSDT'];
const MINUTES = 601;

function iso(time) {
    return new Date(time).toISOString().replace('.000Z', 'Z');
}

// More digits than a double has; the second market is silent for two hours.
function readings(market) {
    return Array.from({ length: MINUTES }, (_, i) => i)
        .filter((i) => market === 0 || i < 180 || i >= 300)
        .map((i) => ({
            time: iso(START + i * 60000),
            oi: `${900 + market * 70 + ((i * 37) % 101)}.12345678901234567${1 + (i % 9)}`,
            mark: `${64000 + ((i * 11) % 97)}.25`,
        }));
}

async function startTwo(t, args = []) {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');

    define(data, 'binance', 'bybit');
    MARKETS.forEach((market, i) =>
        importRows(folder, data, {
            name: `market${i}`, market, unit: 'coins', rows: readings(i),
            columns: { time: 'time', oi: 'oi', mark: 'mark' }, more: ['--sides', '1'],
        }),
    );
    return startServer(t, { data, args: ['--no-collect', ...args] });
}

// Every page until there is no next one, in the order in which they came.
async function pages(server, target) {
    const all = [];
    let after = '';
    do {
        const answer = await ask(server, target + after);
        assert.equal(answer.status, 200, answer.text);
        all.push(answer.json.data);
        after = answer.json.next === null ? null : `&after=${encodeURIComponent(answer.json.next)}`;
        assert.ok(all.length < 2000, 'pages without an end');
    } while (after !== null);
    return all;
}

test('figures keep every digit', { skip }, async (t) => {
    const server = await startTwo(t);
    const { json } = await ask(server, `${BASE}?market=${MARKETS[0]}&start=${iso(START)}`);
    const want = readings(0);

    assert.equal(json.data.length, MINUTES);
    json.data.forEach((row, i) => {
        assert.equal(row.time, want[i].time);
        assert.equal(row.open_interest, normal(want[i].oi));
        assert.equal(row.mark_price, normal(want[i].mark));
    });
    const dollars = await ask(server, `${BASE}?market=${MARKETS[0]}&start=${iso(START)}&unit=usd`);
    dollars.json.data.forEach((row, i) =>
        assert.equal(row.open_interest, multiply(want[i].oi, want[i].mark)),
    );
    const csv = await ask(server, `${BASE}?market=${MARKETS[0]}&start=${iso(START)}&format=csv`);
    const ndjson = await ask(server, `${BASE}?market=${MARKETS[0]}&start=${iso(START)}&format=ndjson`);
    const [head, ...lines] = csv.text.trim().split('\n');
    assert.deepEqual(head.split(','), Object.keys(json.data[0]));
    assert.deepEqual(ndjson.text.trim().split('\n').map((line) => JSON.parse(line)), json.data);
    assert.deepEqual(
        lines.map((line) => line.split(',')),
        json.data.map((row) => Object.values(row).map((cell) => (cell === null ? '' : String(cell)))),
    );
});

test('hourly candles are those of the readings', { skip }, async (t) => {
    const server = await startTwo(t);

    for (const [market, name] of MARKETS.entries()) {
        const { json } = await ask(server, `${BASE}?market=${name}&interval=1h&start=${iso(START)}`);
        const hours = Map.groupBy
            ? Map.groupBy(readings(market), (row) => row.time.slice(0, 13))
            : readings(market).reduce((map, row) => {
                  const hour = row.time.slice(0, 13);
                  return map.set(hour, [...(map.get(hour) ?? []), row]);
              }, new Map());
        assert.deepEqual(
            json.data.map(({ start, open, high, low, close, count }) => ({ start, open, high, low, close, count })),
            [...hours].map(([hour, rows]) => ({
                start: `${hour}:00:00Z`,
                ...candle(rows.map((row) => row.oi)),
                count: rows.length,
            })),
        );
    }
});

test('pages together are the whole answer, from either end', { skip }, async (t) => {
    const server = await startTwo(t);
    const both = MARKETS.map((name) => `market=${name}`).join('&');
    const start = `start=${iso(START)}`;

    for (const [what, sizes] of [
        ['', [97, 250]],
        ['&interval=1h', [1, 3, 4, 11, 18]],
        ['&interval=1h&fill=true', [1, 3, 4, 11]],
        ['&interval=7m', [29]],
        ['&interval=1h&total=true', [1, 4]],
        ['&interval=30m&total=true&fill=true', [3]],
    ]) {
        for (const order of what.includes('interval') ? ['', '&order=desc'] : ['']) {
            for (const limit of sizes) {
                const target = `${BASE}?${both}${what}${order}`;
                const whole = (await ask(server, `${target}&${start}&limit=1000000`)).json;
                const label = `${what}${order} by ${limit}`;
                assert.equal(whole.next, null);
                assert.ok(whole.data.length > limit || what.includes('total'), label);
                // From the start.
                const forwards = await pages(server, `${target}&${start}&limit=${limit}`);
                assert.deepEqual(forwards.flat(), whole.data, label);
                for (const page of forwards.slice(0, -1)) assert.equal(page.length, limit, label);
                assert.ok(forwards.at(-1).length > 0, label);
                if (order) continue;
                // From the newest: rows ascend inside a page, pages go back.
                const backwards = await pages(server, `${target}&limit=${limit}`);
                const key = (row) => `${row.market} ${row.time ?? row.start}`;
                const sorted = (rows) => [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1));
                assert.deepEqual(sorted(backwards.flat()), sorted(whole.data), `${label} from the end`);
                for (const page of backwards) assert.deepEqual(page, sorted(page), label);
            }
        }
    }
});

test('lists have pages too', { skip }, async (t) => {
    const server = await startTwo(t);

    for (const [target, sizes] of [
        ['/oi/v1/markets?exchange=binance', [1, 4]],
        [`/oi/v1/gaps?coin=BTC&start=${iso(START - 3600000)}&end=${iso(START + 86400000)}`, [1, 2, 3]],
    ]) {
        const whole = (await ask(server, target)).json;
        assert.equal(whole.next, null);
        assert.ok(whole.data.length > 1, target);
        for (const limit of sizes) {
            const parts = await pages(server, `${target}&limit=${limit}`);
            assert.deepEqual(parts.flat(), whole.data, `${target} by ${limit}`);
            assert.ok(parts.every((part) => part.length > 0 && part.length <= limit), target);
        }
    }
});

test('readings exported as Parquet are those of the API', { skip }, async (t) => {
    const server = await startTwo(t);
    const path = join(server.data, '..', `${process.pid}-${Date.now()}.parquet`);
    const done = oi(['export', '--data', server.data, '--market', MARKETS[0], '--start', iso(START), path]);
    assert.equal(done.status, 0, done.stderr);
    const bytes = readFileSync(path);
    const { json } = await ask(server, `${BASE}?market=${MARKETS[0]}&start=${iso(START)}`);
    const rows = await parquetReadObjects({
        file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), compressors,
    });

    assert.equal(rows.length, MINUTES);
    rows.forEach((row, i) => {
        for (const name of ['market', 'open_interest', 'unit', 'feed', 'mark_price'])
            assert.equal(row[name], json.data[i][name], name);
        assert.equal(row.open_interest_double, Number(json.data[i].open_interest));
        assert.equal(Number(row.sides), 1);
    });
    const arrow = tableFromIPC(readParquet(bytes).intoIPCStream());
    assert.equal(arrow.numRows, MINUTES);
    const types = Object.fromEntries(arrow.schema.fields.map((field) => [field.name, String(field.type)]));
    assert.match(types.time, /Timestamp<NANOSECOND, (\+00:00|UTC)>/);
    assert.match(types.open_interest, /Utf8/);
    assert.equal(types.open_interest_double, 'Float64');
    assert.deepEqual([...arrow.getChild('open_interest')], json.data.map((row) => row.open_interest));
});

test('refusals', { skip }, async (t) => {
    const server = await startTwo(t);
    const one = `${BASE}?market=${MARKETS[0]}`;

    for (const [target, status, code] of [
        [BASE, 400, 'missing_parameter'],
        [`${one}&nothing=1`, 400, 'unknown_parameter'],
        [`${one}&limit=1&limit=2`, 400, 'repeated_parameter'],
        [`${one}&limit=0`, 400, 'invalid_parameter'],
        [`${one}&interval=1x`, 400, 'invalid_parameter'],
        [`${one}&after=nonsense`, 400, 'invalid_parameter'],
        [`${one}&start=2026-03-08&end=2026-03-07`, 400, 'invalid_range'],
        [`${BASE}?market=binance:usdm:NOTHING`, 404, 'unknown_market'],
        ['/oi/v1/nothing', 404, 'not_found'],
    ]) {
        const answer = await ask(server, target);
        assert.equal(answer.status, status, `${target}: ${answer.text}`);
        assert.deepEqual(Object.keys(answer.json), ['error']);
        assert.equal(answer.json.error.code, code, target);
    }
    const post = await ask(server, one, { method: 'POST', body: '{}' });
    assert.equal(post.status, 405);
    assert.match(post.headers.allow, /GET.*HEAD/);
    assert.equal(post.json.error.code, 'method_not_allowed');
    const head = await ask(server, one, { method: 'HEAD' });
    const get = await ask(server, one);
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    assert.equal(head.headers['content-type'], get.headers['content-type']);
    assert.equal((await ask(server, `${one}&market=${'x'.repeat(11000)}`)).status, 414);
});

test('a name that is not ours is no address of ours', { skip }, async (t) => {
    const server = await startTwo(t, ['--host-name', 'oi.test']);
    const { hostname, port } = new URL(server.url);
    const status = (host, path = `${BASE}?market=${MARKETS[0]}`) =>
        new Promise((resolve, reject) => {
            request({ hostname, port, path, headers: { Host: host }, agent: false }, (answer) => {
                answer.resume();
                resolve(answer.statusCode);
            }).on('error', reject).end();
        });

    for (const host of [`${hostname}:${port}`, `localhost:${port}`, `oi.test:${port}`, 'oi.test'])
        assert.equal(await status(host), 200, host);
    for (const host of ['evil.example', `evil.example:${port}`, 'oi.test.evil.example']) {
        assert.equal(await status(host), 421, host);
        assert.equal(await status(host, '/v1/points?type=OPEN_INTEREST_AGG'), 421, host);
    }
});

test('a key is asked for as a bearer', { skip }, async (t) => {
    const key = 'a-key-of-the-test';
    const server = await startTwo(t, ['--key', key]);
    const one = `${BASE}?market=${MARKETS[0]}&limit=1`;

    for (const [headers, code] of [[{}, 'missing_key'], [{ Authorization: 'Bearer wrong' }, 'wrong_key']]) {
        const answer = await ask(server, one, { headers });
        assert.equal(answer.status, 401);
        assert.equal(answer.json.error.code, code);
    }
    assert.equal((await ask(server, one, { headers: { Authorization: `Bearer ${key}` } })).status, 200);
    // With keys any name is answered: whoever has none learns nothing.
    const foreign = await ask(server, one, { headers: { Authorization: `Bearer ${key}`, Host: 'evil.example' } });
    assert.equal(foreign.status, 200);
});

test('an answer that is known is not sent again, and is another when its data is', { skip }, async (t) => {
    const server = await startTwo(t);
    const target = `${BASE}?market=${MARKETS[0]}&interval=1h&start=${iso(START)}`;
    const first = await ask(server, target), tag = first.headers.etag;

    assert.match(tag, /^W\/"[0-9a-f]{16}"$/);
    const again = await ask(server, target, { headers: { 'if-none-match': tag } });
    assert.deepEqual([again.status, again.bytes.length, again.headers.etag], [304, 0, tag]);
    const packed = await ask(server, target, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.equal(packed.text, first.text);
    assert.equal((await ask(server, target)).text, first.text);
    assert.equal((await ask(server, target, { headers: { 'if-none-match': '"other"' } })).status, 200);
    importRows(server.data, server.data, {
        name: 'own', market: MARKETS[0], unit: 'coins', columns: { time: 'time', oi: 'oi' },
        rows: [{ time: iso(START + 3600000 * 20), oi: '8' }], more: ['--sides', '1'],
    });
    const changed = await ask(server, target, { headers: { 'if-none-match': tag } });
    assert.equal(changed.status, 200);
    assert.notEqual(changed.headers.etag, tag);
    assert.equal(changed.json.data.at(-1).close, '8');
    assert.equal((await server.stop()).code, 0, server.stderr);
});
