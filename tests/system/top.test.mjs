// SPDX-License-Identifier: Apache-2.0
// `oi top` in a pseudo-terminal: keys, sizes, and the terminal as it was before, whatever ends it.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';

import { importFile, makeFolder, oi, skip, startServer } from '../support/server.mjs';
import { inTerminal, plain } from '../support/terminal.mjs';

const MARKETS = ['okx:swap:BTC-USDT-SWAP', 'okx:swap:ETH-USDT-SWAP', 'bybit:linear:SOLUSDT'];

async function makeStore(t) {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const file = join(folder, 'readings.csv');
    const hour = Math.floor(Date.now() / 3600000) * 3600000;

    for (const [number, market] of MARKETS.entries()) {
        const lines = [5, 4, 3, 2, 1, 0].map((back) =>
            `${new Date(hour - back * 3600000).toISOString()},${(number + 1) * 1000 + (6 - back)}`);
        writeFileSync(file, `time,oi\n${lines.join('\n')}\n`);
        importFile(data, 'csv', file, ['--time', 'time', '--oi', 'oi', '--unit', 'coins', '--market', market]);
    }
    return data;
}

// The order in which markets stand on the screen after a key: another size draws all of it anew.
async function screenAfter(terminal, keys, lines) {
    terminal.press(keys);
    await new Promise((resolve) => setTimeout(resolve, 60));
    const from = terminal.out.length;
    terminal.resize(lines, 130);
    await terminal.sees(/sort|drops it/, from);
    return plain(terminal.out.slice(from));
}

const orderIn = (screen) =>
    MARKETS.filter((market) => screen.includes(market)).sort((a, b) => screen.indexOf(a) - screen.indexOf(b));

test('keys sort, filter, pause, change the unit and end it', { skip }, async (t) => {
    const data = await makeStore(t);
    const terminal = inTerminal(t, ['top', '--data', data]);
    const [btc, eth, sol] = MARKETS;

    await terminal.sees(/1-3 of 3 markets {2}in coins[\s\S]*▁/);
    assert.deepEqual(orderIn(await screenAfter(terminal, 'o', 21)), [sol, eth, btc]);
    assert.deepEqual(orderIn(await screenAfter(terminal, 'r', 22)), [btc, eth, sol]);
    assert.deepEqual(orderIn(await screenAfter(terminal, 'm', 23)), [sol, btc, eth]);
    assert.deepEqual(orderIn(await screenAfter(terminal, '/eth', 24)), [eth]);
    assert.match(await screenAfter(terminal, '\r', 25), /1-1 of 1 markets {2}in coins {2}with eth/);
    assert.deepEqual(orderIn(await screenAfter(terminal, '\x1b', 26)), [sol, btc, eth]);
    assert.match(await screenAfter(terminal, 'p', 27), /paused/);
    assert.match(await screenAfter(terminal, 'pc', 28), /in contracts/);
    await screenAfter(terminal, '', 4);
    assert.match(await screenAfter(terminal, '\x1bOB', 5), /2-3 of 3/);
    terminal.press('q');
    await terminal.ends();
    assert.equal(terminal.exit, 0);
    assert.equal(terminal.restored, true);
});

test('whatever ends it, the terminal is as it was before', { skip }, async (t) => {
    const data = await makeStore(t);
    const ends = [['SIGINT', 0], ['SIGTERM', 0], ['SIGHUP', 0], ['SIGSEGV', -11], ['SIGABRT', -6], ['\x03', 0]];

    await Promise.all(ends.map(async ([how, exit]) => {
        const terminal = inTerminal(t, ['top', '--data', data]);

        await terminal.sees(/of 3 markets/);
        if (how.startsWith('SIG')) terminal.signal(how);
        else terminal.press(how);
        await terminal.ends();
        assert.equal(terminal.exit, exit, how);
        assert.equal(terminal.restored, true, how);
        assert.ok(terminal.out.lastIndexOf('\x1b[?1049l') > terminal.out.lastIndexOf('\x1b[?1049h'), how);
    }));
});

test('without colours, without UTF-8, in a terminal that is not known', { skip }, async (t) => {
    const data = await makeStore(t);
    const pale = inTerminal(t, ['top', '--data', data], { env: { NO_COLOR: '1', LC_ALL: 'C' } });
    const coloured = inTerminal(t, ['top', '--data', data]);
    const unknown = inTerminal(t, ['top', '--data', data], { env: { TERM: 'no-such-terminal' } });

    await pale.sees(/_\.~=\*#/);
    await coloured.sees(/▁/);
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(pale.out, /\x1b\[3[0-9]m|▁/);
    // eslint-disable-next-line no-control-regex
    assert.match(coloured.out, /\x1b\[32m/);
    await unknown.ends();
    assert.equal(unknown.exit, 2);
    assert.match(unknown.out, /TERM.*oi top --once/);
});

test('elsewhere it is one table, of a folder as of a server', { skip }, async (t) => {
    const data = await makeStore(t);
    const server = await startServer(t, { data, env: { OI_KEYS: 'secret' } });
    const ask = (...args) => oi(['top', '--format', 'json', ...args]);
    const rows = JSON.parse(ask('--data', data).stdout);

    assert.equal(rows.length, 3);
    assert.deepEqual(JSON.parse(ask('--url', server.url, '--key', 'secret').stdout), rows);
    assert.equal(rows.find((row) => row.market === MARKETS[0]).open_interest, '1006');
    assert.deepEqual(JSON.parse(ask('--data', data, '--exchange', 'bybit').stdout).map((row) => row.market), [MARKETS[2]]);
    assert.match(oi(['top', '--data', data]).stdout, /^market .*change_percent_24h/);
    const refused = ask('--url', server.url);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /the server answers 401/);
    assert.match(ask('--url', 'http://127.0.0.1:1').stderr, /http:\/\/127\.0\.0\.1:1 does not answer/);
    assert.equal(ask('--url', 'nonsense').status, 2);
});
