// SPDX-License-Identifier: Apache-2.0
// `oi doctor` over a healthy demo, a sick folder, and exchanges that refuse or are not there.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

import { binary, makeFolder, oi, skip } from '../support/server.mjs';

function examine(args, options) {
    const done = oi(['doctor', '--format', 'json', ...args], options);
    return { ...done, rows: JSON.parse(done.stdout) };
}

const rowOf = (rows, check, subject) =>
    rows.find((row) => row.check === check && row.subject === subject);

// Beside a server in this process, spawnSync would wait for itself.
async function examineBeside(args) {
    const child = spawn(binary, ['doctor', '--format', 'json', ...args]);
    let stdout = '';

    child.stdout.on('data', (bytes) => (stdout += bytes));
    const status = await new Promise((resolve) => child.once('close', resolve));
    return { status, rows: JSON.parse(stdout) };
}

test('every exchange of a demo answers, and every line that is not ok says what to do', { skip }, async (t) => {
    const data = join(await makeFolder(t), 'data');
    const { rows } = examine(['--demo', '--data', data]);
    const exchanges = rows.filter((row) => row.check === 'exchange');

    assert.ok(exchanges.length >= 15, String(exchanges.length));
    for (const row of exchanges) assert.equal(row.state, 'ok', JSON.stringify(row));
    assert.equal(rowOf(rows, 'clock', 'skew').state, 'ok');
    for (const check of ['store', 'disk', 'limits', 'settings', 'zones', 'clock']) {
        assert.ok(rows.some((row) => row.check === check), check);
    }
    for (const row of rows) assert.equal(row.state === 'ok', row.advice === null || row.advice === '');
});

test('offline, no exchange is asked', { skip }, async (t) => {
    const data = join(await makeFolder(t), 'data');
    const { rows } = examine(['--offline', '--data', data]);

    assert.ok(!rows.some((row) => row.check === 'exchange' || row.check === 'clock'));
    assert.match(rowOf(rows, 'store', 'open').found, /none in .* yet/);
    for (const format of ['csv', 'ndjson', 'table']) {
        const { stdout } = oi(['doctor', '--offline', '--data', data, '--format', format]);
        assert.ok(stdout.includes('free space'), format);
    }
});

test('what is wrong with settings, secrets and store is said', { skip }, async (t) => {
    const folder = await makeFolder(t);
    const secrets = await makeFolder(t);
    const certificate = join(secrets, 'chain.pem');
    const key = join(secrets, 'key.pem');

    execFileSync('openssl', [
        'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '3',
        '-subj', '/CN=oi', '-keyout', key, '-out', certificate,
    ], { stdio: 'ignore' });
    chmodSync(key, 0o644);
    assert.equal(oi(['collect', '--once', '--demo', '--data', folder, '--exchange', 'dydx']).status, 0);
    truncateSync(join(folder, readdirSync(folder).find((name) => name === 'data.mdb')), 8192);
    writeFileSync(join(folder, 'oi.conf'),
        `keys = secret\ntls_certificate = ${certificate}\ntls_key = ${key}\nlisten_on = 1\n`);
    chmodSync(join(folder, 'oi.conf'), 0o644);
    const { status, stderr, rows } = examine(['--offline', '--data', folder]);
    assert.equal(status, 1);
    assert.match(stderr, /^oi doctor: \d+ of \d+ checks failed: their lines say what to do\n$/);
    assert.match(rowOf(rows, 'settings', 'configuration').found, /line 4 of .*oi\.conf: .*listen_on/);
    assert.equal(rowOf(rows, 'settings', 'certificate').state, 'warn');
    const files = rows.filter((row) => row.subject === 'secret file');
    assert.deepEqual(files.map((row) => row.state), ['fail', 'fail']);
    assert.equal(rowOf(rows, 'store', 'open').state, 'fail');
    assert.match(rowOf(rows, 'store', 'open').advice, /restore a backup/);
});

test('a proxy that refuses and one that is not there are told apart', { skip }, async (t) => {
    const data = await makeFolder(t);
    const proxy = createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', () => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'));
    });

    await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    t.after(() => proxy.close());
    const { port } = proxy.address();
    const ask = (url) => examineBeside(['--data', data, '--exchange', 'okx', '--proxy', `okx=${url}`]);
    const refused = rowOf((await ask(`http://127.0.0.1:${port}`)).rows, 'exchange', 'okx');
    const gone = await ask('http://127.0.0.1:1');
    assert.equal(refused.state, 'fail');
    assert.match(refused.found, /by proxy.*403/);
    assert.match(refused.advice, /^the proxy/);
    assert.equal(gone.status, 1);
    assert.match(rowOf(gone.rows, 'exchange', 'okx').found, /^down by proxy: .*127\.0\.0\.1/);
    assert.equal(rowOf(gone.rows, 'clock', 'skew').found, 'not known');
});
