// SPDX-License-Identifier: Apache-2.0
// DuckDB in the process, through its own client for Node:
//
//     duckdb.mjs load DATABASE CSV | live DATABASE FOLDER BATCHES | ask DATABASE WORK COUNT SQL
//                run DATABASE STATEMENTS | answer DATABASE SQL | version
//
// SQL is a file with a statement a line. Results are fetched chunk by chunk and not turned into
// JavaScript values, which would measure JavaScript.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// The package is where run.py put it, not above this file.
const require = createRequire(`${process.env.BENCH_PEERS}/`);
const { DuckDBInstance, version } = require('@duckdb/node-api');

const [verb, database, ...rest] = process.argv.slice(2);
if (verb === 'version') {
    console.log(version());
    process.exit(0);
}
const instance = await DuckDBInstance.create(database, { threads: '2' });
const connection = await instance.connect();

const columns =
    'market UINTEGER, time BIGINT, exchange_time BIGINT, database_time BIGINT, ' +
    'contract_count DECIMAL(18,4), value_usd DECIMAL(18,8), mark_price DECIMAL(18,10)';
const now = () => process.hrtime.bigint();

async function ask(sql) {
    const result = await connection.stream(sql);
    let items = 0;
    for (;;) {
        const chunk = await result.fetchChunk();
        if (!chunk || chunk.rowCount === 0) return items;
        items += chunk.rowCount;
    }
}

function report(work, samples, items) {
    const ns = samples.map(Number).sort((a, b) => a - b);
    console.log(
        JSON.stringify({
            work,
            count: ns.length,
            median_ns: ns[Math.floor(ns.length / 2)],
            p99_ns: ns[Math.floor((ns.length * 99) / 100)],
            mean_ns: Math.round(ns.reduce((a, b) => a + b, 0) / ns.length),
            bytes: 0,
            items: Math.floor(items / ns.length),
        }),
    );
}

async function timed(work, count, statement) {
    const samples = [];
    let items = 0;
    for (let i = 0; i < count; i++) {
        const from = now();
        items += await statement(i);
        samples.push(now() - from);
    }
    report(work, samples, items);
}

if (verb === 'load') {
    await connection.run(`CREATE OR REPLACE TABLE oi(${columns})`);
    await timed('load', 1, async () => {
        await connection.run(`COPY oi FROM '${rest[0]}' (HEADER)`);
        await connection.run('CHECKPOINT');
        return 0;
    });
} else if (verb === 'live') {
    await connection.run(`CREATE OR REPLACE TABLE live(${columns})`);
    await timed('live', Number(rest[1]), async (i) => {
        await connection.run(`COPY live FROM '${rest[0]}/${i}.csv' (HEADER)`);
        return 0;
    });
    await connection.run('DROP TABLE live');
} else if (verb === 'answer') {
    const reader = await connection.runAndReadAll(readFileSync(rest[0], 'utf8'));
    for (const row of reader.getRows()) console.log(row.map((value) => value ?? '').join('|'));
} else if (verb === 'run') {
    await connection.run(rest[0]);
} else {
    const statements = readFileSync(rest[2], 'utf8').trim().split('\n');
    const count = Number(rest[1]);
    if (count > 1) await ask(statements[0]);
    await timed(rest[0], count, (i) => ask(statements[i % statements.length]));
}
