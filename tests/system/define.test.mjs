// SPDX-License-Identifier: Apache-2.0
// oi define: markets from saved lists, and what becomes of readings that were there before.

import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { LISTS, importRows } from '../support/markets.mjs';
import { makeFolder, oi, skip } from '../support/server.mjs';

const LIST = LISTS.binance.at(-1);

async function makeData(t) {
    const folder = await makeFolder(t);
    return { folder, data: join(folder, 'data') };
}

test('a list is counted, and changes nothing the second time', { skip }, async (t) => {
    const { data } = await makeData(t);
    const run = () => oi(['define', ...LISTS.binance, '--data', data]);
    const first = run(), second = run();

    assert.equal(first.status, 0, first.stderr);
    assert.ok(first.stderr.includes('ODDUSDT: contractType: MOON_PHASE is not known\n'));
    assert.match(first.stderr, /: 7 markets: 6 new, 0 changed, 0 known, 1 skipped\n$/);
    assert.equal(second.status, 0);
    assert.match(second.stderr, /: 7 markets: 0 new, 0 changed, 6 known, 1 skipped\n$/);
    assert.equal(first.stdout + second.stdout, '');
});

test('a change is a change', { skip }, async (t) => {
    const { folder, data } = await makeData(t);
    const path = join(folder, 'later.json');
    const list = JSON.parse(readFileSync(LIST, 'utf8'));
    const one = list.symbols.find((symbol) => symbol.symbol === 'BTCUSDT');

    list.symbols = [{ ...one, marginAsset: 'USDC' }];
    writeFileSync(path, JSON.stringify(list));
    assert.equal(oi(['define', ...LISTS.binance, '--data', data]).status, 0);
    const done = oi(['define', ...LISTS.binance.slice(0, -1), path, '--data', data]);
    assert.match(done.stderr, /: 1 markets: 0 new, 1 changed, 0 known, 0 skipped\n$/);
});

test('a market imported before it was known becomes the defined one', { skip }, async (t) => {
    const { folder, data } = await makeData(t);
    const query = () =>
        JSON.parse(
            oi(['query', '--data', data, '--market', 'okx:swap:BTC-USDT-SWAP', '--unit', 'coins',
                '--format', 'json', '--start', '2026-03-07', '--end', '2026-03-08']).stdout,
        );
    const market = () => JSON.parse(oi(['markets', '--data', data, '--format', 'json']).stdout);

    importRows(folder, data, {
        name: 'early',
        market: 'okex-BTC-USDT-SWAP-future',
        unit: 'contracts',
        columns: { time: 'time', oi: 'oi' },
        rows: [{ time: '2026-03-07T00:00:00Z', oi: '1234567' }],
    });
    assert.equal(market().length, 1);
    assert.equal(market()[0].is_provisional, true);
    assert.deepEqual(query(), []);
    assert.match(
        oi(['define', ...LISTS.okx, '--data', data]).stderr,
        /: 6 markets: 4 new, 1 changed, 0 known, 1 skipped\n$/,
    );
    const defined = market().find((row) => row.market === 'okx:swap:BTC-USDT-SWAP');
    assert.equal(defined.is_provisional, false);
    assert.equal(defined.rows, 1);
    // 0.01 BTC a contract.
    assert.equal(query().length, 1);
    assert.equal(String(query()[0].open_interest), '12345.67');
    assert.equal(oi(['verify', '--data', data]).status, 0);
});

test('lists of other exchanges, several files, and compressed ones', { skip }, async (t) => {
    const { folder, data } = await makeData(t);
    const packed = join(folder, 'list.json.gz');
    const copy = join(folder, 'copy.json');

    writeFileSync(packed, gzipSync(readFileSync(LISTS.hyperliquid.at(-1))));
    copyFileSync(LISTS.hyperliquid.at(-1), copy);
    const done = oi(['define', 'hyperliquid', packed, copy, '--data', data]);
    assert.equal(done.status, 0, done.stderr);
    assert.match(done.stderr, /list\.json\.gz: 4 markets: 4 new, .*\n.*copy\.json: 4 markets: 0 new/);
    assert.equal(oi(['define', ...LISTS.bybit, '--data', data]).status, 0);
});

test('what is no list is refused, and the other files are taken', { skip }, async (t) => {
    const { folder, data } = await makeData(t);
    const bad = join(folder, 'bad.json');

    writeFileSync(bad, '{"code":-1121,"msg":"Invalid symbol."}');
    const done = oi(['define', 'binance', '--product', 'usdm', bad, LIST, folder + '/none', '--data', data]);
    assert.equal(done.status, 1);
    assert.match(done.stderr, /bad\.json: the reply is an error of binance/);
    assert.match(done.stderr, /6 new/);
    assert.match(done.stderr, /none: No such file or directory/);
    assert.match(done.stderr, /2 of 3 files could not be read/);
    for (const [args, words] of [
        [['mtgox', LIST], /there is no exchange "mtgox"/],
        [['binance', LIST], /several lists: say --product usdm or coinm/],
        [['binance', '--product', 'spot', LIST], /binance has no list "spot"/],
        [['binance'], /EXCHANGE FILE \.\.\. is missing/],
    ]) {
        const refused = oi(['define', ...args, '--data', data]);
        assert.equal(refused.status, 2, refused.stderr);
        assert.match(refused.stderr, words);
    }
});
