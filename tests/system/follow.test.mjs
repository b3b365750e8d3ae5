// SPDX-License-Identifier: Apache-2.0
// Servers that follow collectors: every row once at every subscriber, whoever is killed meanwhile.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

import WebSocket from 'ws';

import { ask } from '../support/ask.mjs';
import { define, importRows } from '../support/markets.mjs';
import { makeFolder, oi, skip, startServer } from '../support/server.mjs';

const WAIT_MS = 30000;
const MINUTE = Math.floor(Date.now() / 3600000) * 3600000 - 7200000;
const BTC = 'binance:usdm:BTCUSDT';
const iso = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z');

async function until(holds, what) {
    const end = Date.now() + WAIT_MS;
    while (!(await holds())) {
        assert.ok(Date.now() < end, what());
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

// A subscriber: what it heard, in order.
async function listen(t, server, path = `/oi/v1/stream?market=${BTC}`, headers = {}) {
    const heard = [];
    const ws = new WebSocket(server.url.replace('http', 'ws') + path, { headers });
    t.after(() => ws.terminate());
    ws.on('message', (bytes) => heard.push(JSON.parse(bytes)));
    ws.on('error', () => {});
    await new Promise((resolve, reject) => {
        ws.on('open', resolve);
        ws.on('unexpected-response', (_, reply) => reject(new Error(`${reply.statusCode}`)));
    });
    return heard;
}

let files = 0;
// Readings of these minutes, the same in every store that gets them.
function store(data, minutes) {
    importRows(data, data, {
        name: `rows-${++files}`, market: BTC, unit: 'coins', columns: { time: 'time', oi: 'oi', mark: 'mark' },
        rows: minutes.map((minute) => ({ time: iso(MINUTE + minute * 60000), oi: `${1000 + minute}`, mark: '50000', file: files })),
        more: ['--sides', '1', '--name', 'mine'],
    });
}

const minutesOf = (rows) => rows.map((row) => Number(row.open_interest) - 1000).sort((a, b) => a - b);
const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);
const follow = (...urls) => ['--no-collect', ...urls.flatMap((url) => ['--follow', url.replace('http', 'ws')])];
const metric = async (server, name) => {
    const text = (await ask(server, '/metrics')).text;
    return [...text.matchAll(new RegExp(`^${name}{.*} (\\d+)$`, 'gm'))].map((found) => Number(found[1]));
};
const connected = async (server, count) =>
    until(async () => (await metric(server, 'oi_follow_connected')).filter((up) => up === 1).length === count, () => server.stderr);

test('every row once at every subscriber, through kills of the collector, a twin and a follower', { skip }, async (t) => {
    const [a, b] = [await makeFolder(t), await makeFolder(t)];
    for (const data of [a, b]) define(data, 'binance');
    store(a, range(0, 5));
    let first = await startServer(t, { data: a });
    const port = new URL(first.url).port;
    const twin = await startServer(t, { data: b });
    const one = await startServer(t, { args: follow(first.url, twin.url) });
    const data = await makeFolder(t);
    let two = await startServer(t, { data, args: follow(first.url, twin.url) });
    // Followed rows come in before anybody subscribes: the replica fills itself.
    const rowsOf = async (server) =>
        (await ask(server, `/oi/v1/open-interest?market=${BTC}&unit=coins`)).json?.data?.length ?? 0;
    for (const server of [one, two]) await until(async () => (await rowsOf(server)) === 5, () => server.stderr);
    const subscribers = [await listen(t, one), await listen(t, two)];
    store(a, range(5, 10));
    for (const heard of subscribers) await until(() => heard.length >= 5, () => JSON.stringify(heard) + one.stderr);
    // The twin has some of the same and some of its own.
    store(b, range(5, 12));
    for (const heard of subscribers) await until(() => heard.length >= 7, () => JSON.stringify(heard));
    await first.stop('SIGKILL');
    store(a, range(10, 15)); // 10 and 11 came from the twin; nobody is there to tell of the rest
    store(b, range(12, 13));
    first = await startServer(t, { data: a, listen: `127.0.0.1:${port}` });
    for (const heard of subscribers) await until(() => heard.length >= 10, () => JSON.stringify(heard) + one.stderr);
    await twin.stop('SIGKILL');
    store(a, range(15, 20));
    for (const heard of subscribers) await until(() => heard.length >= 15, () => JSON.stringify(heard));
    for (const heard of subscribers) assert.deepEqual(minutesOf(heard), range(5, 20));

    // A follower that was killed knows where it was.
    await two.stop('SIGKILL');
    store(a, range(20, 25));
    two = await startServer(t, { data, args: follow(first.url) });
    await until(async () => (await rowsOf(two)) === 25, () => two.stderr);
    await until(() => subscribers[0].length >= 20, () => JSON.stringify(subscribers[0]));
    assert.deepEqual(minutesOf(subscribers[0]), range(5, 25));
    for (const server of [one, two]) {
        const [mine, theirs] = await Promise.all([server, first].map((each) =>
            ask(each, `/oi/v1/open-interest?market=${BTC}&unit=coins&format=ndjson`)));
        // What the twin had first was known earlier here.
        const rows = (answer) => answer.text.replace(/"known_time":"[^"]*"/g, '');
        assert.equal(rows(mine), rows(theirs));
    }
    assert.ok(oi(['verify', '--data', data]).status === 0);
});

test('rows pass to subscribers alone where others write the store', { skip }, async (t) => {
    const data = await makeFolder(t);
    define(data, 'binance');
    store(data, range(0, 5));
    const writer = await startServer(t, { data, args: ['--no-collect', '--key', 'operator-key-1'] });
    const reader = await startServer(t, {
        data, args: [...follow(writer.url, writer.url), '--no-keep-followed', '--follow-key', 'operator-key-1'] });
    await connected(reader, 2);
    const heard = await listen(t, reader);
    store(data, range(5, 9));
    await until(() => heard.length >= 4, () => reader.stderr);
    store(data, range(9, 10));
    await until(() => heard.length >= 5, () => reader.stderr);
    assert.deepEqual(minutesOf(heard), range(5, 10)); // twice by stream, and once more by the store
    const [rows, duplicates] = [await metric(reader, 'oi_follow_rows_total'), await metric(reader, 'oi_follow_duplicates_total')];
    assert.equal(rows[0] + rows[1], 5);
    assert.ok(duplicates[0] + duplicates[1] >= 5);
    assert.doesNotMatch(reader.stderr, /operator-key/);
    // Whole rows are the operator's.
    await assert.rejects(listen(t, writer, '/oi/v1/stream?rows=full', { 'X-API-Key': 'no' }), /401|403/);
    for (const wrong of ['rows=full&backfill=latest', 'rows=some', 'since=5', 'rows=full&since=-1'])
        await assert.rejects(listen(t, writer, `/oi/v1/stream?${wrong}`, { Authorization: 'Bearer operator-key-1' }), /400/);
});

test('wss:// wants a certificate that it trusts; other addresses are refused', { skip }, async (t) => {
    const folder = await makeFolder(t);
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
        '-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']);
    assert.equal(made.status, 0, `${made.stderr}`);
    const data = await makeFolder(t);
    define(data, 'binance');
    store(data, range(0, 3));
    const collector = await startServer(t, { data, args: ['--no-collect', '--tls-certificate', certificate, '--tls-key', key] });
    const trusting = await startServer(t, { args: [...follow(collector.url), '--follow-authority', certificate] });
    await until(async () => (await metric(trusting, 'oi_follow_rows_total'))[0] === 3, () => trusting.stderr);
    const wary = await startServer(t, { args: follow(collector.url) });
    await until(() => /follow\.interrupted.*certificate/.test(wary.stderr), () => wary.stderr);
    assert.deepEqual(await metric(wary, 'oi_follow_connected'), [0]);
    const wrong = oi(['serve', '--no-collect', '--data', join(folder, 'data'), '--listen', '127.0.0.1:0', '--follow', 'http://127.0.0.1:1']);
    assert.equal(wrong.status, 2);
    assert.match(wrong.stderr, /ws:\/\//);
});
