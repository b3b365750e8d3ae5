// SPDX-License-Identifier: Apache-2.0
// Markets, assets and exchanges beside each other: on each other, as lines, from 100 on, or as
// shares. In USD all come from the same totals; coins and contracts only where they can be added up,
// and what cannot is left out with the reason.

import * as api from './api.js';
import { Areas } from './areas.js';
import { compact, exact, share, sum, toNumber } from './decimal.js';
import { byId, choiceGroup, element, setAttribute, setText } from './dom.js';
import { Picker, fillChips } from './picker.js';
import * as address from './state.js';
import { parts } from './table.js';
import { full, iso, parse } from './time.js';

const MODES = [
    { name: 'stacked', text: 'Stacked' },
    { name: 'lines', text: 'Lines' },
    { name: 'indexed', text: 'Indexed', title: 'Indexed: each is 100 at the start' },
    { name: 'shares', text: 'Shares', title: 'Shares: in percent of all chosen' },
];
const UNITS = [
    { name: 'usd', text: 'USD' },
    { name: 'coins', text: 'Coins' },
    { name: 'contracts', text: 'Contracts' },
];
const RANGES = [
    { name: '24h', hours: 24, step: 1, label: '24 hours' },
    { name: '7d', hours: 168, step: 2, label: '7 days' },
    { name: '30d', hours: 720, step: 12, label: '30 days' },
    { name: '90d', hours: 2160, step: 24, label: '90 days' },
    { name: '1y', hours: 8760, step: 24, label: '1 year' },
];
const HOUR = 3600e3;
const CHOSEN_MAX = 8;
const STARTED_WITH = 5;
const OFFERED = 12;
const LISTED = 60;
const RELOAD_MS = 60000;
const GROUPS = { coin: 'asset', exchange: 'exchange' };

export const fields = {
    of: { standard: '' },
    as: { standard: 'stacked', choices: MODES.map((one) => one.name) },
    unit: { standard: 'usd', choices: UNITS.map((one) => one.name) },
    range: { standard: '7d', choices: RANGES.map((one) => one.name) },
};

// "coin:BTC", "exchange:okx", or a market's name, which has two colons.
function described(token) {
    const [group, ...rest] = token.split(':');
    if (rest.length === 1 && GROUPS[group])
        return { token, kind: group, name: rest[0], field: [group, rest[0]] };
    const { exchange, symbol } = parts(token);
    return { token, kind: 'market', name: symbol, title: token, exchange, field: ['market', token] };
}

const tokensOf = (text) =>
    text.split(',').map(decodeURIComponentSafely).filter(Boolean).slice(0, CHOSEN_MAX);
const textOf = (tokens) => tokens.map((token) => encodeURIComponent(token).replaceAll('%3A', ':')).join(',');

function decodeURIComponentSafely(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return '';
    }
}

// Why this cannot be shown in this unit, or ''.
function refusal(item, unit) {
    if (unit === 'usd' || item.kind === 'market') return '';
    if (unit === 'contracts') return 'contracts of different markets are of different sizes';
    return item.kind === 'exchange' ? 'coins of different assets cannot be added up' : '';
}

class Compare {
    constructor(root, shell) {
        this.shell = shell;
        this.series = [];
        this.groups = [];
        this.areas = new Areas(byId('compare-chart'), (index) => this.read(index));
        this.picker = new Picker(byId('compare-search'), byId('compare-offers'), {
            offers: (text) => this.offers(text),
            onPick: (token) => this.choose([...this.tokens, token]),
        });
        this.setMode = choiceGroup(byId('compare-as'), MODES, (as) => shell.change({ as }));
        this.setUnit = choiceGroup(byId('compare-unit'), UNITS, (unit) => shell.change({ unit }));
        this.setRange = choiceGroup(
            byId('compare-range'),
            RANGES.map((one) => ({ name: one.name, text: one.name, title: one.label })),
            (range) => shell.change({ range }),
        );
        byId('compare-share').addEventListener('click', () => shell.share(byId('compare-share')));
        byId('compare-csv').addEventListener('click', () => this.download());
        for (const by of Object.keys(GROUPS))
            byId(`compare-all-${by}`).addEventListener('click', () => this.choose(this.largest(by)));
    }

    get tokens() {
        return tokensOf(this.state.of);
    }

    get range() {
        return RANGES.find((one) => one.name === this.state.range);
    }

    choose(tokens) {
        this.shell.change({ of: textOf([...new Set(tokens)].slice(0, CHOSEN_MAX)) });
    }

    largest(by) {
        return this.groups
            .filter((group) => group.by === by && group.name && group.name !== 'other')
            .slice(0, STARTED_WITH)
            .map((group) => `${by}:${group.name}`);
    }

    async offers(text) {
        const wanted = text.toLowerCase();
        const groups = this.groups
            .filter(
                (group) =>
                    group.name && group.name !== 'other' && group.name.toLowerCase().includes(wanted),
            )
            .map((group) => ({
                token: `${group.by}:${group.name}`,
                name: group.name,
                about: `${GROUPS[group.by]} · ${compact(group.value_usd)} USD`,
            }));
        const markets = text
            ? await api.get('/oi/v1/markets', [
                  ['q', text],
                  ['live', 'true'],
                  ['limit', OFFERED],
              ])
            : { data: [] };
        return [
            ...groups.slice(0, markets.data.length > 0 ? OFFERED / 2 : OFFERED),
            ...markets.data.map(({ market, kind }) => ({
                token: market,
                name: parts(market).symbol,
                about: `${parts(market).exchange} ${parts(market).product} · ${(kind ?? '').toLowerCase()}`,
            })),
        ].filter(({ token }) => !this.tokens.includes(token));
    }

    use(state) {
        const before = this.state;
        this.state = state;
        this.setMode(state.as);
        this.setUnit(state.unit);
        this.setRange(state.range);
        this.chips();
        const isOther = ['of', 'unit', 'range'].some((name) => before?.[name] !== state[name]);
        if (isOther) this.load().catch((error) => this.fail(error));
        else this.draw();
    }

    leave() {
        this.loading?.abort();
        this.state = { ...this.state, of: '\0' }; // whatever comes next is asked for
    }

    fail(error) {
        if (error.name !== 'AbortError') this.shell.trouble(error);
    }

    async refresh() {
        const rows = await api.overview([
            ['by', 'coin'],
            ['by', 'exchange'],
        ]);
        const isFirst = this.groups.length === 0;
        this.groups = rows.filter((_, at) => at % 4 === 0);
        if (isFirst && !this.state.of) this.choose(this.largest('exchange'));
        else if (Date.now() - (this.loadedAt ?? 0) > RELOAD_MS) await this.load();
        return this.groups.length > 0;
    }

    chips() {
        const chips = this.tokens.map((token, at) => {
            const item = described(token);
            return {
                token,
                name: item.kind === 'market' ? `${item.exchange} ${item.name}` : item.name,
                title: item.title ?? `${GROUPS[item.kind]} ${item.name}`,
                colour: `c${at + 1}`,
            };
        });
        fillChips(byId('compare-chips'), chips, (token) =>
            this.choose(this.tokens.filter((other) => other !== token)),
        );
        byId('compare-empty').hidden = chips.length > 0;
        byId('compare-search').disabled = chips.length >= CHOSEN_MAX;
        setAttribute(
            byId('compare-search'),
            'placeholder',
            chips.length >= CHOSEN_MAX
                ? `${CHOSEN_MAX} at most`
                : 'Add a market, an asset, an exchange',
        );
    }

    async load() {
        this.loading?.abort();
        const loading = new AbortController();
        this.loading = loading;
        this.loadedAt = Date.now();
        const { unit } = this.state,
            { hours, step } = this.range;
        const from = Math.floor((this.shell.now() - hours * HOUR) / (step * HOUR)) * step * HOUR;
        byId('compare-chart').classList.add('is-loading');
        const series = await Promise.all(
            this.tokens.map((token, at) =>
                this.one(described(token), { unit, step, from }, loading.signal).then((one) => ({
                    ...one,
                    colour: `--c${at + 1}`,
                })),
            ),
        );
        if (loading !== this.loading) return;
        byId('compare-chart').classList.remove('is-loading');
        this.series = series;
        this.align();
        this.draw();
    }

    // One of the chosen: { item, values: time -> text, members, leftOut, why }.
    async one(item, { unit, step, from }, signal) {
        const why = refusal(item, unit);
        const empty = { item, values: new Map(), members: 0, leftOut: [], why };
        if (why) return empty;
        try {
            const selection = [item.field];
            const span = [
                ['interval', `${step}h`],
                ['start', iso(from)],
            ];
            const [values, members] = await Promise.all([
                unit === 'usd'
                    ? this.worth([...selection, ['by', 'total'], ...span], signal)
                    : this.amounts(
                          [...selection, ...span, ['unit', unit], ['limit', '10000']],
                          item,
                          { step },
                          signal,
                      ),
                item.kind === 'market' ? null : this.members(selection, unit, signal),
            ]);
            const isEmpty = ![...values.values()].some((text) => text !== null);
            return {
                ...empty,
                values,
                members: members ? members.filter((one) => !one.left_out).length : 1,
                leftOut: members?.filter((one) => one.left_out) ?? [],
                why: isEmpty ? `nothing in ${unit === 'usd' ? 'USD' : unit} in this range` : '',
            };
        } catch (error) {
            if (signal.aborted || error.status === 401) throw error;
            return { ...empty, why: error.message };
        }
    }

    // The last instant is now, which is not the same in two answers.
    async worth(parameters, signal) {
        const rows = await api.overview(parameters, signal);
        return new Map(
            rows.map((row, at) => [
                at === rows.length - 1 ? Infinity : parse(row.time),
                row.value_usd,
            ]),
        );
    }

    // Closes of candles, each at its candle's end.
    async amounts(parameters, item, { step }, signal) {
        const { data } = await api.get(
            '/oi/v1/open-interest',
            item.kind === 'market' ? parameters : [...parameters, ['total', 'true']],
            signal,
        );
        return new Map(
            data.map((candle) => {
                const end = parse(candle.start) + step * HOUR;
                return [end > this.shell.now() ? Infinity : end, candle.close];
            }),
        );
    }

    async members(selection, unit, signal) {
        const { totals } = await api.get(
            '/oi/v1/open-interest',
            [
                ...selection,
                ['total', 'true'],
                ['interval', '1h'],
                ['start', iso(Math.floor(this.shell.now() / HOUR) * HOUR)],
                ['unit', unit],
                ['limit', '1'],
            ],
            signal,
        );
        return totals[0]?.members ?? [];
    }

    // All series on the instants that any of them has.
    align() {
        const instants = new Set(this.series.flatMap((one) => [...one.values.keys()]));
        const keys = [...instants].sort((a, b) => a - b);
        const has = (key) => this.series.some((one) => one.values.get(key) != null);
        const first = keys.findIndex(has);
        this.keys = first < 0 ? [] : keys.slice(first);
        this.times = this.keys.map((key) => (key === Infinity ? this.shell.now() : key));
        for (const one of this.series) {
            one.texts = this.keys.map((key) => one.values.get(key) ?? null);
            one.base = one.texts.find((text) => text !== null && toNumber(text) > 0) ?? null;
        }
        this.wholes = this.keys.map((_, at) => sum(this.drawn.map((one) => one.texts[at])));
    }

    get drawn() {
        return this.series.filter((one) => !one.why);
    }

    // What is said of a series at an instant: a text, and the number that is drawn of it.
    said(one, at) {
        const text = one.texts[at];
        if (text === null) return { short: '–', long: 'no figure' };
        switch (this.state.as) {
            case 'indexed': {
                const short = share(text, one.base).replace('%', '');
                return { short, long: short, number: (toNumber(text) / toNumber(one.base)) * 100 };
            }
            case 'shares': {
                const short = share(text, this.wholes[at]);
                return {
                    short,
                    long: `${exact(text)} of ${exact(this.wholes[at])}`,
                    number: (toNumber(text) / toNumber(this.wholes[at])) * 100,
                };
            }
        }
        return { short: compact(text), long: exact(text), number: toNumber(text) };
    }

    draw() {
        if (!this.times) return;
        const { as } = this.state;
        this.areas.set(
            this.times.map((time) => time / 1000),
            this.drawn.map((one) => ({
                colour: one.colour,
                values: one.texts.map((_, at) => this.said(one, at).number ?? null),
            })),
            { isStacked: as === 'stacked' || as === 'shares', isShare: as === 'shares' },
        );
        const unit = UNITS.find((one) => one.name === this.state.unit).text;
        const what = {
            stacked: unit,
            lines: unit,
            indexed: `100 at the start, of ${unit}`,
            shares: `percent of ${unit}`,
        }[as];
        setText(byId('compare-what'), what);
        setAttribute(
            byId('compare-chart'),
            'aria-label',
            `${this.drawn.map((one) => one.item.name).join(', ')}: open interest, ${what}, over ` +
                `${this.range.label}; arrow keys walk through it, the figures are below`,
        );
        byId('compare-none').hidden = this.drawn.length > 0 || this.tokens.length === 0;
        byId('compare-csv').disabled = this.drawn.length === 0;
        this.caution();
        this.read(null);
        this.tellLeftOut();
    }

    // Different things on one scale are no mistake of the reader's.
    caution() {
        const { unit, as } = this.state;
        const coins = new Set(
            this.drawn.map(({ item }) => (item.kind === 'coin' ? item.name : item.token)),
        );
        const isAdded = as === 'stacked' || as === 'shares';
        this.isMixed = unit !== 'usd' && coins.size > 1;
        setText(
            byId('compare-caution'),
            isAdded && this.isMixed
                ? `These ${unit} may not be of one kind; in USD, or indexed, they compare.`
                : '',
        );
    }

    // The table: at the cursor, or now.
    read(index) {
        if (!this.times || this.times.length === 0) {
            byId('compare-rows').replaceChildren();
            setText(byId('compare-time'), '\u00a0');
            return;
        }
        const at = index ?? this.times.length - 1;
        if (at >= this.times.length) return;
        const isAdded = this.state.as === 'stacked';
        const whole = this.wholes[at];
        const rows = this.drawn.map((one) => {
            const { short, long } = this.said(one, at);
            return {
                name: one.item.kind === 'market' ? one.item.token : one.item.name,
                colour: one.colour.slice(2),
                cells: [
                    short,
                    exact(one.texts[at]),
                    share(one.texts[at], one.base).replace('%', ''),
                    this.isMixed ? '–' : share(one.texts[at], whole),
                    String(one.members),
                ],
                long,
            };
        });
        if (isAdded && rows.length > 1)
            rows.push({
                name: 'All',
                colour: '',
                cells: [compact(whole), exact(whole), '', '', ''],
                long: exact(whole),
            });
        setText(byId('compare-time'), full(this.times[at]));
        const body = byId('compare-rows');
        while (body.children.length > rows.length) body.lastElementChild.remove();
        rows.forEach((row, number) => {
            const node =
                body.children[number] ??
                body.appendChild(
                    element(
                        'tr',
                        {},
                        element('th', { scope: 'row' }),
                        ...row.cells.map(() => element('td', { class: 'number' })),
                    ),
                );
            setText(node.firstElementChild, row.name);
            setAttribute(node.firstElementChild, 'data-colour', row.colour);
            row.cells.forEach((text, cell) => setText(node.children[cell + 1], text));
            setAttribute(node.children[1], 'title', row.long);
        });
        if (index !== null && document.activeElement === byId('compare-chart'))
            setText(
                byId('compare-spoken'),
                `${full(this.times[at])}: ${rows.map((row) => `${row.name} ${row.cells[0]}`).join(', ')}`,
            );
    }

    tellLeftOut() {
        const lines = [];
        for (const one of this.series) {
            if (one.why) lines.push([one.item.title ?? one.item.name, one.why, one.item]);
            for (const member of one.leftOut)
                lines.push([member.market, `${member.left_out} (of ${one.item.name})`, null]);
        }
        const count = lines.length;
        setText(
            byId('compare-left-count'),
            count === 0 ? 'Nobody is left out' : `Left out: ${count.toLocaleString('en')}`,
        );
        byId('compare-left').replaceChildren(
            ...lines.slice(0, LISTED).map(([name, why, item]) =>
                element(
                    'li',
                    {},
                    item || !name.includes(':')
                        ? element('b', { textContent: name })
                        : element('a', { href: address.marketAddress(name), textContent: name }),
                    element('span', { textContent: why }),
                ),
            ),
        );
        if (count > LISTED)
            byId('compare-left').append(
                element('li', {}, element('span', { textContent: `and ${count - LISTED} more` })),
            );
    }

    // What is on the screen, as it is on the screen, and every digit of it.
    download() {
        const quote = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
        const isRaw = ['stacked', 'lines'].includes(this.state.as);
        const lines = [
            ['time', ...this.drawn.map((one) => one.item.token)],
            ...this.times.map((time, at) => [
                iso(time),
                ...this.drawn.map((one) =>
                    one.texts[at] === null
                        ? ''
                        : isRaw
                          ? one.texts[at]
                          : this.said(one, at).short.replace('%', '').replaceAll(',', ''),
                ),
            ]),
        ].map((cells) => cells.map(quote).join(','));
        const url = URL.createObjectURL(
            new Blob([lines.join('\n') + '\n'], { type: 'text/csv;charset=utf-8' }),
        );
        const { as, unit } = this.state;
        element('a', { href: url, download: `open-interest-${as}-${unit}.csv` }).click();
        setTimeout(() => URL.revokeObjectURL(url), 10000);
    }
}

export function mount(root, shell) {
    const view = new Compare(root, shell);
    return {
        use: (state) => view.use(state),
        leave: () => view.leave(),
        refresh: () => view.refresh(),
        again: () => view.load().catch((error) => view.fail(error)),
        repaint: () => view.areas.repaint(),
        focus: () => byId('compare-search').focus(),
        search: () => byId('compare-search').focus(),
    };
}
