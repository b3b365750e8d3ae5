// SPDX-License-Identifier: Apache-2.0
// Files of months that are over, in an object store that is not ours: put there once, linked to,
// read in parts, refused when the link has expired, and written anew after a late row.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer, request } from 'node:http';
import { test } from 'node:test';

import aws4 from 'aws4';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import S3rver from 's3rver';

import { ask } from '../support/ask.mjs';
import { define, importRows } from '../support/markets.mjs';
import { makeFolder, oi, skip, startServer } from '../support/server.mjs';

const WAIT_MS = 30000;
const BTC = 'binance:usdm:BTCUSDT';
const MAY = Date.UTC(2025, 4, 1);
const KEYS = { OI_LAKE_ACCESS_KEY: 'S3RVER', OI_LAKE_SECRET_KEY: 'S3RVER' };
const iso = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z');

async function until(holds, what) {
    const end = Date.now() + WAIT_MS;
    for (;;) {
        const held = await holds();
        if (held) return held;
        assert.ok(Date.now() < end, what());
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

let files = 0;
function store(data, from, count, base) {
    importRows(data, data, {
        name: `rows-${++files}`, market: BTC, unit: 'coins', columns: { time: 'time', oi: 'oi', mark: 'mark' },
        rows: Array.from({ length: count }, (_, i) => ({ time: iso(from + i * 300000), oi: `${base + i}.${i % 97}`, mark: `${50000 + i}`, file: files })),
        more: ['--sides', '1', '--name', 'mine'],
    });
}

function isSigned({ method, url, headers }, body) {
    const keys = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };
    const target = new URL(url, 'http://store');
    const given = target.searchParams.get('X-Amz-Signature');
    const about = { service: 's3', region: 'eu-central-1', method };
    if (given) {
        const path = `${target.pathname}?X-Amz-Date=${target.searchParams.get('X-Amz-Date')}&X-Amz-Expires=${target.searchParams.get('X-Amz-Expires')}`;
        const signed = aws4.sign({ ...about, path, headers: { Host: headers.host }, signQuery: true }, keys);
        return new URL(signed.path, 'http://store').searchParams.get('X-Amz-Signature') === given;
    }
    const names = /SignedHeaders=([^,]+),/.exec(headers.authorization ?? '')?.[1].split(';') ?? [];
    const kept = Object.fromEntries(names.map((name) => [name, headers[name]]));
    if (headers['x-amz-content-sha256'] !== createHash('sha256').update(body).digest('hex')) return false;
    const signed = aws4.sign({ ...about, path: url, headers: kept, body, doNotModifyHeaders: true }, keys);
    return /Signature=(.*)/.exec(signed.headers.Authorization)[1] === /Signature=(.*)/.exec(headers.authorization)[1];
}

async function startStore(t) {
    const requests = [];
    const s3 = new S3rver({ port: 0, address: '127.0.0.1', silent: true, directory: await makeFolder(t), configureBuckets: [{ name: 'lake' }] });
    const { port } = await s3.run();
    t.after(() => s3.close());
    // It does not look at signatures: a door in front of it does, with a signer that is not ours,
    // tells what came, and fails when it is told to.
    const door = { failures: 0, requests };
    const server = createServer(async (incoming, reply) => {
        requests.push(`${incoming.method} ${incoming.url}`);
        const pieces = [];
        for await (const piece of incoming) pieces.push(piece);
        if (door.failures > 0) {
            door.failures--;
            reply.writeHead(503).end('<Error><Code>SlowDown</Code></Error>');
            return;
        }
        if (!isSigned(incoming, Buffer.concat(pieces))) {
            reply.writeHead(403).end('<Error><Code>SignatureDoesNotMatch</Code></Error>');
            return;
        }
        const outgoing = request({ port, host: '127.0.0.1', method: incoming.method, path: incoming.url, headers: incoming.headers }, (answer) => {
            reply.writeHead(answer.statusCode, answer.headers);
            answer.pipe(reply);
        });
        outgoing.end(Buffer.concat(pieces));
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => (server.closeAllConnections(), server.close()));
    door.direct = `http://127.0.0.1:${port}`;
    door.url = `http://127.0.0.1:${server.address().port}`;
    return door;
}

const links = async (server, interval = '1h', more = '') =>
    (await ask(server, `/aperiodic/api/v1/data/open_interest?exchange=binance-futures&interval=${interval}&symbol=perpetual-BTC-USDT:USDT&start_date=2025-05-01&end_date=2025-05-31&timestamp=${more || 'exchange'}`)).json.files;
const linked = (server, endpoint, interval, more) => until(async () => {
    const [file] = await links(server, interval, more);
    return file.url.startsWith(endpoint) && file.url;
}, () => server.stderr);
const metric = async (server, name) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec((await ask(server, '/metrics')).text)[1]);

async function own(server, interval) {
    const url = new URL((await links(server, interval))[0].url);
    return (await ask(server, url.pathname + url.search)).bytes;
}

test('a month is put into the bucket once, read from there, and anew after a late row', { skip }, async (t) => {
    const s3 = await startStore(t);
    const data = await makeFolder(t);
    define(data, 'binance');
    store(data, MAY, 4000, 1000);
    const args = ['--no-collect', '--lake', `s3://lake/some/where?endpoint=${s3.url}&region=eu-central-1`];
    let server = await startServer(t, { data, args, env: KEYS });

    const [first] = await links(server);
    assert.ok(first.url.startsWith(server.url), first.url); // until it is there, it is served from here
    const path = new URL(first.url);
    const want = (await ask(server, path.pathname + path.search)).bytes;
    const url = await linked(server, s3.url);
    assert.match(url, /\/lake\/some\/where\/aperiodic\/binance-futures\/1h\/perpetual-BTC-USDT%3AUSDT\/2025-05\.parquet\?X-Amz-Algorithm=AWS4-HMAC-SHA256&/);
    const whole = await fetch(url);
    assert.equal(whole.status, 200);
    assert.equal(whole.headers.get('content-type'), 'application/vnd.apache.parquet');
    const bytes = Buffer.from(await whole.arrayBuffer());
    assert.deepEqual(bytes, want);
    const rows = await parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), compressors });
    assert.ok(rows.length > 300);
    const part = await fetch(url, { headers: { Range: 'bytes=4-103' } });
    assert.equal(part.status, 206);
    assert.deepEqual(Buffer.from(await part.arrayBuffer()), bytes.subarray(4, 104));
    // Links of others, or after their time, open nothing.
    assert.equal((await fetch(url.replace(/Signature=./, (text) => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0')))).status, 403);
    assert.equal((await fetch(url.replace('2025-05.parquet', '2025-06.parquet'))).status, 403);
    const old = await fetch(url.replace(/X-Amz-Date=\d{8}T\d{6}Z/, 'X-Amz-Date=20250101T000000Z'));
    assert.equal(old.status, 403);
    // The store itself looks at the time alone.
    assert.equal((await fetch(url.replace(s3.url, s3.direct))).status, 200);
    const late = await fetch(url.replace(s3.url, s3.direct).replace(/X-Amz-Date=\d{8}T\d{6}Z/, 'X-Amz-Date=20250101T000000Z'));
    assert.match(await late.text(), /has expired/);
    assert.equal(late.status, 403);
    assert.doesNotMatch(server.stderr + url, /S3RVER.*S3RVER/);

    // Nothing changed: a server begun anew finds it there.
    await server.stop();
    server = await startServer(t, { data, args, env: { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' } });
    await linked(server, s3.url);
    assert.deepEqual([await metric(server, 'oi_bucket_uploads_total'), await metric(server, 'oi_bucket_already_total')], [0, 1]);
    // New rows of later months change nothing either, a late one does.
    store(data, MAY + 40 * 86400000, 5, 5000);
    await until(async () => (await links(server))[0].url.startsWith(s3.url), () => server.stderr);
    store(data, MAY + 30 * 86400000, 3, 7000);
    await until(async () => (await metric(server, 'oi_bucket_uploads_total')) === 1 || (await links(server), false), () => server.stderr);
    const again = Buffer.from(await (await fetch(await linked(server, s3.url))).arrayBuffer());
    assert.notDeepEqual(again, bytes);
    // The month that is not over is ours.
    const now = new Date().toISOString().slice(0, 7);
    store(data, Date.UTC(...now.split('-').map((n, i) => n - i)), 1, 1);
    const current = (await ask(server, `/aperiodic/api/v1/data/open_interest?exchange=binance-futures&interval=1h&symbol=perpetual-BTC-USDT:USDT&start_date=${now}-01&end_date=${now}-02&timestamp=exchange`)).json.files;
    assert.ok(current.every((file) => file.url.startsWith(server.url)));
});

test('large files go in parts, what fails is tried again, and a wrong key leaves links ours', { skip }, async (t) => {
    const s3 = await startStore(t);
    const data = await makeFolder(t);
    define(data, 'binance');
    store(data, MAY, 3000, 1000);
    const server = await startServer(t, { data, args: ['--no-collect', '--lake', `s3://lake?endpoint=${s3.url}&part=3000&region=eu-central-1`], env: KEYS });
    s3.failures = 1;
    const url = await linked(server, s3.url, '5m');
    assert.ok(s3.requests.filter((line) => /^PUT .*partNumber=/.test(line)).length >= 3, s3.requests.join('\n'));
    const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
    assert.equal(hash(Buffer.from(await (await fetch(url)).arrayBuffer())), hash(await own(await startServer(t, { data }), '5m')));
    const arrival = await linked(server, s3.url, '5m', 'true');
    assert.match(arrival, /\/lake\/by-arrival\/aperiodic\//);

    const wrong = await startServer(t, { data, args: ['--no-collect', '--lake', `s3://lake?endpoint=${s3.url}&region=eu-central-1`], env: { ...KEYS, OI_LAKE_SECRET_KEY: 'not-it' } });
    assert.ok((await links(wrong))[0].url.startsWith(wrong.url));
    await until(() => /bucket\.failed.*403/.test(wrong.stderr), () => wrong.stderr);
    assert.doesNotMatch(wrong.stderr, /not-it/);
    assert.ok((await links(wrong))[0].url.startsWith(wrong.url));
    const folder = await makeFolder(t);
    for (const [url, env] of [['http://lake', KEYS], ['s3://x', KEYS], ['s3://lake?what=1', KEYS], ['s3://lake', {}]]) {
        const refused = oi(['serve', '--no-collect', '--data', folder, '--listen', '127.0.0.1:0', '--lake', url], { env });
        assert.equal(refused.status, 2, refused.stderr);
    }
});
