// SPDX-License-Identifier: Apache-2.0
// Every command in a pseudo-terminal: what it shows there and nowhere else, that Ctrl-C ends it at
// any moment without a loss, that the terminal stays as it was, and that all use the same words.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { binary, importFile, makeFolder, oi, skip } from '../support/server.mjs';
import { inTerminal, plain } from '../support/terminal.mjs';

const MARKET = 'okx:swap:BTC-USDT-SWAP';
const MAPPING = ['--time', 'time', '--oi', 'oi', '--unit', 'coins', '--market', MARKET];

function writeReadings(file, count) {
    const lines = ['time,oi'];

    for (let i = 0; i < count; i++) lines.push(`${new Date(Date.UTC(2025, 0, 1) + i * 60000).toISOString()},${1000 + (i % 97)}`);
    writeFileSync(file, `${lines.join('\n')}\n`);
}

// One world for all: a store with readings, one that is a demo with kept replies, saved lists.
let world;
async function makeWorld(t) {
    const folder = await makeFolder(t);
    const at = (name) => join(folder, name);

    writeReadings(at('few.csv'), 2000);
    writeReadings(at('many.csv'), 60000);
    writeFileSync(at('reply.json'), '{"code":"0","msg":"","data":[]}');
    importFile(at('data'), 'csv', at('few.csv'), MAPPING);
    assert.equal(oi(['collect', '--once', '--demo', '--keep-raw', '--exchange', 'dydx', '--data', at('demo')]).status, 0);
    mkdirSync(at('pages'));
    return { at, raw: readdirSync(at('demo/raw')).map((name) => at(`demo/raw/${name}`)) };
}

const PROGRESS = /\d+%|so far/;

// A line for every command: what is run, what it is to say on a terminal (out of `sees`, or until it
// is stopped), and whether it is long work, which shows how far it is. A function of the world.
const COMMANDS = {
    serve: { args: (w) => ['--no-collect', '--listen', '127.0.0.1:0', '--data', w.at('data')], stops: /oi listens on/ },
    collect: { args: (w) => ['--demo', '--exchange', 'dydx', '--data', w.at('demo')], stops: /oi collects into/ },
    demo: { args: () => ['--listen', '127.0.0.1:0'], stops: /127\.0\.0\.1:\d+/ },
    backfill: { args: (w) => ['--demo', '--data', w.at('demo'), '--start', '2026-01-01', '--yes', 'bybit:linear:BTCUSDT'], stops: /rows\/s/ },
    replay: { args: (w, n = '') => ['--data', w.at(`replayed${n}`), ...w.raw], sees: /records, \d+ rows/, isLong: true },
    import: { args: (w, n = '') => ['csv', ...MAPPING, '--data', w.at(`imported${n}`), w.at('many.csv')], sees: /60000 stored/, isLong: true },
    define: { args: (w) => ['okx', '--product', 'swap', '--data', w.at('data'), w.at('reply.json')], sees: /./ },
    parse: { args: (w) => ['okx', 'instruments', '--product', 'swap', w.at('reply.json')], sees: /./ },
    markets: { args: (w) => ['--data', w.at('data')], sees: /^market .*rows/ },
    top: { args: (w) => ['--data', w.at('data'), '--once'], sees: /change_percent_1h/ },
    query: { args: (w) => ['--data', w.at('data'), '--market', MARKET, '--limit', '3'], sees: /open_interest/ },
    export: { args: (w) => ['--data', w.at('data'), '--market', MARKET, w.at('out.csv')], isLong: true },
    gaps: { args: (w) => ['--data', w.at('data')], sees: /^market .*cause/ },
    conventions: { args: () => ['--exchange', 'okx'], sees: /evidence|okx/ },
    alerts: { args: (w) => ['list', '--data', w.at('data')], sees: /rule|alert/ },
    flag: { args: (w) => ['--data', w.at('data')], sees: /reason/ },
    info: { args: (w) => ['--data', w.at('data')], sees: /^readings {2}2000/ },
    verify: { args: (w) => ['--data', w.at('data')], sees: /: sound: /, isLong: true },
    backup: { args: (w, n = '') => ['--data', w.at('data'), w.at(`copy${n}`)], sees: /copy: sound: /, isLong: true },
    compact: { args: (w) => ['--data', w.at('imported')], sees: /file \d+ bytes/, isLong: true },
    retain: { args: (w) => ['--data', w.at('data'), '--retention', 'live:9999d'] },
    copy: { args: (w) => ['--from', w.at('data'), '--to', w.at('moved')] },
    clickhouse: { args: (w) => ['check', '--data', w.at('data')], fails: /--store/ },
    keys: { args: (w) => ['list', '--data', w.at('data')], sees: /name|plan/ },
    mcp: { args: (w) => ['--data', w.at('data')], stdin: '{"jsonrpc":"2.0","id":1,"method":"ping"}\n\x04', sees: /"result":\{\}/ },
    config: { args: (w) => ['--data', w.at('data')], sees: /^setting .*value/ },
    doctor: { args: (w) => ['--offline', '--data', w.at('data')], sees: /free space/ },
    completions: { args: () => ['bash'], sees: /complete/ },
    manual: { args: () => ['query'], sees: /oi-query|OI-QUERY/i },
};

const names = () => [...oi(['--help']).stdout.matchAll(/^ {2}([a-z]+) {2}/gm)].map((found) => found[1]);

test('every command has a line here', { skip }, () => {
    assert.deepEqual(names().filter((name) => !COMMANDS[name]), []);
});

test('every command does its work in a terminal, long work tells how far it is', { skip }, async (t) => {
    world ??= await makeWorld(t);
    for (const [name, line] of Object.entries(COMMANDS)) {
        const terminal = inTerminal(t, [name, ...line.args(world)], { columns: 200, stdin: line.stdin });

        if (line.stops) {
            await terminal.sees(line.stops);
            terminal.press('\x03');
        }
        await terminal.ends();
        const seen = plain(terminal.out);
        assert.equal(terminal.restored, true, name);
        assert.equal(terminal.exit, line.fails ? 2 : 0, `${name}: ${seen}`);
        if (line.sees ?? line.fails) assert.match(seen, line.sees ?? line.fails, name);
        if (line.isLong) assert.match(seen, PROGRESS, name);
        // What was shown of the progress is taken away again.
        assert.doesNotMatch(seen.split('\r').at(-1), PROGRESS, `${name}: ${seen}`);
    }
    assert.equal(readFileSync(world.at('out.csv'), 'utf8').split('\n').length, 2002);
    // The same again without a terminal.
    for (const [name, line] of Object.entries(COMMANDS)) {
        if (!line.isLong) continue;
        const { status, stdout, stderr } = oi([name, ...line.args(world, '2')]);

        assert.equal(status, 0, `${name}: ${stderr}`);
        assert.doesNotMatch(stdout + stderr, /\r|\[#| left/, name);
    }
});

test('Ctrl-C in the middle loses nothing: the same command goes on', { skip }, async (t) => {
    const folder = await makeFolder(t);
    const file = join(folder, 'large.csv');
    const data = join(folder, 'data');

    writeReadings(file, 200000);
    const args = ['import', 'csv', ...MAPPING, '--data', data, file];
    const terminal = inTerminal(t, args, { columns: 200 });
    await terminal.sees(/rows\/s/);
    terminal.press('\x03');
    await terminal.ends();
    assert.equal(terminal.restored, true);
    assert.equal(oi(args).status, 0);
    assert.equal(oi(['verify', '--data', data]).status, 0);
    assert.equal(JSON.parse(oi(['info', '--data', data, '--format', 'json']).stdout)[0].rows, 200000);
});

test('parquet is a format of every table, and not for a terminal', { skip }, async (t) => {
    const data = join(await makeFolder(t), 'data');
    const run = (args) => spawnSync(binary, [...args, '--format', 'parquet'], { env: { PATH: process.env.PATH } });

    const file = join(await makeFolder(t), 'few.csv');
    writeReadings(file, 100);
    importFile(data, 'csv', file, MAPPING);
    for (const args of [['markets'], ['gaps'], ['info'], ['flag'], ['query', '--market', MARKET],
        ['query', '--market', MARKET, '--interval', '1h'], ['top'], ['doctor', '--offline'], ['config'], ['keys', 'list']]) {
        const { status, stdout, stderr } = run([...args, '--data', data]);
        assert.equal(status, 0, `${args}: ${stderr}`);
        assert.equal(stdout.subarray(0, 4).toString() + stdout.subarray(-4).toString(), 'PAR1PAR1', args.join());
    }
    const terminal = inTerminal(t, ['markets', '--data', data, '--format', 'parquet']);
    await terminal.ends();
    assert.equal(terminal.exit, 2);
    assert.match(terminal.out, /parquet is not for a terminal/);
});

test('one word means one thing in every command', { skip }, () => {
    const words = new Map();
    // What differs on purpose: a mapping speaks of columns, a server's key lets in and ours is shown,
    // a copy goes from one store to another.
    const special = new Set(['import', 'serve', 'parse', 'define', 'keys', 'copy']);

    for (const name of names()) {
        for (const [, option, argument = ''] of oi([name, '--help']).stdout.matchAll(/^ {2}--(?:no-)?([a-z-]+)(?: ([A-Z:]+))?/gm)) {
            if (special.has(name)) continue;
            const known = words.get(option);
            if (known) assert.equal(argument, known.argument, `--${option}: ${name} and ${known.name}`);
            else words.set(option, { name, argument });
        }
    }
    // A span is --start and --end, wherever there is one.
    assert.ok(words.has('start') && words.has('end') && !words.has('from') && !words.has('to'));
    for (const name of names()) {
        const { stdout } = oi([name, '--help']);
        if (stdout.includes('--format')) assert.match(stdout, /csv, json, ndjson or parquet/, name);
    }
});
