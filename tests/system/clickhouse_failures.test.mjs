// SPDX-License-Identifier: Apache-2.0
// ClickHouse that fails in the middle of things: connections that are cut within an answer, an
// exception behind half of one, too little memory, a disk that is full. An answer is whole, or an
// error, or broken off so that a client sees it; it is never a shorter one.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

import { skipClickhouse, startClickhouse } from '../support/clickhouse.mjs';
import { define, importRows } from '../support/markets.mjs';
import { makeFolder, oi, skip, startServer } from '../support/server.mjs';

const START = Date.UTC(2025, 2, 6);
const MINUTES = 24000;
const FILE = { name: 'BTC', market: 'hyperliquid-BTC-future', unit: 'coins', columns: { time: 'time', oi: 'oi', mark: 'mark' } };
const LONG = '/oi/v1/open-interest?market=hyperliquid:perp:BTC&start=2025-03-06&format=csv&limit=';
const EXCEPTION = 'Code: 241, e.displayText() = DB::Exception: Memory limit (for query) exceeded: would use 9.54 MiB, e.what() = DB::Exception\n';

const rows = (count) =>
    Array.from({ length: count }, (_, i) => ({ time: new Date(START + i * 60000).toISOString(), oi: `${1000 + ((i * 7919) % 1000)}.5`, mark: '50000.5' }));

function fill(folder, store, count, name = 'elsewhere') {
    const data = join(folder, name);
    define(data, 'hyperliquid');
    assert.equal(oi(['clickhouse', 'init', '--store', store]).status, 0);
    const copied = oi(['copy', '--from', data, '--to', store]);
    assert.equal(copied.status, 0, copied.stderr);
    importRows(folder, data, { ...FILE, rows: rows(count), more: ['--sides', '1', '--store', store] });
}

// A wire to ClickHouse. `cut(number)` says of the answer to the so-many-th question for readings how
// many of its bytes pass (undefined: all) before the wire is cut, or `ending` is sent in their place.
async function startWire(t, port) {
    const wire = { cut: () => undefined, ending: undefined, asked: 0, sizes: [] };
    const wires = new Set();
    const server = createServer((near) => {
        wires.add(near);
        const far = connect(port, '127.0.0.1');
        let left, size = 0;

        near.on('error', () => far.destroy());
        far.on('error', () => near.destroy());
        near.on('close', () => far.destroy());
        far.on('close', () => near.end());
        near.on('data', (bytes) => {
            if (bytes.includes('SELECT time,known_time')) {
                left = wire.cut(wire.asked++);
                size = 0;
                wire.sizes.push(0);
            } else if (bytes.includes('POST ')) {
                left = undefined;
            }
            far.write(bytes);
        });
        far.on('data', (bytes) => {
            size += bytes.length;
            if (wire.sizes.length > 0) wire.sizes[wire.sizes.length - 1] = size;
            if (left === undefined) return near.write(bytes);
            if (left > bytes.length) {
                left -= bytes.length;
                return near.write(bytes);
            }
            near.end(Buffer.concat([bytes.subarray(0, left), Buffer.from(wire.ending ?? '')]));
            far.destroy();
        });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
        for (const near of wires) near.destroy();
        server.close();
    });
    wire.port = server.address().port;
    return wire;
}

// The answer's whole text, or how it failed.
async function get(server, target) {
    let status = 0;
    try {
        const answer = await fetch(server.url + target);
        status = answer.status;
        const text = await answer.text();
        return { status, text, isWhole: status === 200 };
    } catch {
        return { status, text: '', isWhole: false };
    }
}

test('an answer that is cut is asked for again, or is no answer', { skip: skip || skipClickhouse }, async (t) => {
    const clickhouse = await startClickhouse(t);
    const folder = await makeFolder(t);
    fill(folder, clickhouse.address('cut'), MINUTES);
    const wire = await startWire(t, clickhouse.port);
    // Nothing is kept here, so that each question is one to ClickHouse.
    const address = clickhouse.address('cut').replace(/:\d+\//, `:${wire.port}/`) + '?keep=0';
    const server = await startServer(t, { args: ['--no-collect', '--store', address] });
    const whole = await get(server, LONG + MINUTES);
    assert.equal(whole.text.trim().split('\n').length, MINUTES + 1);
    const [first] = wire.sizes, questions = wire.sizes.length;
    assert.ok(questions >= 2, 'a long answer is several questions');

    // A target of its own each time: whole answers are kept.
    let limit = MINUTES;
    const prefix = (count) => whole.text.split('\n').slice(0, count + 1).join('\n') + '\n';
    for (const bytes of [0, 100, 5000, first >> 1, first - 7, first - 4, first - 2]) {
        wire.asked = 0;
        wire.cut = (number) => (number === 0 ? bytes : undefined);
        const again = await get(server, LONG + --limit);
        assert.ok(again.isWhole, `cut once after ${bytes} of ${first} bytes: ${again.status} ${server.stderr.slice(-300)}`);
        assert.ok(again.text === prefix(limit), `cut once after ${bytes} bytes: not the same`);
    }
    for (const bytes of [100, first - 7]) {
        wire.asked = 0;
        wire.cut = () => bytes;
        const none = await get(server, LONG + --limit);
        assert.ok(!none.isWhole && none.status >= 500, `always cut after ${bytes} bytes: ${none.status}`);
    }
    // Half of the answer is gone already when the next question fails.
    wire.asked = 0;
    wire.cut = (number) => (number > 0 ? 3000 : undefined);
    const half = await get(server, LONG + --limit);
    assert.equal(half.isWhole, false);
    assert.equal(half.status, 200);
    // ClickHouse's own words behind half of an answer, and a proper end of the body.
    const chunk = (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n0\r\n\r\n`;
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n';
    wire.cut = () => 0;
    for (const body of [EXCEPTION, '\t\x80\x60\x04time\x05Int64' + 'x'.repeat(5000) + EXCEPTION]) {
        wire.ending = head + chunk(body);
        const refused = await get(server, LONG + --limit);
        assert.ok(refused.status >= 500 && !refused.isWhole, `${refused.status}`);
    }
    // Half of a block with a proper end and nothing else.
    wire.ending = head + chunk('\t\x01\x04time\x05Int64' + 'x'.repeat(20));
    assert.ok((await get(server, LONG + --limit)).status >= 500);
    wire.cut = () => undefined;
    assert.ok((await get(server, LONG + --limit)).text === prefix(limit));
});

test('too little memory is said, and what to do', { skip: skip || skipClickhouse }, async (t) => {
    const clickhouse = await startClickhouse(t);
    const folder = await makeFolder(t);
    const store = clickhouse.address('memory');
    fill(folder, store, MINUTES);
    const copied = oi(['copy', '--from', clickhouse.address('memory', 'small'), '--to', join(folder, 'copy')]);
    assert.equal(copied.stdout, '');
    assert.notEqual(copied.status, 0);
    assert.match(copied.stderr, /^oi copy: ClickHouse has not memory enough for this: ask for less, or raise max_memory_usage of the user small there \(Memory limit/m);

    // A backup is a store of its own, of everything, and only in a folder of its own.
    const backup = join(folder, 'backup');
    const made = oi(['backup', '--store', store, backup]);
    assert.equal(made.status, 0, made.stderr);
    assert.match(oi(['verify', '--data', backup]).stdout, new RegExp(`sound: .* ${MINUTES} readings`));
    assert.match(oi(['backup', '--store', store, backup]).stderr, /is no empty folder: name a new one/);
    // What is done in ClickHouse itself is named.
    assert.match(
        oi(['retain', '--store', store, '--retention', 'import:*:30d']).stderr,
        /oi removes nothing from ClickHouse, .*`ALTER TABLE memory\.readings DROP PARTITION YYYYMM` for months before \d{4}-\d\d, of rollup_hour and rollup_day too, see docs/,
    );
});

const mount = (folder, megabytes) => spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]).status === 0;

test('a full disk is said, and loses nothing', { skip: skip || skipClickhouse || (process.getuid() !== 0 && 'a disk of its own needs root') }, async (t) => {
    let disk;
    const clickhouse = await startClickhouse(t, {
        prepare: (folder) => {
            if (mount(folder, 24)) disk = folder;
        },
    });
    if (!disk) return t.skip('no disk can be mounted here');
    try {
        const folder = await makeFolder(t);
        const store = clickhouse.address('full');
        fill(folder, store, 100);
        const ballast = join(disk, 'ballast');
        spawnSync('sh', ['-c', `dd if=/dev/zero of=${ballast} bs=4096 2>/dev/null`]);
        const path = join(folder, 'more.csv');
        writeFileSync(path, 'time,oi\n' + rows(5000).map((row) => `${row.time},7`).join('\n') + '\n');
        const args = ['import', 'csv', '--time', 'time', '--oi', 'oi', '--unit', 'coins', '--sides', '1', '--market', 'hyperliquid-ETH-future', '--store', store, '--data', join(folder, 'elsewhere'), path];
        const refused = oi(args);
        assert.notEqual(refused.status, 0);
        assert.match(refused.stderr, /ClickHouse's disk is full: make room there/);
        rmSync(ballast);
        // 18.16 trips over a file that it could not write to its end, until it starts anew.
        let done = oi(args);
        if (done.status !== 0) {
            assert.match(done.stderr, /ClickHouse has not got over its full disk: make room and restart it/);
            await clickhouse.stop();
            await clickhouse.start();
            done = oi(args);
        }
        assert.equal(done.status, 0, done.stderr);
        assert.match(done.stderr + done.stdout, /5000 stored/);
        const verified = oi(['verify', '--store', store]);
        assert.equal(verified.status, 0, verified.stdout + verified.stderr);
    } finally {
        // Before the folder is removed.
        spawnSync('umount', ['-l', disk]);
    }
});
