// SPDX-License-Identifier: Apache-2.0
// The command line as a person meets it: help, mistakes, settings, and each command over a store.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { binary, importFile, makeFolder, oi, skip, startServer } from '../support/server.mjs';

const MARKET = 'okx:swap:BTC-USDT-SWAP';

// Six five-minute readings of one market, with a figure that no double holds.
const FIGURES = ['100.5', '101', '99.123456789012345678', '102', '103.25', '104'];

async function makeStore(t) {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const file = join(folder, 'readings.csv');
    const lines = FIGURES.map((figure, i) => `2026-03-07T00:${i}5:00Z,${figure}`);

    writeFileSync(file, `time,oi\n${lines.join('\n')}\n`);
    importFile(data, 'csv', file, ['--time', 'time', '--oi', 'oi', '--unit', 'coins', '--market', MARKET]);
    return data;
}

function commands() {
    const { stdout } = oi(['--help']);
    return [...stdout.matchAll(/^ {2}([a-z]+) {2}/gm)].map((found) => found[1]);
}

// Wrong usage: exit 2, one sentence on stderr, nothing on stdout.
function assertRefused(args, words, options) {
    const { status, stdout, stderr } = oi(args, options);
    assert.equal(status, 2, `${args.join(' ')}: ${stderr}`);
    assert.equal(stdout, '');
    assert.match(stderr, words);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
}

test('every command explains itself', { skip }, () => {
    const names = commands();

    assert.ok(names.length >= 10, names.join());
    for (const name of names) {
        const asked = oi([name, '--help']);
        assert.equal(asked.status, 0);
        assert.equal(asked.stderr, '');
        assert.ok(asked.stdout.startsWith(`Usage: oi ${name} `), asked.stdout);
        assert.match(asked.stdout, /^ {2}--help /m);
        assert.deepEqual(oi(['help', name]).stdout, asked.stdout);
        for (const line of asked.stdout.split('\n')) assert.ok(line.length <= 110, line);
    }
});

test('the version is told', { skip }, () => {
    const { status, stdout } = oi(['--version']);
    assert.equal(status, 0);
    assert.match(stdout, /^oi \d+\.\d+\.\d+\n$/);
});

test('wrong usage is refused with a sentence that says what to do', { skip }, () => {
    const bare = oi([]);
    assert.equal(bare.status, 2);
    assert.match(bare.stderr, /Usage: oi COMMAND/);
    assertRefused(['srve'], /did you mean `oi serve`\?/);
    assertRefused(['xyzzy'], /`oi --help` lists them/);
    assertRefused(['help', 'xyzzy'], /`oi --help` lists them/);
    for (const name of commands()) {
        assertRefused([name, '--nonsense'], /there is no option --nonsense: see `oi \w+ --help`/);
    }
    assertRefused(['verify', 'x'], /"x" is one too many/);
    assertRefused(['backup'], /FOLDER is missing/);
    assertRefused(['query', '--limit', 'x', '--coin', 'BTC'], /--limit must be a whole number/);
    assertRefused(['query'], /say which markets/);
    assertRefused(['markets', '--format', 'xml'], /must be table, csv, json, ndjson or parquet/);
    assertRefused(['export', '--coin', 'BTC', 'x.xls'], /say --format/);
    assertRefused(['serve', '--listen', 'example.com:80'], /not HOST:PORT with an IP address/);
    assertRefused(['serve', '--tls-key', 'x'], /belong together/);
});

test('a store that is not there is named', { skip }, async (t) => {
    const nowhere = join(await makeFolder(t), 'nothing');
    for (const args of [['info'], ['verify'], ['markets'], ['query', '--coin', 'BTC'], ['gaps']]) {
        const { status, stdout, stderr } = oi([...args, '--data', nowhere]);
        assert.equal(status, 1, args[0]);
        assert.equal(stdout, '');
        assert.ok(stderr.includes(nowhere), stderr);
    }
    assert.ok(!existsSync(nowhere));
});

test('settings come from flags, then the environment, then the file', { skip }, async (t) => {
    const data = await makeFolder(t);
    const settings = (args, env) =>
        Object.fromEntries(
            JSON.parse(oi(['config', '--data', data, '--format', 'json', ...args], { env }).stdout).map(
                (row) => [row.setting, row],
            ),
        );

    writeFileSync(join(data, 'oi.conf'), '# mine\nlisten = 127.0.0.1:1\nthreads = 3\nkeys = a, b\n');
    writeFileSync(join(data, 'other.conf'), 'threads = 4\n');
    const found = settings([], { OI_LISTEN: '127.0.0.1:2' });
    assert.deepEqual([found.listen.value, found.listen.from], ['127.0.0.1:2', 'OI_LISTEN']);
    assert.equal(found.threads.value, '3');
    assert.equal(found.threads.from, `line 3 of ${data}/oi.conf`);
    assert.equal(found.data.from, '--data');
    assert.equal(found.open.from, 'default');
    assert.equal(found.keys.value, '(2, not shown)');
    const other = settings(['--config', join(data, 'other.conf')], {});
    assert.deepEqual([other.threads.value, other.listen.from], ['4', 'default']);
});

test('a mistake in the settings is named with its place', { skip }, async (t) => {
    const data = await makeFolder(t);
    writeFileSync(join(data, 'oi.conf'), 'listen = 127.0.0.1:0\nlisten_on = 1\n');
    assertRefused(['serve', '--data', data], /line 2 of .*oi\.conf: there is no setting "listen_on"/);
    writeFileSync(join(data, 'oi.conf'), 'threads = many\n');
    assertRefused(['serve', '--data', data, '--listen', '0'], /threads \(line 1 of .*\) must be a whole/);
    assertRefused(['serve', '--data', data], /OI_COLLECT must be true or false/, {
        env: { OI_COLLECT: 'perhaps' },
    });
    assertRefused(['info', '--config', join(data, 'none.conf')], /cannot read .*none\.conf/);
});

test('a server starts, answers and stops cleanly', { skip }, async (t) => {
    for (const signal of ['SIGTERM', 'SIGINT']) {
        const server = await startServer(t);
        assert.equal(await (await fetch(`${server.url}/healthz`)).text(), 'ok\n');
        const { code } = await server.stop(signal);
        assert.equal(code, 0, server.stderr);
        assert.match(server.stderr, / info server\.stopped /);
        assert.equal(server.stdout, `oi listens on ${server.url}\n`);
        const checked = oi(['verify', '--data', server.data]);
        assert.equal(checked.status, 0, checked.stderr);
        assert.match(checked.stdout, /: sound: 0 commits/);
    }
});

test('nobody is let in by mistake', { skip }, async (t) => {
    const data = await makeFolder(t);
    assertRefused(
        ['serve', '--no-collect', '--listen', '0.0.0.0:0', '--data', data],
        /make a key with `oi keys add`, or let everybody in with --open/,
    );
    const open = await startServer(t, { args: ['--no-collect'], env: { OI_KEYS: 'secret' } });
    assert.equal((await fetch(`${open.url}/oi/v1/markets`)).status, 401);
    const reply = await fetch(`${open.url}/oi/v1/markets`, { headers: { Authorization: 'Bearer secret' } });
    assert.equal(reply.status, 200);
});

test('an address that is taken is named', { skip }, async (t) => {
    const server = await startServer(t);
    const { status, stderr } = oi([
        'serve', '--no-collect', '--data', await makeFolder(t), '--listen', new URL(server.url).host,
    ]);
    assert.equal(status, 1);
    assert.match(stderr, /is taken: choose another address with --listen/);
});

test('readings come back with every digit in every format', { skip }, async (t) => {
    const data = await makeStore(t);
    const ask = (...args) => oi(['query', '--data', data, '--market', MARKET, ...args]);
    const rows = JSON.parse(ask('--format', 'json').stdout);

    assert.deepEqual(rows.map((row) => row.open_interest), FIGURES);
    assert.ok(rows.every((row) => row.market === MARKET && row.unit === 'coins'));
    const lines = ask('--format', 'ndjson').stdout.trim().split('\n');
    assert.deepEqual(lines.map((line) => JSON.parse(line)), rows);
    const csv = ask('--format', 'csv').stdout.trim().split('\n').map((line) => line.split(','));
    assert.deepEqual(csv[0], Object.keys(rows[0]));
    assert.deepEqual(csv.slice(1).map((cells) => cells[csv[0].indexOf('open_interest')]), FIGURES);
    const table = ask().stdout.trim().split('\n');
    assert.equal(table.length, FIGURES.length + 1);
    assert.ok(table[3].includes('99.123456789012345678'));
    const last = JSON.parse(ask('--format', 'json', '--limit', '2').stdout);
    assert.deepEqual(last.map((row) => row.open_interest), FIGURES.slice(-2));
    const part = ask('--format', 'json', '--start', '2026-03-07T00:15:00Z', '--end', '2026-03-07T00:35:00Z');
    assert.deepEqual(JSON.parse(part.stdout).map((row) => row.open_interest), FIGURES.slice(1, 3));
});

test('candles and totals agree with the readings', { skip }, async (t) => {
    const data = await makeStore(t);
    const ask = (...args) =>
        JSON.parse(oi(['query', '--data', data, '--format', 'json', ...args]).stdout);
    const [candle] = ask('--market', MARKET, '--interval', '1h');
    const [total] = ask('--exchange', 'okx', '--interval', '1h', '--total');

    assert.deepEqual(
        [candle.open, candle.high, candle.low, candle.close, candle.count],
        ['100.5', '104', '99.123456789012345678', '104', 6],
    );
    assert.equal(total.market, 'total');
    assert.equal(total.high, '104');
});

test('an unknown market is a failure, not an empty answer', { skip }, async (t) => {
    const data = await makeStore(t);
    const { status, stdout, stderr } = oi(['query', '--data', data, '--market', 'no:such:MARKET']);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /there is no market "no:such:MARKET": `oi markets` lists/);
});

test('markets, sizes, gaps and conventions are listed', { skip }, async (t) => {
    const data = await makeStore(t);
    const list = (...args) => JSON.parse(oi([...args, '--format', 'json']).stdout);
    const [market] = list('markets', '--data', data, '--search', 'btc');
    const [part] = list('info', '--data', data);

    assert.equal(market.market, MARKET);
    assert.equal(market.first, '2026-03-07T00:05:00Z');
    assert.equal(market.rows, FIGURES.length);
    assert.equal(part.exchange, 'okx');
    assert.equal(part.rows, FIGURES.length);
    assert.match(oi(['info', '--data', data]).stdout, /^readings {2}6 in /);
    assert.equal(list('markets', '--data', data, '--exchange', 'deribit').length, 0);
    assert.ok(Array.isArray(list('gaps', '--data', data)));
    assert.deepEqual(list('gaps', '--frozen', '1h', '--data', data), []);
    const facts = list('conventions', '--exchange', 'binance');
    assert.ok(facts.length > 0 && facts.every((fact) => fact.exchange === 'binance' && fact.evidence));
});

test('an export is whole or not there', { skip }, async (t) => {
    const data = await makeStore(t);
    const folder = await makeFolder(t);
    const csv = join(folder, 'out.csv');
    const parquet = join(folder, 'out.parquet');
    const run = (...args) => oi(['export', '--data', data, ...args]);

    assert.equal(run('--market', MARKET, csv).status, 0);
    assert.equal(readFileSync(csv, 'utf8'), oi(['query', '--data', data, '--market', MARKET, '--format', 'csv']).stdout);
    assert.equal(run('--market', MARKET, parquet).status, 0);
    const bytes = readFileSync(parquet);
    assert.equal(bytes.subarray(0, 4).toString() + bytes.subarray(-4).toString(), 'PAR1PAR1');
    assert.equal(run('--market', 'no:such:MARKET', join(folder, 'none.csv')).status, 1);
    assert.equal(run('--market', MARKET, '--interval', '1h', join(folder, 'c.parquet')).status, 0);
    assert.deepEqual(readdirSync(folder).sort(), ['c.parquet', 'out.csv', 'out.parquet']);
});

test('a reader that has had enough is no failure', { skip }, async (t) => {
    const data = await makeStore(t);
    const child = spawn('sh', ['-c', `"$0" query --data "$1" --market ${MARKET} | true; "$0" query --data "$1" --market ${MARKET} --format csv >&-; echo done`, binary, data]);
    let said = '', complaint = '';

    child.stdout.on('data', (bytes) => (said += bytes));
    child.stderr.on('data', (bytes) => (complaint += bytes));
    await new Promise((resolve) => child.on('close', resolve));
    assert.equal(said, 'done\n');
    assert.match(complaint, /^(oi query: cannot write to stdout: Bad file descriptor\n)?$/);
});

test('a live server sees what another process imports, and its backup is sound', { skip }, async (t) => {
    const data = await makeStore(t);
    const server = await startServer(t, { data });
    const file = join(await makeFolder(t), 'more.csv');
    const copy = join(await makeFolder(t), 'copy');
    const ask = async () =>
        (await (await fetch(`${server.url}/oi/v1/open-interest?market=${MARKET}`)).json()).data.length;

    assert.equal(await ask(), FIGURES.length);
    writeFileSync(file, 'time,oi\n2026-03-07T02:00:00Z,7\n');
    importFile(data, 'csv', file, ['--time', 'time', '--oi', 'oi', '--unit', 'coins', '--market', MARKET]);
    assert.equal(await ask(), FIGURES.length + 1);
    const done = oi(['backup', '--data', data, copy]);
    assert.equal(done.status, 0, done.stderr);
    assert.match(done.stdout, /copy: sound: .* 7 readings/);
    assert.equal(JSON.parse(oi(['query', '--data', copy, '--market', MARKET, '--format', 'json']).stdout).length, 7);
    const again = oi(['backup', '--data', data, copy]);
    assert.equal(again.status, 2);
    assert.match(again.stderr, /is not empty: name a new one/);
});

test('damage is reported, whatever it does to the reader', { skip }, async (t) => {
    const data = await makeStore(t);
    const file = readdirSync(data).find((name) => name.endsWith('.mdb') && !name.startsWith('lock'));

    assert.ok(file, readdirSync(data).join());
    truncateSync(join(data, file), 8192);
    const { status, stdout, stderr } = oi(['verify', '--data', data]);
    assert.equal(status, 1, stdout + stderr);
    assert.match(stdout, /^fault: /m);
    assert.match(stderr, /is damaged: restore a backup/);
});
