// SPDX-License-Identifier: Apache-2.0
// What only our own API has: every format of one answer says the same, totals of chosen markets,
// revisions, who made a change and whether by amount or price, coverage, conventions.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { tableFromIPC } from 'apache-arrow';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

import { ask, normal } from '../support/ask.mjs';
import { define, importRows } from '../support/markets.mjs';
import { makeFolder, skip, startServer } from '../support/server.mjs';

const START = Date.UTC(2026, 2, 7);
const BASE = '/oi/v1';
const ONE = 'binance:usdm:BTCUSDT', TWO = 'bybit:linear:BTCUSDT';
const iso = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z');
const nanos = (text) => BigInt(Date.parse(`${text.slice(0, 19)}Z`)) * 1000000n + BigInt(`${text.slice(20, -1)}000000000`.slice(0, 9));

async function start(t) {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const put = (name, market, amounts, price) =>
        importRows(folder, data, {
            name, market, unit: 'coins', columns: { time: 'time', oi: 'oi', mark: 'mark' },
            rows: amounts.map(([minute, oi], i) => ({
                time: iso(START + minute * 60000), oi, mark: price[i] ?? price.at(-1),
            })),
            more: ['--sides', '1', '--name', name],
        });

    define(data, 'binance', 'bybit');
    put('a', ONE, [[0, '10.12345678901234567891'], [1, '11'], [2, '12'], [3, '15']], ['100', '100', '100', '120']);
    put('b', TWO, [[0, '20'], [1, '21'], [3, '18']], ['100', '100', '120']);
    put('c', ONE, [[1, '11.5']], ['100']);
    return startServer(t, { data });
}

// A cell as JSON has it, from a typed column.
function plain(name, value, wanted) {
    if (value === null || value === undefined) return null;
    if (typeof value === 'bigint') return typeof wanted === 'string' ? value : Number(value);
    return value;
}

function check(rows, wanted, what) {
    assert.equal(rows.length, wanted.length, what);
    rows.forEach((row, i) => {
        assert.deepEqual(Object.keys(row), Object.keys(wanted[i]), what);
        for (const [name, value] of Object.entries(wanted[i])) {
            const got = plain(name, row[name], value);
            if (typeof got === 'bigint') assert.equal(got, nanos(value), `${what} ${name}`);
            else assert.equal(got, value, `${what} ${name}`);
        }
    });
}

function fromArrow(bytes) {
    const table = tableFromIPC(bytes);
    const names = table.schema.fields.map((field) => field.name);
    // Timestamps come as numbers that have lost their digits; the raw column has them.
    return Array.from({ length: table.numRows }, (_, i) => Object.fromEntries(names.map((name) => {
        const column = table.getChild(name);
        if (!String(column.type).startsWith('Timestamp')) return [name, column.get(i)];
        if (column.get(i) === null) return [name, null];
        let at = i;
        const chunk = column.data.find((data) => (at < data.length ? true : ((at -= data.length), false)));
        return [name, chunk.values[at]];
    })));
}

async function fromParquet(bytes) {
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const rows = await parquetReadObjects({ file, compressors, parsers: {
        timestampFromNanoseconds: (value) => value, timestampFromMicroseconds: (value) => value,
    } });
    return rows;
}

test('every table is the same in every format', { skip }, async (t) => {
    const server = await start(t);
    const targets = [
        `/open-interest?market=${ONE}&market=${TWO}`,
        `/open-interest?market=${ONE}&interval=2m&unit=usd`,
        `/open-interest?coin=BTC&interval=1m&total=true&fill=true`,
        `/open-interest?market=${ONE}&start=2020-01-01&end=2020-01-02`,
        '/markets?coin=BTC', `/frozen?coin=BTC&lasting=1m&start=${iso(START)}`, `/gaps?market=${ONE}&start=${iso(START)}&end=${iso(START + 600000)}`,
        `/coverage?coin=BTC&start=${iso(START)}&end=${iso(START + 240000)}`,
        `/revisions?market=${ONE}`, '/conventions', '/conventions?exchange=bybit',
        `/changes?coin=BTC&start=${iso(START + 60000)}&end=${iso(START + 180000)}`,
        `/overview?coin=BTC&end=${iso(START + 240000)}`, `/overview?by=total&by=kind&interval=1m&start=${iso(START)}&end=${iso(START + 240000)}`,
    ];

    for (const target of targets) {
        const get = async (format) => {
            const answer = await ask(server, `${BASE}${target}${target.includes('?') ? '&' : '?'}format=${format}`);
            assert.equal(answer.status, 200, `${target} ${format} ${answer.text.slice(0, 300)}`);
            return answer;
        };
        const wanted = (await get('json')).json.data;
        assert.deepEqual((await get('ndjson')).text.split('\n').filter(Boolean).map(JSON.parse), wanted, target);
        const arrow = await get('arrow');
        assert.equal(arrow.headers['content-type'], 'application/vnd.apache.arrow.stream');
        check(fromArrow(arrow.bytes), wanted, `${target} arrow`);
        check(await fromParquet((await get('parquet')).bytes), wanted, `${target} parquet`);
        const lines = (await get('csv')).text.trimEnd().split('\n');
        assert.equal(lines.length, wanted.length + 1, target);
        if (wanted.length > 0) assert.equal(lines[0], Object.keys(wanted[0]).join(','));
    }
    assert.equal((await server.stop()).code, 0, server.stderr);
});

test('pages go on by a header where the body has no room', { skip }, async (t) => {
    const server = await start(t);
    const first = `${BASE}/open-interest?market=${ONE}&market=${TWO}&start=2026-01-01&limit=3`;
    const wanted = (await ask(server, first.replace('limit=3', 'limit=100'))).json.data;

    for (const format of ['ndjson', 'csv', 'arrow', 'parquet']) {
        let after = '', count = 0;
        const rows = [];
        do {
            const answer = await ask(server, `${first}&format=${format}${after && `&after=${after}`}`);
            assert.equal(answer.status, 200);
            if (format === 'ndjson') rows.push(...answer.text.split('\n').filter(Boolean).map(JSON.parse));
            else if (format === 'arrow') count += fromArrow(answer.bytes).length;
            else if (format === 'parquet') count += (await fromParquet(answer.bytes)).length;
            else count += answer.text.trimEnd().split('\n').length - 1;
            after = answer.headers['oi-next'];
        } while (after);
        if (format === 'ndjson') assert.deepEqual(rows, wanted);
        else assert.equal(count, wanted.length, format);
    }
});

test('a total of chosen markets, and what changed it', { skip }, async (t) => {
    const server = await start(t);
    const total = (await ask(server,
        `${BASE}/open-interest?market=${ONE}&market=${TWO}&interval=1m&total=true&start=${iso(START + 60000)}`)).json;
    assert.equal(total.totals.length, 1);
    assert.deepEqual(total.totals[0].members.map((member) => member.market), [ONE, TWO]);
    assert.equal(total.data.at(-1).close, '33');
    // One market twice is still one.
    const twice = (await ask(server,
        `${BASE}/open-interest?market=${ONE}&market=${ONE}&interval=1m&total=true&start=${iso(START + 180000)}`)).json;
    assert.equal(twice.data[0].close, '15');

    const target = `${BASE}/changes?coin=BTC&start=${iso(START + 120000)}&end=${iso(START + 180000)}`;
    const rows = (await ask(server, target)).json.data;
    assert.deepEqual(rows.map((row) => [row.market, row.from, row.to, row.change]), [
        [ONE, '12', '15', '3'], [TWO, '21', '18', '-3'], ['total:BTC', '33', '33', '0'],
    ]);
    // 1,200 to 1,800 dollars: three coins at 100, then 15 coins that gain 20 each.
    assert.deepEqual(
        [rows[0].value_usd_from, rows[0].value_usd_to, rows[0].change_usd_by_amount, rows[0].change_usd_by_price].map(normal),
        ['1200', '1800', '300', '300'],
    );
    assert.deepEqual([rows[1].change_usd_by_amount, rows[1].change_usd_by_price].map(normal), ['-300', '360']);
    assert.deepEqual([rows[2].change_usd_by_amount, rows[2].change_usd_by_price, rows[2].change_usd].map(normal), ['0', '660', '660']);
    assert.equal((await ask(server, `${BASE}/changes?coin=BTC`)).json.error.code, 'missing_parameter');
});

test('revisions, coverage, conventions', { skip }, async (t) => {
    const server = await start(t);
    const revisions = (await ask(server, `${BASE}/revisions?market=${ONE}&start=${iso(START + 60000)}&end=${iso(START + 120000)}`)).json.data;
    assert.deepEqual(revisions.map((row) => [row.feed, row.open_interest]).sort(), [['import:a', '11'], ['import:c', '11.5']]);
    assert.ok(revisions.every((row) => row.known_time));
    for (const target of [`${BASE}/revisions?coin=BTC`, `${BASE}/changes?coin=BTC&start=${iso(START + 60000)}&end=${iso(START + 180000)}`]) {
        const whole = (await ask(server, target)).json;
        assert.equal(whole.next, null);
        let after = '', rows = [];
        do {
            const page = (await ask(server, `${target}&limit=1${after && `&after=${after}`}`)).json;
            rows = rows.concat(page.data);
            after = page.next;
        } while (after && rows.length < 50);
        assert.deepEqual(rows, whole.data);
    }

    const coverage = (await ask(server, `${BASE}/coverage?market=${TWO}&start=${iso(START)}&end=${iso(START + 240000)}`)).json.data;
    assert.equal(coverage.length, 1);
    assert.ok(coverage[0].cadence_s > 0);
    // What the gaps say, added up.
    const gaps = (await ask(server, `${BASE}/gaps?market=${TWO}&start=${iso(START)}&end=${iso(START + 240000)}`)).json.data;
    const missing = gaps.reduce((sum, gap) => sum + (Date.parse(gap.to) - Date.parse(gap.from)) / 1000, 0);
    assert.equal(coverage[0].gaps, gaps.length);
    assert.equal(coverage[0].missing_s, missing);
    assert.equal(Number(coverage[0].completeness_percent), (100 * (240 - missing)) / 240);

    const conventions = (await ask(server, `${BASE}/conventions?exchange=bybit`)).json.data;
    assert.ok(conventions.length > 0);
    assert.ok(conventions.every((row) => row.exchange === 'bybit' && row.evidence));
    assert.ok(conventions.some((row) => row.sides === 2));
});
