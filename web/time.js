// SPDX-License-Identifier: Apache-2.0
// Times: texts in UTC with up to nine digits of a second come in, and the page speaks UTC too,
// since days and four-hour candles begin there.

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export const INTERVALS = [
    { name: '1m', seconds: 60, label: '1 minute' },
    { name: '5m', seconds: 300, label: '5 minutes' },
    { name: '15m', seconds: 900, label: '15 minutes' },
    { name: '1h', seconds: 3600, label: '1 hour' },
    { name: '4h', seconds: 14400, label: '4 hours' },
    { name: '1d', seconds: 86400, label: '1 day' },
];

export const RANGES = [
    { name: '1h', seconds: 3600, label: '1 hour', interval: '1m' },
    { name: '6h', seconds: 21600, label: '6 hours', interval: '5m' },
    { name: '24h', seconds: 86400, label: '24 hours', interval: '15m', coarse: '1h' },
    { name: '7d', seconds: 604800, label: '7 days', interval: '1h', coarse: '4h' },
    { name: '30d', seconds: 2592000, label: '30 days', interval: '4h', coarse: '1d' },
    { name: '90d', seconds: 7776000, label: '90 days', interval: '1d' },
    { name: '1y', seconds: 31536000, label: '1 year', interval: '1d' },
];

// More candles than this are neither legible nor quick.
const CANDLES_MAX = 3000;

export function fits(interval, range) {
    const count = range.seconds / interval.seconds;
    return count <= CANDLES_MAX && count >= 4;
}

// Milliseconds since 1970, or null.
export function parse(text) {
    const ms = Date.parse(String(text ?? '').replace(/(\.\d{3})\d+/, '$1'));
    return Number.isNaN(ms) ? null : ms;
}

const two = (number) => String(number).padStart(2, '0');

export function iso(ms) {
    return new Date(ms).toISOString().replace('.000Z', 'Z');
}

export function day(ms) {
    const date = new Date(ms);
    return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}

export function month(ms) {
    const date = new Date(ms);
    return `${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

export function clock(ms, withSeconds) {
    const date = new Date(ms);
    return (
        `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}` +
        (withSeconds ? `:${two(date.getUTCSeconds())}` : '')
    );
}

// "26 Nov 2026, 19:30 UTC"
export function full(ms, withSeconds) {
    return `${day(ms)} ${new Date(ms).getUTCFullYear()}, ${clock(ms, withSeconds)} UTC`;
}

// "12 s", "3 min", "5 h", "9 d", "3 y": how old something is.
export function age(ms) {
    const seconds = Math.max(0, Math.round(ms / 1000));
    if (seconds < 100) return `${seconds} s`;
    if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
    if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
    if (seconds < 86400 * 730) return `${Math.round(seconds / 86400)} d`;
    return `${Math.round(seconds / 31557600)} y`;
}
