// SPDX-License-Identifier: Apache-2.0
// A store of known markets with known readings: definitions from our own lists, readings from rows
// in a test.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { importFile, oi } from './server.mjs';

const root = new URL('../../', import.meta.url).pathname;
const fixtures = join(root, 'tests/fixtures');

// What oi define takes for each exchange, by a name of ours.
export const LISTS = {
    binance: ['binance', '--product', 'usdm', join(fixtures, 'exchanges/binance/http_get_exchange_info.json')],
    bybit: ['bybit', '--product', 'linear', join(fixtures, 'system/bybit_linear.json')],
    hyperliquid: ['hyperliquid', join(fixtures, 'system/hyperliquid.json')],
    okx: ['okx', '--product', 'swap', join(fixtures, 'exchanges/okx/http_get_instruments_swap.json')],
};

// What others have recorded or written: read in place, absent elsewhere.
export const recorded = process.env.OI_TEST_DATA ?? join(root, '../shared');

export function define(data, ...names) {
    for (const name of names) {
        const done = oi(['define', ...LISTS[name], '--data', data]);
        assert.equal(done.status, 0, done.stderr);
    }
}

// Import rows (objects with the same keys) into one market. `columns` says which of their keys the
// options of `oi import csv` name: { time: 'time', oi: 'oi', mark: 'mark' }.
export function importRows(folder, data, { name, market, unit, columns, rows, more = [] }) {
    const keys = Object.keys(rows[0]);
    const path = join(folder, `${name}.csv`);
    const args = ['--market', market, '--unit', unit, ...more];

    writeFileSync(path, [keys, ...rows.map((row) => keys.map((key) => row[key]))].join('\n') + '\n');
    for (const [option, column] of Object.entries(columns)) args.push(`--${option}`, column);
    const done = importFile(data, 'csv', path, args);
    assert.match(done.stderr, new RegExp(`: ${rows.length} rows: ${rows.length} stored`), done.stderr);
}
