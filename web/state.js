// SPDX-License-Identifier: Apache-2.0
// What the visitor has chosen, kept in the address behind #, so that a link shows the same view.
// Unknown or broken values fall back to the defaults; defaults are left out of the address.

import { INTERVALS, RANGES } from './time.js';

const CHOICES = {
    range: RANGES.map((range) => range.name),
    interval: ['', ...INTERVALS.map((interval) => interval.name)],
    unit: ['usd', 'coins', 'contracts'],
    view: ['candles', 'line'],
    sort: ['usd', 'market', 'exchange', 'kind', 'amount', '1h', '24h', '7d', 'age'],
    order: ['down', 'up'],
};
const DEFAULTS = {
    market: '',
    range: '7d',
    interval: '',
    unit: 'usd',
    view: 'candles',
    q: '',
    exchange: '',
    coin: '',
    sort: 'usd',
    order: 'down',
};

export function read() {
    const state = { ...DEFAULTS };
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
        if (!(name in DEFAULTS) || value.length > 300) continue;
        if (!CHOICES[name] || CHOICES[name].includes(value)) state[name] = value;
    }
    return state;
}

export function address(state) {
    const parts = Object.keys(DEFAULTS)
        .filter((name) => state[name] !== DEFAULTS[name])
        .map((name) => `${name}=${encodeURIComponent(state[name]).replaceAll('%3A', ':')}`);
    return '#' + parts.join('&');
}

// Picking a market is a step that Back undoes; turning a knob is not.
export function write(state, isStep) {
    const next = address(state);
    if (next === (location.hash || '#')) return;
    if (isStep) history.pushState(null, '', next);
    else history.replaceState(null, '', next === '#' ? location.pathname + location.search : next);
}
