// SPDX-License-Identifier: Apache-2.0
// `oi import` over files: the examples of docs/importing.md where their files are there, each twice;
// a killed import that goes on; withdrawal; what a user is told.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';

const binary = process.env.OI_BINARY;
const root = new URL('../../', import.meta.url).pathname;
const recorded = join(process.env.OI_TEST_DATA ?? join(root, '../shared'), 'data/oi');
const skip = binary && existsSync(binary) ? false : 'OI_BINARY is not built';

async function makeFolder(t) {
    const folder = await mkdtemp(join(tmpdir(), 'oi-import-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    return folder;
}

function oi(...args) {
    const { status, stdout, stderr } = spawnSync(binary, args, { encoding: 'utf8' });
    return { status, stdout, stderr };
}

// The words of a command as a shell splits them; only single quotes are used.
function words(command) {
    return [...command.matchAll(/'([^']*)'|(\S+)/g)].map((word) => word[1] ?? word[2]);
}

// The rows of the two tables of examples.
function examples() {
    const rows = [];
    for (const line of readFileSync(join(root, 'docs/importing.md'), 'utf8').split('\n')) {
        const cells = line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, ''));
        if (!/^`oi import .* FILE`$/.test(cells[1] ?? '')) continue;
        rows.push({
            name: cells[0].split(' ')[0],
            args: words(cells[1].slice(4, -1)).slice(0, -1),
            rows: cells.length === 4 ? Number(cells[2]) : undefined,
            refused: Number(cells[3]),
            reason: cells[2],
        });
    }
    return rows;
}

function findFiles() {
    if (!existsSync(recorded)) return new Map();
    const files = readdirSync(recorded, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .flatMap((entry) =>
            readdirSync(join(recorded, entry.name)).map((name) => join(recorded, entry.name, name)),
        );
    return new Map(files.map((path) => [basename(path), path]));
}

test('every example of the manual does what it says, and once only', { skip }, async (t) => {
    const folder = await makeFolder(t);
    const files = findFiles();
    const list = examples();
    let count = 0;

    assert.ok(list.length > 25);
    for (const example of list) {
        const path = files.get(example.name);
        if (!path) continue;
        count++;
        // What another example has imported is not read again.
        const data = join(folder, example.rows === undefined ? 'refused' : 'taken');
        const run = () => oi(...example.args, '--data', data, path);
        const first = run();
        if (example.rows === undefined) {
            assert.notEqual(first.status, 0, example.name);
            assert.ok(first.stderr.includes(example.reason), `${example.name}: ${first.stderr}`);
            continue;
        }
        assert.equal(first.status, 0, `${example.name}: ${first.stderr}`);
        const found = /: (\d+) rows: (\d+) stored, 0 duplicate, (\d+) refused/.exec(first.stderr);
        assert.ok(found, first.stderr);
        assert.deepEqual(
            found.slice(1).map(Number),
            [example.rows, example.rows - example.refused, example.refused],
            example.name,
        );
        const again = run();
        assert.equal(again.status, 0);
        assert.match(again.stderr, /already imported, nothing changed/);
    }
    const named = new Set(list.map((example) => example.name));
    for (const name of files.keys()) assert.ok(named.has(name), `${name} has no example`);
    if (count > 0) assert.equal(oi('verify', '--data', join(folder, 'taken')).status, 0);
    t.diagnostic(`${count} of ${list.length} examples ran`);
});

function writeTable(folder, rows) {
    const path = join(folder, 'table.csv');
    const lines = ['t,m,x'];
    for (let i = 0; i < rows; i++) lines.push(`${60 * i},M${i % 7},${(i * 7919) % 1000003}`);
    writeFileSync(path, `${lines.join('\n')}\n`);
    return path;
}

const TABLE = ['--time', 't:s', '--oi', 'x', '--unit', 'usd', '--market', 'a:b:{m}'];

test('a killed import goes on and ends with every row once', { skip }, async (t) => {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const rows = 400000;
    const path = writeTable(folder, rows);
    let kills = 0;

    for (let wait = 300; kills < 5; wait += 150) {
        const child = spawn(binary, ['import', 'csv', ...TABLE, '--data', data, path], {
            stdio: 'ignore',
        });
        const timer = setTimeout(() => child.kill('SIGKILL'), wait);
        const [code] = await new Promise((resolve) =>
            child.once('exit', (...args) => resolve(args)),
        );
        clearTimeout(timer);
        if (code !== null) break;
        kills++;
    }
    const last = oi('import', 'csv', ...TABLE, '--data', data, path);
    assert.equal(last.status, 0, last.stderr);
    if (!/already imported/.test(last.stderr))
        assert.match(last.stderr, new RegExp(`${rows} rows: ${rows} stored, 0 duplicate, 0 refused`));
    assert.equal(oi('verify', '--data', data).status, 0);
    t.diagnostic(`killed ${kills} times`);
});

test('a refused row is named, listed and does not fail the import', { skip }, async (t) => {
    const folder = await makeFolder(t);
    const path = join(folder, 'bad.csv');
    const report = join(folder, 'report.csv');

    writeFileSync(path, 't,m,x\n0,A,1\n60,A,"o, ""no"""\n');
    const done = oi('import', 'csv', ...TABLE, '--data', folder + '/d', '--report', report, path);
    assert.equal(done.status, 0);
    assert.match(done.stderr, /bad\.csv:3: x "o, "no"": a character that is no digit\n/);
    assert.equal(
        readFileSync(report, 'utf8'),
        `file,line,field,value,reason\n"${path}",3,"x","o, ""no""","a character that is no digit"\n`,
    );
});

test('a file that cannot be imported fails alone', { skip }, async (t) => {
    const folder = await makeFolder(t);
    const good = writeTable(folder, 10);
    const bad = join(folder, 'nothing.csv');
    const done = oi('import', 'csv', ...TABLE, '--data', folder + '/d', bad, good);

    assert.equal(done.status, 1);
    assert.match(done.stderr, /nothing\.csv: No such file or directory/);
    assert.match(done.stderr, /10 rows: 10 stored/);
    assert.match(done.stderr, /1 of 2 files could not be imported/);
});

test('a withdrawn import is hidden and may come again', { skip }, async (t) => {
    const folder = await makeFolder(t);
    const path = writeTable(folder, 10);
    const run = () => oi('import', 'csv', ...TABLE, '--data', folder + '/d', path);
    const batch = /batches (\d+) to/.exec(run().stderr)[1];

    assert.equal(oi('import', '--data', folder + '/d', '--withdraw', batch).status, 0);
    assert.match(run().stderr, /10 rows: 10 stored/);
    assert.equal(oi('import', '--data', folder + '/d', '--withdraw', '999999').status, 1);
});

test('wrong usage exits with 2 and says what to do', { skip }, async (t) => {
    const data = ['--data', join(await makeFolder(t), 'd')];

    for (const [args, words] of [
        [['csv'], /name a format and a file/],
        [['excel', 'x.csv'], /"excel" is no format/],
        [['csv', 'x.csv'], /name the column that holds the time with --time/],
        [['tardis', '--unit', 'usd', 'x.csv'], /knows its columns/],
        [['csv', '--unit', 'lots', 'x.csv'], /--unit: a unit is contracts, coins or usd/],
        [['--withdraw', 'x'], /withdraw/],
    ]) {
        const done = oi('import', ...args, ...data);
        assert.equal(done.status, 2, `${args}: ${done.stderr}`);
        assert.match(done.stderr, words);
    }
});
