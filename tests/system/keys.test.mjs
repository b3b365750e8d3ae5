// SPDX-License-Identifier: Apache-2.0
// Keys, plans and quotas as operators and callers meet them: the command, a running server, every
// vendor's refusals, a crash.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import { join } from 'node:path';
import { test } from 'node:test';
import WebSocket from 'ws';

import { ask } from '../support/ask.mjs';
import { define, importRows } from '../support/markets.mjs';
import { makeFolder, oi, skip, startServer } from '../support/server.mjs';

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function addKey(data, ...args) {
    const done = oi(['keys', 'add', '--data', data, ...args]);
    assert.equal(done.status, 0, done.stderr);
    return done.stdout.trim();
}

function usageOf(data) {
    const done = oi(['keys', 'usage', '--data', data, '--format', 'json']);
    assert.equal(done.status, 0, done.stderr);
    return JSON.parse(done.stdout);
}

// What is promised within a second, tried until then.
async function soon(check) {
    for (let i = 0; ; i++) {
        if (await check()) return;
        assert.ok(i < 20, 'did not happen within a second');
        await wait(50);
    }
}

// One small market that every vendor has a name for.
async function makeStore(t) {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const now = Math.floor(Date.now() / 300000) * 300000;
    const rows = Array.from({ length: 48 }, (_, i) => ({
        time: new Date(now - (48 - i) * 300000).toISOString(), oi: `${1000 + i}.5`, mark: '64000',
    }));

    define(data, 'binance');
    importRows(folder, data, {
        name: 'one', market: 'binance-BTCUSDT-future', unit: 'coins', rows,
        columns: { time: 'time', oi: 'oi', mark: 'mark' }, more: ['--sides', '1'],
    });
    return data;
}

// One good request of each vendor, with a key in its own place.
const vendors = {
    coinmetrics: (key) => ask1('/v4/timeseries/market-openinterest?markets=binance-BTCUSDT-future' +
        (key ? `&api_key=${key}` : '')),
    aperiodic: (key) => ask1('/api/v1/metadata/symbols?exchange=binance-futures', key && { 'X-API-KEY': key }),
    kiyotaka: (key) => ask1('/v1/points?type=OPEN_INTEREST_AGG&exchange=BINANCE_FUTURES&rawSymbol=BTCUSDT' +
        '&interval=HOUR&period=7200&from=' + (Math.floor(Date.now() / 1000) - 7200), key && { 'X-Kiyotaka-Key': key }),
    oanor: (key) => ask1('/openinterest-api/v1/meta', key && { 'x-oanor-key': key }),
    kwery: (key) => ask1('/v1/open-interest?symbol=BTC&source=binance_futures&interval=5m&limit=10',
        key && { 'X-API-Key': key }),
    native: (key) => ask1('/oi/v1/markets', key && { Authorization: `Bearer ${key}` }),
};
const ask1 = (target, headers) => ({ target, headers: headers || {} });
const send = (server, name, key) => {
    const { target, headers } = vendors[name](key);
    return ask(server, target, { headers });
};

test('a key is shown once and kept as a hash', { skip }, async (t) => {
    const data = await makeFolder(t);
    const key = addKey(data, '--name', 'first', '--plan', 'kwery-pro', '--prefix', 'kwery_live_');

    assert.match(key, /^kwery_live_[0-9a-f]{40}$/);
    const listed = oi(['keys', 'list', '--data', data, '--format', 'json']);
    const [row] = JSON.parse(listed.stdout);
    assert.equal(row.name, 'first');
    assert.equal(row.plan, 'kwery-pro');
    assert.equal(row.revoked, null);
    for (const name of await readdir(join(data, 'usage'))) {
        const bytes = await readFile(join(data, 'usage', name));
        assert.ok(!bytes.includes(key.slice(11)), `${name} holds the key`);
    }
    assert.equal(oi(['keys', 'add', '--data', data, '--plan', 'nothing']).status, 2);
    assert.equal(oi(['keys', 'revoke', 'nobody', '--data', data]).status, 2);
    assert.match(oi(['keys', 'plans', '--data', data]).stdout, /coinmetrics-pro .*window=6000\/20s/);
});

test('keys are made and revoked while the server runs', { skip }, async (t) => {
    const server = await startServer(t);
    assert.equal((await send(server, 'native')).status, 200);
    const key = addKey(server.data, '--name', 'mine');

    await soon(async () => (await send(server, 'native')).status === 401);
    assert.equal((await send(server, 'native', key)).status, 200);
    assert.equal(oi(['keys', 'revoke', 'mine', '--data', server.data]).status, 0);
    await soon(async () => (await send(server, 'native', key)).status === 401);
    // The last key is gone, and still nobody is let in.
    assert.equal((await send(server, 'native')).status, 401);
    assert.ok(!(server.stderr + server.stdout).includes(key));
});

test('no vendor lets in without a key or with a wrong one, each in its own words', { skip }, async (t) => {
    const data = await makeStore(t);
    const key = addKey(data);
    const server = await startServer(t, { data });
    const words = {
        coinmetrics: ['unauthorized', 'wrong_credentials', (json) => json.error.type],
        aperiodic: ['unauthorized', 'unauthorized', (json) => json.code],
        kiyotaka: ['INVALID_API_KEY', 'INVALID_API_KEY', (json) => json.error],
        oanor: ['missing_key', 'invalid_key', (json) => json.error.code],
        kwery: ['unauthorized', 'unauthorized', (json) => json.error],
        native: ['missing_key', 'wrong_key', (json) => json.error.code],
    };

    for (const [name, [missing, wrong, code]] of Object.entries(words)) {
        const without = await send(server, name);
        assert.equal(without.status, 401, name);
        assert.equal(code(without.json), missing, name);
        const guessed = await send(server, name, `${key.slice(0, -1)}x`);
        assert.equal(guessed.status, 401, name);
        assert.equal(code(guessed.json), wrong, name);
        const right = await send(server, name, key);
        assert.equal(right.status, 200, `${name} ${right.text}`);
    }
    assert.ok(!(server.stderr + server.stdout).includes(key));
});

test('too fast is 429 in every vendor’s words, with when to come again', { skip }, async (t) => {
    const data = await makeStore(t);
    const keys = Object.fromEntries(Object.keys(vendors).map((name) => [name, addKey(data, '--plan', 'slow', '--plan-rules', 'slow rate=1/60s burst=2')]));
    const server = await startServer(t, { data, args: ['--no-collect', '--plan-rules', 'slow rate=1/60s burst=2'] });
    const codes = {
        coinmetrics: (json) => assert.equal(json.error.type, 'too_many_requests'),
        aperiodic: (json) => assert.equal(json.code, 'too_many_requests'),
        kiyotaka: (json) => {
            assert.equal(json.error, 'RATE_LIMITED');
            assert.ok(json.retry_after >= 1 && json.retry_after <= 60);
        },
        oanor: (json) => assert.equal(json.error.code, 'rate_limited'),
        kwery: (json) => assert.equal(json.error, 'rate_limited'),
        native: (json) => assert.equal(json.error.code, 'too_many_requests'),
    };

    for (const [name, check] of Object.entries(codes)) {
        for (let i = 0; i < 2; i++) {
            const fine = await send(server, name, keys[name]);
            assert.equal(fine.status, 200, `${name} ${fine.text}`);
            // That vendor's client sleeps on a 0.
            if (name === 'coinmetrics') assert.equal(fine.headers['x-ratelimit-remaining'], '1');
        }
        const refused = await send(server, name, keys[name]);
        assert.equal(refused.status, 429, name);
        assert.ok(Number(refused.headers['retry-after']) >= 1, name);
        assert.ok(Number(refused.headers['retry-after']) <= 60, name);
        check(refused.json);
        if (name === 'coinmetrics') assert.match(refused.headers['x-ratelimit-reset'], /^\d+$/);
        if (name === 'oanor') assert.equal(refused.headers['x-ratelimit-remaining'], '0');
    }
});

test('a month that is used up, in every vendor’s words', { skip }, async (t) => {
    const data = await makeStore(t);
    const rules = 'tiny calls=1';
    const keys = Object.fromEntries(Object.keys(vendors).map((name) => [name, addKey(data, '--plan', 'tiny', '--plan-rules', rules)]));
    const server = await startServer(t, { data, args: ['--no-collect', '--plan-rules', rules] });
    const statuses = { coinmetrics: 403, aperiodic: 429, kiyotaka: 429, oanor: 429, kwery: 402, native: 402 };

    for (const [name, status] of Object.entries(statuses)) {
        const fine = await send(server, name, keys[name]);
        assert.equal(fine.status, 200, `${name} ${fine.text}`);
        const refused = await send(server, name, keys[name]);
        assert.equal(refused.status, status, name);
        if (status === 429) assert.ok(Number(refused.headers['retry-after']) > 0, name);
        if (name === 'oanor') {
            assert.equal(refused.headers['x-quota-limit'], '1');
            assert.equal(refused.headers['x-quota-remaining'], '0');
            assert.equal(refused.json.error.code, 'quota_exceeded');
        }
        if (name === 'kwery') assert.equal(refused.json.error, 'credits_exhausted');
    }
});

test('many at once get exactly what the month has', { skip }, async (t) => {
    const data = await makeFolder(t);
    const rules = 'hundred calls=100';
    const key = addKey(data, '--plan', 'hundred', '--plan-rules', rules);
    const servers = [];

    // Two servers on one folder, two threads each, while keys come and go.
    for (let i = 0; i < 2; i++)
        servers.push(await startServer(t, { data, args: ['--no-collect', '--threads', '2', '--plan-rules', rules] }));
    const statuses = [];
    const ask16 = async (worker) => {
        for (let i = 0; i < 16; i++)
            statuses.push((await send(servers[(worker + i) % 2], 'native', key)).status);
    };
    const asked = Promise.all(Array.from({ length: 10 }, (_, worker) => ask16(worker)));
    for (let i = 0; i < 3; i++) {
        addKey(data, '--name', `k${i}`);
        oi(['keys', 'revoke', `k${i}`, '--data', data]);
        servers[i % 2].child.kill('SIGHUP');
        await wait(50);
    }
    await asked;
    assert.equal(statuses.filter((status) => status === 200).length, 100);
    assert.equal(statuses.filter((status) => status === 402).length, 60);
    assert.equal(Number(usageOf(data).find((row) => row.plan === 'hundred').used), 100);
});

test('Kwery’s credits, rows and history', { skip }, async (t) => {
    const data = await makeStore(t);
    const key = addKey(data, '--plan', 'kwery-free');
    const server = await startServer(t, { data });
    const first = await send(server, 'kwery', key);

    assert.equal(first.headers['x-credits-used'], '80');
    assert.equal(first.headers['x-credits-remaining'], String(150000 - 80));
    const limits = await ask(server, '/v1/limits', { headers: { 'X-API-Key': key } });
    assert.deepEqual(limits.json.credits, { used: 80, limit: 150000, remaining: 149920 });
    assert.equal(limits.json.plan, 'free');
    assert.equal(limits.json.max_rows_per_request, 100);
    assert.equal(limits.json.rate_limits.requests_per_minute, 15);
    const old = await ask(server, '/v1/open-interest?symbol=BTC&interval=1h&start=2020-01-01T00:00:00Z', { headers: { 'X-API-Key': key } });
    assert.equal(old.status, 403);
    assert.equal(old.json.error, 'tier_restricted');
    // The same plan holds under another vendor's path.
    const other = await ask(server, `/v4/timeseries/market-openinterest?markets=binance-BTCUSDT-future&start_time=2020-01-01&api_key=${key}`);
    assert.equal(other.status, 403);
    assert.equal(other.json.error.type, 'forbidden');
});

test('Kiyotaka’s weights, sums and history', { skip }, async (t) => {
    const data = await makeStore(t);
    const key = addKey(data, '--plan', 'kiyotaka-free');
    const server = await startServer(t, { data });
    const headers = { 'X-Kiyotaka-Key': key };
    const now = Math.floor(Date.now() / 1000);
    const points = '/v1/points?type=OPEN_INTEREST_AGG&exchange=BINANCE_FUTURES&rawSymbol=BTCUSDT';
    const one = await send(server, 'kiyotaka', key);

    assert.equal(one.headers['x-ratelimit-limit'], '10');
    assert.equal(one.headers['x-ratelimit-weight'], '1');
    assert.equal(one.headers['x-ratelimit-remaining'], '19');
    const free = await ask(server, '/v1/exchanges', { headers });
    assert.equal(free.headers['x-ratelimit-remaining'], '19');
    const { json: usage } = await ask(server, '/v1/usage', { headers });
    assert.deepEqual([usage.weightPerMinute, usage.weightUsed, usage.weightRemaining, usage.burstCapacity], [10, 1, 19, 20]);
    const heavy = await ask(server, `${points}&interval=MINUTE&period=10000&from=${now - 600000}`, { headers });
    assert.equal(heavy.status, 200, heavy.text);
    const old = await ask(server, `${points}&interval=HOUR&period=7200&from=${now - 30 * 86400}`, { headers });
    assert.equal(old.status, 403);
    assert.equal(old.json.error, 'TIME_RANGE_EXCEEDED');
    const sum = await ask(server, `/v1/points?type=OPEN_INTEREST_AGG&coin=BTC&interval=HOUR&period=7200&from=${now - 7200}&transform.groupBy.type=GROUP_BY_TYPE_SUM`, { headers });
    assert.equal(sum.status, 403);
    assert.equal(sum.json.error, 'AGGREGATION_NOT_PERMITTED');
});

test('a crash gives nothing away and eats at most one block a key', { skip }, async (t) => {
    const data = await makeFolder(t);
    const key = addKey(data, '--plan', 'oanor-free');
    const block = 50; // 1 % of 5,000
    let asked = 0;

    for (let round = 1; round <= 3; round++) {
        const server = await startServer(t, { data });
        for (let i = 0; i < 30; i++) {
            const answer = await send(server, 'oanor', key);
            assert.equal(answer.status === 200 || answer.status === 429, true, answer.text);
            if (answer.status === 429) { // five a second
                await wait(1000 * Number(answer.headers['retry-after']));
                continue;
            }
            asked++;
        }
        const before = usageOf(data)[0];
        await server.stop('SIGKILL');
        const after = usageOf(data)[0];
        assert.equal(after.used, before.used);
        assert.ok(Number(after.used) >= asked, `${after.used} of ${asked}: something was given away`);
        assert.ok(Number(after.used) <= asked + round * block, `${after.used} of ${asked}: too much was eaten`);
    }
    // Ended in peace, the rest of the block comes back.
    const used = Number(usageOf(data)[0].used);
    const server = await startServer(t, { data });
    assert.equal((await send(server, 'oanor', key)).headers['x-quota-remaining'], String(5000 - used - 1));
    await server.stop();
    assert.equal(Number(usageOf(data)[0].used), used + 1);
});

test('who has no key is limited by address where the plan says so', { skip }, async (t) => {
    const server = await startServer(t, { args: ['--no-collect', '--guest-plan', 'coinmetrics-community'] });
    const statuses = [];

    for (let i = 0; i < 12; i++) statuses.push((await send(server, 'native')).status);
    assert.deepEqual(statuses, [...Array(10).fill(200), 429, 429]);
    // The address is that of the connection: what a caller says of it is only said.
    for (const name of ['X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'True-Client-IP', 'CF-Connecting-IP']) {
        const { target, headers } = vendors.coinmetrics();
        const answer = await ask(server, target, { headers: { ...headers, [name]: name === 'Forwarded' ? 'for=192.0.2.7' : '192.0.2.7' } });
        assert.equal(answer.status, 429, name);
        assert.equal(answer.headers['x-ratelimit-plan'], 'community');
    }
});

test('the page’s session is a cookie and no key', { skip }, async (t) => {
    const server = await startServer(t);
    const key = addKey(server.data);
    await soon(async () => (await send(server, 'native')).status === 401);
    const begin = (body, headers = {}) => ask(server, '/session', { method: 'POST', body, headers });

    assert.equal((await begin('wrong')).status, 401);
    assert.equal((await begin(key, { Origin: 'https://evil.example' })).status, 403);
    assert.equal((await ask(server, '/session')).status, 405);
    const begun = await begin(key, { Origin: server.url });
    assert.equal(begun.status, 204);
    const [set] = begun.headers['set-cookie'];
    assert.match(set, /; HttpOnly/);
    assert.match(set, /; SameSite=Strict/);
    assert.ok(!set.includes(key));
    const cookie = set.split(';')[0];
    const asked = (value, target = '/oi/v1/markets') => ask(server, target, { headers: { Cookie: value } });
    assert.equal((await asked(`a=b; ${cookie}; c=d`)).status, 200);
    // Other vendors' paths take keys alone, and a changed cookie is none.
    assert.equal((await asked(cookie, '/v1/open-interest?symbol=BTC')).status, 401);
    const middle = cookie.length >> 1;
    for (const changed of [cookie.slice(0, -1), `${cookie}0`, cookie.slice(0, middle), 'oi_session=', `oi_session=${'0'.repeat(140)}`,
        cookie.slice(0, 12) + (cookie[12] === '0' ? '1' : '0') + cookie.slice(13)])
        assert.equal((await asked(changed)).status, 401, changed);
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/oi/v1/stream`, { headers: { Cookie: cookie } });
    await new Promise((resolve, reject) => {
        socket.on('open', resolve);
        socket.on('error', reject);
    });
    socket.close();
    for (const headers of [{ Authorization: `Bearer ${key}` }, { Authorization: 'Bearer wrong' }, {}]) {
        const other = new WebSocket(`${server.url.replace('http', 'ws')}/oi/v1/stream`, { headers });
        const status = await new Promise((resolve) => {
            other.on('open', () => resolve(101));
            other.on('unexpected-response', (_, reply) => resolve(reply.statusCode));
            other.on('error', () => {});
        });
        assert.equal(status, headers.Authorization?.includes(key) ? 101 : 401);
        other.terminate();
    }
    // It ends with the key.
    const [{ id }] = JSON.parse(oi(['keys', 'list', '--data', server.data, '--format', 'json']).stdout);
    assert.equal(oi(['keys', 'revoke', id, '--data', server.data]).status, 0);
    await soon(async () => (await asked(cookie)).status === 401);
    const ended = await ask(server, '/session', { method: 'DELETE' });
    assert.match(ended.headers['set-cookie'][0], /Max-Age=0/);
});

test('pages of other sites read answers only where the configuration says so', { skip }, async (t) => {
    const server = await startServer(t, { args: ['--no-collect', '--cors-origin', 'https://good.example'] });
    const from = (Origin, method = 'GET') => ask(server, '/oi/v1/markets', { method, headers: { Origin } });
    const allowed = 'access-control-allow-origin';

    assert.equal((await from('https://good.example')).headers[allowed], 'https://good.example');
    assert.equal((await from('https://evil.example')).headers[allowed], undefined);
    assert.equal((await from('https://good.example', 'OPTIONS')).headers[allowed], 'https://good.example');
    assert.equal((await from('https://evil.example', 'OPTIONS')).headers[allowed], undefined);
});

test('SIGHUP reads keys, plans and the certificate again', { skip }, async (t) => {
    const data = await makeFolder(t);
    const pem = await makeFolder(t), conf = join(data, 'oi.conf');
    const certificate = (name) => {
        execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=${name}`,
            '-keyout', join(pem, 'key.pem'), '-out', join(pem, 'chain.pem')], { stdio: 'ignore' });
    };
    const name = (server) => new Promise((resolve, reject) => {
        const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1', rejectUnauthorized: false }, () => {
            resolve(socket.getPeerCertificate().subject.CN);
            socket.destroy();
        });
        socket.on('error', reject);
    });
    const metrics = (server, key) => new Promise((resolve, reject) => {
        const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1', rejectUnauthorized: false }, () =>
            socket.write(`GET /oi/v1/markets HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\n\r\n`));
        let text = '';
        socket.on('data', (bytes) => (text += bytes));
        socket.on('end', () => resolve(Number(text.split(' ')[1])));
        socket.on('error', reject);
    });

    certificate('one');
    await writeFile(conf, 'keys = first-key-of-ours\n');
    const server = await startServer(t, {
        data, args: ['--no-collect', '--tls-certificate', join(pem, 'chain.pem'), '--tls-key', join(pem, 'key.pem')],
    });
    assert.equal(await name(server), 'one');
    assert.equal(await metrics(server, 'first-key-of-ours'), 200);
    certificate('two');
    await writeFile(conf, 'keys = second-key-of-ours\n');
    server.child.kill('SIGHUP');
    await soon(async () => (await metrics(server, 'second-key-of-ours')) === 200);
    assert.equal(await metrics(server, 'first-key-of-ours'), 401);
    await soon(async () => (await name(server)) === 'two');
    // What cannot be read changes nothing.
    await writeFile(conf, 'keys = third-key-of-ours\nkey_plan = nothing\n');
    server.child.kill('SIGHUP');
    await soon(() => /server.reload_failed/.test(server.stderr));
    assert.equal(await metrics(server, 'second-key-of-ours'), 200);
    assert.doesNotMatch(server.stderr + server.stdout, /-key-of-ours/);
});

test('metrics want an operator’s key where others can come', { skip }, async (t) => {
    const data = await makeFolder(t);
    const plain = addKey(data), operator = addKey(data, '--operator');
    const server = await startServer(t, { data, args: ['--no-collect'] });
    assert.equal((await ask(server, '/metrics')).status, 200); // a loopback address
    await server.stop();
    const open = await startServer(t, { data, listen: '0.0.0.0:0' });
    open.url = open.url.replace('0.0.0.0', '127.0.0.1');
    const metrics = (key) => ask(open, '/metrics', { headers: key ? { Authorization: `Bearer ${key}` } : {} });
    assert.equal((await metrics()).status, 401);
    assert.equal((await metrics(plain)).status, 401);
    assert.equal((await metrics(operator)).status, 200);
});

test('a signed link carries no key, and opens without one', { skip }, async (t) => {
    const data = await makeStore(t);
    const key = addKey(data);
    const server = await startServer(t, { data });
    const today = new Date().toISOString().slice(0, 10);
    const links = await ask(server, '/api/v1/data/open_interest?exchange=binance-futures&symbol=perpetual-BTC-USDT:USDT' +
        `&interval=1h&timestamp=exchange&start_date=2026-01-01&end_date=${today}`, { headers: { 'X-API-KEY': key } });

    assert.equal(links.status, 200, links.text);
    assert.ok(links.json.files.length > 0, links.text);
    assert.ok(!links.text.includes(key));
    const url = new URL(links.json.files[0].url);
    assert.equal((await ask(server, url.pathname + url.search)).status, 200);
    assert.equal((await ask(server, url.pathname + url.search.replace('Expires=300', 'Expires=900'))).status, 403);
});
