// SPDX-License-Identifier: Apache-2.0
// The fenced blocks of Markdown pages, and what a page says that is compared with what came.

import { readFileSync } from 'node:fs';

// What a block's first word may be: run and compared, run, read as settings, asked as a query, or
// only shown. A block that could be run but is not says so: ```sh untested: why.
export const KINDS = {
    run: ['console', 'sh', 'conf', 'promql', 'json'],
    shown: ['text', 'c', 'xml', 'yaml'],
    excusable: ['console', 'sh', 'python', 'js', 'sql', 'conf'],
};

export function blocksOf(path) {
    const blocks = [];
    let open = null;
    readFileSync(path, 'utf8').split('\n').forEach((line, at) => {
        if (open && /^```\s*$/.test(line)) {
            blocks.push(open);
            open = null;
        } else if (open) {
            open.lines.push(line);
        } else if (line.startsWith('```')) {
            const [, kind, rest] = /^```(\S*)\s*(.*)$/.exec(line);
            const excuse = /^untested: (\S.*)$/.exec(rest)?.[1] ?? null;
            open = { path, line: at + 1, kind, excuse, isLike: rest === 'like', isOdd: rest !== '' && rest !== 'like' && !excuse, lines: [] };
        }
    });
    return blocks;
}

// A console block as pairs of a command and what it prints.
export function stepsOf(block) {
    const steps = [];
    let goesOn = false;
    for (const line of block.lines) {
        if (goesOn) steps.at(-1).command += `\n${line}`;
        else if (line.startsWith('$ ')) steps.push({ command: line.slice(2), expected: [] });
        else steps.at(-1)?.expected.push(line);
        goesOn = (goesOn || line.startsWith('$ ')) && line.endsWith('\\');
    }
    return steps.map(({ command, expected }) => ({ command, expected: expected.join('\n') }));
}

// Blanks and line breaks are layout; "…" stands for anything; where a page says `like`, figures are
// of a moving world, so that each number stands for any number.
export function agrees(expected, actual, isLike) {
    const tight = (text) => text.replace(/\s+/g, '');
    const pattern = tight(expected)
        .split('…')
        .map((part) => {
            const quoted = part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
            return isLike ? quoted.replace(/-?\d+(\\\.\d+)?/g, '-?\\d+(?:\\.\\d+)?') : quoted;
        })
        .join('[\\s\\S]*?');
    return new RegExp(`^${pattern}$`).test(tight(actual));
}
