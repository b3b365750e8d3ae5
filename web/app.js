// SPDX-License-Identifier: Apache-2.0
// The shell: the bar, the views, the address. The address says what is shown; everything that the
// visitor does changes the address, and the rest follows from it. A view is a module that is loaded
// when it is first looked at (README.md says what it exports).

import * as api from './api.js';
import { byId, setAttribute, setText } from './dom.js';
import * as address from './state.js';
import { parse } from './time.js';

const REFRESH_MS = 20000;
const FIRST_MS = 400;
const MODULES = {
    overview: () => import('./overview.js'),
    markets: () => import('./markets.js'),
    compare: () => import('./compare.js'),
    options: () => import('./options.js'),
    health: () => import('./health.js'),
};
const TITLES = {
    overview: 'Open interest',
    markets: 'Open interest',
    compare: 'Compare · Open interest',
    options: 'Options · Open interest',
    health: 'Health · Open interest',
};

const views = new Map(); // by name: { fields, view }
let shown = '';
let state = {};
let status = null;
let clockSkew = 0;
let retry = REFRESH_MS;
let timer = 0;

const current = () => views.get(shown)?.view;
const root = (name) => byId(`view-${name}`);

// What a view may ask of the page.
function shellOf(name, fields) {
    return {
        now: () => Date.now() + clockSkew,
        status: () => status,
        isShown: () => shown === name,
        address: (wanted) => address.address(name, fields, wanted),
        change: (part, isStep = false) => change(name, part, isStep),
        // A figure of another answer may fail too; the bar is where that is told.
        trouble: (error) => tellTrouble(error),
        share: (button, part = {}) => share(button, part),
    };
}

async function load(name) {
    const known = views.get(name);
    if (known) return known;
    const module = await MODULES[name]();
    const entry = views.get(name) ?? { fields: module.fields };
    entry.view ??= module.mount(root(name), shellOf(name, module.fields));
    views.set(name, entry);
    return entry;
}

async function follow() {
    const name = address.viewOf();
    const isOther = name !== shown;
    if (isOther) {
        current()?.leave?.();
        shown = name;
        for (const other of address.VIEWS) root(other).hidden = other !== name;
        document.body.dataset.view = name;
        for (const link of document.querySelectorAll('[data-nav]')) {
            if (link.dataset.nav === name) link.setAttribute('aria-current', 'page');
            else link.removeAttribute('aria-current');
        }
        document.title = TITLES[name];
    }
    let entry;
    try {
        entry = await load(name);
    } catch (error) {
        tellTrouble(new api.Trouble('This view cannot be shown.', { advice: String(error.message) }));
        return;
    }
    if (name !== shown) return;
    state = address.read(entry.fields);
    entry.view.use(state);
    remember();
    if (isOther) await refresh();
}

// A view is come back to as it was left.
function remember() {
    const link = document.querySelector(`[data-nav="${shown}"]`);
    setAttribute(link, 'href', address.address(shown, views.get(shown).fields, state));
}

function change(name, part, isStep) {
    if (name !== shown) return;
    state = { ...state, ...part };
    address.write(address.address(name, views.get(name).fields, state), isStep);
    remember();
    current().use(state);
}

async function share(button, part) {
    const link = address.address(shown, views.get(shown).fields, { ...state, ...part });
    const before = button.textContent;
    try {
        await navigator.clipboard.writeText(location.origin + location.pathname + link);
        setText(button, 'Copied');
    } catch {
        // Without a secure context there is no clipboard; the address bar has the link.
        address.write(link, false);
        setText(button, 'In the address bar');
    }
    setTimeout(() => setText(button, before), 2000);
}

function tellStatus(answer) {
    status = answer;
    clockSkew = (parse(status.now) ?? Date.now()) - Date.now();
    const count = (number, noun) =>
        `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
    const megabytes = Math.round(status.file_bytes / 1e5) / 10;
    const facts = [
        count(status.markets, 'market'),
        count(status.rows, 'reading'),
        status.rows_elsewhere ? 'in ClickHouse' : `${megabytes.toLocaleString('en')} MB`,
        status.version,
    ];
    setText(byId('facts'), facts.join(' · '));
    byId('demo').hidden = !status.demo;
}

function tellTrouble(error) {
    const box = byId('trouble');
    byId('key').hidden = error?.status !== 401;
    const text = error && error.status !== 401 ? `${error.message} ${error.advice ?? ''}` : '';
    setText(box, text);
    box.hidden = text === '';
}

async function refresh() {
    clearTimeout(timer);
    const name = shown;
    try {
        const [, isFull] = await Promise.all([
            api.status().then(tellStatus),
            current()?.refresh?.(),
        ]);
        tellTrouble(
            status.writing_paused
                ? {
                      message: 'Nothing new is recorded: the disk is full.',
                      advice: 'Free some space; recording goes on by itself.',
                  }
                : null,
        );
        retry = isFull === false ? 3000 : REFRESH_MS;
    } catch (error) {
        if (error.name === 'AbortError' || name !== shown) return;
        tellTrouble(
            error instanceof api.Trouble
                ? error
                : new api.Trouble('The page failed.', { advice: String(error.message) }),
        );
        retry = Math.min(REFRESH_MS, Math.max(2000, retry / 2));
    }
    // A page that nobody looks at asks nothing.
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(refresh, retry);
}

function toggleTheme() {
    const page = document.documentElement;
    const isDark =
        (page.dataset.theme ??
            (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
    page.dataset.theme = isDark ? 'light' : 'dark';
    try {
        localStorage.setItem('oi.theme', page.dataset.theme);
    } catch {
        // Without storage the choice holds until the page is left.
    }
    repaint();
}

function repaint() {
    for (const { view } of views.values()) view.repaint?.();
}

function watch() {
    addEventListener('hashchange', follow);
    addEventListener('popstate', follow);
    document.addEventListener('visibilitychange', () => {
        if (!document.hidden) refresh();
    });
    addEventListener('keydown', (event) => {
        const isTyping = event.target.closest?.('input, select, textarea');
        if (event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
        if (event.key === '/' && current()?.search) {
            event.preventDefault();
            current().search();
        }
    });
    byId('skip').addEventListener('click', (event) => {
        event.preventDefault();
        if (current()?.focus) current().focus();
        else root(shown).focus();
    });
    byId('theme').addEventListener('click', toggleTheme);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
    byId('key').addEventListener('submit', (event) => {
        event.preventDefault();
        const given = byId('key-text').value.trim();
        byId('key-text').value = '';
        byId('key').hidden = true;
        api.beginSession(given)
            .catch(() => {}) // the next answer says that the key is still missing
            .then(() => refresh())
            .then(() => current()?.again?.());
    });
    setInterval(() => current()?.tick?.(), 5000);
}

watch();
// Whether this is a demo is known before anything is shown, so that its banner pushes nothing down;
// a slow server is not waited for.
Promise.race([
    api.status().then(tellStatus, () => {}),
    new Promise((resume) => setTimeout(resume, FIRST_MS)),
]).then(follow);
