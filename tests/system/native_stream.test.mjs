// SPDX-License-Identifier: Apache-2.0
// Our own streams: the same rows and closed candles over WebSocket and as server-sent events, who
// may open how many, and what becomes of them when a key is revoked.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { test } from 'node:test';

import WebSocket from 'ws';

import { ask } from '../support/ask.mjs';
import { define, importRows } from '../support/markets.mjs';
import { makeFolder, oi, skip, startServer } from '../support/server.mjs';

const WAIT_MS = 30000;
const MINUTE = Math.floor(Date.now() / 300000) * 300000 - 3600000;
const BTC = 'binance:usdm:BTCUSDT';
const iso = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z');

function waiting(heard) {
    let wake = () => {};
    heard.wake = () => wake();
    heard.until = async (holds) => {
        const end = Date.now() + WAIT_MS;
        while (!holds()) {
            assert.ok(Date.now() < end, JSON.stringify(heard.messages).slice(0, 500));
            await new Promise((resolve) => {
                const timer = setTimeout(resolve, 500);
                wake = () => (clearTimeout(timer), resolve());
            });
        }
    };
    heard.take = async (count) => (await heard.until(() => heard.messages.length >= count), heard.messages);
    return heard;
}

// Server-sent events as they come.
function events(t, url, headers = {}) {
    const heard = waiting({ messages: [], text: '', isOver: false });

    heard.opened = new Promise((resolve, reject) => {
        const request = get(url, { headers, agent: false }, (reply) => {
            heard.status = reply.statusCode;
            heard.headers = reply.headers;
            reply.setEncoding('utf8');
            reply.on('data', (text) => {
                heard.text += text;
                for (let at; (at = heard.text.indexOf('\n\n')) >= 0; heard.text = heard.text.slice(at + 2)) {
                    const event = heard.text.slice(0, at);
                    if (event.startsWith('data: ')) heard.messages.push(JSON.parse(event.slice(6)));
                    else resolve(heard);
                }
                heard.wake();
            });
            reply.on('end', () => ((heard.isOver = true), resolve(heard), heard.wake()));
            reply.on('error', () => ((heard.isOver = true), heard.wake()));
        });
        request.on('error', reject);
        t.after(() => request.destroy());
    });
    return heard;
}

function socket(t, url, headers = {}) {
    const heard = waiting({ messages: [], code: 0 });
    const ws = new WebSocket(url.replace('http', 'ws'), { headers });

    t.after(() => ws.terminate());
    ws.on('message', (bytes) => (heard.messages.push(JSON.parse(bytes)), heard.wake()));
    ws.on('close', (code) => ((heard.code = code), heard.wake()));
    ws.on('error', () => {});
    heard.opened = new Promise((resolve) => {
        ws.on('open', () => resolve(101));
        ws.on('unexpected-response', (_, reply) => resolve(reply.statusCode));
    });
    return heard;
}

const KEY = 'a-key-of-the-test';
let files = 0;
function store(server, market, rows) {
    files++;
    importRows(server.data, server.data, {
        name: `rows-${files}`, market, unit: 'coins', columns: { time: 'time', oi: 'oi', mark: 'mark' },
        rows: rows.map(([ms, amount]) => ({ time: iso(ms), oi: amount, mark: '50000', file: files })),
        more: ['--sides', '1', '--name', 'mine'],
    });
}

async function startKnown(t, args = ['--no-collect']) {
    const data = await makeFolder(t);
    define(data, 'binance');
    return startServer(t, { data, args });
}

test('the newest reading that comes first is the newest good one', { skip }, async (t) => {
    const server = await startKnown(t);

    store(server, BTC, [[MINUTE, '10'], [MINUTE + 60000, '11'], [MINUTE + 120000, '12'], [MINUTE + 180000, '13']]);
    const flag = oi(['flag', '--data', server.data, '--market', BTC, '--start', iso(MINUTE + 90000), '--end', iso(MINUTE + 240000), '--reason', 'doubled']);
    assert.equal(flag.status, 0, flag.stderr);
    const rows = events(t, `${server.url}/oi/v1/stream?market=${BTC}&backfill=latest`);
    await rows.take(1);
    assert.deepEqual(rows.messages.map((row) => [row.time, row.open_interest]), [[iso(MINUTE + 60000), '11']]);
});

test('pages of other sites do not listen to a server without keys, or by a session', { skip }, async (t) => {
    const status = (server, headers) => new Promise((resolve) => {
        const socket = new WebSocket(`${server.url.replace('http', 'ws')}/oi/v1/stream`, { headers });
        socket.on('open', () => (socket.terminate(), resolve(101)));
        socket.on('unexpected-response', (_, reply) => (reply.resume(), resolve(reply.statusCode)));
        socket.on('error', () => {});
    });
    const evil = { Origin: 'https://evil.example' };
    const args = ['--no-collect', '--cors-origin', 'https://good.example', '--public-url', 'https://oi.example'];
    const [alone, keyed] = [await startServer(t, { args }), await startServer(t, { args: [...args, '--key', KEY] })];

    for (const [Origin, want] of [[undefined, 101], [alone.url, 101], ['https://good.example', 101], ['https://oi.example', 101],
        ['https://evil.example', 403], ['null', 403], [`${alone.url}.evil.example`, 403]])
        assert.equal(await status(alone, Origin ? { Origin } : {}), want, Origin);
    // A key is known to nobody else's page; a cookie is sent by the browser itself.
    assert.equal(await status(keyed, { ...evil, Authorization: `Bearer ${KEY}` }), 101);
    assert.equal(await status(keyed, evil), 401);
    const session = await fetch(`${keyed.url}/session`, { method: 'POST', body: KEY });
    const cookie = { Cookie: session.headers.get('set-cookie').split(';')[0] };
    assert.equal(await status(keyed, cookie), 101);
    assert.equal(await status(keyed, { ...cookie, ...evil }), 403);
});

test('rows and closed candles, the same over both', { skip }, async (t) => {
    const server = await startKnown(t);
    const stream = `${server.url}/oi/v1/stream`;

    store(server, BTC, [[MINUTE, '10']]);
    const rows = events(t, `${stream}?market=${BTC}&backfill=latest`);
    await rows.opened;
    assert.equal(rows.status, 200);
    assert.equal(rows.headers['content-type'], 'text/event-stream');
    assert.equal(rows.headers['content-encoding'], undefined);
    const candles = events(t, `${stream}?coin=BTC&interval=5m&unit=usd`);
    const sockets = socket(t, `${stream}?market=${BTC}&interval=5m&unit=usd`);
    const others = events(t, `${stream}?coin=XRP&interval=5m`);
    await Promise.all([candles.opened, sockets.opened, others.opened]);
    store(server, BTC, [[MINUTE + 60000, '12'], [MINUTE + 120000, '9'], [MINUTE + 300000, '11']]);
    await rows.take(4);
    assert.deepEqual(rows.messages.map((row) => [row.time, row.open_interest]), [
        [iso(MINUTE), '10'], [iso(MINUTE + 60000), '12'], [iso(MINUTE + 120000), '9'], [iso(MINUTE + 300000), '11'],
    ]);
    // The first interval was closed by the reading at its end, the second by time.
    await candles.take(2);
    await sockets.take(2);
    assert.deepEqual(candles.messages, sockets.messages);
    assert.deepEqual(others.messages, []);
    // What is pushed is what is answered.
    const query = `market=${BTC}&interval=5m&unit=usd&start=${iso(MINUTE)}`;
    const asked = (await ask(server, `/oi/v1/open-interest?${query}`)).json.data;
    assert.deepEqual(candles.messages, asked.slice(0, 2));
    assert.deepEqual([asked[0].open, asked[0].high, asked[0].close], ['500000', '600000', '450000']);

    const bad = await ask(server, `/oi/v1/stream?market=no:such:thing`);
    assert.equal(bad.status, 404);
    assert.equal(bad.json.error.code, 'unknown_market');
    assert.equal((await ask(server, `/oi/v1/stream?interval=7q`)).status, 400);
    assert.equal((await server.stop()).code, 0, server.stderr);
    await rows.until(() => rows.isOver);
    await sockets.until(() => sockets.code === 1001);
});

test('a plan bounds open streams, and a revoked key ends them', { skip }, async (t) => {
    const data = await makeFolder(t);
    const add = (...args) => oi(['keys', 'add', '--data', data, ...args]).stdout.trim();
    await writeFile(`${data}/oi.conf`, 'plans = two streams=2\n');
    const two = add('--name', 'two', '--plan', 'two'), none = add('--name', 'none', '--plan', 'coinmetrics-community');
    const key = (text) => ({ authorization: `Bearer ${text}` });
    const server = await startServer(t, { data, args: ['--no-collect'] });
    const url = `${server.url}/oi/v1/stream`;

    assert.equal(await socket(t, url).opened, 401);
    assert.equal(await socket(t, url, key(none)).opened, 403);
    const first = socket(t, url, key(two)), second = events(t, url, key(two));
    assert.equal(await first.opened, 101);
    await second.opened;
    assert.equal(second.status, 200);
    assert.equal(await socket(t, `${url}?key=${two}`).opened, 429);
    const refused = await ask(server, '/oi/v1/stream', { headers: key(two) });
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers['retry-after']) > 0);
    oi(['keys', 'revoke', 'two', '--data', data]);
    await first.until(() => first.code === 1008);
    await second.until(() => second.isOver);
    assert.equal((await ask(server, '/oi/v1/stream', { headers: key(two) })).status, 401);
    assert.ok(!server.stderr.includes(two) && !server.stdout.includes(two));
});
