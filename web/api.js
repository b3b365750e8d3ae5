// SPDX-License-Identifier: Apache-2.0
// The server's native API, /oi/v1, as the page needs it. Figures stay the texts that they are.

const PATIENCE_MS = 20000;

// What went wrong, in a sentence, and what to do about it.
export class Trouble extends Error {
    constructor(message, { status = 0, advice = '' } = {}) {
        super(message);
        this.status = status;
        this.advice = advice;
    }
}

// Begin a session with a key: the browser keeps a cookie that no script can read, and the page
// forgets the key.
export async function beginSession(key) {
    const reply = await fetch('/session', { method: 'POST', body: key });
    if (!reply.ok)
        throw new Trouble('This key is not valid here.', {
            status: reply.status,
            advice: advice(reply.status),
        });
}

function advice(status) {
    if (status === 401) return 'Enter a key that this server knows.';
    if (status === 429) return 'Too many requests; it is tried again by itself.';
    if (status === 404) return 'Pick a market from the table.';
    if (status >= 500) return 'The reason is in the server’s log.';
    return '';
}

export async function get(path, parameters = [], signal = undefined) {
    const query = new URLSearchParams(parameters.filter(([, value]) => value !== '')).toString();
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), PATIENCE_MS);
    const stop = () => limit.abort();
    signal?.addEventListener('abort', stop);
    try {
        const reply = await fetch(path + (query ? `?${query}` : ''), { signal: limit.signal });
        const body = await reply.json().catch(() => null);
        if (!reply.ok) {
            throw new Trouble(body?.error?.message ?? `The server answered ${reply.status}.`, {
                status: reply.status,
                advice: advice(reply.status),
            });
        }
        if (body === null)
            throw new Trouble('The answer was cut off or is not JSON.', { advice: 'Try again.' });
        return body;
    } catch (error) {
        if (error instanceof Trouble || signal?.aborted) throw error;
        throw new Trouble(
            limit.signal.aborted
                ? 'The server takes too long to answer.'
                : 'The server cannot be reached.',
            { advice: 'Is it still running? The page goes on trying.' },
        );
    } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
    }
}

export const status = () => get('/oi/v1/status');

// The largest markets by USD value, those without one last. Amounts are in coins.
export async function latest(limit) {
    return (await get('/oi/v1/latest', [['limit', limit]])).data;
}

// What groups of markets are worth; pairs as in an address: [['by', 'coin'], ['top', '20']].
export async function overview(parameters, signal) {
    return (await get('/oi/v1/overview', parameters, signal)).data;
}

// What was due of each exchange and day, and what is missing.
export async function coverageDays(start, signal) {
    return (await get('/oi/v1/coverage/days', [['start', start]], signal)).data;
}

// One market's newest figures, delisted or not.
export async function latestOf(market, signal) {
    const answer = await get('/oi/v1/latest', [['market', market]], signal);
    return answer.data[0] ?? null;
}

export async function definition(market, signal) {
    return (await get('/oi/v1/markets', [['market', market]], signal)).data[0] ?? null;
}

export function candlesQuery({ market, interval, unit, start }) {
    return [
        ['market', market],
        ['interval', interval],
        ['unit', unit],
        ['start', start],
        ['limit', '10000'],
    ];
}

// { data, left_out_rows }
export function candles(question, signal) {
    return get('/oi/v1/open-interest', candlesQuery(question), signal);
}

// The newest readings, oldest first.
export async function readings(market, unit, limit, signal) {
    return (
        await get(
            '/oi/v1/open-interest',
            [
                ['market', market],
                ['unit', unit],
                ['limit', limit],
            ],
            signal,
        )
    ).data;
}

export function streamAddress(market) {
    const query = new URLSearchParams([['market', market]]);
    return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/oi/v1/stream?${query}`;
}
