// SPDX-License-Identifier: Apache-2.0
// The program in a pseudo-terminal (terminal.py): what it writes, keys, sizes, signals, its end.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { binary } from './server.mjs';

const helper = fileURLToPath(new URL('terminal.py', import.meta.url));
const PATIENCE_MS = 20000;

// What a person would read: without escape sequences.
// eslint-disable-next-line no-control-regex
export const plain = (text) => text.replace(/\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>78])/g, '');

export function inTerminal(t, args, { lines = 20, columns = 130, env = {}, stdin } = {}) {
    const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('OI_') && name !== 'NO_COLOR');
    const child = spawn('python3', [helper, String(lines), String(columns), binary, ...args], {
        env: { ...Object.fromEntries(kept), TERM: 'xterm-256color', LC_ALL: 'C.UTF-8', ...env },
        stdio: ['pipe', 'pipe', 'inherit'],
    });
    const terminal = { out: '', exit: undefined, restored: undefined };
    let wake = () => {};

    createInterface({ input: child.stdout }).on('line', (line) => {
        const said = JSON.parse(line);
        terminal.out += said.out ?? '';
        if ('exit' in said) Object.assign(terminal, said);
        wake();
    });
    t.after(() => child.kill());
    child.stdin.on('error', () => {});
    const order = (words) => child.stdin.write(`${JSON.stringify(words)}\n`);
    const until = async (is, what) => {
        const end = Date.now() + PATIENCE_MS;
        while (!is()) {
            if (Date.now() > end) throw new Error(`${what} did not come: ${JSON.stringify(terminal.out.slice(-2000))}`);
            await new Promise((resolve) => {
                const timer = setTimeout(resolve, 200);
                wake = () => {
                    clearTimeout(timer);
                    resolve();
                };
            });
        }
        return terminal;
    };

    // Wait for what is written from now on, or from `from`.
    terminal.sees = (pattern, from = 0) => until(() => pattern.test(plain(terminal.out.slice(from))), pattern);
    terminal.ends = () => until(() => terminal.exit !== undefined, 'the end');
    terminal.press = (text) => order({ send: text });
    terminal.resize = (l, c) => order({ resize: [l, c] });
    terminal.signal = (signal) => order({ signal });
    if (stdin !== undefined) terminal.press(stdin);
    return terminal;
}
