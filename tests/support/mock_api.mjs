// SPDX-License-Identifier: Apache-2.0
// The native API's shapes over made-up, repeatable figures, with the page in front: for working on
// the page, and for testing what a healthy server does not do (hostile names, answers that fail).
//   node tests/support/mock_api.mjs [PORT]

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import * as facts from './mock_facts.mjs';

const web = new URL('../../web/', import.meta.url);
const require = createRequire(new URL('../system/package.json', import.meta.url));
const { WebSocketServer } = require('ws');

const MINUTE = 60000;
const SECONDS = { m: 60, h: 3600, d: 86400 };
const TYPES = {
    js: 'text/javascript; charset=utf-8',
    css: 'text/css; charset=utf-8',
    html: 'text/html; charset=utf-8',
    svg: 'image/svg+xml',
};
const LIBRARIES = { 'uplot.js': 'uPlot.iife.min.js', 'uplot.css': 'uPlot.min.css' };
export const HOSTILE = 'binance:usdm:<img src=x onerror=alert(1)>';

const COINS = [
    ['BTC', 91234.5, 92000],
    ['ETH', 3021.18, 1900000],
    ['SOL', 141.27, 9100000],
    ['XRP', 2.2114, 410000000],
    ['BNB', 884.1, 620000],
    ['DOGE', 0.15342, 2900000000],
    ['HYPE', 34.9, 21000000],
    ['SUI', 1.553, 210000000],
    ['1000PEPE', 0.0046371, 61000000000],
    ['LINK', 13.02, 14100000],
    ['ADA', 0.4312, 420000000],
    ['AVAX', 14.61, 11800000],
];
const VENUES = [
    ['binance', 'usdm', (coin) => `${coin}USDT`, 1],
    ['bybit', 'linear', (coin) => `${coin}USDT`, 0.61],
    ['okx', 'swap', (coin) => `${coin}-USDT-SWAP`, 0.42],
    ['hyperliquid', 'perp', (coin) => coin, 0.35],
    ['deribit', 'perpetual', (coin) => `${coin}_USDC-PERPETUAL`, 0.04],
    ['bybit', 'inverse', (coin) => `${coin}USD`, 0.11],
];

const EXCHANGES = ['binance', 'bybit', 'okx', 'hyperliquid', 'deribit'];

function makeMarkets() {
    const markets = [];
    VENUES.forEach(([exchange, product, name, share], venue) =>
        COINS.forEach(([coin, price, amount], at) => {
            markets.push({
                market: `${exchange}:${product}:${name(coin)}`,
                exchange,
                product,
                symbol: name(coin),
                coin: coin.replace('1000', ''),
                factor: coin.startsWith('1000') ? 1000 : 1,
                price,
                amount: amount * share,
                kind: 'PERPETUAL',
                seed: venue * 31 + at * 7 + 1,
            });
        }),
    );
    markets.push({
        market: 'deribit:future:BTC-25DEC26',
        exchange: 'deribit',
        product: 'future',
        symbol: 'BTC-25DEC26',
        coin: 'BTC',
        factor: 1,
        price: 92310,
        amount: 2100,
        kind: 'FUTURE',
        seed: 5,
    });
    markets.push({
        market: HOSTILE,
        exchange: 'binance',
        product: 'usdm',
        symbol: HOSTILE.slice(13),
        coin: '<b>X</b>',
        factor: 1,
        price: 1,
        amount: 1000,
        kind: 'PERPETUAL',
        seed: 9,
    });
    return markets;
}

const wave = (seed, ms) =>
    Math.sin(ms / 8.1e7 + seed) * 0.04 +
    Math.sin(ms / 9.3e6 + seed * 2) * 0.012 +
    Math.sin(ms / 1.7e6 + seed * 3) * 0.004 +
    Math.sin((ms / 2.9e5) * (1 + (seed % 5) / 9)) * 0.0015 +
    Math.sin(ms * ((seed % 7) + 1)) * 0.0004;
const iso = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z');

function reading(market, ms, unit) {
    const coins = market.amount * (1 + wave(market.seed, ms));
    const price = market.price * (1 + wave(market.seed + 50.7, ms * 0.71) * 0.8);
    const digits = market.price > 100 ? 1 : market.price > 1 ? 4 : 7;
    const usd = (coins * price).toFixed(4);
    return {
        ms,
        price: price.toFixed(digits),
        usd,
        amount: unit === 'usd' ? usd : (coins * (unit === 'contracts' ? 1000 : 1)).toFixed(3),
    };
}

export async function startMock({
    port = 0,
    liveMs = 3000,
    now = () => Date.now(),
    isDemo = true,
} = {}) {
    const markets = makeMarkets(),
        extra = new Map(),
        failures = new Map();
    const begin = now() - 400 * 86400000;
    const lastOf = (market) => extra.get(market.market) ?? Math.floor(now() / MINUTE) * MINUTE;

    function latest(market, unit) {
        const last = lastOf(market),
            at = reading(market, last, unit);
        const percent = (ms) => {
            const before = Number(reading(market, last - ms, unit).amount);
            return (((Number(at.amount) - before) / before) * 100).toFixed(2);
        };
        return {
            market: market.market,
            exchange: market.exchange,
            coin: market.coin,
            kind: market.kind,
            feed: 'poll',
            unit,
            sides: 1,
            time: iso(last),
            open_interest: at.amount,
            value_usd: at.usd,
            price: at.price,
            change_percent_1h: percent(3600e3),
            change_percent_24h: percent(864e5),
            change_percent_7d: market.kind === 'FUTURE' ? null : percent(6048e5),
        };
    }

    function candles(market, unit, interval, start, end) {
        const size = Number.parseInt(interval, 10) * SECONDS[interval.at(-1)] * 1000,
            found = [];
        const last = lastOf(market);
        for (let at = Math.floor(Math.max(start, begin) / size) * size; at <= last && at < end; at += size) {
            const step = Math.max(MINUTE, size / 60),
                readings = [];
            for (let ms = at; ms < at + size && ms <= last; ms += step)
                readings.push(reading(market, ms, unit));
            if (last >= at && last < at + size) readings.push(reading(market, last, unit));
            const sorted = [...readings].sort((a, b) => Number(a.amount) - Number(b.amount));
            found.push({
                market: market.market,
                feed: 'poll',
                unit,
                sides: 1,
                start: iso(at),
                open: readings[0].amount,
                high: sorted.at(-1).amount,
                low: sorted[0].amount,
                close: readings.at(-1).amount,
                price_open: readings[0].price,
                price_close: readings.at(-1).price,
                count: readings.length,
            });
        }
        return found;
    }

    // A sum as the server has it: texts, exact to the digits that the parts have.
    const usdOf = (members, ms) =>
        members.reduce((sum, item) => sum + Number(reading(item, ms, 'usd').usd), 0).toFixed(4);
    const GROUPS = {
        total: () => null,
        exchange: (item) => item.exchange,
        coin: (item) => item.coin,
        kind: (item) => item.kind.toLowerCase(),
        settlement: (item) => (item.product === 'inverse' ? 'inverse' : 'linear'),
    };

    function overview(query) {
        const named = query.getAll('by'),
            top = Number(query.get('top') ?? 100);
        const present = now();
        let times = [0, 3600e3, 864e5, 6048e5].map((ms) => present - ms);
        if (query.has('interval')) {
            const step = Number.parseInt(query.get('interval'), 10) * 3600e3;
            times = [];
            for (let at = Date.parse(query.get('start')); at < present; at += step) times.push(at);
            times.push(present);
        }
        const found = [];
        const add = (by, name, members) => {
            const last = Number(usdOf(members, present));
            for (const time of times) {
                const usd = usdOf(members, time);
                found.push({
                    by,
                    name,
                    time: iso(time),
                    value_usd: usd,
                    change_usd: (last - Number(usd)).toFixed(4),
                    change_percent: (((last - Number(usd)) / Number(usd)) * 100).toFixed(2),
                    markets: members.length,
                    stale: 0,
                    unpriced: 0,
                    oldest: iso(time - MINUTE),
                });
            }
        };
        for (const [by, group] of Object.entries(GROUPS)) {
            if (named.length > 0 && !named.includes(by)) continue;
            const groups = Map.groupBy
                ? Map.groupBy(markets, group)
                : markets.reduce(
                      (map, item) => map.set(group(item), [...(map.get(group(item)) ?? []), item]),
                      new Map(),
                  );
            const ranked = [...groups].sort(
                ([, a], [, b]) => Number(usdOf(b, present)) - Number(usdOf(a, present)),
            );
            for (const [name, members] of ranked.slice(0, top)) add(by, name, members);
            if (ranked.length > top)
                add(by, 'other', ranked.slice(top).flatMap(([, members]) => members));
        }
        if (named.length === 0)
            for (const item of markets.slice(0, top)) add('market', item.market, [item]);
        return found;
    }

    // The candles of all markets chosen, added up.
    function total(query, unit) {
        const fits = (name, value) => !query.has(name) || query.getAll(name).includes(value);
        const chosen = markets.filter(
            (item) =>
                fits('market', item.market) &&
                fits('exchange', item.exchange) &&
                fits('coin', item.coin) &&
                fits('kind', item.kind.toLowerCase()),
        );
        const start = Date.parse(query.get('start') ?? iso(now() - 6048e5));
        const end = query.has('end') ? Date.parse(query.get('end')) : Infinity;
        const parts = chosen.map((item) => candles(item, unit, query.get('interval'), start, end));
        const data = (parts[0] ?? []).map((first, at) => {
            const sum = (name) =>
                parts.reduce((whole, part) => whole + Number(part[at]?.[name] ?? 0), 0).toFixed(3);
            return {
                ...first,
                market: 'total',
                open: sum('open'),
                high: sum('high'),
                low: sum('low'),
                close: sum('close'),
                price_open: null,
                price_close: null,
            };
        });
        const members = chosen.map((item) => ({ market: item.market, last: iso(lastOf(item)) }));
        return {
            data: data.slice(-Number(query.get('limit') ?? 1000)),
            next: null,
            totals: [{ market: 'total', members }],
            left_out_rows: 0,
        };
    }

    function rows(market, unit, limit) {
        const found = [],
            last = lastOf(market);
        for (let ms = Math.floor(last / MINUTE) * MINUTE; found.length < limit; ms -= MINUTE)
            found.unshift(ms);
        if (last % MINUTE !== 0) found.push(last);
        return found.slice(-limit).map((ms) => {
            const at = reading(market, ms, unit);
            return {
                market: market.market,
                feed: 'poll',
                unit,
                sides: 1,
                time: iso(ms),
                open_interest: at.amount,
                value_usd: at.usd,
                mark_price: at.price,
                exchange_time: null,
                known_time: iso(ms + 800),
                flags: 0,
            };
        });
    }

    function answer(path, query) {
        const market = markets.find((item) => item.market === query.get('market'));
        const unit = query.get('unit') ?? 'coins',
            limit = Number(query.get('limit') ?? 1000);
        if (query.has('market') && !market)
            return [
                404,
                {
                    error: {
                        code: 'unknown_market',
                        message: 'No such market.',
                        parameter: 'market',
                        value: query.get('market'),
                    },
                },
            ];
        const table = (data) => [200, { data, next: null, totals: [], left_out_rows: 0 }];
        switch (path) {
            case '/oi/v1/status':
                return [
                    200,
                    {
                        version: '0.1.0',
                        demo: isDemo,
                        now: new Date(now()).toISOString(),
                        markets: markets.length,
                        rows: 18203113,
                        file_bytes: 214958080,
                        used_bytes: 201058080,
                        chunks: 4410,
                        rows_in_chunks: 18000000,
                        writing_paused: false,
                    },
                ];
            case '/oi/v1/overview':
                return table(overview(query));
            case '/oi/v1/latest':
                return table(
                    (market ? [market] : markets)
                        .map((item) => latest(item, unit))
                        .sort((a, b) => Number(b.value_usd) - Number(a.value_usd))
                        .slice(0, limit),
                );
            case '/oi/v1/markets':
                return table(
                    (market ? [market] : markets).map((item) => ({
                        market: item.market,
                        exchange: item.exchange,
                        product: item.product,
                        symbol: item.symbol,
                        kind: item.kind,
                        settlement: item.product === 'inverse' ? 'INVERSE' : 'LINEAR',
                        coin: item.coin,
                        quote: 'USDT',
                        margin: 'USDT',
                        coin_factor: item.factor,
                        contract_size: '0.001',
                        expiry: null,
                        is_delisted: false,
                        is_provisional: false,
                        first: iso(begin),
                        last: iso(lastOf(item)),
                        rows: 1,
                    })),
                );
            case '/oi/v1/open-interest':
                if (query.get('total') === 'true') return [200, total(query, unit)];
                return table(
                    query.has('interval')
                        ? candles(
                              market,
                              unit,
                              query.get('interval'),
                              Date.parse(query.get('start')),
                              query.has('end') ? Date.parse(query.get('end')) : Infinity,
                          )
                        : rows(market, unit, limit),
                );
            case '/oi/v1/gaps':
                return table(
                    facts.gaps(market?.market, now(), Date.parse(query.get('start')), Date.parse(query.get('end'))),
                );
            case '/oi/v1/revisions':
                return table(facts.revisions(rows(market, unit, 120)));
            case '/oi/v1/options':
            case '/oi/v1/options/expiries': {
                const coins = query.has('coin') ? [query.get('coin')] : ['BTC', 'ETH'];
                const chain = coins
                    .filter((coin) => ['BTC', 'ETH'].includes(coin))
                    .flatMap((coin) =>
                        (query.has('exchange') ? [query.get('exchange')] : ['bybit', 'deribit', 'okx'])
                            .map((exchange) => facts.chain(coin, exchange, coin === 'BTC' ? 91000 : 3021, now())),
                    );
                return table(path.endsWith('expiries') ? chain.flatMap(facts.expiries) : chain.flat());
            }
            case '/oi/v1/coverage/days':
                return table(
                    facts.days(
                        query.has('exchange') ? [query.get('exchange')] : EXCHANGES,
                        Date.parse(query.get('start') ?? iso(now() - 31 * 86400000)),
                        now(),
                    ),
                );
        }
        return [404, { error: { code: 'not_found', message: 'No such endpoint.' } }];
    }

    async function asset(path) {
        const name = path === '/' ? 'index.html' : path.replace('/assets/', '');
        const file = LIBRARIES[name] ? `node_modules/uplot/dist/${LIBRARIES[name]}` : name;
        return [await readFile(new URL(file, web)), TYPES[name.split('.').pop()]];
    }

    const server = createServer(async (request, reply) => {
        const url = new URL(request.url, 'http://mock');
        try {
            if (url.pathname.startsWith('/oi/')) {
                const [status, body] =
                    failures.get(url.pathname) ?? answer(url.pathname, url.searchParams);
                reply.writeHead(status, { 'Content-Type': 'application/json' });
                reply.end(JSON.stringify(body));
                return;
            }
            if (url.pathname === '/metrics') {
                reply.writeHead(failures.has('/metrics') ? failures.get('/metrics')[0] : 200);
                reply.end(facts.metrics(EXCHANGES, now()));
                return;
            }
            const [body, type] = await asset(url.pathname);
            reply.writeHead(200, {
                'Content-Type': type,
                'Content-Security-Policy': "default-src 'self'",
            });
            reply.end(body);
        } catch {
            reply.writeHead(404).end();
        }
    });
    const sockets = new WebSocketServer({ server, path: '/oi/v1/stream' });
    sockets.on('connection', (socket, request) => {
        socket.market = markets.find(
            (item) =>
                item.market === new URL(request.url, 'http://mock').searchParams.get('market'),
        );
    });
    function push() {
        for (const socket of sockets.clients) {
            if (!socket.market) continue;
            extra.set(socket.market.market, Math.floor(now() / 1000) * 1000);
            const at = reading(socket.market, lastOf(socket.market), 'contracts');
            socket.send(
                JSON.stringify({
                    market: socket.market.market,
                    time: iso(at.ms),
                    open_interest: at.amount,
                    value_usd: at.usd,
                    mark_price: at.price,
                    feed: 'poll',
                }),
            );
        }
    }
    const timer = setInterval(push, liveMs);
    await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
    return {
        url: `http://127.0.0.1:${server.address().port}`,
        fail: (path, status, message) =>
            failures.set(path, [status, { error: { code: 'test', message } }]),
        heal: () => failures.clear(),
        hangUp: () => sockets.clients.forEach((socket) => socket.terminate()),
        close: () => {
            clearInterval(timer);
            sockets.clients.forEach((socket) => socket.terminate());
            server.closeAllConnections();
            return new Promise((resolve) => server.close(resolve));
        },
    };
}

if (process.argv[1] === fileURLToPath(import.meta.url))
    console.log((await startMock({ port: Number(process.argv[2] ?? 8080) })).url);
