// SPDX-License-Identifier: Apache-2.0
// Looking after a store: flags, retention, compaction, backups, sizes.

import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { importFile, makeFolder, oi, skip, startServer } from '../support/server.mjs';

const MARKET = 'okx:swap:BTC-USDT-SWAP';
const ROWS = 12000;
const START = Date.parse('2020-03-01T00:00:00Z');
const iso = (time) => new Date(time).toISOString().replace('.000Z', 'Z');

// Eight days of minutes long ago: three chunks.
async function makeStore(t) {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const file = join(folder, 'old.csv');
    const lines = Array.from({ length: ROWS }, (_, i) => `${iso(START + i * 60000)},${1000 + (i % 777)}.5`);

    writeFileSync(file, `time,oi\n${lines.join('\n')}\n`);
    importFile(data, 'csv', file, ['--time', 'time', '--oi', 'oi', '--unit', 'coins', '--market', MARKET]);
    const server = await startServer(t, { data });
    await server.stop(); // what is in the log goes into chunks
    return { folder, data };
}

function run(args) {
    const done = oi(args);
    assert.equal(done.status, 0, `${args.join(' ')}: ${done.stderr}`);
    return done;
}

const readings = (data, ...more) => run(['query', '--data', data, '--market', MARKET, '--format', 'csv', ...more]).stdout.trimEnd().split('\n').slice(1);

test('readings that are flagged say so from then on, and only then', { skip }, async (t) => {
    const { data } = await makeStore(t);
    const [start, end] = [iso(START + 600000), iso(START + 1200000)];
    const before = readings(data);
    const span = ['--data', data, '--market', MARKET, '--start', start, '--end', end];

    assert.equal(oi(['flag', ...span]).status, 2);
    run(['flag', ...span, '--reason', 'counted twice']);
    const after = readings(data);
    const changed = after.filter((line, i) => line !== before[i]);
    assert.equal(after.length, before.length);
    assert.equal(changed.length, 10);
    for (const line of changed) assert.notEqual(line.split(',').at(-1), '0');
    assert.deepEqual(readings(data, '--as-stored', iso(Date.now() - 3600000)), []);
    const ledger = JSON.parse(run(['flag', '--data', data, '--format', 'json']).stdout);
    assert.deepEqual(ledger.map((one) => [one.market, one.start, one.end, one.reason]), [[MARKET, start, end, 'counted twice']]);
    assert.equal(oi(['flag', ...span.slice(0, 2), '--market', 'okx:swap:NONE', ...span.slice(4), '--reason', 'x']).status, 1);
    run(['verify', '--data', data]);
});

test('old readings go by a rule alone, and compaction gives their room back', { skip }, async (t) => {
    const { data } = await makeStore(t);
    const size = () => statSync(join(data, 'data.mdb')).size;

    assert.equal(oi(['retain', '--data', data]).status, 2);
    assert.match(oi(['retain', '--data', data, '--retention', 'import:*:9x']).stderr, /does not end in days/);
    assert.match(run(['retain', '--data', data, '--retention', 'live:30d']).stderr, /: 0 readings removed/);
    assert.equal(readings(data).length, ROWS);
    const told = run(['retain', '--data', data, '--retention', 'import:*:30d']).stderr;
    const gone = Number(/: (\d+) readings removed/.exec(told)[1]);
    assert.ok(gone > 0 && gone < ROWS, told);
    const left = readings(data);
    assert.equal(left.length, ROWS - gone);
    assert.ok(left.at(-1).includes(iso(START + (ROWS - 1) * 60000)));
    run(['verify', '--data', data]);
    const before = size();
    run(['compact', '--data', data]);
    assert.ok(size() < before, `${size()} of ${before} bytes`);
    assert.deepEqual(readings(data), left);
    run(['verify', '--data', data]);
});

test('a server goes by the rules of its configuration', { skip }, async (t) => {
    const { data } = await makeStore(t);
    const nothing = await startServer(t, { data });
    await nothing.stop();
    assert.equal(readings(data).length, ROWS);
    writeFileSync(join(data, 'oi.conf'), 'retention = import:*:30d, live:4000d\n');
    const server = await startServer(t, { data });
    for (let i = 0; i < 300 && !server.stderr.includes('retention.removed'); i++)
        await new Promise((resolve) => setTimeout(resolve, 100));
    assert.match(server.stderr, /retention\.removed rows=\d+/);
    const answer = await (await fetch(`${server.url}/oi/v1/open-interest?market=${MARKET}&limit=1000000`)).json();
    assert.ok(answer.data.length > 0 && answer.data.length < ROWS);
    await server.stop();
    run(['verify', '--data', data]);
    writeFileSync(join(data, 'oi.conf'), 'retention = import\n');
    assert.match(oi(['serve', '--no-collect', '--data', data]).stderr, /retention "import" is not FEED:DAYSd/);
});

test('a backup is a store of its own, and sizes are told by column', { skip }, async (t) => {
    const { folder, data } = await makeStore(t);
    const copy = join(folder, 'copy');

    run(['backup', '--data', data, copy]);
    run(['verify', '--data', copy]);
    assert.deepEqual(readings(copy), readings(data));
    run(['flag', '--data', copy, '--market', MARKET, '--start', iso(START), '--end', iso(START + 60000), '--reason', 'a copy is written too']);
    run(['verify', '--data', copy]);
    const columns = JSON.parse(run(['info', '--columns', '--data', copy, '--format', 'json']).stdout);
    const bytes = Object.fromEntries(columns.map((one) => [one.column, Number(one.bytes)]));
    assert.ok(bytes.open_interest > 0, JSON.stringify(bytes));
    assert.match(run(['info', '--data', copy]).stdout, /12000 in 3 chunks/);
});
