// SPDX-License-Identifier: Apache-2.0
// One market: its figures, its chart, its newest readings. Every answer is checked against what is
// wanted by the time it arrives, so a slow answer never overwrites a newer choice.

import * as api from './api.js';
import { Chart } from './chart.js';
import { brief, compact, exact, signedPercent, subtract, toNumber } from './decimal.js';
import { byId, choiceGroup, element, setAttribute, setClass, setText } from './dom.js';
import { Marks } from './market_marks.js';
import { Take, framed } from './market_take.js';
import { Stream } from './stream.js';
import { STALE_MS, kindName, parts } from './table.js';
import { Tiles } from './tiles.js';
import { INTERVALS, RANGES, age, full, iso, parse } from './time.js';

const READINGS = 8;
const CANDLES_LISTED = 200;
// A stream may bring a row a second; figures that change oftener than this cannot be read.
const REFRESH_MS = 1500;

const UNITS = [
    { name: 'usd', text: 'USD' },
    { name: 'coins', text: 'Coins' },
    { name: 'contracts', text: 'Contracts' },
];
const LIVE = {
    off: 'Not connected',
    connecting: 'Connecting …',
    waiting: 'Waiting for readings',
    past: 'As known then',
    live: 'Live',
    lost: 'Reconnecting …',
};
const VIEWS = [
    { name: 'candles', text: 'Candles' },
    { name: 'line', text: 'Line' },
];

const TAKEN_MAX = 10000;
const SETTLE_MS = 250;
const CANDLES_SEEN = 1500;

const signed = (text) => (text.startsWith('-') || /^[0.]*$/.test(text) ? '' : '+') + exact(text);

// By the signs of the change of open interest and of the price.
const REGIME_FACTS = [
    ['long-buildup', 'Long build-up', 'Open interest and price rose: new longs lead.'],
    ['short-buildup', 'Short build-up', 'Open interest rose, the price fell: new shorts lead.'],
    ['long-unwinding', 'Long unwinding', 'Open interest and price fell: longs close.'],
    ['short-covering', 'Short covering', 'Open interest fell, the price rose: shorts close.'],
];

export function regimeOf(change, priceChange) {
    if (!change || !priceChange) return 0;
    if (change > 0) return priceChange > 0 ? 1 : 2;
    return priceChange < 0 ? 3 : 4;
}

// Most candles hold a single reading: a row of dots says less than a line.
function areFlat(candles) {
    return candles.filter((candle) => candle.count > 1).length * 2 < candles.length;
}

// What each candle changed against the one before, by amount, and its regime; none over a hole.
function changesOf(columns, seconds, unit) {
    const { time, amount, price, close } = columns,
        change = [],
        regime = [];
    for (let at = 0; at < time.length; at++) {
        const isNext = at > 0 && time[at] - time[at - 1] <= seconds * 1.5;
        const by = isNext && amount[at] !== null && amount[at - 1] !== null
            ? amount[at] - amount[at - 1]
            : null;
        change.push(by === null ? null : unit === 'usd' ? by * price[at] : by);
        regime.push(by === null || close[at] === null ? 0 : regimeOf(by, price[at] - price[at - 1]));
    }
    return { change, regime };
}

export class Market {
    // callbacks: change(part of the state), known(market): its row of the table, seen(row): newer
    constructor({ change, known, seen }) {
        this.change = change;
        this.known = known;
        this.seen = seen;
        this.state = null;
        this.latest = null;
        this.definition = null;
        this.candles = [];
        this.drawn = null;
        this.now = Date.now;
        this.loading = null;
        this.chart = new Chart(byId('chart'), {
            onCursor: (index) => this.read(index),
            onSpan: () => this.follow(),
        });
        this.tiles = new Tiles(
            (question, signal) => this.askCandles(question, signal),
            () => this.follow(),
        );
        this.marks = new Marks(byId('marks'), api.get, (marks) => this.chart.mark(marks));
        this.take = new Take(byId('take'), {
            picture: () => this.picture(),
            name: () => `${this.state.market.replaceAll(/[^\w-]+/g, '_')}-${this.state.unit}`,
        });
        this.stream = new Stream(
            (row) => this.arrived(row),
            (state) => this.tellLive(state),
        );
        this.buildKnobs();
        this.emptyFigures();
        this.read(null);
    }

    buildKnobs() {
        const byName = (item) => ({ name: item.name, text: item.name, title: item.label });
        this.setRange = choiceGroup(byId('ranges'), RANGES.map(byName), (range) =>
            this.change({ range, interval: '', from: '', to: '' }),
        );
        this.setInterval = choiceGroup(byId('intervals'), INTERVALS.map(byName), (interval) =>
            this.change({ interval }),
        );
        this.setUnit = choiceGroup(byId('units'), UNITS, (unit) => this.change({ unit }));
        this.setView = choiceGroup(byId('views'), VIEWS, (view) => this.change({ view }));
        byId('zoom-in').addEventListener('click', () => this.chart.zoom(1 / 1.5));
        byId('zoom-out').addEventListener('click', () => this.chart.zoom(1.5));
        byId('zoom-all').addEventListener('click', () => this.chart.reset());
        byId('veil-again').addEventListener('click', () => this.load());
        byId('candles-box').addEventListener('toggle', () => this.listCandles());
        byId('as-of-time').addEventListener('change', (event) => {
            const ms = parse(`${event.target.value}Z`);
            this.change({ as_of: ms === null ? '' : iso(ms) });
        });
        byId('as-of-now').addEventListener('click', () => this.change({ as_of: '' }));
        byId('legend').replaceChildren(
            ...REGIME_FACTS.map(([name, text, title]) =>
                element(
                    'span',
                    { title },
                    element('i', { class: `swatch is-${name}`, 'aria-hidden': 'true' }),
                    text,
                    element('span', { class: 'unseen', textContent: `: ${title}` }),
                ),
            ),
            element('span', {
                class: 'legend-note',
                textContent: 'Bars: what each candle changed by amount, coloured by whether open interest and price rose.',
            }),
        );
    }

    get range() {
        return RANGES.find((range) => range.name === this.state.range);
    }

    // The interval chosen where that makes no more candles than can be told apart, else the finest
    // that suits the width.
    get interval() {
        const [from, to] = this.chart.visible(),
            span = to - from;
        const chosen = INTERVALS.find((interval) => interval.name === this.state.interval);
        if (chosen && span / chosen.seconds <= CANDLES_SEEN) return chosen;
        const room = Math.min(420, Math.max(120, (byId('chart').clientWidth - 116) / 2.5));
        return (
            INTERVALS.find((interval) => span / interval.seconds <= room) ??
            INTERVALS[INTERVALS.length - 1]
        );
    }

    tellChoices() {
        const [from, to] = this.chart.visible();
        const isHome = !this.state.from && !this.state.to;
        this.setRange(isHome ? this.state.range : '');
        this.setInterval(this.interval.name, (name) => {
            const { seconds } = INTERVALS.find((interval) => interval.name === name);
            return (to - from) / seconds <= CANDLES_SEEN && (to - from) / seconds >= 4;
        });
        this.setUnit(this.state.unit);
        this.setView(this.state.view);
        const asOf = parse(this.state.as_of);
        const text = asOf === null ? '' : new Date(asOf).toISOString().slice(0, 16);
        if (byId('as-of-time').value !== text) byId('as-of-time').value = text;
        byId('as-of-now').disabled = asOf === null;
        byId('as-of').classList.toggle('is-set', asOf !== null);
    }

    use(state, market) {
        const before = this.state;
        this.state = { ...state, market };
        byId('market').toggleAttribute('data-empty', !market);
        if (!market) {
            clearTimeout(this.settling);
            this.stream.follow('');
            return;
        }
        const isOther = before?.market !== market || before.as_of !== state.as_of;
        if (isOther) {
            this.latest = this.definition = null;
            this.emptyFigures();
            this.title();
            this.stream.follow(state.as_of ? '' : market);
        }
        if (isOther || before.unit !== state.unit) {
            this.tiles.clear(state.unit);
            this.candles = [];
            this.drawn = null;
            this.marks.clear();
            this.load();
        } else if (
            before.range !== state.range ||
            before.from !== state.from ||
            before.to !== state.to
        ) {
            this.place();
        } else if (before.interval !== state.interval) this.follow();
        else if (before.view !== state.view) this.draw();
        this.tellChoices();
    }

    // What a link needs beside the market to show the same.
    sharePart() {
        const [from, to] = this.chart.visible();
        return {
            from: iso(Math.round(from) * 1000),
            to: iso(Math.round(to) * 1000),
            interval: this.interval.name,
        };
    }

    title() {
        const { exchange, product, symbol } = parts(this.state.market);
        setText(byId('title'), symbol);
        document.title = `${symbol} · ${exchange} · Open interest`;
        const facts = this.definition,
            words = [exchange + (product ? ` ${product}` : '')];
        if (facts) {
            words.push(kindName(facts.kind));
            if (facts.settlement && facts.settlement !== 'UNKNOWN')
                words.push(facts.settlement.toLowerCase());
            if (facts.contract_size) {
                const worth =
                    facts.settlement === 'INVERSE' || facts.kind === 'EVENT'
                        ? 'USD'
                        : this.coinName();
                words.push(`1 contract = ${exact(facts.contract_size)} ${worth}`);
            }
            if (facts.expiry) words.push(`expires ${full(parse(facts.expiry))}`);
            if (facts.first) words.push(`recorded since ${full(parse(facts.first))}`);
            if (facts.is_delisted) words.push('delisted');
            if (facts.is_provisional) words.push('not defined yet: only its own unit is known');
        }
        const about = words.filter(Boolean).join(' · ');
        setText(byId('about'), about);
        setAttribute(byId('about'), 'title', about);
    }

    // What amounts in coins count: "BTC", or "1000 PEPE" where the symbol's unit is that.
    coinName() {
        const facts = this.definition;
        const coin = facts?.coin ?? this.latest?.coin ?? '';
        return (facts?.coin_factor ?? 1) === 1 ? coin : `${facts.coin_factor} ${coin}`;
    }

    // Readings have their USD value in a column of its own; some imports have nothing else.
    readingsUnit(latest) {
        const hasCoins = latest?.open_interest != null;
        return this.state.unit === 'usd' && hasCoins ? 'coins' : this.state.unit;
    }

    unitName(unit = this.state.unit) {
        return unit === 'usd'
            ? 'USD'
            : unit === 'contracts'
              ? 'contracts'
              : this.coinName() || 'coins';
    }

    // Everything of the view anew.
    async load() {
        this.loading?.abort();
        const loading = new AbortController();
        this.loading = loading;
        clearTimeout(this.timer);
        this.timer = 0;
        const { market, as_of: asOf } = this.state;
        this.hasFailed = false;
        this.tiles.error = null;
        this.veilSoon();
        try {
            // A market's history may have ended long ago: its range ends where it ends.
            const [latest, facts] = await Promise.all([
                this.latest ??
                    (asOf ? null : this.known(market)) ??
                    this.get('/oi/v1/latest', [['market', market]], loading.signal).then(
                        (data) => data[0] ?? null,
                    ),
                this.definition ?? api.definition(market, loading.signal),
            ]);
            if (loading !== this.loading) return;
            this.latest = latest;
            this.definition = facts;
            this.title();
            this.figures();
            this.place();
            const readings = await this.askReadings(loading.signal);
            if (loading !== this.loading) return;
            this.listReadings(readings);
        } catch (error) {
            if (loading !== this.loading || loading.signal.aborted) return;
            this.fail(error);
        }
    }

    fail(error) {
        this.hasFailed = true;
        this.candles = [];
        this.drawn = null;
        this.draw();
        this.veil(`${error.message} ${error.advice ?? ''}`, true);
    }

    async get(path, parameters, signal) {
        const answer = await api.get(path, [...parameters, ['as_of', this.state.as_of]], signal);
        return answer.data;
    }

    askReadings(signal) {
        return this.get(
            '/oi/v1/open-interest',
            [
                ['market', this.state.market],
                ['unit', this.readingsUnit(this.latest)],
                ['limit', READINGS],
            ],
            signal,
        );
    }

    askCandles({ interval, start, end }, signal) {
        return api.get(
            '/oi/v1/open-interest',
            this.candlesQuery(interval, start, end, TAKEN_MAX),
            signal,
        );
    }

    candlesQuery(interval, start, end, limit) {
        return [
            ['market', this.state.market],
            ['interval', interval.name],
            ['unit', this.state.unit],
            ['start', iso(start * 1000)],
            ['end', iso(end * 1000)],
            ...(this.state.as_of ? [['as_of', this.state.as_of]] : []),
            ['limit', String(limit)],
        ];
    }

    // From the first reading to behind the newest; and the part of it that the range is.
    bounds() {
        const last = Math.min(parse(this.latest?.time) ?? this.now(), this.now()) / 1000;
        const length = this.range.seconds;
        const first = Math.min((parse(this.definition?.first) ?? (last - length) * 1000) / 1000, last);
        const room = length * 0.008;
        const home = [Math.max(last - length, first - room), last + room];
        if (home[1] - home[0] < 3600) home[0] = home[1] - 3600;
        return { limits: [Math.min(first - room, home[0]), home[1]], home };
    }

    // Look at what the address says: a span of its own, or the range at the end.
    place() {
        const { limits, home } = this.bounds();
        const from = parse(this.state.from),
            to = parse(this.state.to);
        const isGiven = from !== null && to !== null && from < to;
        if (isGiven) {
            limits[0] = Math.min(limits[0], from / 1000);
            limits[1] = Math.max(limits[1], to / 1000);
        }
        this.chart.bound(limits, home);
        this.chart.show(isGiven ? [from / 1000, to / 1000] : home);
        this.tellChoices();
        this.follow();
    }

    // Draw what is seen of the best interval as soon as all of it is there; until then what was
    // drawn stays, and moves along.
    follow() {
        if (!this.state?.market || !this.latest) {
            if (this.tiles.error) this.fail(this.tiles.error);
            return;
        }
        const [from, to] = this.chart.visible(),
            [first, last] = this.chart.limits;
        const interval = this.interval,
            length = to - from;
        clearTimeout(this.settling);
        this.settling = setTimeout(() => this.settle(), SETTLE_MS);
        if (this.tiles.error && !this.tiles.isReady(interval, from, to)) {
            this.fail(this.tiles.error);
            return;
        }
        this.tiles.need(interval, from, to);
        if (!this.tiles.isReady(interval, from, to)) {
            if (!this.drawn) this.veilSoon();
            return;
        }
        clearTimeout(this.veiling);
        const wanted = [Math.max(first, from - length), Math.min(last, to + length)];
        this.tiles.need(interval, ...wanted);
        const drawn = this.drawn;
        const isCovered =
            drawn?.interval === interval &&
            drawn.from <= Math.max(first, from - length / 4) &&
            drawn.to >= Math.min(last, to + length / 4);
        if (isCovered && this.tiles.version === drawn.version) return;
        this.drawn = { interval, from: wanted[0], to: wanted[1], version: this.tiles.version };
        this.compose();
    }

    compose() {
        const { interval, from, to } = this.drawn;
        const { candles, columns } = this.tiles.read(interval, from, to);
        this.candles = candles;
        this.columns = { ...columns, ...changesOf(columns, interval.seconds, this.state.unit) };
        this.leftOut = this.tiles.leftOut;
        this.draw();
        this.explainEmpty();
    }

    // When it stands still: into the address, and what goes with the span.
    settle() {
        if (!this.state?.market || !this.drawn) return;
        const [from, to] = this.chart.visible(),
            { interval } = this.drawn;
        const isHome = this.chart.home.every((edge, at) => Math.abs(edge - [from, to][at]) < 1);
        const part = isHome
            ? { from: '', to: '' }
            : { from: iso(Math.round(from) * 1000), to: iso(Math.round(to) * 1000) };
        if (part.from !== this.state.from || part.to !== this.state.to) {
            // The address tells what is seen already; nothing is to be placed anew.
            this.state = { ...this.state, ...part };
            this.change(part);
        }
        this.tellChoices();
        this.tellSpan();
        this.listCandles();
        const start = Math.floor(from / interval.seconds) * interval.seconds,
            end = Math.ceil(to / interval.seconds) * interval.seconds;
        this.take.use(
            '/oi/v1/open-interest',
            this.candlesQuery(interval, start, end, TAKEN_MAX),
        );
        this.marks.look(
            [
                ['market', this.state.market],
                ['unit', this.state.unit === 'usd' ? 'coins' : this.state.unit],
                ...(this.state.as_of ? [['as_of', this.state.as_of]] : []),
            ],
            {
                start: iso(start * 1000),
                end: iso(Math.min(end * 1000, Math.floor(this.now() / 1000) * 1000)),
                seconds: to - from,
            },
            interval.seconds,
        );
        // The next coarser candles around, for zooming out.
        const coarser = INTERVALS[INTERVALS.indexOf(interval) + 1];
        const [first, last] = this.chart.limits;
        if (coarser)
            this.tiles.need(
                coarser,
                Math.max(first, from - (to - from)),
                Math.min(last, to + (to - from)),
            );
    }

    tellSpan() {
        const [from, to] = this.chart.visible();
        const { symbol } = parts(this.state.market);
        const seen = this.candles.filter((candle) => {
            const time = parse(candle.start) / 1000;
            return time >= from && time <= to;
        });
        setAttribute(
            byId('chart'),
            'aria-label',
            `${symbol}: open interest in ${this.unitName()} and mark price, ` +
                `${full(from * 1000)} to ${full(to * 1000)}, ` +
                `${seen.length} candles of ${this.interval.label}`,
        );
    }

    picture() {
        const { exchange, symbol } = parts(this.state.market);
        const [from, to] = this.chart.visible();
        const asOf = this.state.as_of ? `, as of ${full(parse(this.state.as_of))}` : '';
        return framed(
            this.chart.plot.ctx.canvas,
            `${symbol} · ${exchange} · open interest in ${this.unitName()}`,
            `${full(from * 1000)} – ${full(to * 1000)}, candles of ${this.interval.label}${asOf}`,
        );
    }

    veilSoon() {
        clearTimeout(this.veiling);
        this.veiling = setTimeout(
            () => this.veil('Loading …', false),
            this.candles.length > 0 ? 250 : 0,
        );
    }

    explainEmpty() {
        clearTimeout(this.veiling);
        if (this.candles.length > 0) {
            byId('veil').hidden = true;
            return;
        }
        if (this.leftOut > 0) {
            this.veil(
                this.state.unit === 'usd'
                    ? 'These readings came without a price, so they have no USD value. Choose contracts or coins.'
                    : `These readings cannot be turned into ${this.state.unit}. Choose another unit.`,
                false,
            );
        } else if (this.latest?.time) {
            this.veil(
                `Nothing was recorded in this range. The newest reading is of ${full(
                    parse(this.latest.time),
                )}. Choose a longer range.`,
                false,
            );
        } else {
            this.veil(
                'Nothing is recorded of this market yet. The chart fills as readings arrive.',
                false,
            );
        }
    }

    veil(text, mayTryAgain) {
        setText(byId('veil-text'), text);
        byId('veil-again').hidden = !mayTryAgain;
        byId('veil').hidden = false;
    }

    // A new row says that there is something to ask for; the answer has it in the unit chosen.
    arrived(row) {
        if (row.market !== this.state?.market || this.timer) return;
        const wait = Math.max(0, (this.refreshed ?? 0) + REFRESH_MS - performance.now());
        this.timer = setTimeout(() => this.refresh(), wait);
    }

    async refresh() {
        const loading = this.loading,
            { market } = this.state;
        this.refreshed = performance.now();
        try {
            const interval = this.drawn?.interval ?? this.interval;
            const newest = Math.min(parse(this.latest?.time) ?? this.now(), this.now()) / 1000;
            const start = Math.floor(newest / interval.seconds) * interval.seconds;
            const [latest, answer, readings] = await Promise.all([
                api.latestOf(market, loading?.signal),
                this.askCandles(
                    { interval, start, end: Math.ceil(this.now() / 1000 + interval.seconds) },
                    loading?.signal,
                ),
                this.askReadings(loading?.signal),
            ]);
            if (loading !== this.loading) return;
            this.latest = latest;
            this.seen(latest);
            this.tiles.merge(interval, answer.data);
            this.moveEnd();
            this.figures();
            this.listReadings(readings);
            this.follow();
        } catch {
            // The next row asks again; what is shown stays true for its time.
        } finally {
            if (loading === this.loading) this.timer = 0;
        }
    }

    // Who looks at the end goes on looking at the end.
    moveEnd() {
        const chart = this.chart,
            isAtEnd = chart.visible()[1] >= chart.limits[1] - 1;
        const isHome = chart.home.every((edge, at) => Math.abs(edge - chart.visible()[at]) < 1);
        const { limits, home } = this.bounds();
        const [from, to] = chart.visible();
        chart.bound([Math.min(limits[0], from), Math.max(limits[1], to)], home);
        if (isHome) chart.show(home);
        else if (isAtEnd) chart.show([from + limits[1] - to, limits[1]]);
    }

    // Candles of one reading each are dashes without a body: a line says the same and is legible.
    drawnView() {
        return areFlat(this.candles) ? 'line' : this.state.view;
    }

    draw() {
        if (!this.drawn) {
            this.columns = {
                time: [],
                open: [],
                high: [],
                low: [],
                close: [],
                price: [],
                change: [],
                regime: [],
            };
        }
        const interval = this.drawn?.interval ?? this.interval;
        this.chart.set(this.columns, { view: this.drawnView(), interval: interval.seconds });
        const isForced = this.drawnView() !== this.state.view && this.candles.length > 0;
        setText(
            byId('left-name'),
            `Open interest, ${this.unitName()}${isForced ? ' (a line: one reading a candle)' : ''}`,
        );
        const quote = this.definition?.quote;
        const hasPrice = this.candles.some((candle) => candle.price_close !== null);
        setText(byId('right-name'), !hasPrice ? '' : quote ? `Mark price, ${quote}` : 'Mark price');
        this.read(null);
        this.listCandles();
    }

    // The change from the candle before, with every digit.
    changeAt(at) {
        const { seconds } = this.drawn?.interval ?? this.interval;
        const before = this.candles[at - 1],
            candle = this.candles[at];
        if (!before || parse(candle.start) - parse(before.start) > seconds * 1500) return null;
        return subtract(candle.close, before.close);
    }

    // The exact figures of the candle under the cursor, or of the newest.
    read(index) {
        const at = index ?? this.candles.length - 1;
        const candle = this.candles[at];
        const start = candle ? parse(candle.start) : null;
        const isUp = candle && toNumber(candle.close) >= toNumber(candle.open);
        const price = candle?.price_close;
        const change = candle ? this.changeAt(at) : null;
        const regime = REGIME_FACTS[(this.columns?.regime?.[at] ?? 0) - 1];
        const entries = [
            ['time', candle ? `${full(start)}` : '–', 'r-time'],
            ['Open', exact(candle?.open)],
            ['High', exact(candle?.high)],
            ['Low', exact(candle?.low)],
            ['Close', exact(candle?.close), isUp ? 'is-up' : candle ? 'is-down' : ''],
            ['Price', exact(price), 'r-price'],
            ['Change', change === null ? '–' : signed(change)],
            ['Regime', regime ? regime[1] : '–', regime ? `r-regime is-${regime[0]}` : 'r-regime'],
        ];
        const list = byId('readout');
        if (list.children.length === 0) {
            for (const [name] of entries)
                list.append(
                    element(
                        'div',
                        {},
                        element('dt', { textContent: name === 'time' ? 'Start' : name }),
                        element('dd'),
                    ),
                );
        }
        entries.forEach(([, text, name], at) => {
            setText(list.children[at].lastElementChild, text);
            setClass(list.children[at], name ?? '');
        });
        if (index !== null && document.activeElement === byId('chart') && candle) {
            setText(
                byId('spoken'),
                `${full(start)}: open ${exact(candle.open)}, close ${exact(
                    candle.close,
                )} ${this.unitName()}, price ${exact(price)}, ${regime?.[1] ?? 'no regime'}`,
            );
        }
    }

    emptyFigures() {
        const names = ['Open interest', 'Value', 'Mark price', '1 h', '24 h', '7 d', 'Updated'];
        byId('figures').replaceChildren(
            ...names.map((name) =>
                element(
                    'div',
                    {},
                    element('dt', { textContent: name }),
                    element('dd', { textContent: '–' }),
                ),
            ),
        );
        byId('readings').replaceChildren(
            ...Array.from({ length: READINGS }, () =>
                element(
                    'tr',
                    {},
                    ...Array.from({ length: 4 }, (_, at) =>
                        element('td', { class: at > 0 ? 'number' : '', textContent: '\u00a0' }),
                    ),
                ),
            ),
        );
    }

    figures() {
        const latest = this.latest,
            cells = byId('figures').children;
        const put = (at, text, title, name) => {
            const cell = cells[at].lastElementChild;
            setText(cell, text);
            setAttribute(cell, 'title', title ?? '');
            setClass(cell, name ?? '');
        };
        const unit = this.unitName('coins');
        put(
            0,
            `${brief(latest?.open_interest)} ${unit}`,
            `${exact(latest?.open_interest)} ${unit}`,
        );
        put(1, `${compact(latest?.value_usd)} USD`, `${exact(latest?.value_usd)} USD`);
        put(2, exact(latest?.price), this.definition?.quote ?? '');
        ['1h', '24h', '7d'].forEach((name, at) => {
            const change = signedPercent(latest?.[`change_percent_${name}`]);
            put(
                3 + at,
                change?.text ?? '–',
                `Change of the amount in ${unit}`,
                !change ? 'is-none' : change.sign > 0 ? 'is-up' : change.sign < 0 ? 'is-down' : '',
            );
        });
        this.tick();
    }

    tick() {
        this.showLive();
        const cell = byId('figures').lastElementChild?.lastElementChild;
        const ms = parse(this.latest?.time);
        if (!cell || ms === null) return;
        setText(cell, `${age(this.now() - ms)} ago`);
        setAttribute(cell, 'title', this.latest.time);
    }

    listReadings(readings) {
        setText(
            byId('readings-unit'),
            {
                coins: this.coinName() || 'Coins',
                contracts: 'Contracts',
                usd: 'Open interest',
            }[readings[0]?.unit ?? 'coins'],
        );
        const newest = readings.slice(-READINGS).reverse();
        const rows = byId('readings').children;
        for (let at = 0; at < READINGS; at++) {
            const reading = newest[at],
                row = rows[at];
            const [date, clock] = reading
                ? reading.time.replace('Z', '').split('T')
                : ['\u00a0', ''];
            const texts = reading
                ? [
                      exact(reading.open_interest),
                      exact(reading.value_usd),
                      exact(reading.mark_price),
                  ]
                : ['', '', ''];
            const isNew = reading && this.newestSeen && parse(reading.time) > this.newestSeen;
            if (row.firstElementChild.textContent !== `${date} ${clock}`) {
                row.firstElementChild.replaceChildren(
                    element('span', { class: 'date', textContent: `${date} ` }),
                    clock,
                );
            }
            texts.forEach((text, cell) => setText(row.children[cell + 1], text));
            row.classList.toggle('is-new', Boolean(isNew));
        }
        const top = parse(newest[0]?.time);
        // Only rows that came while this market was looked at are new.
        this.newestSeen = this.newestMarket === this.state.market ? top : null;
        if (this.newestMarket !== this.state.market) {
            this.newestMarket = this.state.market;
            this.newestSeen = top;
        }
    }

    listCandles() {
        if (!byId('candles-box').open) return;
        const [from, to] = this.chart.visible();
        byId('candles').replaceChildren(
            ...this.candles
                .filter((candle) => {
                    const time = parse(candle.start) / 1000;
                    return time >= from && time <= to;
                })
                .slice(-CANDLES_LISTED)
                .reverse()
                .map((candle) =>
                    element(
                        'tr',
                        {},
                        element('th', {
                            scope: 'row',
                            textContent: candle.start.replace('T', ' ').replace('Z', ''),
                        }),
                        ...['open', 'high', 'low', 'close', 'price_close'].map((name) =>
                            element('td', { class: 'number', textContent: exact(candle[name]) }),
                        ),
                        element('td', { class: 'number', textContent: String(candle.count) }),
                    ),
                ),
        );
    }

    tellLive(state) {
        this.connection = state;
        this.showLive();
        if (state === 'lost') this.hasMissed = true;
        if (state !== 'live' || !this.hasMissed) return;
        // What came while nobody listened is asked for.
        this.hasMissed = false;
        this.arrived({ market: this.state.market });
    }

    // Connected is not yet live: an imported market's readings may have ended years ago.
    showLive() {
        const ms = parse(this.latest?.time);
        const isWaiting = this.connection === 'live' && (!ms || this.now() - ms > STALE_MS);
        const state = this.state?.as_of
            ? 'past'
            : isWaiting
              ? 'waiting'
              : (this.connection ?? 'off');
        setAttribute(byId('live'), 'data-state', state);
        setText(byId('live').lastElementChild, LIVE[state]);
    }
}
