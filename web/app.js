// SPDX-License-Identifier: Apache-2.0
// The page: one table, one market, one address. The address says what is shown; everything that the
// visitor does changes the address, and the rest follows from it.

import * as api from './api.js';
import { byId, element, setText } from './dom.js';
import { Market } from './market.js';
import * as address from './state.js';
import { Table } from './table.js';
import { parse } from './time.js';

const MARKETS = 2000;
const REFRESH_MS = 20000;
const WIDE = matchMedia('(min-width: 1000px)');

let state = address.read();
let clockSkew = 0;
let largest = '';
let retry = REFRESH_MS;
let timer = 0;

const now = () => Date.now() + clockSkew;

const table = new Table({
    address: (market) => address.address({ ...state, market }),
    pick: (market) => pick(market),
    change: (part) => change(part),
});
const market = new Market({
    change: (part) => change(part),
    known: (name) => table.rows.find((row) => row.market === name),
    seen: (row) => table.update(row),
});
market.now = now;

// On a wide screen something is always shown: the largest market, until one is picked.
function shownMarket() {
    return state.market || (WIDE.matches ? largest : '');
}

function follow() {
    document.body.dataset.view = state.market ? 'market' : 'list';
    table.use(state, shownMarket());
    market.use(state, shownMarket());
    byId('back').href = address.address({ ...state, market: '' });
    if (!shownMarket()) document.title = 'Open interest';
}

function change(part) {
    state = { ...state, ...part };
    address.write(state, false);
    follow();
}

function pick(name) {
    const isOnPhone = !WIDE.matches;
    state = { ...state, market: name };
    address.write(state, true);
    follow();
    if (isOnPhone) {
        scrollTo(0, 0);
        byId('market').focus({ preventScroll: true });
    }
}

function tellFacts(status) {
    const count = (number, noun) =>
        `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
    const megabytes = Math.round(status.file_bytes / 1e5) / 10;
    const facts = [
        count(status.markets, 'market'),
        count(status.rows, 'reading'),
        `${megabytes.toLocaleString('en')} MB`,
        status.version,
    ];
    setText(byId('facts'), facts.join(' · '));
    byId('demo').hidden = !status.demo;
}

function tellTrouble(error) {
    const box = byId('trouble');
    byId('key').hidden = error?.status !== 401;
    const text = error && error.status !== 401 ? `${error.message} ${error.advice ?? ''}` : '';
    if (box.textContent !== text) box.textContent = text;
    box.hidden = text === '';
}

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

async function refresh() {
    clearTimeout(timer);
    try {
        const [status, rows] = await Promise.all([api.status(), api.latest(MARKETS)]);
        clockSkew = (parse(status.now) ?? Date.now()) - Date.now();
        table.clockSkew = clockSkew;
        tellFacts(status);
        tellTrouble(
            status.writing_paused
                ? {
                      message: 'Nothing new is recorded: the disk is full.',
                      advice: 'Free some space; recording goes on by itself.',
                  }
                : null,
        );
        largest = rows[0]?.market ?? '';
        tellEmpty(rows.length === 0);
        table.state ??= state;
        table.set(rows);
        if (shownMarket() !== (market.state?.market ?? '')) follow();
        else if (market.hasFailed) market.load();
        retry = rows.length > 0 ? REFRESH_MS : 3000;
    } catch (error) {
        tellTrouble(
            error instanceof api.Trouble
                ? error
                : new api.Trouble('The page failed.', {
                      advice: String(error.message),
                  }),
        );
        retry = Math.min(REFRESH_MS, Math.max(2000, retry / 2));
    }
    // A page that nobody looks at asks nothing.
    if (!document.hidden) timer = setTimeout(refresh, retry);
}

function watch() {
    addEventListener('hashchange', () => {
        state = address.read();
        follow();
    });
    addEventListener('popstate', () => {
        state = address.read();
        follow();
    });
    WIDE.addEventListener('change', follow);
    document.addEventListener('visibilitychange', () => {
        if (!document.hidden) refresh();
    });
    addEventListener('keydown', (event) => {
        const isTyping = event.target.closest?.('input, select, textarea');
        if (event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
        if (event.key === '/') {
            event.preventDefault();
            if (state.market && !WIDE.matches) pick('');
            byId('search').focus();
            byId('search').select();
        }
    });
    byId('skip').addEventListener('click', (event) => {
        event.preventDefault();
        byId('chart').focus();
    });
    byId('back').addEventListener('click', (event) => {
        event.preventDefault();
        pick('');
    });
    byId('theme').addEventListener('click', () => {
        const root = document.documentElement;
        const isDark =
            (root.dataset.theme ??
                (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
        root.dataset.theme = isDark ? 'light' : 'dark';
        try {
            localStorage.setItem('oi.theme', root.dataset.theme);
        } catch {
            // Without storage the choice holds until the page is left.
        }
        market.chart.repaint();
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
        market.chart.repaint(),
    );
    byId('key').addEventListener('submit', (event) => {
        event.preventDefault();
        const given = byId('key-text').value.trim();
        byId('key-text').value = '';
        byId('key').hidden = true;
        api.beginSession(given)
            .catch(() => {}) // the next answer says that the key is still missing
            .then(() => refresh())
            .then(() => {
                if (shownMarket()) market.load();
            });
    });
    byId('share').addEventListener('click', async () => {
        const link =
            location.origin +
            location.pathname +
            address.address({ ...state, market: shownMarket(), interval: market.interval.name });
        try {
            await navigator.clipboard.writeText(link);
            setText(byId('share'), 'Copied');
        } catch {
            // Without a secure context there is no clipboard; the address bar has the link.
            address.write({ ...state, market: shownMarket() }, false);
            setText(byId('share'), 'In the address bar');
        }
        setTimeout(() => setText(byId('share'), 'Copy link'), 2000);
    });
    setInterval(() => {
        table.tick();
        market.tick();
    }, 5000);
}

watch();
follow();
refresh();
