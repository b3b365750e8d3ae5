// SPDX-License-Identifier: Apache-2.0
// The samples of the vendors' reference pages, which are no part of this repository: requests in
// NAME.http, the body in NAME.json. Where they are absent the tests of them are skipped.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { exactly } from './ask.mjs';
import { recorded } from './markets.mjs';
import { skip } from './server.mjs';

const folder = join(recorded, 'wire/examples');

// For { skip } of a test over examples.
export const skipExamples = skip || (existsSync(folder) ? false : 'the vendors\' examples are not here');

// The requests of NAME.http in order: { title, match, target, headers }; the key is put in.
export function requests(name, key = 'none') {
    const text = readFileSync(join(folder, `${name}.http`), 'utf8').replaceAll('{{key}}', key);

    return text.split(/^### /m).slice(1).map((part) => {
        const lines = part.split('\n');
        const start = lines.findIndex((line) => line.startsWith('GET '));
        const headers = Object.fromEntries(
            lines.slice(start + 1).filter((line) => line.includes(': ')).map((line) => line.split(': ')),
        );
        delete headers.Host; // Ours is another one.
        return {
            title: lines[0],
            match: lines.find((line) => line.startsWith('# match: '))?.slice(9),
            target: lines[start].split(' ')[1],
            headers,
        };
    });
}

// The body of NAME.json; with figures as their digits in `exact`.
export function body(name) {
    const text = readFileSync(join(folder, `${name}.json`), 'utf8');
    return { text, json: JSON.parse(text), exact: exactly(text) };
}
