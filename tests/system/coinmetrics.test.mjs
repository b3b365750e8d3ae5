// SPDX-License-Identifier: Apache-2.0
// The Coin Metrics API over sockets: the vendor's example, and what its Python client and curl send.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { ask } from '../support/ask.mjs';
import { body, requests, skipExamples } from '../support/examples.mjs';
import { define, importRows } from '../support/markets.mjs';
import { makeFolder, skip, startServer } from '../support/server.mjs';

const PATH = '/v4/timeseries/market-openinterest';
const KEYS = ['market', 'time', 'contract_count', 'value_usd', 'database_time', 'exchange_time'];
const PYTHON = {
    'User-Agent': 'Coinmetrics-Python-API-Client/2025.9.30.16',
    'Accept-Encoding': 'gzip, deflate',
    Accept: '*/*',
    Connection: 'keep-alive',
};
const MINUTES = 300;

function minute(i) {
    return new Date(Date.UTC(2026, 2, 7) + i * 60000).toISOString();
}

// Two markets with a reading a minute for five hours, the second one twice as large.
async function startFull(t, args = ['--no-collect']) {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const rows = (factor) =>
        Array.from({ length: MINUTES }, (_, i) => ({
            time: minute(i),
            oi: `${factor * (1000 + i)}.25`,
            mark: '100.5',
        }));

    define(data, 'binance', 'bybit');
    for (const [name, market, factor] of [
        ['one', 'binance-BTCUSDT-future', 1],
        ['two', 'bybit-BTCUSDT-future', 2],
    ]) {
        importRows(folder, data, {
            name, market, unit: 'coins', rows: rows(factor),
            columns: { time: 'time', oi: 'oi', mark: 'mark', 'known-time': 'time' },
        });
    }
    return startServer(t, { data, args });
}

test('the example of the reference page', { skip: skipExamples }, async (t) => {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');
    const [page, client, range] = requests('coinmetrics_market-openinterest', 'anything');
    const want = body('coinmetrics_market-openinterest').json;

    define(data, 'binance');
    importRows(folder, data, {
        name: 'example',
        market: want.data[0].market,
        unit: 'contracts',
        columns: { time: 'time', oi: 'contract_count', value: 'value_usd', 'known-time': 'database_time' },
        rows: want.data,
    });
    const server = await startServer(t, { data });
    // match: exact.
    const exact = await ask(server, range.target, { headers: range.headers });
    assert.equal(exact.status, 200, exact.text);
    assert.equal(exact.text, JSON.stringify(want));
    // match: shape. One row is asked for: the newest.
    const one = await ask(server, page.target, { headers: page.headers });
    assert.deepEqual(one.json, { data: [want.data[1]] });
    // match: shape. The client counts from the start.
    const five = await ask(server, client.target, { headers: client.headers });
    assert.deepEqual(five.json, want);
    for (const target of [page.target, range.target, client.target]) {
        const mounted = await ask(server, `/coinmetrics${target}`);
        assert.equal(mounted.status, 200);
    }
});

test('the client without a key begins its query with &', { skip }, async (t) => {
    const server = await startFull(t);
    const target = `${PATH}?&markets=bybit-BTCUSDT-future%2Cbinance-BTCUSDT-future&paging_from=start&limit_per_market=2&format=json`;
    const answer = await ask(server, target, { headers: PYTHON });

    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers['content-type'].split(';')[0], 'application/json');
    assert.notEqual(answer.headers['x-ratelimit-remaining'], '0');
    assert.deepEqual(Object.keys(answer.json), ['data']);
    assert.deepEqual(
        answer.json.data.map((row) => [row.market, row.time, row.contract_count, row.value_usd]),
        [
            ['binance-BTCUSDT-future', '2026-03-07T00:00:00.000000000Z', '1000.25', '100525.125'],
            ['binance-BTCUSDT-future', '2026-03-07T00:01:00.000000000Z', '1001.25', '100625.625'],
            ['bybit-BTCUSDT-future', '2026-03-07T00:00:00.000000000Z', '2000.25', '201025.125'],
            ['bybit-BTCUSDT-future', '2026-03-07T00:01:00.000000000Z', '2002.25', '201226.125'],
        ],
    );
    for (const row of answer.json.data) {
        assert.deepEqual(Object.keys(row), KEYS);
        assert.equal(row.exchange_time, row.time);
    }
    // curl: without paging_from the newest.
    const curl = await ask(server, `${PATH}?markets=binance-BTCUSDT-future&limit_per_market=1&api_key=x`);
    assert.equal(curl.json.data[0].time, `${minute(MINUTES - 1).slice(0, 19)}.000000000Z`);
});

test('pages by token and by address give every row once', { skip }, async (t) => {
    const server = await startFull(t);
    const query = 'api_key=key&markets=binance-%2A-future%2Cbybit-BTCUSDT-future&page_size=70';
    const whole = await ask(server, `${PATH}?${query.replace('70', '10000')}&paging_from=start`);
    const want = whole.json.data;

    assert.equal(want.length, 2 * MINUTES);
    assert.ok(!('next_page_token' in whole.json) && !('next_page_url' in whole.json));
    for (const from of ['start', 'end']) {
        const byToken = [], byAddress = [];
        let token = '', address = `${PATH}?${query}&paging_from=${from}`;
        const put = (list, rows) => (from === 'start' ? list.push(...rows) : list.unshift(...rows));

        // The Python client sends its own parameters again, and the token encoded.
        for (let pages = 0; token !== undefined && pages < 20; pages++) {
            const more = token ? `&next_page_token=${encodeURIComponent(token)}` : '';
            const page = await ask(server, `${PATH}?${query}&paging_from=${from}${more}`, { headers: PYTHON });
            assert.equal(page.status, 200, page.text);
            assert.ok(page.json.data.length > 0);
            put(byToken, page.json.data);
            token = page.json.next_page_token;
        }
        // R and curl follow the address as it is.
        for (let pages = 0; address !== undefined && pages < 20; pages++) {
            const page = await ask(server, address);
            put(byAddress, page.json.data);
            const next = page.json.next_page_url;
            if (next) assert.ok(next.startsWith(`${server.url}${PATH}?`) && next.includes('api_key=key'), next);
            address = next?.slice(server.url.length);
        }
        assert.deepEqual(byToken, want, `token, from ${from}`);
        assert.deepEqual(byAddress, want, `address, from ${from}`);
    }
});

test('a stream of lines has neither pages nor blank lines', { skip }, async (t) => {
    const server = await startFull(t);
    const answer = await ask(
        server,
        `${PATH}?&markets=binance-BTCUSDT-future%2Cbybit-BTCUSDT-future&page_size=10&paging_from=start&format=json_stream`,
        { headers: PYTHON },
    );
    const lines = answer.text.split('\n');

    assert.match(answer.headers['content-type'], /^application\/x-ndjson/);
    assert.equal(answer.headers['content-encoding'], 'gzip');
    assert.equal(lines.pop(), '');
    assert.equal(lines.length, 2 * MINUTES);
    for (const line of lines) assert.deepEqual(Object.keys(JSON.parse(line)), KEYS);
    const csv = await ask(server, `${PATH}?markets=binance-BTCUSDT-future&format=csv&page_size=10&paging_from=start`);
    assert.equal(csv.text.split('\n')[0], KEYS.join());
    assert.equal(
        csv.text.split('\n')[1],
        'binance-BTCUSDT-future,2026-03-07T00:00:00.000000000Z,1000.25,100525.125,' +
            '2026-03-07T00:00:00.000000000Z,2026-03-07T00:00:00.000000000Z',
    );
    assert.ok(csv.headers['x-next-page-url'].startsWith(server.url));
    const catalog = await ask(server, '/v4/catalog-v2/market-openinterest?&format=json_stream', { headers: PYTHON });
    assert.deepEqual(catalog.text.trim().split('\n').map((line) => JSON.parse(line)), [
        'binance-BTCUSDT-future', 'bybit-BTCUSDT-future',
    ].map((market) => ({
        market,
        min_time: '2026-03-07T00:00:00.000000000Z',
        max_time: `${minute(MINUTES - 1).slice(0, 19)}.000000000Z`,
    })));
    for (const path of ['/v4/catalog/market-openinterest', '/v4/catalog-all/market-openinterest', '/v4/catalog-all-v2/market-openinterest'])
        assert.equal((await ask(server, `${path}?&markets=bybit-BTCUSDT-future`)).json.data.length, 1, path);
});

test('granularity keeps the first row of each hour', { skip }, async (t) => {
    const server = await startFull(t);
    const answer = await ask(server, `${PATH}?markets=binance-BTCUSDT-future&granularity=1h&end_time=2026-03-07`);

    assert.deepEqual(
        answer.json.data.map((row) => [row.time.slice(11, 16), row.contract_count]),
        [['00:00', '1000.25'], ['01:00', '1060.25'], ['02:00', '1120.25'], ['03:00', '1180.25'], ['04:00', '1240.25']],
    );
});

test('refusals keep their message for the client', { skip }, async (t) => {
    const server = await startFull(t);
    const long = Array.from({ length: 1200 }, (_, i) => `binance-X${i}-future`).join();

    for (const [query, status, type, message] of [
        ['markets=binance-btc-usdt-spot', 400, 'bad_parameter', "Bad parameter 'markets'. Market 'binance-btc-usdt-spot' is not supported."],
        ['markets=nowhere-*', 400, 'bad_parameter', "Bad parameter 'markets'. Market 'nowhere-*' is not supported."],
        ['markets=binance-BTCUSDT-future&page_size=10001', 400, 'bad_parameter', "Bad parameter 'page_size'. Must be at most 10000."],
        ['markets=binance-BTCUSDT-future&start_time=yesterday', 400, 'bad_parameter', /^Bad parameter 'start_time'\. Incorrect time format 'yesterday'\. Supported formats are 'yyyy-MM-dd', /],
        [`markets=${long}`, 414, 'uri_too_long', /./],
    ]) {
        const answer = await ask(server, `${PATH}?${query}`, { headers: PYTHON });
        assert.equal(answer.status, status, query.slice(0, 80));
        assert.equal(answer.headers['content-type'], 'application/json', query.slice(0, 80));
        assert.deepEqual(Object.keys(answer.json), ['error']);
        assert.deepEqual(Object.keys(answer.json.error), ['type', 'message']);
        assert.equal(answer.json.error.type, type);
        if (message instanceof RegExp) assert.match(answer.json.error.message, message);
        else assert.equal(answer.json.error.message, message);
    }
    const unknown = await ask(server, '/v4/timeseries/nothing');
    assert.equal(unknown.status, 404);
    assert.equal(unknown.json.error.type, 'not_found');
    const post = await ask(server, `${PATH}?markets=binance-BTCUSDT-future`, { method: 'POST' });
    assert.equal(post.status, 405);
    assert.match(post.headers.allow, /GET/);
    assert.equal(post.json.error.type, 'method_not_allowed');
    const head = await ask(server, `${PATH}?markets=binance-BTCUSDT-future`, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    // What other endpoints of this API know has no effect here; what none knows is refused.
    const known = `${PATH}?markets=binance-BTCUSDT-future&frequency=1d&ignore_unsupported_errors=true&limit_per_market=1`;
    assert.equal((await ask(server, known)).json.data.length, 1);
    assert.equal((await ask(server, `${known}&nonsense=1`)).status, 400);
});

test('a key is asked for in the query', { skip }, async (t) => {
    const key = 'a-key-of-the-test';
    const server = await startFull(t, ['--no-collect', '--key', key]);
    const query = `markets=binance-BTCUSDT-future&limit_per_market=1`;

    for (const [target, type, message] of [
        [`${PATH}?&${query}`, 'unauthorized', 'Requested resource requires authorization.'],
        [`${PATH}?api_key=wrong&${query}`, 'wrong_credentials', 'Supplied credentials are not valid.'],
    ]) {
        const answer = await ask(server, target, { headers: PYTHON });
        assert.equal(answer.status, 401);
        assert.equal(answer.headers['content-type'], 'application/json');
        assert.deepEqual(answer.json, { error: { type, message } });
    }
    assert.equal((await ask(server, `${PATH}?api_key=${key}&${query}`)).json.data.length, 1);
});

const FUTURE = 'open_interest_reported_future_usd';
const PERPETUAL = 'open_interest_reported_future_perpetual_usd';
const NOTIONAL = 'open_interest_reported_option_notional_usd';

// The calls of the vendor's client as its code makes them: the key first or else "?&", the parameters in its
// order, lists joined and then encoded, a line an object for everything that it streams.
test('every call of the client', { skip }, async (t) => {
    const server = await startFull(t);
    const MARKET = 'binance-BTCUSDT-future';
    const ROWS = 'timeseries/market-openinterest';
    const METRICS = `metrics=${FUTURE}%2C${PERPETUAL}&frequency=1h`;
    // path, query, what the first row has, how many rows
    const calls = [
        [ROWS, `markets=${MARKET}&page_size=10000&paging_from=start&start_time=2026-03-07T00%3A00%3A00&end_time=2026-03-07T01%3A00%3A00&end_inclusive=false&format=json`, KEYS, 60],
        [ROWS, 'markets=%2A-future&paging_from=start&granularity=1h&timezone=UTC&format=json_stream', KEYS, 10],
        [ROWS, `markets=${MARKET}&paging_from=end&start_time=2026-03-07&end_time=2026-03-07&limit_per_market=5&format=json_stream`, KEYS, 5],
        // Split by time_increment: [a, b) windows of full times.
        [ROWS, `markets=${MARKET}&paging_from=start&start_time=2026-03-07T02%3A00%3A00&end_time=2026-03-07T03%3A00%3A00&end_inclusive=False&format=json_stream`, KEYS, 60],
        // The user's script that sends what is another endpoint's.
        [ROWS, `markets=${MARKET}&frequency=1d&page_size=3&format=json`, KEYS, 3],
        ['timeseries/asset-metrics', `assets=btc&${METRICS}&paging_from=start&format=json`, ['asset', 'time'], 6],
        ['timeseries/exchange-metrics', `exchanges=binance&${METRICS}&paging_from=start`, ['exchange', 'time'], 6],
        ['timeseries/exchange-asset-metrics', `exchange_assets=binance-btc&${METRICS}&paging_from=start&format=json_stream`, ['exchange_asset', 'time'], 6],
        ['timeseries/pair-metrics', `pairs=btc-usdt&${METRICS}&paging_from=start&format=json_stream`, ['pair', 'time'], 6],
        ['timeseries/market-metrics', `markets=${MARKET}&metrics=${FUTURE}&frequency=1m&paging_from=start&limit_per_market=2&format=json_stream`, ['market', 'time', FUTURE], 2],
        ['catalog-v2/market-openinterest', 'exchange=binance&type=future&format=json_stream', ['market', 'min_time', 'max_time'], 1],
        ['catalog-all-v2/market-openinterest', 'base=btc&quote=usdt&format=json_stream', ['market', 'min_time', 'max_time'], 2],
        ['catalog-v2/exchange-metrics', 'exchanges=bybit&format=json_stream', ['exchange', 'metrics'], 1],
        ['catalog-v2/pair-metrics', 'format=json_stream', ['pair', 'metrics'], 1],
        ['catalog/market-openinterest', '', ['market', 'min_time', 'max_time'], 2],
        ['catalog-all/market-openinterest', `markets=${MARKET}`, ['market', 'min_time', 'max_time'], 1],
        ['reference-data/markets', `markets=${MARKET}&format=json_stream`, ['market', 'exchange', 'type'], 1],
        ['reference-data/exchanges', 'exchanges=bybit&format=json_stream', ['exchange', 'full_name'], 1],
        ['reference-data/assets', 'assets=btc&format=json_stream', ['asset', 'full_name'], 1],
        ['reference-data/pairs', 'pairs=btc-usdt&format=json_stream', ['pair', 'full_name'], 1],
        ['reference-data/market-metrics', 'reviewable=true&format=json_stream', ['metric', 'full_name', 'description', 'product', 'category'], 3],
    ];

    for (const [path, query, keys, count] of calls) {
        for (const key of ['', 'api_key=a-key']) {
            const answer = await ask(server, `/v4/${path}?${key}&${query}`, { headers: PYTHON });
            const isStream = query.includes('json_stream');
            assert.equal(answer.status, 200, `${path}: ${answer.text}`);
            assert.equal(answer.headers['content-type'], isStream ? 'application/x-ndjson' : 'application/json');
            assert.notEqual(answer.headers['x-ratelimit-remaining'], '0');
            const lines = answer.text.split('\n');
            // No blank line: it would end the client.
            if (isStream) assert.equal(lines.pop(), '');
            const rows = isStream ? lines.map((line) => JSON.parse(line)) : answer.json.data;
            assert.equal(rows.length, count, `${path}?${query}`);
            assert.deepEqual(Object.keys(rows[0]).slice(0, keys.length), keys);
        }
    }
});

test('metrics are the last reading at each instant, summed over the markets of an entity', { skip }, async (t) => {
    const server = await startFull(t);
    const get = async (query) => {
        const answer = await ask(server, `/v4/timeseries/${query}`, { headers: PYTHON });
        assert.equal(answer.status, 200, answer.text);
        return answer.json.data;
    };
    // At the hour the first market holds 1000.25 + 60 h coins, the second twice 1000 + 60 h and 0.25.
    const worth = (hour) => (3000 + 180 * hour + 0.5) * 100.5;
    const hours = await get(`asset-metrics?assets=btc&metrics=${FUTURE}&frequency=1h&paging_from=start`);
    assert.deepEqual(hours, [0, 1, 2, 3, 4, 5].slice(0, hours.length).map((hour) => ({
        asset: 'btc',
        time: `2026-03-07T0${hour}:00:00.000000000Z`,
        // The last readings are of 04:59 and are carried on to 05:00.
        [FUTURE]: String(hour < 5 ? worth(hour) : (3000 + 3 * 299 + 0.5) * 100.5),
    })));
    assert.equal(hours.length, 6);
    for (const [query, key, names] of [
        ['asset-metrics?assets=*', 'asset', ['btc', 'usdt']],
        ['exchange-metrics?exchanges=bybit,binance', 'exchange', ['binance', 'bybit']],
        ['exchange-asset-metrics?exchange_assets=*-btc', 'exchange_asset', ['binance-btc', 'bybit-btc']],
        ['exchange-pair-metrics?exchange_pairs=b*-btc-usdt', 'exchange_pair', ['binance-btc-usdt', 'bybit-btc-usdt']],
        ['pair-metrics?pairs=btc-usdt', 'pair', ['btc-usdt']],
        ['market-metrics?markets=*-BTCUSDT-future', 'market', ['binance-BTCUSDT-future', 'bybit-BTCUSDT-future']],
    ]) {
        const rows = await get(`${query}&metrics=${FUTURE}`);
        assert.deepEqual(rows.map((row) => row[key]), names, query);
        for (const row of rows) {
            const factor = /^(bybit|binance)/.exec(row[key])?.[0];
            const want = factor === 'binance' ? 1000.25 * 100.5 : factor === 'bybit' ? 2000.25 * 100.5 : worth(0);
            assert.equal(row.time, '2026-03-07T00:00:00.000000000Z');
            assert.equal(Number(row[FUTURE]), want, query);
        }
    }
    // What the client's catalog_*_metrics_v2 sends: a stream of lines. Its data frame is made of metrics and frequencies.
    const lines = async (path) => {
        const { status, text } = await ask(server, `/v4/${path}`, { headers: PYTHON });
        assert.equal(status, 200, text);
        return text.trim().split('\n').map((line) => JSON.parse(line));
    };
    const [asset, second] = await lines('catalog-v2/asset-metrics?&format=json_stream&assets=btc%2Cusdt');
    assert.deepEqual([asset.asset, second.asset], ['btc', 'usdt']);
    const listed = asset.metrics.find(({ metric }) => metric === FUTURE);
    assert.deepEqual(listed.frequencies, [
        { frequency: '1d', min_time: '2026-03-07T00:00:00.000000000Z', max_time: '2026-03-07T00:00:00.000000000Z' },
        { frequency: '1h', min_time: hours[0].time, max_time: hours.at(-1).time },
    ]);
    assert.ok(!asset.metrics.some(({ metric }) => metric === NOTIONAL));
    assert.deepEqual((await lines('catalog-all-v2/exchange-asset-metrics?format=json_stream')).map((row) => row.exchange_asset),
        ['binance-btc', 'binance-usdt', 'bybit-btc', 'bybit-usdt']);
    const [market, ...none] = await lines('catalog-v2/market-metrics?exchange=bybit&type=future&format=json_stream');
    assert.deepEqual([market.market, market.metrics[0].frequencies.length, none.length], ['bybit-BTCUSDT-future', 3, 0]);
    // Pages of a catalogue from either end.
    for (const from of ['start', 'end']) {
        const names = [];
        let address = `/v4/catalog-v2/exchange-pair-metrics?page_size=1&paging_from=${from}`;
        while (address) {
            const { json } = await ask(server, address);
            names.push(json.data[0].exchange_pair);
            address = json.next_page_url?.slice(server.url.length);
        }
        assert.deepEqual(names.sort(), ['binance-btc-usdt', 'bybit-btc-usdt']);
    }
    const old = await ask(server, '/v4/catalog/markets?exchange=binance&include=openinterest');
    assert.deepEqual(old.json.data.map((row) => [row.market, row.openinterest.min_time, row.max_time]),
        [['binance-BTCUSDT-future', hours[0].time, '2026-03-07T04:59:00.000000000Z']]);
    // Pages in both orders give every row once.
    for (const sort of ['market', 'time']) {
        const query = `market-metrics?markets=*&metrics=${FUTURE}&frequency=1m&sort=${sort}`;
        const whole = await get(`${query}&page_size=10000`);
        const joined = [];
        let address = `/v4/timeseries/${query}&page_size=97`;
        while (address) {
            const page = await ask(server, address);
            joined.unshift(...page.json.data);
            address = page.json.next_page_url?.slice(server.url.length);
        }
        assert.equal(whole.length, 2 * (MINUTES + 15));
        assert.deepEqual(joined, whole, sort);
    }
    for (const [query, message] of [
        [`asset-metrics?assets=nothing&metrics=${FUTURE}`, "Bad parameter 'assets'. Value 'nothing' is not supported."],
        [`market-metrics?markets=nothing&metrics=${FUTURE}`, "Bad parameter 'markets'. Market 'nothing' is not supported."],
        [`asset-metrics?assets=btc&metrics=${NOTIONAL}`,
            `Bad parameter 'metrics'. Requested metric '${NOTIONAL}' with frequency '1d' for asset 'btc' is not supported.`],
    ]) {
        const answer = await ask(server, `/v4/timeseries/${query}`, { headers: PYTHON });
        assert.equal(answer.status, 400);
        assert.deepEqual(answer.json, { error: { type: 'bad_parameter', message } });
    }
});

test('a demo has metrics of every level and the reference data to find them by', { skip, timeout: 240000 }, async (t) => {
    const server = await startServer(t, { args: ['--demo'] });
    const get = async (path) => {
        const answer = await ask(server, path, { headers: PYTHON });
        assert.equal(answer.status, 200, `${path}: ${answer.text}`);
        return answer.json.data;
    };
    const names = async (list, key) => (await get(`/v4/reference-data/${list}?page_size=10000`)).map((row) => row[key]);
    const exchanges = await names('exchanges', 'exchange');
    const metrics = await names('asset-metrics', 'metric');

    assert.ok(exchanges.includes('binance') && exchanges.includes('okex'), exchanges.join());
    assert.ok((await names('assets', 'asset')).includes('btc'));
    assert.ok((await names('pairs', 'pair')).includes('btc-usdt'));
    assert.ok((await names('markets', 'market')).includes('binance-BTCUSDT-future'));
    assert.equal(metrics.length, 17);
    const [row] = await get(`/v4/timeseries/asset-metrics?assets=btc&metrics=${metrics}&frequency=1h&limit_per_asset=1`);
    const known = Object.keys(row).slice(2);
    assert.deepEqual(known, [...known].sort());
    assert.ok(Number(row[FUTURE]) > 0, JSON.stringify(row));
    // What an hour's figure is made of adds up, but for the digits cut from the sums.
    const byExchange = await get(`/v4/timeseries/exchange-asset-metrics?exchange_assets=*-btc&metrics=${FUTURE},${PERPETUAL}` +
        `&frequency=1h&start_time=${row.time}&end_time=${row.time}&page_size=1000`);
    const sum = byExchange.reduce((total, each) => total + Number(each[FUTURE] ?? 0), 0);
    assert.ok(Math.abs(sum / Number(row[FUTURE]) - 1) < 1e-9, `${sum} ${row[FUTURE]}`);
    for (const each of byExchange) assert.ok(Number(each[PERPETUAL] ?? 0) <= Number(each[FUTURE] ?? 0), JSON.stringify(each));
});
