// SPDX-License-Identifier: Apache-2.0
// The built program as a demo server: simulated exchanges, a data folder of its own, a free port.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const READY_MS = 60000;

// These tests look at the page. The release build makes the demo's past much sooner than the
// sanitized one, which the tests of the server itself start.
const released = new URL('../../build-release/oi', import.meta.url).pathname;
const usual = existsSync(released) ? released : process.env.OI_BINARY;

export async function startDemo(binary = usual) {
    const folder = await mkdtemp(join(tmpdir(), 'oi-demo-'));
    const child = spawn(binary, ['serve', '--demo', '--data', folder, '--listen', '127.0.0.1:0'], {
        stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const url = await new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no ready line: ${said}`)), READY_MS);
        const hear = (bytes) => {
            said += bytes;
            const found = /oi listens on (\S+)/.exec(said);
            if (found) {
                clearTimeout(timer);
                resolve(found[1].replace(/\/$/, ''));
            }
        };
        child.stdout.on('data', hear);
        child.stderr.on('data', hear);
        child.on('exit', (code) => reject(new Error(`ended with ${code}: ${said}`)));
    });
    return {
        url,
        close: async () => {
            const ended = new Promise((resolve) => child.once('exit', resolve));
            child.kill('SIGTERM');
            await ended;
            await rm(folder, { recursive: true, force: true });
        },
    };
}

// A function that starts one, or null where the program is not there or cannot serve yet.
startDemo.prepare = async (binary = usual) => {
    const help = binary ? spawnSync(binary, ['serve', '--help'], { encoding: 'utf8' }).stdout : '';
    if (!help?.includes('--demo')) return null;
    return () => startDemo(binary);
};
