// SPDX-License-Identifier: Apache-2.0
// The streams of the dialects over real sockets: what comes first, what comes when rows are stored,
// whom they refuse, and what becomes of a reader that stops reading.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import WebSocket from 'ws';

import { define, importRows } from '../support/markets.mjs';
import { importFile, makeFolder, oi, skip, startServer } from '../support/server.mjs';

const KEY = 'a-key-of-the-test';
const WAIT_MS = 60000;
const COINMETRICS = '/v4/timeseries-stream/market-openinterest';
const BTC = 'binance-BTCUSDT-future';
const SERVER_QUEUE = 4 * 2 ** 20; // what the server keeps for a listener before it is closed
const MINUTE = Math.floor(Date.now() / 60000) * 60000;

// A socket that keeps what it hears: `take(count)` waits for so many messages, `closed` for the end.
function listen(t, server, target) {
    const socket = new WebSocket(server.url.replace('http', 'ws') + target);
    const heard = { socket, messages: [], texts: [] };
    let wake = () => {};

    t.after(() => socket.terminate());
    socket.on('message', (bytes) => {
        heard.texts.push(String(bytes));
        heard.messages.push(JSON.parse(bytes));
        wake();
    });
    heard.opened = new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
    heard.closed = new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`not closed: ${heard.messages.length} heard`)), 20000);
        socket.on('close', (code) => (clearTimeout(timer), resolve(code)));
    });
    heard.closed.catch(() => {});
    heard.take = async (count) => {
        const end = Date.now() + WAIT_MS;
        while (heard.messages.length < count) {
            assert.ok(Date.now() < end, `${heard.messages.length} of ${count}: ${heard.texts.slice(0, 3)}`);
            await new Promise((resolve) => {
                const timer = setTimeout(resolve, 1000);
                wake = () => (clearTimeout(timer), resolve());
            });
        }
        return heard.messages;
    };
    heard.find = async (fits) => {
        while (!heard.messages.some(fits)) await heard.take(heard.messages.length + 1);
    };
    return heard;
}

// A handshake that is refused: { status, type, body }.
function refused(server, target) {
    const socket = new WebSocket(server.url.replace('http', 'ws') + target);

    return new Promise((resolve, reject) => {
        socket.on('open', () => reject(new Error(`${target} was let in`)));
        socket.on('error', () => {});
        socket.on('unexpected-response', (_, reply) => {
            let body = '';
            reply.on('data', (text) => (body += text));
            reply.on('end', () =>
                resolve({ status: reply.statusCode, type: reply.headers['content-type'], body: JSON.parse(body) }),
            );
        });
    });
}

const iso = (ms) => new Date(ms).toISOString();
const nine = (ms) => iso(ms).replace('Z', '000000Z');

// A row a time: { time, oi, mark }.
function rowsAt(times, first = 1000) {
    return times.map((ms, i) => ({ time: iso(ms), oi: `${first + i}.25`, mark: '50000' }));
}

let files = 0;
function store(server, market, rows, { feed = 'mine', more = [] } = {}) {
    importRows(server.data, server.data, {
        name: `rows-${files++}`,
        market,
        unit: 'contracts',
        columns: { time: 'time', oi: 'oi', mark: 'mark' },
        rows: rows.map((row) => ({ ...row, file: files })), // no two files are the same
        more: ['--sides', '1', '--name', feed, ...more],
    });
}

async function startKnown(t, args = ['--no-collect']) {
    const data = await makeFolder(t);

    define(data, 'binance', 'bybit');
    return startServer(t, { data, args });
}

const usdm = (symbol) => `binance:usdm:${symbol}`;

// It is waited for by the last test: the others take as long.
let stranger;
const endings = [];

before(async () => {
    if (skip) return;
    const whole = { after: (end) => endings.unshift(end) };
    const server = await startServer(whole, { args: ['--no-collect', '--key', KEY] });
    stranger = listen(whole, server, '/nonbook/ws?encoding=json');
    await stranger.opened;
});

after(async () => {
    for (const end of endings) await end();
});

test('Coin Metrics: newest readings first, then rows as they are stored, all numbered', { skip }, async (t) => {
    const server = await startKnown(t);

    store(server, usdm('BTCUSDT'), rowsAt([MINUTE - 120000, MINUTE - 60000]));
    const all = listen(t, server, `${COINMETRICS}?markets=${BTC}`);
    const later = listen(t, server, `${COINMETRICS}?markets=${BTC}&backfill=none&pretty=true`);
    await all.take(1);
    await later.opened;
    assert.equal(
        all.texts[0],
        `{"market":"${BTC}","time":"${nine(MINUTE - 60000)}","contract_count":"1001.25","value_usd":"50062500",` +
            `"exchange_time":"${nine(MINUTE - 60000)}","cm_sequence_id":"0"}`,
    );
    // The same count at a new minute is news; what is half an hour old is not.
    store(server, usdm('BTCUSDT'), rowsAt([MINUTE], 1001));
    store(server, usdm('BTCUSDT'), rowsAt([MINUTE - 3600000], 7));
    store(server, usdm('BTCUSDT'), rowsAt([MINUTE - 180000], 8));
    await all.take(3);
    await later.take(2);
    for (const heard of [all.messages.slice(1), later.messages]) {
        assert.deepEqual(
            heard.map((row) => [row.time, row.contract_count]),
            [[nine(MINUTE), '1001.25'], [nine(MINUTE - 180000), '8.25']],
        );
    }
    assert.deepEqual(all.messages.map((row) => row.cm_sequence_id), ['0', '1', '2']);
    assert.deepEqual(later.messages.map((row) => row.cm_sequence_id), ['0', '1']);
    assert.match(later.texts[0], /^\{\n {2}"market": /);

    // A stop says so.
    assert.equal((await server.stop()).code, 0, server.stderr);
    assert.equal(await all.closed, 1001);
    assert.equal(await later.closed, 1001);
});

test('Coin Metrics: one message for two feeds of a market, none for daily ones', { skip }, async (t) => {
    const server = await startKnown(t);

    store(server, usdm('BTCUSDT'), rowsAt([MINUTE - 300000]));
    const heard = listen(t, server, `${COINMETRICS}?markets=binance-*-future`);
    await heard.take(1);
    store(server, usdm('BTCUSDT'), rowsAt([MINUTE], 5));
    store(server, usdm('BTCUSDT'), rowsAt([MINUTE], 6), { feed: 'other' });
    store(server, usdm('1000PEPEUSDT'), rowsAt([MINUTE], 7), { feed: 'days', more: ['--daily', 'yes'] });
    store(server, usdm('1000PEPEUSDT'), rowsAt([MINUTE], 9));
    await heard.take(3);
    assert.deepEqual(
        heard.messages.slice(1).map((row) => [row.market, row.contract_count]),
        [[BTC, '5.25'], ['binance-1000PEPEUSDT-future', '9.25']],
    );
});

test('Coin Metrics: refuses in its envelope', { skip }, async (t) => {
    const server = await startKnown(t);
    const message = async (query) => {
        const { status, type, body } = await refused(server, COINMETRICS + query);
        assert.equal(type, 'application/json');
        return [status, body.error.type, body.error.message];
    };

    assert.deepEqual(await message('?markets=no-such-future'), [
        400, 'bad_parameter', "Bad parameter 'markets'. Market 'no-such-future' is not supported.",
    ]);
    assert.equal((await message(''))[0], 400);
    assert.equal((await message(`?markets=${BTC}&backfill=some`))[2], "Bad parameter 'backfill'. Value 'some' is not supported.");
    assert.deepEqual((await refused(server, '/v4/timeseries-stream/no-such')).status, 404);
});

test('a key opens each stream', { skip }, async (t) => {
    const server = await startKnown(t, ['--no-collect', '--key', KEY]);

    store(server, usdm('BTCUSDT'), rowsAt([MINUTE]));
    assert.equal((await refused(server, `${COINMETRICS}?markets=${BTC}`)).body.error.type, 'unauthorized');
    assert.equal(
        (await refused(server, `${COINMETRICS}?markets=${BTC}&api_key=x`)).body.error.type, 'wrong_credentials',
    );
    assert.equal((await refused(server, '/oi/v1/stream')).status, 401);
    await listen(t, server, `${COINMETRICS}?markets=${BTC}&api_key=${KEY}`).take(1);
    await listen(t, server, `/oi/v1/stream?market=${usdm('BTCUSDT')}&backfill=latest&key=${KEY}`).take(1);

    const heard = listen(t, server, '/nonbook/ws?encoding=json');
    const say = (message) => heard.socket.send(JSON.stringify(message));
    const channels = [{ type: 'OPEN_INTEREST', exchange: 'BINANCE_FUTURES', symbol: 'BTCUSDT' }];
    await heard.opened;
    say({ jsonrpc: '2.0', id: 0, method: 'public/subscribe', params: { channels } });
    say({ method: 'public/authenticate', params: { token: 'x' } });
    say({ method: 'public/authenticate', params: { token: KEY } });
    say({ jsonrpc: '2.0', id: 'a', method: 'public/subscribe', params: { channels } });
    await heard.take(5);
    assert.deepEqual(
        heard.messages.slice(0, 4).map((reply) => [reply.id, reply.error?.data.error ?? reply.result]),
        [[0, 'INVALID_API_KEY'], [null, 'INVALID_API_KEY'], [null, 'ok'], ['a', 'ok']],
    );
    assert.equal(heard.messages[4].params.data.openInterest, 1000.25);
    assert.doesNotMatch(server.stderr, new RegExp(KEY));
});

test('Kiyotaka: channels are chosen and left by message', { skip }, async (t) => {
    const server = await startKnown(t);
    const heard = listen(t, server, '/kiyotaka/nonbook/ws');
    const channel = (symbol, exchange = 'BINANCE_FUTURES') => ({ type: 'OPEN_INTEREST', exchange, symbol });
    const say = (method, ...channels) =>
        heard.socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: `public/${method}`, params: { channels } }));

    await heard.opened;
    heard.socket.send('no json');
    say('subscribe', channel('NOSUCH'));
    say('subscribe', channel('BTCUSDT', 'NOWHERE'));
    say('subscribe', { ...channel('BTCUSDT'), type: 'FUNDING_RATE' });
    say('no-such');
    say('subscribe', channel('BTCUSDT'), channel('1000PEPEUSDT'));
    say('unsubscribe', channel('1000PEPEUSDT'));
    await heard.take(7);
    assert.deepEqual(
        heard.messages.map((reply) => (reply.error ? [reply.error.code, reply.error.data.error] : reply.result)),
        [[-32700, 'PARSE_ERROR'], [-32602, 'INVALID_SYMBOL'], [-32602, 'INVALID_EXCHANGE'],
            [-32602, 'INVALID_PARAMS'], [-32601, 'NOT_FOUND'], 'ok', 'ok'],
    );
    store(server, usdm('1000PEPEUSDT'), rowsAt([MINUTE]));
    store(server, usdm('BTCUSDT'), rowsAt([MINUTE]));
    await heard.take(8);
    assert.deepEqual(heard.messages[7], {
        jsonrpc: '2.0',
        method: 'public/subscription',
        params: {
            channel: channel('BTCUSDT'),
            data: { openInterest: 1000.25, openInterestUsd: 50012500, timestamp: { s: MINUTE / 1000 } },
        },
    });
    assert.equal((await refused(server, '/nonbook/ws?encoding=proto')).body.error, 'INVALID_PARAMS');
    assert.equal((await server.stop()).code, 0, server.stderr);
});

test('Aperiodic: channels of an exchange, chosen and left by message', { skip }, async (t) => {
    const server = await startKnown(t);
    const heard = listen(t, server, '/aperiodic/api/v1/stream');
    const say = (op, ...channels) => heard.socket.send(JSON.stringify({ op, id: 's1', channels }));

    await heard.opened;
    heard.socket.send('no json');
    say('shout', 'open_interest.binance-futures.1m');
    say('subscribe', 'open_interest.binance-futures.1s');
    say('subscribe');
    say('subscribe', 'open_interest.okx-perps.1m');
    say('unsubscribe', 'open_interest.okx-perps.1m');
    say('subscribe', 'open_interest.binance-futures.1m');
    await heard.take(7);
    assert.deepEqual(heard.messages.map((reply) => [reply.op, reply.id, reply.code]), [
        ['error', null, 'invalid_message'], ['error', 's1', 'unknown_op'], ['error', 's1', 'unknown_channel'],
        ['error', 's1', 'invalid_channels'], ['subscribed', 's1', undefined], ['unsubscribed', 's1', undefined],
        ['subscribed', 's1', undefined],
    ]);
    store(server, usdm('BTCUSDT'), rowsAt([MINUTE]));
    await heard.take(8);
    assert.deepEqual(heard.messages[7], {
        channel: 'open_interest.binance-futures.1m',
        data: {
            symbol: 'perpetual-BTC-USDT:USDT', open_interest: 1000.25, open_interest_pct_change: 0,
            open_interest_volatility: null, oi_price_change_ratio: null, time: MINUTE * 1000,
        },
    });
    assert.equal((await server.stop()).code, 0, server.stderr);
});

test('Aperiodic: bars of other intervals when they are over, of markets that appear too', { skip }, async (t) => {
    const server = await startKnown(t);
    const heard = listen(t, server, '/api/v1/stream');
    const say = (op, ...channels) => heard.socket.send(JSON.stringify({ op, id: 's1', channels }));
    const hour = Math.floor(MINUTE / 14400000) * 14400000 - 3600000; // the last of the four that are over

    await heard.opened;
    for (const interval of ['5m', '15m', '30m', '1h', '4h', '1d']) say('subscribe', `open_interest.binance-futures.${interval}`);
    say('unsubscribe', 'open_interest.binance-futures.15m', 'open_interest.binance-futures.30m', 'open_interest.binance-futures.1d');
    say('subscribe', 'open_interest.hyperliquid-perps.1m', 'open_interest.hyperliquid-perps.5m');
    await heard.take(8);
    assert.deepEqual(heard.messages.map((reply) => reply.op), [...Array(6).fill('subscribed'), 'unsubscribed', 'subscribed']);
    store(server, usdm('BTCUSDT'), [
        { time: iso(hour), oi: '1000', mark: '100' }, { time: iso(hour + 60000), oi: '1100', mark: '110' },
        { time: iso(hour + 120000), oi: '990', mark: '110' }, { time: iso(hour + 300000), oi: '0', mark: '110' },
        { time: iso(hour + 600000), oi: '7', mark: '110' },
    ]);
    await heard.take(9);
    store(server, usdm('BTCUSDT'), [{ time: iso(hour + 3600000), oi: '5', mark: '110' }]);
    // Nobody hears single readings of this exchange; a bar of zeros is none; the last reading's own may come too.
    const told = () => heard.messages.slice(8).filter((bar) => bar.data.time / 1000 < hour + 3600000);
    while (told().length < 4) await heard.take(heard.messages.length + 1);
    const bars = told();
    assert.deepEqual(bars.map((bar) => [bar.channel.split('.').at(-1), bar.data.time / 1000 - hour, bar.data.open_interest]).sort(), [
        ['1h', 0, 7], ['4h', -10800000, 7], ['5m', 0, 990], ['5m', 600000, 7],
    ]);
    const { open_interest_volatility: volatility, oi_price_change_ratio: ratio, ...rest } = bars[0].data;
    assert.deepEqual(bars[0].channel, 'open_interest.binance-futures.5m');
    assert.deepEqual(rest, { symbol: 'perpetual-BTC-USDT:USDT', open_interest: 990, open_interest_pct_change: -1, time: hour * 1000 });
    assert.ok(Math.abs(volatility - 0.1414) < 0.001 && Math.abs(ratio - -0.1) < 1e-9, JSON.stringify(bars[0].data));

    // A market that was not there when its exchange was asked for.
    define(server.data, 'hyperliquid');
    store(server, 'hyperliquid:perp:BTC', rowsAt([MINUTE]));
    await heard.find((row) => row.channel === 'open_interest.hyperliquid-perps.1m');
});

test('readings that the operator flagged are not told', { skip }, async (t) => {
    const server = await startKnown(t);
    const streams = [
        [`${COINMETRICS}?markets=${BTC}`, (row) => row.contract_count],
        ['/oi/v1/stream?market=binance:usdm:BTCUSDT&backfill=latest', (row) => row.open_interest],
        ['/oi/v1/stream?exchange=binance&rows=full', (row) => row.open_interest],
    ];

    store(server, usdm('BTCUSDT'), rowsAt([MINUTE - 600000]));
    const done = oi(['flag', '--market', usdm('BTCUSDT'), '--start', iso(MINUTE - 120000), '--end', iso(MINUTE - 30000), '--reason', 'test', '--data', server.data]);
    assert.equal(done.status, 0, done.stderr);
    const heard = streams.map(([target]) => listen(t, server, target));
    await Promise.all(heard.slice(0, 2).map((one) => one.take(1)));
    await heard[2].opened;
    store(server, usdm('BTCUSDT'), rowsAt([MINUTE - 120000, MINUTE - 60000, MINUTE], 5000));
    await Promise.all(heard.slice(0, 2).map((one) => one.take(2)));
    for (const [i, one] of heard.slice(0, 2).entries())
        assert.deepEqual(one.messages.map(streams[i][1]), ['1000.25', '5002.25'], streams[i][0]);
    // A server that follows has a ledger of its own.
    await heard[2].find((row) => JSON.stringify(row).includes('5001.25'));
});

test('a market that appears is heard by those who asked for a pattern', { skip }, async (t) => {
    const server = await startKnown(t);

    store(server, usdm('BTCUSDT'), rowsAt([MINUTE - 120000]));
    const heard = listen(t, server, `${COINMETRICS}?markets=*`);
    await heard.take(1);
    store(server, 'bybit:linear:NEWUSDT', rowsAt([MINUTE]));
    assert.equal((await heard.take(2))[1].market, 'bybit-NEWUSDT-future');
    // Of this one there is no more than its name at first: no row of the file is taken.
    const importKnown = (known) => {
        const path = join(server.data, `known-${known.slice(0, 4)}.csv`);
        writeFileSync(path, `time,oi,known\n${iso(MINUTE)},5,${known}\n`);
        importFile(server.data, 'csv', path, ['--market', 'bybit:linear:BARE1USDT', '--unit', 'contracts',
            '--sides', '1', '--name', 'known', '--time', 'time', '--oi', 'oi', '--known-time', 'known']);
    };
    importKnown('2200-01-01T00:00:00Z');
    store(server, usdm('BTCUSDT'), rowsAt([MINUTE - 60000]));
    assert.equal((await heard.take(3))[2].market, BTC);
    importKnown(iso(MINUTE));
    assert.equal((await heard.take(4))[3].market, 'bybit-BARE1USDT-future');
});

// What a connection can hold between server and reader: the kernel lets both its buffers grow so far.
function kernelHolds() {
    const most = (name) => Number(readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8').trim().split(/\s+/)[2]);
    return most('tcp_rmem') + most('tcp_wmem');
}

test('a reader that stops is warned, then told why it is closed', { skip, timeout: 300000 }, async (t) => {
    const server = await startKnown(t);

    store(server, usdm('BTCUSDT'), rowsAt([MINUTE]));
    store(server, usdm('1000PEPEUSDT'), rowsAt([MINUTE - 60000]));
    const slow = listen(t, server, `${COINMETRICS}?markets=${BTC}&pretty=true`);
    const other = listen(t, server, `${COINMETRICS}?markets=binance-1000PEPEUSDT-future`);
    await slow.take(1);
    await other.take(1);
    slow.socket.pause();
    // More than the server's queue and the kernel's buffers hold together; before a row that is there
    // and in files that are not large, so that they are appended and the server hears of each row.
    const part = 10000, room = kernelHolds() + SERVER_QUEUE + 2 ** 20;
    const count = Math.max(100000, Math.ceil(room / slow.texts[0].length / part) * part);
    const flood = rowsAt(Array.from({ length: count }, (_, i) => MINUTE - 1200000 + Math.floor(i * 1200000 / count)));
    for (let from = 0; from < count; from += part) store(server, usdm('BTCUSDT'), flood.slice(from, from + part));
    store(server, usdm('1000PEPEUSDT'), rowsAt([MINUTE]));
    await other.take(2); // so everything before it has been pushed
    slow.socket.resume();
    assert.equal(await slow.closed, 1013);

    const last = slow.messages.at(-1), warnings = slow.messages.filter((m) => m.warning);
    assert.equal(last.error.type, 'stall');
    assert.equal(last.error.message, 'The client was reading too slowly and was disconnected by the server.');
    assert.equal(warnings.length, 1);
    assert.equal(warnings[0].warning.type, 'falling_behind');
    assert.match(warnings[0].warning.message, /over 60% full/);
    // Nothing is lost or numbered twice before the end.
    const numbers = slow.messages.filter((m) => m.market).map((m) => Number(m.cm_sequence_id));
    assert.deepEqual(numbers, numbers.map((_, i) => i));
    assert.ok(numbers.length < count);
    assert.equal((await server.stop()).code, 0, server.stderr);
});

test('Kiyotaka: who shows no key is not waited for', { skip }, async () => {
    assert.equal(await stranger.closed, 1008);
    assert.deepEqual(stranger.messages, []);
});
