// SPDX-License-Identifier: Apache-2.0
// A running demo: new readings reach the stream and the rows, and every dialect speaks of the same
// market.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import WebSocket from 'ws';

import { ask, compare, multiply, normal } from '../support/ask.mjs';
import { skip, startServer } from '../support/server.mjs';

const MARKET = 'binance:usdm:BTCUSDT';
const WAIT_MS = 100000;

// Wait for the first message that is fine.
function hear(t, url, isFine, first) {
    const socket = new WebSocket(url);

    t.after(() => socket.terminate());
    if (first) socket.on('open', () => socket.send(JSON.stringify(first)));
    return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`nothing came from ${url}`)), WAIT_MS);
        socket.on('error', reject);
        socket.on('message', (bytes) => {
            const message = JSON.parse(bytes);
            if (!isFine(message)) return;
            clearTimeout(timer);
            socket.terminate();
            resolve(message);
        });
    });
}

test('a demo lives, in every dialect', { skip, timeout: 300000 }, async (t) => {
    const server = await startServer(t, { args: ['--demo'] });
    const sockets = server.url.replace('http', 'ws');
    const stream = `${sockets}/oi/v1/stream`;
    const fine = async (target) => {
        const answer = await ask(server, target);
        assert.equal(answer.status, 200, `${target}: ${answer.text.slice(0, 300)}`);
        return answer;
    };

    // A row that was pushed is a row that is there.
    const isRecent = (row) => Date.now() - Date.parse(row.time) < 300000;
    const channel = { type: 'OPEN_INTEREST', exchange: 'BINANCE_FUTURES', symbol: 'BTCUSDT' };
    const [own, any, option, notified] = await Promise.all([
        hear(t, `${stream}?market=${MARKET}`, isRecent),
        hear(t, stream, (row) => isRecent(row) && !row.market.startsWith('binance:')),
        hear(t, `${sockets}/v4/timeseries-stream/market-openinterest?markets=deribit-*-option&backfill=none`, isRecent),
        hear(t, `${sockets}/nonbook/ws?encoding=json`, (message) => message.method !== undefined, {
            jsonrpc: '2.0', id: 0, method: 'public/subscribe', params: { channels: [channel] },
        }),
    ]);
    assert.match(option.market, /^deribit-.*-option$/);
    assert.equal(option.cm_sequence_id, '0');
    assert.deepEqual(notified.params.channel, channel);
    assert.ok(notified.params.data.openInterest > 0 && notified.params.data.openInterestUsd > 0);
    assert.equal(own.market, MARKET);
    assert.equal(own.feed, 'live');
    assert.ok(compare(own.open_interest, '0') > 0);
    assert.notEqual(any.market, MARKET);
    const rows = await fine(`/oi/v1/open-interest?market=${MARKET}&unit=reported&start=${encodeURIComponent(own.time)}`);
    assert.equal(rows.json.data[0].time, own.time);
    assert.equal(rows.json.data[0].open_interest, own.open_interest);

    // Of the same minute, by everybody. Seconds have passed, so there may be a newer one.
    const minute = Date.parse(own.time);
    const next = new Date(minute + 60000).toISOString().slice(0, 19);
    const coinmetrics = await fine(`/v4/timeseries/market-openinterest?markets=binance-BTCUSDT-future&start_time=${own.time.slice(0, 19)}&end_time=${next}&end_inclusive=false`);
    assert.deepEqual(
        coinmetrics.json.data.map((row) => [row.market, Date.parse(row.time), row.contract_count]),
        [['binance-BTCUSDT-future', minute, own.open_interest]],
    );
    const kiyotaka = await fine(`/v1/points?type=OPEN_INTEREST_AGG&exchange=BINANCE_FUTURES&rawSymbol=BTCUSDT&interval=MINUTE&from=${minute / 1000}&period=60`);
    assert.equal(normal(kiyotaka.exact.series[0].points[0].Point.close), own.open_interest);
    const five = minute - (minute % 300000);
    const kwery = await fine(`/v1/open-interest?symbol=BTC&source=binance_futures&interval=5m&start=${new Date(five).toISOString()}`);
    assert.equal(Date.parse(kwery.json.data[0].timestamp), five);
    assert.ok(kwery.json.data[0].open_interest_usd > 0);
    const month = own.time.slice(0, 7), day = own.time.slice(0, 10);
    const aperiodic = await fine(`/api/v1/data/open_interest?timestamp=exchange&interval=1m&exchange=binance-futures&symbol=perpetual-BTC-USDT%3AUSDT&start_date=${day}&end_date=${day}`);
    assert.deepEqual(aperiodic.json.files.map((file) => `${file.year}-${String(file.month).padStart(2, '0')}`), [month]);
    const file = await ask(server, aperiodic.json.files[0].url.slice(server.url.length));
    assert.equal(file.bytes.subarray(0, 4).toString(), 'PAR1');
    const oanor = await fine('/openinterest-api/v1/oi?base=BTC&period=5m&lookback=2');
    assert.equal(oanor.json.data.symbol, 'BTCUSDT');
    assert.ok(['rising', 'falling', 'flat'].includes(oanor.json.data.trend), oanor.text);

    // The total of all exchanges has more than its largest member.
    const total = await fine('/oi/v1/open-interest?coin=BTC&kind=perpetual&interval=1h&total=true&limit=1');
    assert.ok(total.json.totals[0].members.length > 4, total.text);
    assert.ok(compare(total.json.data[0].close, own.open_interest) > 0);
    const latest = await fine('/oi/v1/latest?coin=BTC');
    const newest = latest.json.data.find((row) => row.market === MARKET);
    assert.equal(newest.value_usd !== null, true);
    // Both stand in one row: the figure times the price is what it is worth.
    if (newest.price !== null) assert.equal(newest.value_usd, multiply(newest.open_interest, newest.price));
    assert.equal((await server.stop()).code, 0, server.stderr);
});
