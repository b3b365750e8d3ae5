// SPDX-License-Identifier: Apache-2.0
// What the visitor has chosen, kept in the address behind #, so that a link shows the same view:
// "#compare&of=BTC&unit=usd". The first word is the view, what follows are its fields. Unknown or
// broken values fall back to the defaults; defaults are left out of the address.
//
// A view says which fields it has: { name: { standard: 'usd', choices: ['usd', 'coins'] } }, where
// without choices any short text is taken.

export const VIEWS = ['overview', 'markets', 'compare', 'options', 'health'];
const LENGTH_MAX = 3000;

const words = () => [...new URLSearchParams(location.hash.slice(1))];

// Addresses of before there were views name a market, or a search, and nothing else.
export function viewOf() {
    const [first] = words();
    if (!first) return 'overview';
    if (first[1] === '' && VIEWS.includes(first[0])) return first[0];
    return 'markets';
}

export function read(fields) {
    const state = {};
    for (const [name, { standard }] of Object.entries(fields)) state[name] = standard;
    for (const [name, value] of words()) {
        const field = fields[name];
        if (!field || value.length > LENGTH_MAX) continue;
        if (!field.choices || field.choices.includes(value)) state[name] = value;
    }
    return state;
}

export function address(view, fields = {}, state = {}) {
    const parts = Object.entries(fields)
        .filter(([name, { standard }]) => name in state && state[name] !== standard)
        .map(
            ([name]) =>
                `${name}=${encodeURIComponent(state[name]).replaceAll('%3A', ':').replaceAll('%2C', ',')}`,
        );
    return '#' + [view, ...parts].join('&');
}

export const marketAddress = (market) =>
    address('markets', { market: { standard: '' } }, { market });

// Going to another market or view is a step that Back undoes; turning a knob is not.
export function write(next, isStep) {
    if (next === location.hash) return;
    if (isStep) history.pushState(null, '', next);
    else history.replaceState(null, '', next);
}
