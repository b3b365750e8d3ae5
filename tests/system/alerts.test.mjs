// SPDX-License-Identifier: Apache-2.0
// Alerts from rule to receiver: signed webhooks that are tried again, a command, the stream and the
// API; a server that is killed in between loses none and tells none under another id.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';

import WebSocket from 'ws';

import { ask } from '../support/ask.mjs';
import { define, importRows } from '../support/markets.mjs';
import { binary, makeFolder, oi, skip, startServer } from '../support/server.mjs';

const SECRET = 'a secret of the test';
const WAIT_MS = 40000;

async function until(holds, what) {
    for (const end = Date.now() + WAIT_MS; !(await holds()); ) {
        assert.ok(Date.now() < end, `never: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

// A receiver that refuses its first `failures` requests, and looks at each signature.
async function receiver(t, failures) {
    const got = { taken: [], refused: [], bad: [] };
    const server = createServer((request, reply) => {
        let body = '';
        request.setEncoding('utf8');
        request.on('data', (text) => (body += text));
        request.on('end', () => {
            const stamp = request.headers['oi-timestamp'];
            const wanted = `sha256=${createHmac('sha256', SECRET).update(`${stamp}.${body}`).digest('hex')}`;
            const event = JSON.parse(body);
            if (request.headers['oi-signature'] !== wanted || request.headers['oi-alert-id'] !== event.id
                || Math.abs(Date.now() / 1000 - Number(stamp)) > 60) got.bad.push(body);
            const fails = got.refused.length < failures;
            (fails ? got.refused : got.taken).push(event);
            // A redirect is not followed: whoever did would come here once more at once.
            reply.writeHead(fails ? (got.refused.length % 2 ? 500 : 302) : 204, { location: '/elsewhere' }).end();
        });
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    got.url = `http://127.0.0.1:${server.address().port}/hook`;
    return got;
}

// As oi(), while this process answers.
function run(args) {
    const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const done = { stdout: '', stderr: '' };
    child.stdout.on('data', (text) => (done.stdout += text));
    child.stderr.on('data', (text) => (done.stderr += text));
    return new Promise((resolve) => child.on('close', (status) => resolve({ ...done, status })));
}

const ids = (events) => [...new Set(events.map((event) => event.id))].sort();

function listen(t, url) {
    const heard = [];
    const socket = new WebSocket(url.replace('http', 'ws'));
    socket.on('message', (text) => heard.push(JSON.parse(text)));
    t.after(() => socket.terminate());
    return new Promise((resolve, reject) => {
        socket.on('open', () => resolve(heard));
        socket.on('error', reject);
    });
}

test('what fires arrives, signed, once for each id, through failures and a kill', { skip, timeout: 240000 }, async (t) => {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const ran = join(folder, 'ran');
    const hook = await receiver(t, 3);
    const collect = () => oi(['collect', '--demo', '--once', '--exchange', 'bybit', '--data', data]);

    await mkdir(data);
    await mkdir(ran);
    await writeFile(join(folder, 'key'), `${SECRET}\n`, { mode: 0o600 });
    await writeFile(join(folder, 'run.sh'), `#!/bin/sh\ncat > ${ran}/$OI_ALERT_ID\n`);
    await chmod(join(folder, 'run.sh'), 0o755);
    await writeFile(join(data, 'oi.conf'), [
        '# what this server tells',
        `alert_action = hook url=${hook.url} secret_file=${join(folder, 'key')} timeout=5s`,
        `alert_action = program command=${join(folder, 'run.sh')}`,
        'alert = any when=level exchange=bybit coin=BTC kind=perpetual above=0 severity=critical to=hook,program message="{market}, {unit}: {amount}"',
        'alert = all when=level exchange=bybit coin=ETH above=0 unit=usd to=hook',
        'alert = never when=change over=1h coin=BTC above=1000%',
        '',
    ].join('\n'));

    // A demo's folder that has readings gets no past: making one up takes a while.
    define(data, 'binance');
    importRows(folder, data, {
        name: 'one', market: 'binance:usdm:BTCUSDT', unit: 'coins', columns: { time: 'time', oi: 'oi' },
        rows: [{ time: '2026-03-07T00:00:00Z', oi: '1' }], more: ['--sides', '1'],
    });
    await writeFile(join(data, 'simulated'), '');

    // Collected by another process, judged by the server.
    let server = await startServer(t, { data });
    const stream = await listen(t, `${server.url}/oi/v1/stream?channel=alerts`);
    assert.equal(collect().status, 0);
    await until(() => hook.refused.length + hook.taken.length > 0, 'a first delivery');
    await server.stop('SIGKILL');
    const before = JSON.parse(oi(['alerts', 'log', '--format', 'json', '--data', data]).stdout);
    assert.ok(before.length >= 2);

    server = await startServer(t, { data });
    await until(() => ids(hook.taken).length >= before.length, 'every delivery');
    const log = JSON.parse(oi(['alerts', 'log', '--format', 'json', '--data', data]).stdout);
    assert.deepEqual(log, before); // nothing fired twice
    assert.deepEqual(ids(hook.taken), ids(log));
    assert.deepEqual(hook.bad, []);
    assert.equal(hook.refused.length, 3);
    for (const event of hook.refused) assert.ok(ids(log).includes(event.id));
    const any = log.filter((event) => event.rule === 'any');
    await until(async () => (await readdir(ran)).length === any.length, 'every command');
    for (const event of any) {
        const given = JSON.parse(await readFile(join(ran, event.id), 'utf8'));
        assert.equal(given.message, `${event.market}, coins: ${event.amount}`);
        assert.equal(given.severity, 'critical');
    }
    assert.ok(stream.length === 0 || ids(stream).every((id) => ids(log).includes(id)));

    // The same over the API, in pages, and over the stream from the beginning.
    const whole = (await ask(server, '/oi/v1/alerts')).json.data;
    assert.deepEqual(whole.map((event) => [event.sequence, event.id, event.amount]), log.map((event) => [event.sequence, event.id, event.amount]));
    const newest = (await ask(server, '/oi/v1/alerts?limit=1')).json;
    const older = (await ask(server, `/oi/v1/alerts?limit=1&after=${newest.next}`)).json;
    assert.deepEqual([older.data[0], newest.data[0]], whole.slice(-2));
    assert.deepEqual((await ask(server, '/oi/v1/alerts?rule=never')).json.data, []);
    const again = await listen(t, `${server.url}/oi/v1/stream?channel=alerts&after=0`);
    await until(() => again.length === whole.length, 'the stream');
    assert.deepEqual(again, whole);
    const one = await listen(t, `${server.url}/oi/v1/stream?channel=alerts&after=0&rule=all`);
    await until(() => one.length === whole.length - any.length, 'one rule');
    assert.equal((await ask(server, '/oi/v1/stream?channel=alerts&coin=BTC')).status, 400);

    // Its log is what a replay tells; the rules and how they stand.
    const rules = JSON.parse(oi(['alerts', 'list', '--format', 'json', '--data', data]).stdout);
    assert.deepEqual(rules.map((rule) => [rule.rule, rule.state]), [['any', 'firing'], ['all', 'firing'], ['never', 'idle']]);
    assert.equal(rules[0].firing, any.length);
    const replay = oi(['alerts', 'test', '--heard', '--from', rules[0].judged_since, '--format', 'json', '--data', data]);
    assert.equal(replay.status, 0, replay.stderr);
    assert.deepEqual(JSON.parse(replay.stdout).map((event) => event.id), log.map((event) => event.id));
    const past = oi(['alerts', 'test', '--rule', 'any', '--format', 'ndjson', '--data', data]);
    assert.ok(past.stdout.split('\n').filter(Boolean).length >= any.length, past.stderr);

    // A trial; and nobody says the secret.
    const trial = await run(['alerts', 'send-test', 'hook', '--data', data]);
    assert.equal(trial.status, 0, trial.stderr);
    assert.equal(hook.taken.at(-1).state, 'test');
    assert.deepEqual(hook.bad, []);
    assert.equal(oi(['alerts', 'send-test', 'never', '--data', data]).status, 2);
    const metrics = (await ask(server, '/metrics')).text;
    assert.match(metrics, /^oi_alerts_judging 1$/m);
    assert.ok(![server.stderr, server.stdout, trial.stdout, trial.stderr].join().includes(SECRET));
    assert.ok(!oi(['config', '--data', data]).stdout.includes(SECRET));
});

test('SIGHUP reads rules again: those that stay go on, and a broken file changes nothing', { skip }, async (t) => {
    const data = await makeFolder(t), conf = join(data, 'oi.conf');
    const rule = (name, above) => `alert = ${name} when=level coin=BTC above=${above}\n`;
    const since = () => JSON.parse(oi(['alerts', 'list', '--format', 'json', '--data', data]).stdout)
        .map((one) => [one.rule, one.judged_since]);
    const reload = async (text, line) => {
        const seen = server.stderr.length;
        await writeFile(conf, text);
        server.child.kill('SIGHUP');
        await until(() => line.test(server.stderr.slice(seen)), String(line));
    };
    const server = await startServer(t, { data });

    assert.doesNotMatch((await ask(server, '/metrics')).text, /oi_alerts_judging/);
    await reload(rule('first', 1), /alerts\.judging rules=1/);
    assert.match((await ask(server, '/metrics')).text, /^oi_alerts_judging 1$/m);
    await until(() => since()[0]?.[1], 'a beginning');
    const [first] = since();
    await reload(rule('first', 1) + rule('second', 2), /alerts\.judging rules=2/);
    await until(() => since()[1]?.[1], 'another beginning');
    assert.deepEqual(since()[0], first);
    await reload('alert = first when=nothing\n', /server\.reload_failed .*alert first/);
    assert.match((await ask(server, '/metrics')).text, /^oi_alerts_judging 1$/m);
    await reload('', /server\.reloaded/);
    assert.doesNotMatch((await ask(server, '/metrics')).text, /oi_alerts_judging/);
    assert.deepEqual((await ask(server, '/oi/v1/alerts')).json.data, []);
});

test('a mistake in a rule is named with its line', { skip }, async (t) => {
    const data = await makeFolder(t);

    await writeFile(join(data, 'oi.conf'), '# rules\n\nalert = x when=change coin=BTC over=1y above=5%\n');
    const { status, stderr } = oi(['serve', '--no-collect', '--listen', '127.0.0.1:0', '--data', data]);
    assert.equal(status, 2);
    assert.match(stderr, /line 3 of .*oi\.conf: alert x: over must be a span like/);
    const empty = oi(['alerts', 'log', '--format', 'json', '--data', await makeFolder(t)]);
    assert.equal(empty.status, 0, empty.stderr);
    assert.deepEqual(JSON.parse(empty.stdout), []);
});
