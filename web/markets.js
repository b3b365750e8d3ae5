// SPDX-License-Identifier: Apache-2.0
// The view of markets: the table, and one market beside it. On a wide screen something is always
// shown: the largest market, until one is picked.

import * as api from './api.js';
import { byId, element } from './dom.js';
import { Market } from './market.js';
import { Table } from './table.js';
import { INTERVALS, RANGES } from './time.js';

const MARKETS = 2000;
const WIDE = matchMedia('(min-width: 1000px)');

export const fields = {
    market: { standard: '' },
    range: { standard: '7d', choices: RANGES.map((range) => range.name) },
    from: { standard: '' },
    to: { standard: '' },
    as_of: { standard: '' },
    interval: { standard: '', choices: ['', ...INTERVALS.map((interval) => interval.name)] },
    unit: { standard: 'usd', choices: ['usd', 'coins', 'contracts'] },
    view: { standard: 'candles', choices: ['candles', 'line'] },
    q: { standard: '' },
    exchange: { standard: '' },
    coin: { standard: '' },
    sort: {
        standard: 'usd',
        choices: ['usd', 'market', 'exchange', 'kind', 'amount', '1h', '24h', '7d', 'age'],
    },
    order: { standard: 'down', choices: ['down', 'up'] },
};

// What a server without any reading has to say for itself.
function tellEmpty(isEmpty) {
    byId('placeholder').replaceChildren(
        ...(isEmpty
            ? [
                  element('strong', { textContent: 'Nothing is recorded yet' }),
                  element('span', {
                      textContent: 'Collected readings appear here within a minute or two.',
                  }),
                  element('span', {
                      textContent:
                          'History is brought in with “oi import”; see “oi import --help”.',
                  }),
              ]
            : []),
    );
}

export function mount(root, shell) {
    let state = null;
    let largest = '';

    const shown = () => state.market || (WIDE.matches ? largest : '');
    const table = new Table({
        address: (market) => shell.address({ ...state, market }),
        pick,
        change: (part) => shell.change(part),
    });
    const market = new Market({
        change: (part) => shell.change(part),
        known: (name) => table.rows.find((row) => row.market === name),
        seen: (row) => table.update(row),
    });
    market.now = shell.now;

    function follow() {
        root.dataset.shown = state.market ? 'market' : 'list';
        table.use(state, shown());
        market.use(state, shown());
        byId('back').href = shell.address({ ...state, market: '' });
        if (!shown()) document.title = 'Open interest';
    }

    function pick(name) {
        const isOnPhone = !WIDE.matches;
        shell.change({ market: name }, true);
        if (isOnPhone) {
            scrollTo(0, 0);
            byId('market').focus({ preventScroll: true });
        }
    }

    WIDE.addEventListener('change', () => {
        if (shell.isShown()) follow();
    });
    byId('back').addEventListener('click', (event) => {
        event.preventDefault();
        pick('');
    });
    byId('share').addEventListener('click', () =>
        shell.share(byId('share'), { market: shown(), ...market.sharePart() }),
    );

    return {
        use(next) {
            state = next;
            follow();
        },
        leave() {
            clearTimeout(market.timer);
            market.timer = 0;
            market.loading?.abort();
            if (state) market.use(state, '');
        },
        async refresh() {
            const rows = await api.latest(MARKETS);
            table.clockSkew = shell.now() - Date.now();
            largest = rows[0]?.market ?? '';
            tellEmpty(rows.length === 0);
            table.state ??= state;
            table.set(rows);
            if (!shell.isShown()) return true;
            if (shown() !== (market.state?.market ?? '')) follow();
            else if (market.hasFailed) market.load();
            return rows.length > 0;
        },
        tick() {
            table.tick();
            market.tick();
        },
        again() {
            if (shown()) market.load();
        },
        repaint: () => market.chart.repaint(),
        focus: () => byId('chart').focus(),
        search() {
            if (state.market && !WIDE.matches) pick('');
            byId('search').focus();
            byId('search').select();
        },
    };
}
