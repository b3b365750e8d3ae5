// SPDX-License-Identifier: Apache-2.0
// The collector against the simulated exchanges, as `oi serve --demo`, `oi collect` and `oi demo`.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { binary, importFile, makeFolder, oi, skip, startServer } from '../support/server.mjs';

// All that can be asked, by name: what is closed or known by its files alone is not simulated.
const list = readFileSync(new URL('../../src/simulator/venues.def', import.meta.url), 'utf8');
const EXCHANGES = [...list.matchAll(/^OI_VENUE\(\w+, (\w+)\)/gm)].map((found) => found[1]).sort();
// Asked every ten minutes: a test may not live to see it.
const SELDOM = ['kalshi', 'polymarket'];
const WAIT_MS = 90000;

// Ask until the answer is as it should be.
async function eventually(ask, isFine) {
    const until = Date.now() + WAIT_MS;
    for (;;) {
        const answer = await ask();
        if (isFine(answer) || Date.now() > until) return answer;
        await new Promise((resolve) => setTimeout(resolve, 200));
    }
}

test('a demo has a past, a present and every exchange', { skip, timeout: 240000 }, async (t) => {
    const server = await startServer(t, { args: ['--demo'] });
    const get = async (path) => (await fetch(server.url + path)).text();
    const status = JSON.parse(await get('/oi/v1/status'));

    assert.equal(status.demo, true);
    assert.ok(status.markets > 200, `${status.markets} markets`);
    const minutely = EXCHANGES.filter((name) => !SELDOM.includes(name));
    const latest = await eventually(
        async () => JSON.parse(await get('/oi/v1/latest?limit=1000')).data,
        (rows) => minutely.every((name) => rows.some((row) => row.exchange === name &&
            Date.now() - Date.parse(row.time) < 180000)),
    );
    assert.deepEqual([...new Set(latest.map((row) => row.exchange))].sort(), EXCHANGES);
    const bitcoin = latest.find((row) => row.market === 'binance:usdm:BTCUSDT');
    assert.ok(bitcoin.value_usd > 0);
    for (const change of ['change_percent_1h', 'change_percent_24h', 'change_percent_7d']) {
        assert.ok(bitcoin[change] !== null, change);
    }
    const polls = /^oi_collector_rows_total\{exchange="(\w+)"\} [1-9]/gm;
    const names = (text) =>
        [...text.matchAll(polls)].map((found) => found[1]).filter((name) => !SELDOM.includes(name))
            .sort();
    const metrics = await eventually(
        () => get('/metrics'),
        (text) => names(text).length === minutely.length,
    );
    assert.deepEqual(names(metrics), minutely);
    assert.equal((await server.stop()).code, 0, server.stderr);
    const checked = oi(['verify', '--data', server.data]);
    assert.equal(checked.status, 0, checked.stdout + checked.stderr);
    const real = oi(['serve', '--data', server.data, '--listen', '127.0.0.1:0']);
    assert.equal(real.status, 2);
    assert.match(real.stderr, /holds simulated readings/);
});

test('a demo keeps away from real readings', { skip }, async (t) => {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const file = join(folder, 'one.csv');

    writeFileSync(file, 'time,oi\n2026-03-07T00:00:00Z,1\n');
    importFile(data, 'csv', file, [
        '--time', 'time', '--oi', 'oi', '--unit', 'coins', '--market', 'okx:swap:BTC-USDT-SWAP',
    ]);
    const { status, stderr } = oi(['serve', '--demo', '--data', data, '--listen', '127.0.0.1:0']);
    assert.equal(status, 2);
    assert.match(stderr, /holds real readings: give the demo a folder of its own/);
});

test('one exchange is collected alone, and once', { skip, timeout: 240000 }, async (t) => {
    const data = join(await makeFolder(t), 'data');
    const { status, stdout, stderr } = oi(['collect', '--demo', '--once', '--exchange', 'bybit', '--data', data]);
    const counts = /^(\d+) markets expected, (\d+) readings stored, (\d+) missing\n$/.exec(stdout);

    assert.equal(status, 0, stderr);
    assert.ok(counts, stdout);
    assert.ok(counts[1] > 50 && counts[1] === counts[2] && counts[3] === '0', stdout);
    const unknown = oi(['collect', '--demo', '--once', '--exchange', 'mtgox', '--data', data]);
    assert.equal(unknown.status, 2);
    assert.match(unknown.stderr, /there is no exchange "mtgox"/);
});

test('the simulated exchanges run alone', { skip }, async (t) => {
    const child = spawn(binary, ['demo', '--listen', '127.0.0.1:0', '--moods', 'okx=451']);
    const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    t.after(() => child.kill('SIGKILL'));
    const url = await new Promise((resolve, reject) => {
        let said = '';
        child.stdout.on('data', (bytes) => {
            said += bytes;
            const found = /^oi simulates on (\S+)$/m.exec(said);
            if (found) resolve(found[1]);
        });
        ended.then((code) => reject(new Error(`ended with ${code}`)));
    });

    assert.equal((await fetch(`${url}/simulator/status`)).status, 200);
    child.kill('SIGINT');
    assert.equal(await ended, 0);
});
