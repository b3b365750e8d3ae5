// SPDX-License-Identifier: Apache-2.0
// Our own API is as its OpenAPI document says: every answer fits its schema, every parameter is
// taken, none that is not there is, and the document is served and shown.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import Ajv from 'ajv/dist/2020.js';

import { ask } from '../support/ask.mjs';
import { define, importRows } from '../support/markets.mjs';
import { makeFolder, skip, startServer } from '../support/server.mjs';

const START = Date.UTC(2026, 2, 7);
const MARKET = 'binance:usdm:BTCUSDT';
const iso = (ms) => new Date(ms).toISOString();

async function start(t) {
    const folder = await makeFolder(t);
    const data = join(folder, 'data');

    define(data, 'binance');
    importRows(folder, data, {
        name: 'one', market: MARKET, unit: 'coins', columns: { time: 'time', oi: 'oi', mark: 'mark' },
        rows: Array.from({ length: 30 }, (_, i) => ({ time: iso(START + i * 60000), oi: `${100 + i}.5`, mark: '64000' })),
        more: ['--sides', '1'],
    });
    return startServer(t, { data });
}

// A value that each parameter takes.
const VALUES = {
    market: MARKET, exchange: 'binance', coin: 'BTC', quote: 'USDT', kind: 'perpetual', product: 'usdm', format: 'json',
    limit: '5', as_of: '2030-01-01', as_stored: '2030-01-01', start: iso(START), end: iso(START + 1800000), interval: '5m',
    unit: 'coins', convention: 'canonical', order: 'asc', total: 'false', fill: 'false', q: 'BTC', live: 'true', by: 'exchange', top: '5', rule: 'one', lasting: '1h',
};

test('every answer fits the document, every parameter is taken', { skip }, async (t) => {
    const server = await start(t);
    const served = await ask(server, '/oi/v1/openapi.json');
    const document = served.json;

    assert.equal(served.status, 200);
    assert.equal(served.headers['content-type'], 'application/json');
    assert.equal(document.openapi, '3.1.0');
    const ajv = new Ajv({ strict: false, allErrors: true });
    ajv.addSchema(document, 'openapi.json');
    const fits = (pointer, value, what) => {
        const check = ajv.getSchema(`openapi.json#${pointer}`);
        assert.ok(check(value), `${what}: ${ajv.errorsText(check.errors).slice(0, 500)}`);
    };
    const escape = (path) => path.replaceAll('~', '~0').replaceAll('/', '~1');

    for (const [path, { get }] of Object.entries(document.paths)) {
        if (path === '/stream') continue;
        const pointer = `/paths/${escape(path)}/get/responses/200/content/application~1json/schema`;
        const names = (get.parameters ?? [])
            .map((one) => one.name ?? document.components.parameters[one.$ref.split('/').at(-1)].name);
        const needed = ['/changes', '/overview'].includes(path) ? `market=${MARKET}&start=${iso(START)}&end=${iso(START + 600000)}`
            : names.includes('market') ? `market=${MARKET}` : '';
        const bare = await ask(server, `/oi/v1${path}?${needed}`);
        assert.equal(bare.status, 200, `${path}: ${bare.text}`);
        fits(pointer, bare.json, path);
        if (bare.json.data && !['/alerts', '/coverage/days', '/frozen', '/gaps', '/latest', '/options', '/options/expiries'].includes(path)) assert.ok(bare.json.data.length > 0, path);
        for (const name of names.filter((one) => one !== 'after')) {
            const extra = ['total', 'fill', 'order'].includes(name) ? '&interval=5m' : '';
            const rest = needed.split('&').filter((one) => one && !one.startsWith(`${name}=`)).join('&');
            const answer = await ask(server, `/oi/v1${path}?${rest}&${name}=${encodeURIComponent(VALUES[name])}${extra}`);
            assert.equal(answer.status, 200, `${path} ${name}: ${answer.text}`);
            fits(pointer, answer.json, `${path} ${name}`);
        }
        if (names.length === 0) continue;
        const odd = await ask(server, `/oi/v1${path}?${needed}&nonsense=1`);
        assert.equal(odd.status, 400);
        assert.equal(odd.json.error.code, 'unknown_parameter', path);
        fits('/components/schemas/Error', odd.json, path);
        // What another route takes and this one does not say is not taken either.
        for (const name of Object.keys(VALUES).filter((one) => !names.includes(one))) {
            const answer = await ask(server, `/oi/v1${path}?${needed}&${name}=${encodeURIComponent(VALUES[name])}`);
            assert.equal(answer.json.error?.code, 'unknown_parameter', `${path} takes ${name}`);
        }
    }
    const page = await ask(server, '/reference');
    assert.equal(page.status, 200);
    assert.match(page.text, /reference\.js/);
    assert.equal((await server.stop()).code, 0, server.stderr);
});
