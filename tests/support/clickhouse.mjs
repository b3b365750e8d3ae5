// SPDX-License-Identifier: Apache-2.0
// A clickhouse-server for system tests: on free ports of the loopback, with a folder of its own,
// ended with the test.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { makeFolder } from './server.mjs';

// For { skip }: false, or why a test cannot run.
export const skipClickhouse =
    spawnSync('sh', ['-c', 'command -v clickhouse-server']).status === 0 ? false : 'clickhouse-server is not installed';

function freePort() {
    return new Promise((resolve) => {
        const server = createServer();
        server.listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

const config = (folder, http, tcp) => `<?xml version="1.0"?><yandex>
<logger><level>warning</level><log>${folder}/server.log</log><errorlog>${folder}/error.log</errorlog></logger>
<http_port>${http}</http_port><tcp_port>${tcp}</tcp_port><listen_host>127.0.0.1</listen_host>
<keep_alive_timeout>600</keep_alive_timeout><mark_cache_size>67108864</mark_cache_size>
<path>${folder}/data/</path><tmp_path>${folder}/scratch/</tmp_path>
<user_files_path>${folder}/files/</user_files_path><format_schema_path>${folder}/schemas/</format_schema_path>
<users_config>${folder}/users.xml</users_config><default_profile>default</default_profile>
<default_database>default</default_database><timezone>UTC</timezone><mlock_executable>false</mlock_executable>
<remote_servers><alone><shard><replica><host>127.0.0.1</host><port>${tcp}</port><user>default</user><password>secret</password>
</replica></shard></alone></remote_servers>
</yandex>`;
const users = `<?xml version="1.0"?><yandex><profiles><default><max_threads>2</max_threads><log_queries>0</log_queries></default>
<small><max_threads>2</max_threads><log_queries>0</log_queries><max_memory_usage>1500000</max_memory_usage></small></profiles>
<users><default><password>secret</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>
<small><password>secret</password><networks><ip>127.0.0.1</ip></networks><profile>small</profile><quota>default</quota></small></users>
<quotas><default></default></quotas></yandex>`;

// { address(database, user), folder, stop(), start() }; the user "small" may use little memory.
// `prepare` is called with the folder of the data before the server starts.
export async function startClickhouse(t, { prepare } = {}) {
    const folder = await makeFolder(t);
    const [http, tcp] = [await freePort(), await freePort()];
    const server = { folder, port: http, address: (database, user = 'default') => `clickhouse://${user}:secret@127.0.0.1:${http}/${database}` };

    for (const name of ['data', 'scratch', 'files', 'schemas']) mkdirSync(join(folder, name));
    prepare?.(join(folder, 'data'));
    writeFileSync(join(folder, 'config.xml'), config(folder, http, tcp));
    writeFileSync(join(folder, 'users.xml'), users);
    server.start = async () => {
        server.child = spawn('clickhouse-server', [`--config-file=${folder}/config.xml`], { stdio: 'ignore' });
        for (let i = 0; i < 300; i++) {
            try {
                if ((await fetch(`http://127.0.0.1:${http}/ping`)).ok) return;
            } catch {
                await new Promise((resolve) => setTimeout(resolve, 50));
            }
        }
        throw new Error('clickhouse-server does not start');
    };
    server.stop = (signal = 'SIGKILL') =>
        new Promise((resolve) => {
            if (server.child.exitCode !== null || server.child.signalCode !== null) return resolve();
            server.child.once('exit', resolve);
            server.child.kill(signal);
        });
    // One statement, as text.
    server.run = async (statement, database) => {
        const answer = await fetch(`http://127.0.0.1:${http}/?user=default&password=secret&database=${database}`, { method: 'POST', body: statement });
        const text = await answer.text();
        if (!answer.ok) throw new Error(`${statement}: ${text}`);
        return text.trim();
    };
    await server.start();
    t.after(() => server.stop());
    return server;
}
