// SPDX-License-Identifier: Apache-2.0
// The scripts of examples/ against a demo, and its Grafana dashboards: every expression is one, asks
// for what is there, and is answered.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { DuckDBInstance } from '@duckdb/node-api';
import { parser } from '@prometheus-io/lezer-promql';
import { asyncBufferFromUrl, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

import { binary, skip, startServer } from '../support/server.mjs';

const root = new URL('../../', import.meta.url).pathname;
const examples = join(root, 'examples');
const released = join(root, 'build-release/oi');
const hasPandas = spawnSync('/usr/bin/python3', ['-c', 'import pandas']).status === 0;

function panelsOf(name) {
    const board = JSON.parse(readFileSync(join(examples, 'grafana', `${name}.json`), 'utf8'));
    const filled = (text) => text.replaceAll('$coin', 'BTC').replaceAll('$exchange', '.*')
        .replaceAll('$market', 'binance:usdm:BTCUSDT').replaceAll('$instance', '.*');
    return {
        board,
        expressions: board.panels.flatMap((panel) => panel.targets.map(({ expr }) => ({ title: panel.title, expression: filled(expr) }))),
        variables: board.templating.list.filter(({ type }) => type === 'query').map(({ query }) => filled(query)),
    };
}

describe('the examples', { skip }, () => {
    let folder, server;
    const ends = [];

    before(async () => {
        folder = await mkdtemp(join(tmpdir(), 'oi-examples-'));
        const t = { after: (end) => ends.push(end) };
        // The demo's week is made much sooner by the release build.
        server = await startServer(t, { args: ['--demo'], data: join(folder, 'data'), program: existsSync(released) ? released : binary });
        writeFileSync(join(folder, '.curlrc'), 'noproxy = "*"\n');
    });
    after(async () => {
        for (const end of ends.reverse()) await end();
        await rm(folder, { recursive: true, force: true });
    });

    // Run a program in the folder: what it said, once it has ended well.
    const run = (program, args) => new Promise((resolve, reject) => {
        const env = { ...process.env, OI_URL: server.url, HOME: folder, no_proxy: '*' };
        const child = spawn(program, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60000 });
        let said = '';
        child.stdout.on('data', (bytes) => (said += bytes));
        child.stderr.on('data', (bytes) => (said += bytes));
        child.once('error', reject);
        child.once('exit', (code) => (code === 0 ? resolve(said) : reject(new Error(`${program} ${args}: ${code}\n${said}`))));
    });

    test('every file of examples/ is named by its page', () => {
        const page = readFileSync(join(examples, 'README.md'), 'utf8');
        for (const name of readdirSync(examples, { recursive: true }))
            if (/\.(sh|py|mjs|sql|json|yml)$/.test(name)) assert.ok(page.includes(`(${name})`), name);
    });

    test('curl', async () => {
        const said = await run('sh', [join(examples, 'curl.sh'), 'btc.parquet']);
        assert.match(said, /^binance:usdm:BTCUSDT,binance,BTC,PERPETUAL,/m);
        assert.match(said, /^total:BTC,,usd,1,/m);
        assert.equal(readFileSync(join(folder, 'btc.parquet')).subarray(0, 4).toString(), 'PAR1');
    });

    test('Python alone', async () => {
        const said = await run('python3', [join(examples, 'stdlib.py')]);
        assert.match(said, /^1\d\d candles of binance:usdm:BTCUSDT, in coins, 1 side counted\nlargest change: [+-]\d/);
    });

    test('pandas', { skip: hasPandas ? false : 'python3-pandas is not installed' }, async () => {
        const said = await run('/usr/bin/python3', [join(examples, 'with_pandas.py')]);
        assert.match(said, /binance +bybit +okx\n/);
        assert.match(said, /share of the last day/);
    });

    test('JavaScript', async () => {
        // As a user's project: the script beside its node_modules.
        cpSync(join(examples, 'stream.mjs'), join(folder, 'stream.mjs'));
        symlinkSync(join(root, 'tests/system/node_modules'), join(folder, 'node_modules'));
        const said = await run(process.execPath, [join(folder, 'stream.mjs'), 'binance:usdm:BTCUSDT', '1']);
        assert.match(said, /^binance:usdm:BTCUSDT [\d.]+ coins, 1 side, at .*Z\n\S+Z [\d.]+ \w+\n$/);
    });

    test('Parquet is read by its address, in parts', async () => {
        const url = `${server.url}/oi/v1/open-interest?coin=BTC&kind=PERPETUAL&interval=1h&format=parquet`;
        const rows = await parquetReadObjects({ file: await asyncBufferFromUrl({ url }), compressors });
        const json = await (await fetch(url.replace('format=parquet', 'limit=100000'))).json();
        assert.ok(rows.length > 100);
        assert.equal(rows[0].market, json.data[0].market);
        // Twice: made anew, and kept.
        const bounded = `${url}&start=2020-01-01&end=2020-01-02`;
        const whole = Buffer.from(await (await fetch(bounded)).arrayBuffer());
        for (let round = 0; round < 2; round++) {
            const part = await fetch(bounded, { headers: { Range: 'bytes=-8' } });
            assert.equal(part.status, 206);
            assert.equal(part.headers.get('content-range'), `bytes ${whole.length - 8}-${whole.length - 1}/${whole.length}`);
            assert.deepEqual(Buffer.from(await part.arrayBuffer()), whole.subarray(-8));
            const beyond = await fetch(bounded, { headers: { Range: `bytes=${whole.length}-` } });
            assert.equal(beyond.status, 416);
        }
        const head = await fetch(bounded, { method: 'HEAD' });
        assert.equal(head.headers.get('accept-ranges'), 'bytes');
        assert.equal(head.headers.get('content-length'), String(whole.length));
    });

    test('DuckDB reads answers as tables', async (t) => {
        const connection = await (await DuckDBInstance.create(':memory:')).connect();
        let sql = readFileSync(join(examples, 'duckdb.sql'), 'utf8').replace(/^--.*$/gm, '').replaceAll('http://127.0.0.1:8080', server.url);
        try {
            await connection.run('INSTALL httpfs');
        } catch {
            t.diagnostic('the extension httpfs cannot be had here: DuckDB reads the same addresses as files fetched from them');
            const [url] = /http:[^']*/.exec(sql);
            writeFileSync(join(folder, 'answer.parquet'), Buffer.from(await (await fetch(url)).arrayBuffer()));
            sql = sql.replace(url, join(folder, 'answer.parquet')).replace(/INSTALL httpfs;|LOAD httpfs;/g, '');
        }
        const results = [];
        for (const statement of sql.split(';').map((text) => text.trim()).filter(Boolean))
            results.push((await connection.runAndReadAll(statement)).getRows());
        const largest = results.at(-2);
        assert.equal(largest.length, 5);
        assert.equal(largest[0][0], 'binance:usdm:BTCUSDT');
    });

    test('Grafana plots open interest from oi itself', async () => {
        const api = `${server.url}/prometheus/api/v1`;
        const now = Math.floor(Date.now() / 1000);
        const { expressions, variables } = panelsOf('open-interest');
        assert.ok(expressions.length >= 8);
        for (const { title, expression } of expressions) {
            const query = new URLSearchParams({ query: expression, start: now - 86400, end: now, step: 3600 });
            const answer = await (await fetch(`${api}/query_range?${query}`)).json();
            assert.equal(answer.status, 'success', `${title}: ${expression}: ${answer.error}`);
            assert.ok(answer.data.result.length > 0 && answer.data.result[0].values.length > 1, `${title}: ${expression} has no points`);
            const instant = await (await fetch(`${api}/query?${new URLSearchParams({ query: expression })}`)).json();
            assert.ok(instant.data.result.length > 0, `${title}: nothing now`);
        }
        for (const variable of variables) {
            const [, match, label] = /^label_values\((.*), (\w+)\)$/.exec(variable);
            const answer = await (await fetch(`${api}/label/${label}/values?${new URLSearchParams({ 'match[]': match })}`)).json();
            assert.ok(answer.data.length > 0, variable);
        }
    });

    test('the dashboard of operations asks for metrics that oi has, in expressions that are ones', async () => {
        const labels = new Map();
        for (const line of (await (await fetch(`${server.url}/metrics`)).text()).split('\n')) {
            const found = /^(\w+)(?:\{(.*)\})? /.exec(line);
            if (found) labels.set(found[1], new Set([...(found[2] ?? '').matchAll(/(\w+)="/g)].map(([, label]) => label)));
        }
        const { expressions, variables } = panelsOf('operations');
        for (const { title, expression } of [...expressions, ...variables.map((text) => ({ title: text, expression: /\((.*), /.exec(text)[1] }))]) {
            const metrics = [], groups = [];
            parser.configure({ strict: true }).parse(expression).iterate({
                enter: ({ name, from, to }) => {
                    const text = expression.slice(from, to);
                    if (name === 'VectorSelector') metrics.push(/^\w+/.exec(text)[0]);
                    if (name === 'GroupingLabels') groups.push(...text.slice(1, -1).split(/,\s*/));
                },
            });
            assert.ok(metrics.length > 0, title);
            for (const metric of metrics) {
                assert.ok(labels.has(metric), `${title}: /metrics has no ${metric}`);
                for (const label of groups) assert.ok(labels.get(metric).has(label), `${title}: ${metric} has no label ${label}`);
            }
        }
    });

    test('panels of a dashboard do not lie on each other', () => {
        for (const name of ['open-interest', 'operations']) {
            const { board } = panelsOf(name);
            const taken = new Set();
            for (const { gridPos: { x, y, w, h }, title } of board.panels) {
                assert.ok(x + w <= 24, title);
                for (let column = x; column < x + w; column++)
                    for (let row = y; row < y + h; row++) {
                        assert.ok(!taken.has(`${column},${row}`), `${name}: ${title}`);
                        taken.add(`${column},${row}`);
                    }
            }
            assert.equal(new Set(board.panels.map(({ id }) => id)).size, board.panels.length);
        }
    });
});
