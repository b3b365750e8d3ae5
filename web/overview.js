// SPDX-License-Identifier: Apache-2.0
// The overview: what all markets are worth, by a property that is chosen, over time and now; what
// moved most; how fresh each exchange is. Every figure is a text of /oi/v1/overview.

import * as api from './api.js';
import { Areas } from './areas.js';
import { compact, exact, share, signedCompact, signedPercent, toNumber } from './decimal.js';
import { byId, choiceGroup, element, setAttribute, setClass, setText } from './dom.js';
import * as address from './state.js';
import { age, full, iso, parse } from './time.js';
import { Treemap } from './treemap.js';

const DIVISIONS = [
    { name: 'coin', text: 'Asset', plural: 'assets' },
    { name: 'exchange', text: 'Exchange', plural: 'exchanges' },
    { name: 'kind', text: 'Kind', plural: 'kinds' },
    { name: 'settlement', text: 'Settlement', title: 'Linear or inverse', plural: 'settlements' },
];
const RANGES = [
    { name: '24h', hours: 24, step: 1, label: '24 hours' },
    { name: '7d', hours: 168, step: 4, label: '7 days' },
    { name: '30d', hours: 720, step: 24, label: '30 days' },
    { name: '90d', hours: 2160, step: 24, label: '90 days' },
    { name: '1y', hours: 8760, step: 24, label: '1 year' },
];
const SPANS = ['1h', '24h', '7d'];
const AREAS = 7; // that can be told apart by their colours; the rest is one more
const LISTED = 40;
const MOVERS = 20;
const HOUR = 3600e3;
// The areas change little in a minute.
const HISTORY_MS = 60000;

export const fields = {
    by: { standard: 'coin', choices: DIVISIONS.map((one) => one.name) },
    range: { standard: '7d', choices: RANGES.map((one) => one.name) },
};

export const groupName = (by, name) => {
    if (name === null || name === '') return 'not known';
    return by === 'kind' || by === 'settlement' || name === 'other'
        ? name[0].toUpperCase() + name.slice(1)
        : name;
};

// Where a group's markets are listed; kinds are found by the search there.
function groupAddress(by, name) {
    if (!name || name === 'other' || by === 'settlement') return '';
    const field = by === 'kind' ? 'q' : by;
    return address.address('markets', { [field]: { standard: '' } }, { [field]: name });
}

const tone = (change) => (!change ? 'none' : change.sign > 0 ? 'up' : change.sign < 0 ? 'down' : '');
const toneClass = (change) =>
    `number ${!change ? 'is-none' : change.sign > 0 ? 'is-up' : change.sign < 0 ? 'is-down' : ''}`.trim();

// How strong a change is, in three steps.
function strength(text) {
    const size = Math.abs(toNumber(text) ?? 0);
    return size < 0.5 ? 1 : size < 2 ? 2 : 3;
}

// Rows of the answer, four a group, as groups: { by, name, now, '1h', '24h', '7d' }.
function grouped(rows) {
    const groups = [];
    for (let at = 0; at < rows.length; at += 4) {
        const [now, hour, day, week] = rows.slice(at, at + 4);
        groups.push({ by: now.by, name: now.name, now, '1h': hour, '24h': day, '7d': week });
    }
    return groups;
}

// Only touch the rows of a table body that are wanted, and only what changed in them.
function fillRows(body, rows, build) {
    while (body.children.length > rows.length) body.lastElementChild.remove();
    rows.forEach((cells, at) => {
        const row = body.children[at] ?? body.appendChild(build());
        cells.forEach(({ text, title, name, href, colour }, cell) => {
            const node = row.children[cell];
            const target = node.firstElementChild?.tagName === 'A' ? node.firstElementChild : node;
            setText(target, text);
            if (title !== undefined) setAttribute(node, 'title', title);
            if (name !== undefined) setClass(node, name);
            if (target !== node) {
                if (href) target.setAttribute('href', href);
                else target.removeAttribute('href');
            }
            if (colour !== undefined) setAttribute(node, 'data-colour', colour);
        });
    });
}

const rowOf = (count) => () =>
    element(
        'tr',
        {},
        element('th', { scope: 'row' }, element('a')),
        ...Array.from({ length: count - 1 }, () => element('td', { class: 'number' })),
    );

class Overview {
    constructor(root, shell) {
        this.shell = shell;
        this.groups = [];
        this.history = null;
        this.areas = new Areas(byId('areas'), (index) => this.read(index));
        this.treemap = new Treemap(byId('treemap'));
        this.setBy = choiceGroup(byId('overview-by'), DIVISIONS, (by) => shell.change({ by }));
        this.setRange = choiceGroup(
            byId('overview-range'),
            RANGES.map((one) => ({ name: one.name, text: one.name, title: one.label })),
            (range) => shell.change({ range }),
        );
        byId('overview-share').addEventListener('click', () =>
            shell.share(byId('overview-share')),
        );
        byId('areas').setAttribute('tabindex', '0');
    }

    get range() {
        return RANGES.find((one) => one.name === this.state.range);
    }

    get division() {
        return DIVISIONS.find((one) => one.name === this.state.by);
    }

    use(state) {
        const isOther = this.state?.by !== state.by || this.state?.range !== state.range;
        const wasThere = Boolean(this.state);
        this.state = state;
        this.setBy(state.by);
        this.setRange(state.range);
        if (this.groups.length > 0) this.show();
        if (isOther && wasThere) this.load().catch((error) => this.fail(error));
    }

    leave() {
        this.loading?.abort();
    }

    fail(error) {
        if (error.name !== 'AbortError') this.shell.trouble(error);
    }

    async refresh() {
        const isOld = Date.now() - (this.historyAt ?? 0) > HISTORY_MS;
        const history = isOld ? this.load() : null;
        history?.catch(() => {}); // told below
        const rows = await api.overview([['top', LISTED]]);
        this.groups = grouped(rows);
        this.total = this.groups.find((group) => group.by === 'total');
        this.show();
        await history;
        // Nobody waits for it, and on a large store it is the slowest.
        this.loadCoverage();
        return this.total?.now.markets > 0;
    }

    async load() {
        this.loading?.abort();
        const loading = new AbortController();
        const { by } = this.state,
            { hours, step } = this.range;
        this.loading = loading;
        const from = Math.floor((this.shell.now() - hours * HOUR) / (step * HOUR)) * step * HOUR;
        const rows = await api.overview(
            [
                ['by', 'total'],
                ['by', by],
                ['top', AREAS],
                ['interval', `${step}h`],
                ['start', iso(from)],
            ],
            loading.signal,
        );
        if (loading !== this.loading || by !== this.state.by) return;
        const names = new Map();
        for (const row of rows) {
            const key = row.by === 'total' ? null : row.name ?? '';
            if (!names.has(key)) names.set(key, []);
            names.get(key).push(row);
        }
        // What a store has not yet is no part of the picture.
        const total = names.get(null) ?? [];
        const first = Math.max(0, total.findIndex((row) => row.value_usd !== null));
        names.delete(null);
        this.historyAt = Date.now();
        this.history = {
            by,
            total: total.slice(first),
            series: [...names].map(([name, all], at) => ({
                name,
                rows: all.slice(first),
                colour: `--c${name === 'other' ? 8 : at + 1}`,
            })),
        };
        this.draw();
    }

    async loadCoverage() {
        if (Date.now() - (this.coverageAt ?? 0) < HISTORY_MS) return;
        this.coverageAt = Date.now();
        try {
            const start = Math.floor((this.shell.now() - 24 * HOUR) / (24 * HOUR)) * 24 * HOUR;
            this.coverage = await api.coverageDays(iso(start));
            this.showExchanges();
        } catch {
            // The list says what it knows; the next look asks again.
        }
    }

    show() {
        this.showTotal();
        this.showGroups();
        this.showMovers();
        this.showExchanges();
        setAttribute(byId('view-overview'), 'aria-busy', 'false');
    }

    showTotal() {
        const { total } = this;
        setText(byId('total-usd'), `${compact(total?.now.value_usd)} USD`);
        setText(byId('total-exact'), `${exact(total?.now.value_usd)} USD`);
        for (const span of SPANS) {
            const percent = signedPercent(total?.[span]?.change_percent);
            const usd = signedCompact(total?.[span]?.change_usd);
            const cell = byId(`total-${span}`);
            setText(cell.firstElementChild, percent?.text ?? '–');
            setText(cell.lastElementChild, usd ? `${usd.text} USD` : '–');
            setAttribute(cell, 'title', `${exact(total?.[span]?.change_usd)} USD`);
            setClass(cell, tone(percent) === 'none' ? 'is-none' : `is-${tone(percent) || 'same'}`);
        }
        this.showAges();
    }

    showAges() {
        const now = this.total?.now;
        if (!now) return;
        const words = [`${now.markets.toLocaleString('en')} markets`];
        if (now.oldest)
            words.push(`readings at most ${age(this.shell.now() - parse(now.oldest))} old`);
        if (now.stale) words.push(`${now.stale.toLocaleString('en')} left out as too old`);
        if (now.unpriced)
            words.push(`${now.unpriced.toLocaleString('en')} left out as without a price`);
        setText(byId('total-members'), words.join(' · '));
    }

    showGroups() {
        const { by } = this.state;
        const groups = this.groups.filter((group) => group.by === by);
        const whole = this.total?.now.value_usd;
        setText(byId('groups-head'), this.division.text);
        this.treemap.set(
            groups.map((group) => {
                const change = signedPercent(group['24h'].change_percent);
                const name = groupName(by, group.name);
                return {
                    name,
                    text: compact(group.now.value_usd),
                    more: change?.text ?? '',
                    value: toNumber(group.now.value_usd) ?? 0,
                    tone: tone(change) ? `${tone(change)}-${strength(group['24h'].change_percent)}` : '',
                    href: groupAddress(by, group.name),
                    label:
                        `${name}: ${exact(group.now.value_usd)} USD, ` +
                        `${share(group.now.value_usd, whole)} of all` +
                        (change ? `, ${change.text} in 24 hours` : ''),
                };
            }),
        );
        fillRows(
            byId('groups'),
            groups.map((group) => [
                { text: groupName(by, group.name), href: groupAddress(by, group.name) },
                {
                    text: compact(group.now.value_usd),
                    title: `${exact(group.now.value_usd)} USD, ${group.now.markets} markets`,
                },
                { text: share(group.now.value_usd, whole) },
                ...SPANS.map((span) => {
                    const change = signedPercent(group[span].change_percent);
                    return {
                        text: change?.text ?? '–',
                        title: `${exact(group[span].change_usd)} USD`,
                        name: `${toneClass(change)} c-${span}`,
                    };
                }),
            ]),
            rowOf(6),
        );
    }

    showMovers() {
        const movers = this.groups.filter((group) => group.by === 'market').slice(0, MOVERS);
        fillRows(
            byId('movers'),
            movers.map((group) => {
                const usd = signedCompact(group['24h'].change_usd);
                const percent = signedPercent(group['24h'].change_percent);
                return [
                    {
                        text: group.name,
                        title: group.name,
                        href: address.marketAddress(group.name),
                    },
                    {
                        text: compact(group.now.value_usd),
                        title: `${exact(group.now.value_usd)} USD`,
                    },
                    {
                        text: usd?.text ?? '–',
                        title: `${exact(group['24h'].change_usd)} USD`,
                        name: toneClass(usd),
                    },
                    { text: percent?.text ?? '–', name: toneClass(percent) },
                ];
            }),
            rowOf(4),
        );
        byId('movers-empty').hidden = movers.length > 0 || this.groups.length === 0;
    }

    // What came of what was asked for since yesterday's midnight, in percent, down. Minutes in which
    // oi was not running say nothing about the exchange; the view of health shows them.
    completeness(exchange) {
        let due = 0,
            missing = 0;
        for (const row of this.coverage ?? []) {
            if (row.exchange !== exchange) continue;
            due += row.due_s - row.collector_down_s;
            missing += row.missing_s - row.collector_down_s;
        }
        return due > 0 ? Math.floor(((due - missing) / due) * 1000) / 10 : null;
    }

    showExchanges() {
        const exchanges = this.groups
            .filter((group) => group.by === 'exchange' && group.name && group.name !== 'other')
            .sort((a, b) => (a.name < b.name ? -1 : 1));
        fillRows(
            byId('exchanges'),
            exchanges.map(({ name, now }) => {
                const whole = now.markets + now.stale;
                const state =
                    now.stale === 0 ? 'good' : now.markets > now.stale ? 'some' : 'bad';
                const words = { good: 'fresh', some: 'partly late', bad: 'silent' }[state];
                const complete = this.completeness(name);
                return [
                    { text: name, href: groupAddress('exchange', name) },
                    { text: words, name: `state is-${state}`, title: `${now.stale} markets late` },
                    {
                        text: `${now.markets.toLocaleString('en')} / ${whole.toLocaleString('en')}`,
                        title: 'Markets with a reading within its limit, of all',
                        name: 'number',
                    },
                    {
                        text: now.oldest ? age(this.shell.now() - parse(now.oldest)) : '–',
                        title: now.oldest ? `Oldest reading ${now.oldest}` : 'no reading',
                        name: 'number',
                    },
                    {
                        text: complete === null ? '–' : `${complete.toFixed(1)}%`,
                        title: 'Of the minutes due since yesterday, 0:00 UTC, in which oi was collecting',
                        name: `number ${complete !== null && complete < 99 ? 'is-late' : ''}`.trim(),
                    },
                ];
            }),
            rowOf(5),
        );
    }

    draw() {
        const { history } = this;
        if (!history) return;
        this.areas.set(
            history.total.map((row) => parse(row.time) / 1000),
            history.series.map((one) => ({
                colour: one.colour,
                values: one.rows.map((row) => toNumber(row.value_usd)),
            })),
            { isStacked: true },
        );
        byId('areas-empty').hidden = history.total.some((row) => row.value_usd !== null);
        setAttribute(
            byId('areas'),
            'aria-label',
            `Open interest in USD by ${this.division.text.toLowerCase()} over ${this.range.label}; ` +
                'arrow keys walk through it, the figures are beside it',
        );
        this.read(null);
    }

    // The figures at the cursor, or the newest.
    read(index) {
        const { history } = this;
        if (!history || history.total.length === 0) return;
        const at = index ?? history.total.length - 1;
        const total = history.total[at];
        if (!total) return;
        setText(byId('areas-time'), full(parse(total.time)));
        const rows = [
            { name: 'All', value: total.value_usd, colour: '', markets: total.markets },
            ...[...history.series].map((one) => ({
                name: groupName(history.by, one.name),
                value: one.rows[at]?.value_usd,
                colour: one.colour.slice(2),
                markets: one.rows[at]?.markets ?? 0,
            })),
        ];
        fillRows(
            byId('areas-legend'),
            rows.map((row) => [
                { text: row.name, colour: row.colour },
                {
                    text: compact(row.value),
                    title: `${exact(row.value)} USD, ${row.markets} markets`,
                },
                { text: share(row.value, total.value_usd) },
            ]),
            () =>
                element(
                    'tr',
                    {},
                    element('th', { scope: 'row' }),
                    element('td', { class: 'number' }),
                    element('td', { class: 'number' }),
                ),
        );
        if (index !== null && document.activeElement === byId('areas'))
            setText(
                byId('areas-spoken'),
                `${full(parse(total.time))}: ${rows.map((row) => `${row.name} ${compact(row.value)}`).join(', ')} USD`,
            );
    }

    tick() {
        this.showAges();
        if (this.groups.length > 0) this.showExchanges();
    }
}

export function mount(root, shell) {
    const view = new Overview(root, shell);
    return {
        use: (state) => view.use(state),
        leave: () => view.leave(),
        refresh: () => view.refresh(),
        again: () => view.refresh().catch((error) => view.fail(error)),
        tick: () => view.tick(),
        repaint: () => view.areas.repaint(),
        focus: () => byId('overview-by').querySelector('[tabindex="0"]')?.focus(),
    };
}
