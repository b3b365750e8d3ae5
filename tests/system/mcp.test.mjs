// SPDX-License-Identifier: Apache-2.0
// Assistants' own client (@modelcontextprotocol/sdk) over HTTP and over stdin and stdout: the
// handshake, the tools and their schemas, and figures that equal the native API's.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { binary, importFile, makeFolder, skip, startServer } from '../support/server.mjs';

const MARKETS = ['okx:swap:BTC-USDT-SWAP', 'bybit:linear:BTCUSDT'];
const START = '2026-03-07T00:00:00Z';

async function makeStore(t) {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const file = join(folder, 'readings.csv');

    for (const [number, market] of MARKETS.entries()) {
        const lines = [0, 1, 2, 3].map((i) => `2026-03-07T00:0${i}:00Z,${100 + number}.12345678901234567${i}`);
        writeFileSync(file, `time,oi\n${lines.join('\n')}\n`);
        importFile(data, 'csv', file, ['--time', 'time', '--oi', 'oi', '--unit', 'coins', '--market', market]);
    }
    return data;
}

async function connect(t, transport) {
    const client = new Client({ name: 'test', version: '1' });

    await client.connect(transport);
    t.after(() => client.close());
    return client;
}

// Each tool once; the client checks structuredContent against the tool's outputSchema.
const CALLS = {
    find_markets: { q: 'btc' },
    latest_open_interest: { unit: 'coins' },
    open_interest_history: { market: [MARKETS[0]], start: START, unit: 'coins' },
    total_open_interest: { by: ['exchange'] },
    open_interest_changes: { market: MARKETS, start: START, end: '2026-03-07T00:03:30Z', unit: 'coins' },
    gaps: { market: [MARKETS[0]], start: START, end: '2026-03-07T01:00:00Z' },
    coverage: { market: [MARKETS[0]], start: START, end: '2026-03-07T01:00:00Z' },
    conventions: { exchange: ['binance'] },
};

async function callAll(client) {
    const { tools } = await client.listTools();
    const answers = {};

    assert.deepEqual(tools.map((tool) => tool.name).sort(), Object.keys(CALLS).sort());
    for (const [name, args] of Object.entries(CALLS)) {
        const answer = await client.callTool({ name, arguments: args });
        const content = answer.structuredContent;

        assert.ok(!answer.isError, `${name}: ${answer.content[0].text}`);
        assert.deepEqual(JSON.parse(answer.content[0].text), content);
        for (const fact of ['unit', 'sides', 'answered_at', 'age_seconds', 'coverage', 'data']) assert.ok(fact in content, `${name}: ${fact}`);
        answers[name] = content;
    }
    return answers;
}

test('the official client shakes hands, calls every tool and gets the native figures', { skip }, async (t) => {
    const data = await makeStore(t);
    const server = await startServer(t, { data });
    const client = await connect(t, new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`)));

    assert.equal(client.getServerVersion().name, 'oi');
    await client.ping();
    const answers = await callAll(client);
    const native = async (path) => (await (await fetch(`${server.url}/oi/v1/${path}`)).json()).data;
    const history = answers.open_interest_history;
    assert.deepEqual(history.data, await native(`open-interest?market=${MARKETS[0]}&start=${START}&unit=coins`));
    assert.equal(history.data[3].open_interest, '100.123456789012345673');
    assert.deepEqual(history.coverage, { markets_matched: 1, markets_answered: 1, rows: 4, is_complete: true });
    assert.equal(history.newest, '2026-03-07T00:03:00Z');
    assert.equal(history.age_seconds, Math.floor((Date.parse(history.answered_at) - Date.parse(history.newest)) / 1000));
    assert.deepEqual(answers.latest_open_interest.data, await native('latest'));
    assert.deepEqual(answers.find_markets.data.map((row) => row.market).sort(), [...MARKETS].sort());
    assert.ok(answers.conventions.data.every((row) => row.exchange === 'binance' && row.evidence));
    const short = await client.callTool({ name: 'open_interest_history', arguments: { market: MARKETS, start: START, limit: 3 } });
    assert.equal(short.structuredContent.coverage.is_complete, false);
    const unknown = await client.callTool({ name: 'latest_open_interest', arguments: { market: ['no:such:ONE'] } });
    assert.ok(unknown.isError);
    assert.match(unknown.content[0].text, /find_markets lists them/);
    await assert.rejects(client.callTool({ name: 'buy', arguments: {} }), /-32602/);
});

test('the same on stdin and stdout, of a folder and of a server', { skip }, async (t) => {
    const data = await makeStore(t);
    const server = await startServer(t, { data, env: { OI_KEYS: 'secret' } });
    const start = (...args) =>
        connect(t, new StdioClientTransport({ command: binary, args: ['mcp', ...args], env: { PATH: process.env.PATH } }));
    const folder = await callAll(await start('--data', data));
    const remote = await callAll(await start('--url', server.url, '--key', 'secret'));

    for (const name of Object.keys(CALLS)) if (name !== 'total_open_interest') assert.deepEqual(folder[name].data, remote[name].data, name);
    await assert.rejects(start('--url', server.url));
    await assert.rejects(start('--url', 'http://127.0.0.1:1'), /does not answer/);
});

test('the transport refuses what the standard does not have', { skip }, async (t) => {
    const server = await startServer(t, { data: await makeStore(t), env: { OI_KEYS: 'secret' } });
    const post = (body, headers = {}) =>
        fetch(`${server.url}/mcp`, {
            method: 'POST',
            body,
            headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', Authorization: 'Bearer secret', ...headers },
        });
    const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

    assert.deepEqual(await (await post(ping)).json(), { jsonrpc: '2.0', id: 1, result: {} });
    assert.equal((await post(ping, { 'MCP-Protocol-Version': '2025-03-26' })).status, 200);
    assert.equal((await post(ping, { 'MCP-Protocol-Version': '1999-01-01' })).status, 400);
    const silent = await post('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    assert.deepEqual([silent.status, await silent.text()], [202, '']);
    assert.equal((await (await post('{')).json()).error.code, -32700);
    assert.equal((await post(`[${ping}]`)).status, 400);
    const stranger = await post(ping, { Authorization: '' });
    assert.equal(stranger.status, 401);
    assert.equal((await stranger.json()).error.code, -32000);
    const got = await fetch(`${server.url}/mcp`, { headers: { Authorization: 'Bearer secret' } });
    assert.deepEqual([got.status, got.headers.get('allow')], [405, 'POST, OPTIONS']);
});
