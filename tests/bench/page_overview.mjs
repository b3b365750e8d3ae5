// SPDX-License-Identifier: Apache-2.0
// How long the overview of 12,000 markets takes: a week of five readings an hour and the last hour's
// minutes of each are imported, then the page is opened in a fresh browser, and what the server and
// the page were busy for is counted. The processor's time is what holds on a busy machine.
//   OI_BINARY=build/oi node tests/bench/page_overview.mjs

import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openBrowser } from '../support/browser.mjs';
import { importFile, oi, startServer } from '../support/server.mjs';

const COINS = 600;
const EACH = 4000; // markets of each exchange
const LOADS = 7;
const MINUTE = 60000;
const fixtures = new URL('../fixtures/', import.meta.url);
const read = (path) => JSON.parse(readFileSync(new URL(path, fixtures), 'utf8'));

const ends = [];
const t = { after: (end) => ends.unshift(end) };
const folder = await mkdtemp(join(tmpdir(), 'oi-overview-'));
ends.push(() => rm(folder, { recursive: true, force: true }));

// Definitions as the exchanges send them, of many more markets than they have. Symbols of one coin
// differ by their quotes, in the order of their letters.
const coin = (at) => `C${String(at % COINS).padStart(3, '0')}`;
const quote = (at) => ['USDT', 'USDC', 'USD', 'FDUSD', 'DAI', 'USDE', 'TUSD'][Math.floor(at / COINS)];
const numbers = Array.from({ length: EACH }, (_, at) => at);

function definitions() {
    const binance = read('exchanges/binance/http_get_exchange_info.json');
    const bybit = read('system/bybit_linear.json');
    const okx = read('exchanges/okx/http_get_instruments_swap.json');
    const [b, y, o] = [binance.symbols[0], bybit.result.list[0], okx.data[0]];

    binance.symbols = numbers.map((at) => ({
        ...b, symbol: coin(at) + quote(at), pair: coin(at) + quote(at), baseAsset: coin(at), quoteAsset: quote(at), marginAsset: quote(at),
    }));
    bybit.result.list = numbers.map((at) => ({
        ...y, symbol: coin(at) + quote(at), baseCoin: coin(at), quoteCoin: quote(at), settleCoin: quote(at),
    }));
    okx.data = numbers.map((at) => ({
        ...o, instFamily: `${coin(at)}-${quote(at)}`, instId: `${coin(at)}-${quote(at)}-SWAP`, uly: `${coin(at)}-${quote(at)}`,
        ctValCcy: coin(at), settleCcy: quote(at),
    }));
    return [
        ['binance', 'usdm', binance, (at) => `binance:usdm:${coin(at)}${quote(at)}`],
        ['bybit', 'linear', bybit, (at) => `bybit:linear:${coin(at)}${quote(at)}`],
        ['okx', 'swap', okx, (at) => `okx:swap:${coin(at)}-${quote(at)}-SWAP`],
    ];
}

async function writeRows(path, name, end) {
    const out = createWriteStream(path);
    const past = Array.from({ length: 840 }, (_, at) => end - (840 - at) * 12 * MINUTE);
    const minutes = Array.from({ length: 60 }, (_, at) => end - (59 - at) * MINUTE);
    const times = [...past, ...minutes.filter((time) => time > past.at(-1))].map((time) => new Date(time).toISOString());
    let seed = 7;
    const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;

    out.write('market,time,oi,value,mark\n');
    for (const at of numbers) {
        let amount = 1e6 / (1 + (at % COINS)) + 100;
        const price = 10 + random() * 1000;
        const lines = times.map((time) => {
            amount *= 1 + (random() - 0.5) * 0.02;
            return `${name(at)},${time},${amount.toFixed(3)},${(amount * price).toFixed(4)},${price.toFixed(4)}`;
        });
        if (!out.write(lines.join('\n') + '\n')) await new Promise((resume) => out.once('drain', resume));
    }
    await new Promise((done) => out.end(done));
}

// Seconds of the processor that a process has had.
function busySeconds(pid) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

try {
    const data = join(folder, 'data');
    const end = Math.floor(Date.now() / MINUTE) * MINUTE;
    for (const [exchange, product, list, name] of definitions()) {
        const path = join(folder, `${exchange}.json`),
            rows = join(folder, `${exchange}.csv`);
        writeFileSync(path, JSON.stringify(list));
        const done = oi(['define', exchange, '--product', product, path, '--data', data]);
        if (done.status !== 0) throw new Error(done.stderr);
        await writeRows(rows, name, end);
        importFile(data, 'csv', rows, ['--market', '{market}', '--unit', 'coins', '--sides', '1', '--time', 'time', '--oi', 'oi', '--value', 'value', '--mark', 'mark', '--every', '15m']);
        await rm(rows);
    }
    const server = await startServer(t, { data });
    const status = await (await fetch(`${server.url}/oi/v1/status`)).json();
    const browser = await openBrowser();
    ends.unshift(() => browser.close());
    const taken = [];
    for (let load = 0; load < LOADS; load++) {
        const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
        const page = await context.newPage();
        const session = await context.newCDPSession(page);
        await session.send('Performance.enable', { timeDomain: 'threadTicks' });
        const busy = busySeconds(server.child.pid);
        const began = performance.now();
        await page.goto(server.url);
        await page.waitForFunction(() => document.querySelector('#groups tr'));
        const figures = performance.now() - began;
        await page.waitForFunction(() => document.querySelector('#areas-legend tr'));
        const whole = performance.now() - began;
        const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0);
        const { metrics } = await session.send('Performance.getMetrics');
        taken.push({
            paint, figures, whole,
            server: (busySeconds(server.child.pid) - busy) * 1000,
            page: metrics.find(({ name }) => name === 'TaskDuration').value * 1000,
        });
        await context.close();
        await new Promise((resume) => setTimeout(resume, 1100)); // no answer is kept longer
    }
    console.log(`${status.markets} markets, ${status.rows} rows; medians of ${LOADS} loads\n`);
    console.log('| first paint | figures and treemap | areas too | processor: server | processor: page |');
    console.log('|---|---|---|---|---|');
    console.log(`| ${['paint', 'figures', 'whole', 'server', 'page'].map((name) => `${median(taken.map((one) => one[name])).toFixed(0)} ms`).join(' | ')} |`);
} finally {
    for (const end of ends) await end();
}
