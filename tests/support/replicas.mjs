// SPDX-License-Identifier: Apache-2.0
// Replicas of one ClickHouse, some of which lag: each listens on a port of its own, all pass on to
// the same server, and one that lags answers as a replica does that has not fetched the newest parts
// yet. It knows events and rows up to a point; read in sequence it refuses (289); an insert that
// wants more replicas than have it arrives where it can and is then not acknowledged (319).
//
// The server's tables are made distributed ones first, so that oi takes it for a cluster.

import { createServer, request } from 'node:http';

// Of two replicas of the rows' shard, and of three of the events'.
const REPLICAS = { readings_local: 2, events: 3 };

export async function makeCluster(clickhouse, database) {
    for (const table of ['readings', 'rollup_hour', 'rollup_day']) {
        await clickhouse.run(`RENAME TABLE ${table} TO ${table}_local`, database);
        await clickhouse.run(`CREATE TABLE ${table} AS ${table}_local ENGINE = Distributed(alone, ${database}, ${table}_local, instrument)`, database);
    }
}

const exception = (code, text) => `Code: ${code}, e.displayText() = DB::Exception: ${text}, e.what() = DB::Exception\n`;

// What a replica that has events and rows up to `lag.events` and `lag.batches` makes of a statement:
// an exception, or the statement that the server is asked in its place.
function behind(statement, lag) {
    if (lag.events !== undefined && /FROM events\b/.test(statement) && /select_sequential_consistency = 1/.test(statement))
        return { refusal: exception(289, `Replica doesn't have part 0_0_${lag.events}_0 which was successfully written to quorum of other replicas. Send query to another replica or disable 'select_sequential_consistency' setting`) };
    if (lag.events !== undefined) statement = statement.replace(/FROM events\b/g, `FROM (SELECT * FROM events WHERE sequence <= ${lag.events})`);
    if (lag.batches !== undefined) statement = statement.replace(/FROM readings\b/g, `FROM (SELECT * FROM readings WHERE batch <= ${lag.batches})`);
    return { statement };
}

// { address, nodes: [{ lag, asked }], hosts }: `lag` is {} or { events, batches }, or { refuses: [code, text] } for
// every question about readings; `asked` has each statement that the node was asked.
export async function startReplicas(t, clickhouse, database, count) {
    const nodes = [];

    const missing = (insert) => {
        const wanted = Number(insert.settings.get('insert_quorum') ?? 1);
        const lacking = nodes.filter(({ lag }) => (insert.table === 'events' ? lag.events : lag.batches) !== undefined).length;
        const replicas = insert.table === 'events' ? REPLICAS.events : REPLICAS.readings_local;
        return wanted > replicas - lacking;
    };
    const pass = (path, headers, body) =>
        new Promise((resolve, reject) => {
            const asking = request({ host: '127.0.0.1', port: clickhouse.port, path, method: 'POST', headers: { ...headers, 'content-length': body.length } }, (answer) => {
                const parts = [];
                answer.on('data', (part) => parts.push(part));
                answer.on('end', () => resolve({ status: answer.statusCode, body: Buffer.concat(parts) }));
            });
            asking.on('error', reject);
            asking.end(body);
        });
    const answer = async (node, path, headers, body) => {
        const settings = new URL(path, 'http://x').searchParams;
        const table = /^INSERT INTO (\w+)/.exec(settings.get('query') ?? '')?.[1];
        let statement = table ? '' : body.toString();

        node.asked.push(table ? `${settings.get('query')} SETTINGS ${settings}` : statement);
        if (table) {
            const done = await pass(path, headers, body);
            if (done.status === 200 && missing({ table, settings }))
                return { status: 500, body: exception(319, 'Unknown status, client must retry. Reason: Timeout while waiting for quorum') };
            return done;
        }
        const replicas = /FROM system\.replicas .* table = '(\w+)'/.exec(statement);
        if (replicas) return { status: 200, body: `${REPLICAS[replicas[1]]}\n` };
        if (node.lag.refuses && /FROM readings\b/.test(statement)) return { status: 500, body: exception(...node.lag.refuses) };
        // There is no ZooKeeper: of a turn the name is what counts.
        statement = statement.replace(/(CREATE TABLE \S*turn_\d+ \(x UInt8\)) ENGINE = .*/, '$1 ENGINE = Memory').replace('GLOBAL IN', 'IN');
        const seen = behind(statement, node.lag);
        if (seen.refusal) return { status: 500, body: seen.refusal };
        return pass(path, headers, Buffer.from(seen.statement));
    };
    for (let i = 0; i < count; i++) {
        const node = { lag: {}, asked: [] };
        const server = createServer((incoming, outgoing) => {
            const parts = [];
            incoming.on('data', (part) => parts.push(part));
            incoming.on('end', async () => {
                const headers = incoming.headers.authorization ? { authorization: incoming.headers.authorization } : {};
                try {
                    const { status, body } = await answer(node, incoming.url, headers, Buffer.concat(parts));
                    outgoing.writeHead(status, { 'content-length': Buffer.byteLength(body) });
                    outgoing.end(body);
                } catch {
                    outgoing.destroy();
                }
            });
        });
        await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
        t.after(() => {
            server.close();
            server.closeAllConnections();
        });
        node.host = `127.0.0.1:${server.address().port}`;
        nodes.push(node);
    }
    return { nodes, address: (...order) => `clickhouse://default:secret@${order.map((i) => nodes[i].host).join(',')}/${database}` };
}
