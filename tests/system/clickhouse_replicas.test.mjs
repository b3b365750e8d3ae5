// SPDX-License-Identifier: Apache-2.0
// Replicas of ClickHouse that lag: whichever is asked, an answer has every row that was stored, or
// is an error. The long test of a whole cluster is tests/cluster; here the replicas are doors to one
// server that show less than it has (tests/support/replicas.mjs).

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { skipClickhouse, startClickhouse } from '../support/clickhouse.mjs';
import { define } from '../support/markets.mjs';
import { makeCluster, startReplicas } from '../support/replicas.mjs';
import { makeFolder, oi, oiBeside, skip } from '../support/server.mjs';

const START = Date.UTC(2025, 2, 6);
const FIRST = 6000; // enough for hours and days to be made ready of them
const SECOND = 200;

// Minutes from..to of one market, in a file of its own.
function writeMinutes(folder, from, to) {
    const path = join(folder, `${from}.csv`);
    const lines = Array.from({ length: to - from }, (_, i) => `${new Date(START + (from + i) * 60000).toISOString()},${1000 + from + i}.5`);

    writeFileSync(path, ['time,oi', ...lines].join('\n') + '\n');
    return path;
}

test('no replica that lags makes an answer shorter', { skip: skip || skipClickhouse }, async (t) => {
    const clickhouse = await startClickhouse(t);
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const plain = clickhouse.address('lag');

    define(data, 'hyperliquid');
    assert.equal(oi(['clickhouse', 'init', '--store', plain]).status, 0);
    assert.equal(oi(['copy', '--from', data, '--to', plain]).status, 0);
    await makeCluster(clickhouse, 'lag');
    const { nodes, address } = await startReplicas(t, clickhouse, 'lag', 2);
    const [late, good] = nodes;
    const store = address(0, 1); // the one that will lag is asked first
    const importMinutes = (from, to) =>
        oiBeside(['import', 'csv', '--time', 'time', '--oi', 'oi', '--unit', 'coins', '--sides', '1', '--market', 'hyperliquid-BTC-future',
            '--data', data, '--store', store, writeMinutes(folder, from, to)]);
    const query = async (at = store) => {
        const done = await oiBeside(['query', '--store', at, '--market', 'hyperliquid:perp:BTC', '--start', '2025-03-06', '--unit', 'reported',
            '--limit', '10000', '--format', 'csv']);
        return { ...done, rows: done.stdout.split('\n').filter((line) => line.includes('2025-03-')).length };
    };
    const moment = async () => ({
        events: Number(await clickhouse.run('SELECT max(sequence) FROM events', 'lag')),
        batches: Number(await clickhouse.run('SELECT max(batch) FROM readings', 'lag')),
    });

    const first = await importMinutes(0, FIRST);
    assert.match(first.stderr, new RegExp(`${FIRST} stored`), first.stderr);
    const before = await moment();

    await t.test('rows count when every replica of their shard has them, events when most nodes do', async () => {
        const inserts = late.asked.filter((statement) => statement.startsWith('INSERT INTO '));
        const into = (table) => inserts.filter((statement) => statement.startsWith(`INSERT INTO ${table} `));

        assert.ok(into('readings').length > 0 && into('events').length > 0);
        for (const statement of into('readings')) assert.match(statement, /insert_quorum=2\b/);
        for (const statement of into('events')) assert.match(statement, /insert_quorum=2\b/);
        for (const statement of inserts) assert.match(statement, /insert_deduplicate=0/);
    });

    await t.test('a node that lacks events says so, and another one is asked', async () => {
        late.lag = { events: before.events };
        const second = await importMinutes(FIRST, FIRST + SECOND);
        assert.match(second.stderr, new RegExp(`${SECOND} stored`), second.stderr);
        good.asked.length = late.asked.length = 0;
        const found = await query();
        assert.equal(found.status, 0, found.stderr);
        assert.equal(found.rows, FIRST + SECOND);
        const events = (node) => node.asked.filter((statement) => /FROM events\b/.test(statement));
        assert.ok(events(late).length > 0, 'the node that lags was not asked');
        assert.ok(events(good).length > 0, 'no other node was asked');
    });

    await t.test('where all of them lack events nothing is answered', async () => {
        const refused = await query(address(0));
        assert.notEqual(refused.status, 0);
        assert.equal(refused.stdout, '');
        assert.match(refused.stderr, /^oi query: ClickHouse cannot do it just now \(289\)/m);
    });

    await t.test('a batch that one replica of its shard lacks is in no answer', async () => {
        late.lag = { batches: (await moment()).batches };
        const third = await importMinutes(FIRST + SECOND, FIRST + SECOND + 100);
        assert.notEqual(third.status, 0, third.stdout);
        assert.match(third.stderr, /\(319\)/);
        // Its rows are there, on the other node.
        assert.equal(await clickhouse.run('SELECT uniqExact(time) FROM readings', 'lag'), String(FIRST + SECOND + 100));
        for (const at of [address(0), address(1), store]) {
            const found = await query(at);
            assert.equal(found.status, 0, found.stderr);
            assert.equal(found.rows, FIRST + SECOND);
        }
    });

    await t.test('a node that has no table, or cannot reach a shard, gives no answer of its own', async () => {
        late.lag = { refuses: [279, 'All connection tries failed. Log:'] };
        const found = await query();
        assert.equal(found.status, 0, found.stderr);
        assert.equal(found.rows, FIRST + SECOND);
        for (const [refusal, sentence] of [
            [[60, "Table lag.readings_local doesn't exist."], /^oi query: a table is missing in ClickHouse's database lag/m],
            [[279, 'All connection tries failed. Log:'], /^oi query: ClickHouse cannot do it just now \(279\)/m],
        ]) {
            late.lag = { refuses: refusal };
            const refused = await query(address(0));
            assert.notEqual(refused.status, 0);
            assert.equal(refused.stdout, '');
            assert.match(refused.stderr, sentence);
        }
    });

    // Whoever writes next gives its number up, after a minute.
    await t.test('what was refused stays hidden when all have caught up', async () => {
        late.lag = {};
        for (const at of [address(0), address(1)]) assert.equal((await query(at)).rows, FIRST + SECOND);
        const verified = await oiBeside(['verify', '--store', store]);
        assert.equal(verified.status, 0, verified.stdout + verified.stderr);
        // 100 hours and 5 days of the first file; the second one is a series of its own.
        assert.match(verified.stdout, /, 105 hours and days\n$/);
    });
});
