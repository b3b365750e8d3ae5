// SPDX-License-Identifier: Apache-2.0
// The same readings in a folder and in ClickHouse: every dialect answers with the same bytes. And
// what a user is told when ClickHouse is not as it should be.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { ask } from '../support/ask.mjs';
import { skipClickhouse, startClickhouse } from '../support/clickhouse.mjs';
import { define, importRows } from '../support/markets.mjs';
import { makeFolder, oi, skip, startServer } from '../support/server.mjs';

const START = Date.UTC(2025, 2, 6);
const MINUTES = 3000;

// Figures of many kinds: whole, with digits behind the point, longer than 64 bits.
function rows(factor) {
    return Array.from({ length: MINUTES }, (_, i) => ({
        time: new Date(START + i * 60000).toISOString(),
        oi: i % 500 === 7 ? `123456789012345678901${i}.5` : `${factor * (100000 + ((i * 7919) % 1000))}.${i % 97}`,
        mark: `${50000 + (i % 311)}.25`,
    }));
}

const RANGE = 'start_time=2025-03-06&end_time=2025-03-08&page_size=10000';
const QUESTIONS = [
    '/oi/v1/markets',
    '/oi/v1/open-interest?market=hyperliquid:perp:BTC&start=2025-03-06&limit=10000',
    '/oi/v1/open-interest?market=hyperliquid:perp:BTC&start=2025-03-06&limit=10000&format=csv',
    '/oi/v1/open-interest?market=hyperliquid:perp:BTC&start=2025-03-06T07:00:00Z&end=2025-03-06T09:00:00Z',
    '/oi/v1/open-interest?market=hyperliquid:perp:BTC&interval=1h&start=2025-03-06',
    '/oi/v1/open-interest?market=hyperliquid:perp:BTC&interval=1d&start=2025-03-06',
    '/oi/v1/open-interest?market=hyperliquid:perp:ETH&unit=usd&interval=5m&start=2025-03-06',
    '/oi/v1/open-interest?exchange=hyperliquid&unit=usd&interval=1h&total=true&start=2025-03-06',
    '/oi/v1/open-interest?market=hyperliquid:perp:BTC&start=2025-03-06&as_of=2025-03-07',
    '/oi/v1/gaps?market=hyperliquid:perp:BTC&start=2025-03-06&end=2025-03-08',
    `/v4/timeseries/market-openinterest?markets=hyperliquid-*&${RANGE}`,
    `/v4/timeseries/market-openinterest?markets=hyperliquid-BTC-future&granularity=1h&${RANGE}`,
    `/v4/timeseries/market-openinterest?markets=hyperliquid-BTC-future&${RANGE}&format=csv`,
    '/v4/timeseries/market-openinterest?markets=hyperliquid-BTC-future&page_size=50',
    '/v4/catalog-v2/market-openinterest?markets=hyperliquid-BTC-future',
    `/v1/points?type=OPEN_INTEREST_AGG&exchange=HYPERLIQUID_FUTURES&rawSymbol=BTC&interval=HOUR&from=${START / 1000}&period=172800`,
    '/v1/open-interest?symbol=BTC&source=hyperliquid&interval=1h&start=2025-03-06T00:00:00Z&end=2025-03-08T00:00:00Z',
    '/openinterest-api/v1/symbols',
    `/prometheus/api/v1/query_range?query=sum(oi_usd)&start=${START / 1000}&end=${START / 1000 + 90000}&step=3600`,
    `/prometheus/api/v1/query_range?query=oi_coins&start=${START / 1000}&end=${START / 1000 + 90000}&step=3600`,
];

test('every dialect says the same over a folder and over ClickHouse', { skip: skip || skipClickhouse }, async (t) => {
    const clickhouse = await startClickhouse(t);
    const folder = await makeFolder(t);
    const data = join(folder, 'data'), back = join(folder, 'back');
    const store = clickhouse.address('copied');

    define(data, 'hyperliquid');
    for (const [coin, factor] of [['BTC', 3], ['ETH', 11]])
        importRows(folder, data, {
            name: coin, market: `hyperliquid-${coin}-future`, unit: 'coins', rows: rows(factor),
            columns: { time: 'time', oi: 'oi', mark: 'mark' }, more: ['--sides', '1'],
        });
    assert.equal(oi(['clickhouse', 'init', '--store', store]).status, 0);
    const copied = oi(['copy', '--from', data, '--to', store]);
    assert.match(copied.stdout, /^6000 rows copied; 2 series have the same hash on both sides\n$/, copied.stderr);
    assert.match(oi(['copy', '--from', data, '--to', store]).stdout, /^0 rows copied; 2 series/);
    const returned = oi(['copy', '--from', store, '--to', back]);
    assert.match(returned.stdout, /^6000 rows copied/, returned.stderr);
    const verified = oi(['verify', '--store', store]);
    assert.equal(verified.status, 0, verified.stdout + verified.stderr);
    // 50 hours and 3 days of each market.
    assert.match(verified.stdout, /^ClickHouse: sound: \d+ commits, 6000 readings, 106 hours and days\n$/);

    // Commands that show readings show those of the address, not of a folder beside it.
    const shown = (place) => {
        const top = oi(['top', '--once', '--format', 'csv', ...place]);
        const past = oi(['doctor', '--offline', '--format', 'csv', ...place]);
        assert.equal(top.status, 0, top.stderr);
        // Ages are of the moment.
        return [top.stdout.split('\n').map((line) => line.split(',')[0]), /^store,open,ok,/m.test(past.stdout)];
    };
    assert.deepEqual(shown(['--store', store, '--data', join(folder, 'empty')]), shown(['--data', data]));
    assert.equal(shown(['--data', data])[1], true);
    // What works on a folder's own file has no such option, and says so.
    for (const name of ['compact', 'replay', 'keys'])
        assert.match(oi([name, '--store', store]).stderr, /there is no option --store/, name);

    const embedded = await startServer(t, { data });
    const other = await startServer(t, { args: ['--no-collect', '--store', store] });
    let fine = 0;
    for (const target of QUESTIONS) {
        const [a, b] = [await ask(embedded, target), await ask(other, target)];
        // Links name the server that was asked; oanor tells when it answered, and a number for each answer.
        const plain = (answer) =>
            answer.text
                .replaceAll(new URL(answer === a ? embedded.url : other.url).host, 'HOST')
                .replace(/"timestamp":"[^"]*","request_id":"[^"]*"/, '');
        assert.equal(b.status, a.status, `${target}: ${b.text.slice(0, 300)}`);
        assert.equal(plain(b), plain(a), target);
        fine += a.status === 200;
        if (a.status !== 200) t.diagnostic(`${a.status} ${target}: ${a.text.slice(0, 150)}`);
    }
    assert.ok(fine >= 14, `only ${fine} of ${QUESTIONS.length} questions were understood`);
});

// A batch that goes in parts side by side; the second file begins within a day of the first one.
test('large files imported into ClickHouse make the same candles', { skip: skip || skipClickhouse }, async (t) => {
    const clickhouse = await startClickhouse(t);
    const folder = await makeFolder(t);
    const store = clickhouse.address('large');
    const places = [['--data', join(folder, 'data')], ['--store', store, '--data', join(folder, 'elsewhere')]];
    const [markets, minutes] = [40, 2600];
    const paths = [0, 1].map((part) => {
        const lines = ['time,coin,oi'];
        for (let i = part * minutes; i < (part + 1) * minutes; i++)
            for (let k = 0; k < markets; k++) lines.push(`${START + i * 60000},C${k},${1000 + ((i * 7919 + k) % 997)}.${k + 10}`);
        const path = join(folder, `large${part}.csv`);
        writeFileSync(path, lines.join('\n') + '\n');
        return path;
    });

    assert.equal(oi(['clickhouse', 'init', '--store', store]).status, 0);
    for (const place of places) {
        const done = oi(['import', 'csv', '--name', 'large', '--time', 'time:ms', '--oi', 'oi', '--unit', 'coins', '--sides', '1',
            '--market', 'hyperliquid-{coin}-future', ...place, ...paths]);
        assert.equal(done.stderr.match(new RegExp(`: ${markets * minutes} stored`, 'g'))?.length, 2, done.stderr);
    }
    const verified = oi(['verify', '--store', store]);
    assert.equal(verified.status, 0, verified.stderr);
    const [a, b] = [await startServer(t, { data: places[0][1] }), await startServer(t, { args: ['--no-collect', '--store', store] })];
    for (const rest of ['C0&interval=1h', 'C19&interval=1d', 'C20&interval=1h', `C${markets - 1}&limit=6000`]) {
        const target = `/oi/v1/open-interest?market=hyperliquid:perp:${rest}&start=2025-03-06`;
        const [left, right] = [await ask(a, target), await ask(b, target)];
        const wanted = rest.includes('1h') ? 87 : rest.includes('1d') ? 4 : 2 * minutes;
        assert.equal(left.json.data.length, wanted, rest);
        assert.deepEqual(right.json.data.map((row) => ({ ...row, known_time: 0 })), left.json.data.map((row) => ({ ...row, known_time: 0 })), rest);
    }
});

test('a file imported into ClickHouse makes the same candles', { skip: skip || skipClickhouse }, async (t) => {
    const clickhouse = await startClickhouse(t);
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const store = clickhouse.address('imported');
    const target = '/oi/v1/open-interest?market=hyperliquid:perp:BTC&interval=1h&start=2025-03-06';
    const file = { name: 'BTC', market: 'hyperliquid-BTC-future', unit: 'coins', rows: rows(3), columns: { time: 'time', oi: 'oi', mark: 'mark' } };

    define(data, 'hyperliquid');
    importRows(folder, data, { ...file, more: ['--sides', '1'] });
    assert.equal(oi(['clickhouse', 'init', '--store', store]).status, 0);
    const elsewhere = join(folder, 'elsewhere');
    define(elsewhere, 'hyperliquid');
    assert.equal(oi(['copy', '--from', elsewhere, '--to', store]).status, 0);
    importRows(folder, elsewhere, { ...file, more: ['--sides', '1', '--store', store] });

    // The size is that of the readings over there.
    const [, size] = /^readings  3000 in ClickHouse, of \d+ commits\nmarkets   \d+\nsize      (\d+) bytes of its table of readings, \d+\.\d bytes a reading$/m
        .exec(oi(['info', '--store', store]).stdout);
    assert.ok(size > 3000, size);

    const [a, b] = [await startServer(t, { data }), await startServer(t, { args: ['--no-collect', '--store', store] })];
    const [left, right] = [await ask(a, target), await ask(b, target)];
    assert.equal(left.json.data.length, 50);
    assert.deepEqual(right.json.data, left.json.data);

    await ask(b, target + '&format=json');

    // It goes away: what was asked for twice is kept and answered, all else is an error and no half answer; it comes back: the same answer.
    await clickhouse.stop();
    const kept = await ask(b, target + '&convention=canonical');
    assert.deepEqual(kept.json.data, left.json.data, kept.text.slice(0, 200));
    const away = await ask(b, '/oi/v1/open-interest?market=hyperliquid:perp:BTC&start=2025-03-06&limit=40');
    assert.ok(away.status >= 500, `${away.status}: ${away.text.slice(0, 200)}`);
    await clickhouse.start();
    await new Promise((resolve) => setTimeout(resolve, 2100));
    assert.deepEqual((await ask(b, target + '&limit=39')).json.data, (await ask(a, target + '&limit=39')).json.data);
});

// Sums are made over there where all markets have a reading, and here where one lacks it: begins later, leaves out
// minutes, has more digits than fit, comes at another second. A withdrawn import is in neither.
test('a total is the same wherever readings are added up', { skip: skip || skipClickhouse }, async (t) => {
    const clickhouse = await startClickhouse(t);
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const store = clickhouse.address('sums');
    const columns = { time: 'time', oi: 'oi', mark: 'mark' };
    const file = (coin, lines, ...more) =>
        ({ name: coin, market: `hyperliquid-${coin}-future`, unit: 'coins', rows: lines, columns, more: ['--sides', '1', ...more] });
    const plain = (factor, from, to) =>
        Array.from({ length: to - from }, (_, i) => ({
            time: new Date(START + (from + i) * 60000).toISOString(),
            oi: (factor * (1000 + ((i * 7919) % 997)) + (i % 100) / 100).toFixed(2),
            mark: '5',
        }));
    const odd = plain(3, 0, 4000);
    odd[2222].oi = '12345678901234567890123.5';
    odd[3100].time = odd[3100].time.replace(':00.000Z', ':07.000Z');

    define(data, 'hyperliquid');
    importRows(folder, data, file('BTC', odd));
    importRows(folder, data, file('ETH', plain(11, 0, 4000).filter((_, i) => i < 1000 || i > 1040)));
    importRows(folder, data, file('SOL', plain(70, 330, 4000)));
    assert.equal(oi(['clickhouse', 'init', '--store', store]).status, 0);
    const copied = oi(['copy', '--from', data, '--to', store]);
    assert.match(copied.stdout, /^11629 rows copied/, copied.stdout + copied.stderr);
    const places = [['--data', data], ['--data', join(folder, 'none'), '--store', store]];
    // Into both, of a feed that is there; the batch in each.
    const bring = (lines) => places.map((place) => {
        const path = join(folder, 'ETH.csv');
        writeFileSync(path, ['time,oi,mark', ...lines.map((row) => `${row.time},${row.oi},5`)].join('\n') + '\n');
        const more = oi(['import', 'csv', path, '--market', 'hyperliquid-ETH-future', '--unit', 'coins', '--sides', '1', '--time', 'time',
            '--oi', 'oi', '--mark', 'mark', ...place]);
        return /stored.*batch(?:es)? (\d+)/s.exec(more.stderr)[1];
    });
    const withdraw = (batches) => places.forEach((place, i) => assert.equal(oi(['import', '--withdraw', batches[i], ...place]).status, 0));
    const off = (row, seconds) => ({ ...row, time: row.time.replace(':00.', `:${seconds}.`) });

    withdraw(bring(plain(9, 3000, 5000).map((row) => off(row, 30))));
    const [a, b] = [await startServer(t, { data }), await startServer(t, { args: ['--no-collect', '--store', store] })];
    const base = '/oi/v1/open-interest?exchange=hyperliquid&unit=coins';
    const questions = ['&interval=1h', '&interval=15m&start=2025-03-06T03:07:00Z&end=2025-03-08T01:22:00Z', '&interval=1d',
        '&interval=5m&limit=70', '&interval=1h&limit=7&order=desc', '&interval=1h&start=2025-03-07T00:00:00Z', '&interval=1h&fill=true']
        .map((question) => `${base}&total=true${question}`)
        .concat(['&interval=1h', '&interval=1d', '&interval=5m&limit=3000', '&limit=9000', '&limit=50']
            .map((question) => `${base}&start=2025-03-06${question}`));
    // What was answered before is kept, and no target is the same, so that the answer is made again.
    const compare = async (when) => {
        for (const question of questions) {
            const [left, right] = [await ask(a, question + when), await ask(b, question + when)];
            assert.equal(left.status, 200, left.text);
            assert.ok(left.json.data.length > 2, question);
            // Each knows its own rows since its own import.
            for (const row of [...left.json.data, ...right.json.data]) delete row.known_time;
            assert.deepEqual(right.json, left.json, question + when);
        }
    };
    // What others committed is seen a moment later.
    const moment = () => new Promise((resolve) => setTimeout(resolve, 500));
    await compare('');
    await compare('&convention=canonical');
    // Rows between those that are there, later ones, and the same instants once more.
    const late = bring([...plain(13, 1000, 1100).map((row) => off(row, 30)), ...plain(17, 3990, 4200), ...plain(19, 2000, 2100)]);
    await moment();
    await compare('&format=json');
    withdraw(late);
    await moment();
    await compare('&format=json&convention=canonical');
});

test('what is wrong with ClickHouse is said in a sentence', { skip: skip || skipClickhouse }, async (t) => {
    const clickhouse = await startClickhouse(t);
    const store = clickhouse.address('fine');
    const said = (args) => oi(args).stderr.trim();
    const run = async (statement) => {
        const { host } = new URL(store.replace('clickhouse:', 'http:'));
        const answer = await fetch(`http://${host}/`, { method: 'POST', body: statement, headers: { Authorization: `Basic ${Buffer.from('default:secret').toString('base64')}` } });
        assert.ok(answer.ok, await answer.text());
    };

    assert.equal(said(['info', '--store', store]), 'oi info: ClickHouse has no database fine: make it with `oi clickhouse init`');
    assert.equal(said(['info', '--store', store.replace('secret', 'wrong')]), 'oi info: ClickHouse refuses the user default: a wrong name or password');
    assert.match(said(['info', '--store', store.replace(/:\d+\//, ':1/')]), /^oi info: ClickHouse at 127\.0\.0\.1:1 does not answer: /);
    assert.match(said(['info', '--store', 'clickhouse://']), /^oi info: .*clickhouse:\/\/user:password@host:8123\/database/);
    assert.match(said(['info', '--store', 'data']), /a folder is named by --data/);
    assert.equal(oi(['clickhouse', 'init', '--store', store]).status, 0);
    assert.equal(oi(['clickhouse', 'check', '--store', store]).status, 0);

    // Hours in the form of an older program are not used until `init` makes them anew.
    await run('DROP TABLE fine.rollup_hour');
    await run('CREATE TABLE fine.rollup_hour (instrument UInt32, feed UInt16, start Int64, version UInt64, count UInt32, first_time Int64) '
        + 'ENGINE = ReplacingMergeTree(version) ORDER BY (instrument, feed, start)');
    const old = oi(['clickhouse', 'check', '--store', store]);
    assert.equal(old.status, 2);
    assert.match(old.stderr, /^the table fine\.rollup_hour is of an older oi: `oi clickhouse init` makes it anew\n/);
    assert.equal(oi(['info', '--store', store]).status, 0);
    assert.match(said(['import', '--withdraw', '1', '--store', store]), /of an older oi, `oi clickhouse init` makes them/);
    await run('CREATE TABLE fine.rollup_hour_local (start Int64) ENGINE = MergeTree ORDER BY start'); // as in a cluster
    assert.match(said(['clickhouse', 'init', '--store', store]), /of a cluster: name it with --cluster/);
    await run('DROP TABLE fine.rollup_hour_local');
    const anew = oi(['clickhouse', 'init', '--store', store]);
    assert.equal(anew.status, 0, anew.stderr);
    assert.equal(oi(['clickhouse', 'check', '--store', store]).status, 0);
    await run('ALTER TABLE fine.readings DROP COLUMN last_price_exponent');
    assert.equal(
        said(['info', '--store', store]),
        'oi info: the table fine.readings has no column last_price_exponent of type Int8: see `oi clickhouse check`',
    );
    await run('DROP TABLE fine.events');
    const check = oi(['clickhouse', 'check', '--store', store]);
    assert.equal(check.status, 2);
    assert.match(check.stderr, /^the table fine\.readings has no column last_price_exponent of type Int8\nthe table fine\.events is missing\n/);
});
