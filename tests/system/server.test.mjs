// SPDX-License-Identifier: Apache-2.0
// What belongs to the server and to no vendor: who is let in, what the operator sees, the page's
// files, live rows, stopping.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import WebSocket from 'ws';

import { importFile, makeFolder, oi, skip, startServer } from '../support/server.mjs';

// fetch does not let a caller choose its Host.
function get(url, headers = {}, method = 'GET') {
    return new Promise((resolve, reject) => {
        const sent = request(url, { headers, method }, (reply) => {
            let body = '';
            reply.setEncoding('utf8');
            reply.on('data', (text) => (body += text));
            reply.on('end', () => resolve({ status: reply.statusCode, headers: reply.headers, body }));
        });
        sent.on('error', reject);
        sent.end();
    });
}

const rows = (from, count) =>
    'time,oi,mark\n' +
    Array.from({ length: count }, (_, i) => {
        const time = new Date(Date.UTC(2026, 2, 7, 0, from + i)).toISOString();
        return `${time},${1000 + i}.25,${60000 + i}`;
    }).join('\n') +
    '\n';

async function importRows(server, from, count, market = 'binance:usdm:BTCUSDT') {
    const path = join(server.data, `rows-${from}.csv`);
    await writeFile(path, rows(from, count));
    return importFile(server.data, 'csv', path, [
        '--time', 'time', '--oi', 'oi', '--mark', 'mark', '--unit', 'coins', '--sides', '1',
        '--market', market, '--name', 'mine',
    ]);
}

test('is alive and ready', { skip }, async (t) => {
    const server = await startServer(t);

    assert.deepEqual(await (await fetch(`${server.url}/healthz`)).text(), 'ok\n');
    assert.equal((await fetch(`${server.url}/readyz`)).status, 200);
});

test('counts requests by dialect for the operator', { skip }, async (t) => {
    const server = await startServer(t);

    await fetch(`${server.url}/v1/open-interest?symbol=NOSUCH`);
    const text = await (await fetch(`${server.url}/metrics`)).text();
    assert.match(text, /^oi_requests_total\{dialect="kwery"\} 1$/m);
    assert.match(text, /^oi_requests_refused_total\{dialect="kwery"\} 1$/m);
    assert.match(text, /^# TYPE oi_requests_total counter$/m);
});

test('answers only to its own names while there are no keys', { skip }, async (t) => {
    const server = await startServer(t);
    const { port } = new URL(server.url);

    assert.equal((await get(`${server.url}/`, { host: 'evil.example' })).status, 421);
    assert.equal((await get(`${server.url}/v1/points`, { host: `evil.example:${port}` })).status, 421);
    assert.equal((await get(`${server.url}/`, { host: `localhost:${port}` })).status, 200);
    assert.equal((await get(`${server.url}/`, { host: `[::1]:${port}` })).status, 200);
});

test('refuses to be reached by others without keys', { skip }, async (t) => {
    const data = await makeFolder(t);
    const done = oi(['serve', '--data', data, '--listen', '0.0.0.0:0', '--no-collect']);

    assert.notEqual(done.status, 0);
    assert.match(done.stderr, /--open/);
});

test('lets in who has a key, in each vendor’s own place for it', { skip }, async (t) => {
    const key = 'kwery_live_0123456789';
    const server = await startServer(t, { args: ['--no-collect', '--key', key] });
    const places = [
        ['/v4/timeseries/market-openinterest?markets=a', (url) => [`${url}&api_key=${key}`, {}]],
        ['/v1/points?type=OPEN_INTEREST_AGG', (url) => [url, { 'X-Kiyotaka-Key': key }]],
        ['/openinterest-api/v1/meta', (url) => [url, { 'x-oanor-key': key }]],
        ['/v1/open-interest?symbol=BTC', (url) => [url, { 'X-API-Key': key }]],
        ['/v1/open-interest?symbol=BTC', (url) => [`${url}&api-key=${key}`, {}]],
        ['/api/v1/data/open_interest?interval=1h', (url) => [url, { 'X-Api-Key': key }]],
        ['/oi/v1/markets', (url) => [url, { Authorization: `Bearer ${key}` }]],
    ];

    for (const [path, withKey] of places) {
        const url = server.url + path;
        const [keyed, headers] = withKey(url);
        assert.equal((await fetch(url)).status, 401, path);
        assert.notEqual((await fetch(keyed, { headers })).status, 401, path);
    }
    assert.doesNotMatch(server.stderr, new RegExp(key));
});

test('names the methods that a path takes', { skip }, async (t) => {
    const server = await startServer(t);
    const reply = await fetch(`${server.url}/v1/open-interest?symbol=BTC`, { method: 'DELETE' });

    assert.equal(reply.status, 405);
    assert.match(reply.headers.get('allow'), /GET/);
    assert.equal((await fetch(`${server.url}/v1/points`, { method: 'OPTIONS' })).status, 204);
});

test('serves the page so that a browser need not fetch it twice', { skip }, async (t) => {
    const server = await startServer(t);
    const first = await fetch(`${server.url}/`);
    const etag = first.headers.get('etag');

    assert.equal(first.status, 200);
    assert.match(first.headers.get('content-type'), /^text\/html/);
    assert.match(first.headers.get('content-security-policy'), /default-src 'self'/);
    assert.equal((await fetch(`${server.url}/`, { headers: { 'If-None-Match': etag } })).status, 304);
    assert.equal((await fetch(`${server.url}/assets/../../etc/passwd`)).status, 404);
    assert.equal((await fetch(`${server.url}/assets/%2e%2e/%2e%2e/etc/passwd`)).status, 404);
});

test('says nothing is at a path that is nobody’s', { skip }, async (t) => {
    const server = await startServer(t);

    assert.equal((await fetch(`${server.url}/no/such/path`)).status, 404);
    assert.equal((await (await fetch(`${server.url}/v4/no-such`)).json()).error.type, 'not_found');
});

test('shows rows that another process imported, without being told', { skip }, async (t) => {
    const server = await startServer(t);
    const url = `${server.url}/oi/v1/open-interest?market=binance:usdm:BTCUSDT`;

    await importRows(server, 0, 3);
    const { data } = await (await fetch(url)).json();
    assert.deepEqual(data.map((row) => row.open_interest), ['1000.25', '1001.25', '1002.25']);
    await importRows(server, 3, 2);
    assert.equal((await (await fetch(url)).json()).data.length, 5);
});

test('pushes committed rows to those who listen to that market', { skip }, async (t) => {
    const server = await startServer(t);
    const stream = server.url.replace('http', 'ws') + '/oi/v1/stream';

    await importRows(server, 0, 1);
    await importRows(server, 100, 1, 'binance:usdm:ETHUSDT');
    const socket = new WebSocket(`${stream}?market=binance:usdm:BTCUSDT`);
    t.after(() => socket.terminate());
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
    const messages = [];
    const both = new Promise((resolve) =>
        socket.on('message', (bytes) => {
            messages.push(JSON.parse(bytes));
            if (messages.length === 2) resolve();
        }),
    );
    await importRows(server, 200, 1, 'binance:usdm:ETHUSDT');
    await importRows(server, 1, 2);
    await both;
    assert.deepEqual(messages.map((m) => m.market), ['binance:usdm:BTCUSDT', 'binance:usdm:BTCUSDT']);
    assert.equal(messages[0].open_interest, '1000.25');
    assert.equal(messages[0].time, '2026-03-07T00:01:00Z');
});

test('refuses a stream of a market that it does not know', { skip }, async (t) => {
    const server = await startServer(t);
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/oi/v1/stream?market=a:b:c`);
    const status = await new Promise((resolve) =>
        socket.on('unexpected-response', (_, reply) => resolve(reply.statusCode)).on('error', () => {}),
    );

    assert.equal(status, 404);
});

test('stops cleanly and comes back with everything', { skip }, async (t) => {
    const server = await startServer(t);

    await importRows(server, 0, 10);
    const { code, signal } = await server.stop('SIGTERM');
    assert.deepEqual([code, signal], [0, null]);
    const again = await startServer(t, { data: server.data });
    const reply = await fetch(`${again.url}/oi/v1/open-interest?market=binance:usdm:BTCUSDT`);
    assert.equal((await reply.json()).data.length, 10);
});
