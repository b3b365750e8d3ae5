// SPDX-License-Identifier: Apache-2.0
// docs/formats/ lets a stranger write a reader: one that was written from those pages alone reads
// stores of every shape, and finds what the program prints.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { importFile, makeFolder, oi, skip, startServer } from '../support/server.mjs';
import { NONE, Store, printDecimal } from './format_reader.mjs';

const MINUTE = 60_000_000_000n;
const HOUR = 60n * MINUTE;
const START = BigInt(Date.parse('2026-03-01T00:00:00Z')) * 1_000_000n;

function iso(time) {
    if (time === NONE) return '';
    const part = String(time % 1_000_000_000n).padStart(9, '0').replace(/(000)+$/, '');
    const whole = new Date(Number(time / 1_000_000n)).toISOString().slice(0, 19);
    return `${whole}${part && '.'}${part}Z`;
}

// Small numbers that are the same every time.
function makeRandom(seed) {
    let state = seed;
    return (below) => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        return (state >>> 8) % below;
    };
}

// What leads to each encoding: figures of one exponent and of many, predicted values, absent and
// wide ones, constant and jumping times.
function makeRows(random, count, start) {
    const markets = ['okx:swap:BTC-USDT-SWAP', 'okx:swap:ETH-USDT-SWAP', 'bybit:linear:XRPUSDT', 'okx:swap:DOGE-USDT-SWAP'];
    const lines = [];
    for (const [index, market] of markets.entries()) {
        let figure = 1_000_000 + random(1_000_000);
        let time = start;
        for (let i = 0; i < count; i++) {
            figure += random(2001) - 1000;
            time += random(50) === 0 ? 2n * MINUTE : MINUTE;
            const mark = 20000 + random(3000);
            const oiText = [`${figure}`, `${figure / 100}`, random(200) ? `${figure}.${random(1000)}` : '12345678901234567890123.5',
                `${figure}${'0'.repeat(random(6))}`][index];
            const value = index === 0 ? `${figure * mark}` : random(3) ? `${figure * 2}.25` : '';
            const exchange = index === 2 && random(4) ? iso(time - BigInt(random(900)) * 1_000_000n) : '';
            const known = index === 3 ? iso(time + 1_000_000n * BigInt(1000 + random(5000))) : '';
            lines.push([market, iso(time), exchange, known, oiText, value, index === 1 && random(9) === 0 ? '' : `${mark / 100}`].join());
        }
    }
    return lines;
}

function importRows(data, folder, name, lines) {
    const file = join(folder, `${name}.csv`);
    writeFileSync(file, `market,time,exchange,known,oi,value,mark\n${lines.join('\n')}\n`);
    const { stderr } = importFile(data, 'csv', file, ['--time', 'time', '--exchange-time', 'exchange', '--known-time', 'known', '--oi', 'oi',
        '--value', 'value', '--mark', 'mark', '--unit', 'contracts', '--market', '{market}']);
    return /batch(?:es)? (\d+)/.exec(stderr)[1];
}

// What the program prints of every market and feed.
function printed(data) {
    const { status, stdout, stderr } = oi(['query', '--data', data, '--unit', 'reported', '--convention', 'as_reported', '--format', 'csv',
        '--exchange', 'okx', '--exchange', 'bybit']);
    assert.equal(status, 0, stderr);
    const [head, ...lines] = stdout.trimEnd().split('\n').map((line) => line.split(','));
    return lines.map((cells) => Object.fromEntries(head.map((name, i) => [name, cells[i]])));
}

// The rows of the reader in the program's words.
function read(store) {
    const found = [];
    for (const [id, rows] of store.rows()) {
        const series = store.series.get(id);
        const instrument = store.instruments.get(series.instrument);
        for (const row of rows)
            found.push({
                market: `${instrument.exchange}:${instrument.product}:${instrument.symbol}`,
                feed: store.feeds.get(series.feed),
                time: iso(row.time),
                open_interest: printDecimal(row.open_interest),
                value_usd: printDecimal(row.value_usd),
                mark_price: printDecimal(row.mark_price),
                exchange_time: iso(row.exchange_time),
                known_time: iso(row.known_time),
            });
    }
    return found;
}

const COLUMNS = ['market', 'feed', 'time', 'open_interest', 'value_usd', 'mark_price', 'exchange_time', 'known_time'];
const text = (rows) => rows.map((row) => COLUMNS.map((name) => row[name]).join()).sort();

function assertSame(data) {
    const store = new Store(data);
    const [mine, theirs] = [text(read(store)), text(printed(data))];
    assert.equal(mine.length, theirs.length);
    for (const [i, line] of mine.entries()) assert.equal(line, theirs[i]);
    return store;
}

// Rollups by a straight walk over the rows in chunks.
function assertRollups(store) {
    const rows = store.rows();
    let count = 0;
    for (const { series, kind, rollups } of store.rollups()) {
        const width = kind === 1 ? HOUR : 24n * HOUR;
        for (const { start, count: size, first, high, low, last } of rollups) {
            const inside = rows.get(series).filter((row) => row.time >= start && row.time < start + width);
            const figures = inside.map((row) => Number(printDecimal(row.open_interest)));
            assert.equal(inside.length, Number(size));
            for (const [end, row] of [[first, inside[0]], [last, inside.at(-1)]])
                for (const name of ['time', 'open_interest', 'value_usd', 'mark_price', 'flags']) assert.deepEqual(end[name], row[name]);
            assert.equal(Number(printDecimal(high.open_interest)), Math.max(...figures));
            assert.equal(Number(printDecimal(low.open_interest)), Math.min(...figures));
            count++;
        }
    }
    return count;
}

test('a reader written from the format pages reads what the program reads', { skip }, async (t) => {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const random = makeRandom(7);

    importRows(data, folder, 'crumbs', makeRows(random, 100, START)); // all in the log
    let store = assertSame(data);
    assert.ok([...store.tables.log.entries()].length > 0);
    const batch = importRows(data, folder, 'many', makeRows(random, 800, START + 5n * HOUR));
    store = assertSame(data);
    // A server that stops has moved the log into chunks.
    const server = await startServer(t, { data });
    await server.stop();
    store = assertSame(data);
    assert.ok(assertRollups(store) > 0);
    const answered = store.rows();
    for (const { series, rows, newest } of store.positions()) {
        const all = answered.get(series);
        assert.equal(Number(rows), all.length);
        assert.equal(newest.time, all.at(-1).time);
        assert.deepEqual(newest.open_interest, all.at(-1).open_interest);
    }
    // What is withdrawn is there and not answered.
    const done = oi(['import', '--withdraw', batch, '--data', data]);
    assert.equal(done.status, 0, done.stderr);
    const before = store.allRows();
    store = assertSame(data);
    assert.ok(store.hidden.size > 0);
    assert.deepEqual(store.allRows(), before);
    assertRollups(store);
    const verified = oi(['verify', '--data', data]);
    assert.equal(verified.status, 0, verified.stdout);
    assert.equal(store.imports.length, 2);
    assert.ok(store.imports.every((one) => one.isComplete && one.format === 'csv'), JSON.stringify(store.imports, (_, value) => String(value)));
});
