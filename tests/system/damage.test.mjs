// SPDX-License-Identifier: Apache-2.0
// A chunk is overwritten in the file: answers go on without its rows, and say so.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { openTables } from './format_reader.mjs';
import { importFile, makeFolder, oi, skip, startServer } from '../support/server.mjs';

const MARKET = 'okx:swap:BTC-USDT-SWAP';
const ROWS = 12000;
const START = Date.parse('2020-03-01T00:00:00Z');
const iso = (time) => new Date(time).toISOString().replace('.000Z', 'Z');

// Eight days of minutes in three chunks, and bytes of the second one turned around.
async function makeDamaged(t) {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const csv = join(folder, 'old.csv');
    const lines = Array.from({ length: ROWS }, (_, i) => `${iso(START + i * 60000)},${1000 + (i % 777)}.5`);

    writeFileSync(csv, `time,oi\n${lines.join('\n')}\n`);
    importFile(data, 'csv', csv, ['--time', 'time', '--oi', 'oi', '--unit', 'coins', '--market', MARKET]);
    const server = await startServer(t, { data });
    await server.stop(); // what is in the log goes into chunks
    const chunks = [...openTables(data).chunk.entries()];
    assert.equal(chunks.length, 3);
    const value = chunks[1][1];
    const file = join(data, 'data.mdb');
    const bytes = readFileSync(file);
    const at = bytes.indexOf(value);
    assert.ok(at > 0 && bytes.indexOf(value, at + 1) < 0);
    bytes[at + (value.length >> 1)] ^= 0x55;
    writeFileSync(file, bytes);
    return data;
}

test('a damaged chunk is left out of every form of answer, and named in all of them', { skip }, async (t) => {
    const data = await makeDamaged(t);
    const server = await startServer(t, { data });
    const ask = async (target) => fetch(`${server.url}${target}`);
    const rows = `/oi/v1/open-interest?market=${MARKET}&start=2020-03-01&limit=100000`;

    // The first one may be cut in its middle: until somebody met the damage nobody knew of it.
    let reply = await ask(`${rows}&format=csv`);
    const head = reply.headers.get('oi-damaged');
    await reply.text().catch(() => '');
    reply = await ask(`${rows}&format=csv`);
    assert.equal(reply.status, 200);
    const told = reply.headers.get('oi-damaged');
    const [, from, to] = /^okx:swap:BTC-USDT-SWAP import:\S+ (\S+)\/(\S+)$/.exec(told);
    assert.ok(head === null || head === told, head);
    assert.equal(reply.headers.get('etag'), null);
    assert.equal(reply.headers.get('cache-control'), 'no-store');
    const times = (await reply.text()).trimEnd().split('\n').slice(1).map((line) => line.split(',')[4]);
    assert.match(to, /:00\.000000001Z$/); // behind its last row
    const [first, last] = [Date.parse(from), Date.parse(to) + 60000];
    const lost = (last - first) / 60000;
    assert.ok(lost > 1000 && lost < ROWS - 1000, `${from} ${to}`);
    assert.equal(times.length, ROWS - lost);
    assert.ok(times.every((time) => Date.parse(time) < first || Date.parse(time) >= last));

    const body = await (await ask(rows)).json();
    assert.equal(body.data.length, ROWS - lost);
    assert.deepEqual(body.damaged.map(({ market, from }) => [market, from]), [[MARKET, from]]);
    assert.match(body.damaged[0].reason, /^series \d+, chunk from /);
    for (const format of ['ndjson', 'parquet', 'arrow']) {
        const other = await ask(`${rows}&format=${format}`);
        assert.equal(other.headers.get('oi-damaged'), told, format);
        assert.ok((await other.arrayBuffer()).byteLength > 1000);
    }

    // Half hours are made from rows: those that lack some are marked.
    const half = (await (await ask(`${rows}&interval=30m`)).json());
    const isHurt = ({ start }) => Date.parse(start) + 1800000 > first && Date.parse(start) < last;
    assert.ok(half.data.some(isHurt) && half.data.some((one) => !isHurt(one)));
    for (const one of half.data) assert.equal(one.incomplete, isHurt(one), one.start);
    // Hours were made when the rows were there.
    const hours = (await (await ask(`${rows}&interval=1h`)).json());
    assert.equal(hours.data.length, ROWS / 60);
    assert.equal(hours.damaged, undefined);
    // What does not touch it is as ever.
    const before = await ask(`/oi/v1/open-interest?market=${MARKET}&start=2020-03-01&end=2020-03-01T05:00:00Z`);
    assert.equal(before.headers.get('oi-damaged'), null);
    assert.ok(before.headers.get('etag'));
    assert.equal((await before.json()).damaged, undefined);

    const vendor = await ask(`/coinmetrics/v4/timeseries/market-openinterest?markets=okex-BTC-USDT-SWAP-future&start_time=2020-03-01&page_size=10000&paging_from=start`);
    assert.equal(vendor.status, 200, await vendor.clone().text());
    assert.equal(vendor.headers.get('oi-damaged'), told);
    const gaps = await (await ask(`/oi/v1/gaps?market=${MARKET}&start=2020-03-01&end=2020-03-09`)).json();
    assert.deepEqual(gaps.data.filter(({ cause }) => cause === 'damaged').map(({ from, to }) => [Date.parse(from), Date.parse(to)]), [[first, last]]);

    const metrics = await (await ask('/metrics')).text();
    assert.match(metrics, /^oi_store_damaged_chunks 1$/m);
    assert.match(metrics, /^oi_answers_damaged_total\{dialect="native"\} [1-9]/m);
    await server.stop();
    assert.match(server.stderr, /answer\.damaged .*chunk from/);
});

test('the command line prints what is whole, names the rest and ends with 3', { skip }, async (t) => {
    const data = await makeDamaged(t);
    const query = (...more) => oi(['query', '--data', data, '--market', MARKET, '--format', 'csv', ...more]);
    const all = query();
    const rows = all.stdout.trimEnd().split('\n').length - 1;

    assert.equal(all.status, 3, all.stderr);
    assert.ok(rows > 1000 && rows < ROWS - 1000);
    assert.match(all.stderr, /okx:swap:BTC-USDT-SWAP, feed import:\S+, 2020-\S+ to 2020-\S+ is left out: series \d+, chunk from/);
    assert.match(all.stderr, /1 damaged spans are left out/);
    assert.equal(query('--end', '2020-03-01T05:00:00Z').status, 0);
    const candles = query('--interval', '30m');
    assert.equal(candles.status, 3, candles.stderr);
    assert.ok(candles.stdout.trimEnd().split('\n').length - 1 < ROWS / 30 - 10);
    assert.equal(oi(['verify', '--data', data]).status, 1);
});
