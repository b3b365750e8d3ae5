// SPDX-License-Identifier: Apache-2.0
// oi with JavaScript: the newest reading by fetch, then each next one over a WebSocket. In a browser
// and in Node 22 as it is; older versions of Node take the package `ws`.
//   node stream.mjs [MARKET] [COUNT]

const base = process.env.OI_URL ?? 'http://127.0.0.1:8080';
const key = process.env.OI_KEY;
const [market = 'binance:usdm:BTCUSDT', count = '5'] = process.argv.slice(2);
const WebSocket = globalThis.WebSocket ?? (await import('ws')).WebSocket;

const reply = await fetch(`${base}/oi/v1/latest?${new URLSearchParams({ market })}`, {
    headers: key ? { Authorization: `Bearer ${key}` } : {},
});
if (!reply.ok) throw new Error(`${reply.status}: ${await reply.text()}`);
const [latest] = (await reply.json()).data;
// Figures are strings: a Number would lose digits.
console.log(`${latest.market} ${latest.open_interest} ${latest.unit}, ${latest.sides} side, at ${latest.time}`);

const query = new URLSearchParams({ market, backfill: 'latest', ...(key ? { key } : {}) });
const socket = new WebSocket(`${base.replace(/^http/, 'ws')}/oi/v1/stream?${query}`);
let left = Number(count);
socket.addEventListener('message', ({ data }) => {
    const row = JSON.parse(data);
    console.log(`${row.time} ${row.open_interest} ${row.feed}`);
    if (--left === 0) socket.close();
});
socket.addEventListener('close', ({ code, reason }) => {
    if (left > 0) console.error(`closed: ${code} ${reason}`);
    process.exitCode = left > 0 ? 1 : 0;
});
