// SPDX-License-Identifier: Apache-2.0
// Requests whose target and headers go out exactly as they are written, and what a figure in an
// answer is: its digits, never a double.

import { request } from 'node:http';
import { gunzipSync } from 'node:zlib';

// Replace every number of a JSON text by a string of its digits.
export function exactly(text) {
    return JSON.parse(text.replace(/([:[,]\s*)(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?=\s*[,}\]])/g, '$1"$2"'));
}

// { status, headers, bytes, text, json, exact }: gzip is undone, json and exact are undefined where
// the body is no JSON.
export function ask(server, target, { method = 'GET', headers = {}, body } = {}) {
    const { hostname, port } = new URL(server.url);

    return new Promise((resolve, reject) => {
        const outgoing = request({ hostname, port, path: target, method, headers, agent: false }, (incoming) => {
            const pieces = [];
            incoming.on('data', (piece) => pieces.push(piece));
            incoming.on('error', reject);
            incoming.on('end', () => {
                const raw = Buffer.concat(pieces);
                const isPacked = incoming.headers['content-encoding'] === 'gzip' && raw.length > 0;
                const bytes = isPacked ? gunzipSync(raw) : raw;
                const answer = { status: incoming.statusCode, headers: incoming.headers, bytes };
                answer.text = bytes.toString('utf8');
                try {
                    answer.json = JSON.parse(answer.text);
                    answer.exact = exactly(answer.text);
                } catch {
                    // What is no JSON has neither.
                }
                resolve(answer);
            });
        });
        outgoing.on('error', reject);
        outgoing.end(body);
    });
}

// A figure as [digits, places], without trailing zeros, so that equal numbers are equal texts.
function split(text) {
    const found = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(text);
    if (!found) throw new Error(`"${text}" is no number`);
    let digits = BigInt(found[1] + found[2] + (found[3] ?? ''));
    let places = (found[3] ?? '').length - Number(found[4] ?? 0);
    for (; places < 0; places++) digits *= 10n;
    for (; places > 0 && digits % 10n === 0n; places--) digits /= 10n;
    return [digits, places];
}

export function normal(text) {
    const [digits, places] = split(String(text));
    const sign = digits < 0n ? '-' : '';
    const all = (digits < 0n ? -digits : digits).toString().padStart(places + 1, '0');
    return places === 0 ? sign + all : `${sign}${all.slice(0, -places)}.${all.slice(-places)}`;
}

export function multiply(a, b) {
    const [x, xPlaces] = split(a), [y, yPlaces] = split(b);
    return normal(`${x * y}e-${xPlaces + yPlaces}`);
}

function align(a, b) {
    const [x, xPlaces] = split(a), [y, yPlaces] = split(b);
    const places = Math.max(xPlaces, yPlaces);
    return [x * 10n ** BigInt(places - xPlaces), y * 10n ** BigInt(places - yPlaces), places];
}

export function add(a, b) {
    const [x, y, places] = align(a, b);
    return normal(`${x + y}e-${places}`);
}

export function compare(a, b) {
    const [x, y] = align(a, b);
    return x < y ? -1 : x > y ? 1 : 0;
}

// Open, high, low and close of figures, by their exact values.
export function candle(figures) {
    const sorted = [...figures].sort(compare);
    return {
        open: normal(figures[0]),
        high: normal(sorted.at(-1)),
        low: normal(sorted[0]),
        close: normal(figures.at(-1)),
    };
}
