// SPDX-License-Identifier: Apache-2.0
// The past, as a user gets it: `oi backfill` against simulated exchanges, `--keep-raw` and
// `oi replay`, files put into a watched folder, and an exchange that has closed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { binary, importFile, makeFolder, oi, skip } from '../support/server.mjs';

const RETRIES = { timeout: 120000 };

// A demo store without a past of its own: one reading is there, and the mark of a demo.
function makeDemo(folder) {
    const data = join(folder, 'data');
    const file = join(folder, 'seed.csv');
    writeFileSync(file, 'create_time,symbol,sum_open_interest,sum_open_interest_value\n' +
        '2024-01-01 00:05:00,SEEDUSDT,5,50\n');
    importFile(data, 'binance-vision', file);
    writeFileSync(join(data, 'simulated'), 'made up\n');
    return data;
}

const rows = (data, market, from) =>
    JSON.parse(oi(['query', '--data', data, '--market', market, '--start', from, '--unit',
        'reported', '--limit', '10000', '--format', 'json']).stdout);

test('what is kept is replayed, and the past is filled in by plan', { skip, ...RETRIES }, async (t) => {
    const folder = await makeFolder(t);
    const data = makeDemo(folder);
    const again = join(folder, 'again');
    const market = 'bybit:linear:BTCUSDT';
    const from = new Date(Date.now() - 7200000).toISOString();

    const once = oi(['collect', '--once', '--demo', '--exchange', 'bybit', '--keep-raw',
        '--raw-for', '7d', '--raw-size', '100', '--data', data]);
    assert.equal(once.status, 0, once.stderr);
    const raw = readdirSync(join(data, 'raw')).sort().map((name) => join(data, 'raw', name));
    assert.equal(raw.length, 1);
    const replayed = oi(['replay', '--data', again, ...raw]);
    assert.equal(replayed.status, 0, replayed.stderr);
    assert.match(replayed.stdout, /0 requests without their minute, 0 damaged pieces/);
    const query = (store) => oi(['query', '--data', store, '--exchange', 'bybit', '--start', from,
        '--unit', 'reported', '--limit', '10000', '--format', 'csv']).stdout;
    assert.ok(query(data).split('\n').length > 50);
    assert.equal(query(again), query(data));
    assert.equal(oi(['replay', '--data', again, ...raw]).status, 2); // it has readings already

    const backfill = (...args) => oi(['backfill', '--demo', '--data', data, '--from', from, ...args]);
    const plan = JSON.parse(backfill(market, '--plan', '--format', 'json').stdout);
    assert.equal(plan.length, 1);
    assert.equal(plan[0].source, 'history');
    assert.ok(plan[0].requests >= 1 && plan[0].rows >= 23, JSON.stringify(plan));
    assert.equal(backfill(market).status, 1); // nobody said yes
    const filled = backfill(market, '--yes');
    assert.equal(filled.status, 0, filled.stderr);
    const stored = Number(/(\d+) rows stored/.exec(filled.stdout)[1]);
    assert.ok(stored >= 23, filled.stdout);
    assert.ok(rows(data, market, from).length >= stored);
    // What the history tells is missed no longer.
    const until = new Date(Date.now() - 600000).toISOString();
    const gaps = JSON.parse(oi(['gaps', '--data', data, '--market', market, '--start', from,
        '--end', until, '--format', 'json']).stdout);
    assert.ok(gaps.length >= 20, JSON.stringify(gaps));
    for (const gap of gaps) {
        const five = Math.ceil(Date.parse(gap.from) / 300000) * 300000;
        assert.ok(five >= Date.parse(gap.to), JSON.stringify(gap));
    }
    assert.match(backfill(market, '--yes').stdout, /^0 requests, 0 rows|^1 requests/);
    assert.equal(backfill('nowhere', '--plan').status, 1);
    assert.equal(oi(['backfill', '--demo', '--data', data]).status, 2); // how far back?
});

test('files of CME are imported as they come, each once', { skip, ...RETRIES }, async (t) => {
    const folder = await makeFolder(t);
    const data = makeDemo(folder);
    const inbox = join(folder, 'cme');
    mkdirSync(inbox);
    const put = (name, text) => {
        const path = join(folder, name);
        const before = Date.now() / 1000 - 60;
        writeFileSync(path, text);
        utimesSync(path, before, before);
        renameSync(path, join(inbox, name));
    };
    const header = 'BizDt,Sym,ID,StrkPx,SecTyp,MMY,MatDt,PutCall,SettlePrice,PrevDayOI\n';
    put('cme.settle.20260106.s.csv', `${header}2026-01-06,BTC,BTC,,FUT,202601,,,91000,12345\n`);
    put('report.pdf', '%PDF-1.7');
    const child = spawn(binary, ['collect', '--demo', '--exchange', 'bybit', '--data', data,
        '--cme-folder', inbox], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    const ended = new Promise((resolve) => child.once('exit', resolve));
    t.after(() => child.kill('SIGKILL'));
    await new Promise((resolve) => {
        child.stderr.on('data', (bytes) => {
            said += bytes;
            if (/inbox\.imported/.test(said) && /inbox\.not_imported/.test(said)) resolve();
        });
        ended.then(resolve);
    });
    child.kill('SIGTERM');
    assert.equal(await ended, 0, said);
    assert.match(said, /inbox\.imported file="cme\.settle\.20260106\.s\.csv".* stored=1 /);
    assert.match(said, /inbox\.not_imported file="report\.pdf"/);
    const found = rows(data, 'cme:futures:BTCF26', '2026-01-01');
    assert.equal(found.length, 1);
    assert.equal(found[0].time, '2026-01-05T22:00:00Z');
    const missing = oi(['collect', '--demo', '--data', data, '--cme-folder', join(folder, 'no')]);
    assert.equal(missing.status, 1);
    assert.match(missing.stderr, /cannot read the folder/);
});

test('an exchange that has closed keeps its history', { skip, ...RETRIES }, async (t) => {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const file = join(folder, 'ftx_derivative_ticker_2022-11-01_BTC-PERP.csv');
    writeFileSync(file, 'exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,' +
        'predicted_funding_rate,open_interest,last_price,index_price,mark_price\n' +
        'ftx,BTC-PERP,1667260800123000,1667260800150000,,0.0001,,31415.9265,20500,20490.5,20501\n');
    importFile(data, 'tardis', file);
    const found = rows(data, 'ftx:futures:BTC-PERP', '2022-11-01');
    assert.equal(found.length, 1);
    assert.equal(found[0].open_interest, '31415.9265');
    const conventions = oi(['conventions', '--format', 'json']).stdout;
    assert.match(conventions, /"ftx"/);
    // Nothing is asked for, and nothing is missed since.
    const gaps = oi(['gaps', '--data', data, '--exchange', 'ftx', '--format', 'json']);
    assert.deepEqual([...new Set(JSON.parse(gaps.stdout).map((gap) => gap.cause))].sort(),
        ['collector_down', 'delisted']);
});
