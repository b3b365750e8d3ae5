// SPDX-License-Identifier: Apache-2.0
// The built program for system tests: run a command, start a server on a free port with a data
// folder of its own, fill it with a file. Everything ends with the test.

import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const READY_MS = 60000;

export const binary = process.env.OI_BINARY;
// For { skip }: false, or why a test cannot run.
export const skip = binary && existsSync(binary) ? false : 'OI_BINARY is not built';

// The caller's own settings must not reach the program under test.
function environment(more) {
    const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('OI_'));
    return { ...Object.fromEntries(kept), ...more };
}

export async function makeFolder(t) {
    const folder = await mkdtemp(join(tmpdir(), 'oi-test-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    return folder;
}

// Run `oi ARGS` to its end: { status, signal, stdout, stderr }.
export function oi(args, { env = {}, cwd } = {}) {
    return spawnSync(binary, args, {
        env: environment(env),
        cwd,
        encoding: 'utf8',
        maxBuffer: 1 << 28,
    });
}

// The same while this process goes on, for programs that ask it something.
export function oiBeside(args) {
    return new Promise((resolve) =>
        execFile(binary, args, { env: environment({}), maxBuffer: 1 << 28 }, (error, stdout, stderr) =>
            resolve({ status: error ? error.code : 0, signal: error?.signal ?? null, stdout, stderr })),
    );
}

// Import one file: importFile(data, 'csv', path, ['--time', 'time', ...]). Throws when it fails.
export function importFile(data, format, path, args = []) {
    const done = oi(['import', format, ...args, '--data', data, path]);
    if (done.status !== 0) throw new Error(`import of ${path}: ${done.stderr}`);
    return done;
}

// Start `oi COMMAND` and wait for its line "oi … on URL". `data` is made if it is not given;
// null: the command has none.
export async function startServer(t, { args = ['--no-collect'], data, env = {}, command = 'serve', listen = '127.0.0.1:0', program = binary } = {}) {
    const folder = data === undefined ? await makeFolder(t) : data;
    const child = spawn(
        program,
        [command, ...(folder ? ['--data', folder] : []), '--listen', listen, ...args],
        { env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const server = { data: folder, child, stdout: '', stderr: '' };
    const ended = new Promise((resolve) =>
        child.once('exit', (code, signal) => resolve({ code, signal })),
    );

    server.stop = async (signal = 'SIGTERM') => {
        if (child.exitCode === null && child.signalCode === null) child.kill(signal);
        return ended;
    };
    t.after(() => server.stop());
    child.stderr.on('data', (bytes) => (server.stderr += bytes));
    server.url = await new Promise((resolve, reject) => {
        const fail = (why) => reject(new Error(`${why}: ${server.stdout}${server.stderr}`));
        const timer = setTimeout(() => fail('no ready line'), READY_MS);
        child.stdout.on('data', (bytes) => {
            server.stdout += bytes;
            const found = /^oi \w+ on (\S+)$/m.exec(server.stdout);
            if (!found) return;
            clearTimeout(timer);
            resolve(found[1]);
        });
        ended.then(({ code, signal }) => {
            clearTimeout(timer);
            fail(`ended with ${code ?? signal}`);
        });
    });
    return server;
}
