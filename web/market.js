// SPDX-License-Identifier: Apache-2.0
// One market: its figures, its chart, its newest readings. Every answer is checked against what is
// wanted by the time it arrives, so a slow answer never overwrites a newer choice.

import * as api from './api.js';
import { Chart } from './chart.js';
import { brief, compact, exact, signedPercent, toNumber } from './decimal.js';
import { byId, choiceGroup, element, setAttribute, setClass, setText } from './dom.js';
import { Stream } from './stream.js';
import { STALE_MS, kindName, parts } from './table.js';
import { INTERVALS, RANGES, age, fits, full, iso, parse } from './time.js';

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
    live: 'Live',
    lost: 'Reconnecting …',
};
const VIEWS = [
    { name: 'candles', text: 'Candles' },
    { name: 'line', text: 'Line' },
];

// Most candles hold a single reading: a row of dots says less than a line.
function areFlat(candles) {
    return candles.filter((candle) => candle.count > 1).length * 2 < candles.length;
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
        this.now = Date.now;
        this.loading = null;
        this.chart = new Chart(byId('chart'), (index) => this.read(index));
        this.stream = new Stream(
            (row) => this.arrived(row),
            (state) => this.tellLive(state),
        );
        const byName = (item) => ({ name: item.name, text: item.name, title: item.label });
        this.setRange = choiceGroup(byId('ranges'), RANGES.map(byName), (range) =>
            this.change({ range, interval: '' }),
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
        this.emptyFigures();
        this.read(null);
    }

    get range() {
        return RANGES.find((range) => range.name === this.state.range);
    }

    // Candles want some pixels each, and more than one reading.
    suitable() {
        const isNarrow = innerWidth < 600;
        return ((isNarrow || this.isSparse) && this.range.coarse) || this.range.interval;
    }

    // The interval chosen, or the one that suits the range.
    get interval() {
        const chosen = INTERVALS.find((interval) => interval.name === this.state.interval);
        return chosen && fits(chosen, this.range)
            ? chosen
            : INTERVALS.find((interval) => interval.name === this.suitable());
    }

    tellChoices() {
        const byName = (name) => INTERVALS.find((interval) => interval.name === name);
        this.setRange(this.state.range);
        this.setInterval(this.interval.name, (name) => fits(byName(name), this.range));
        this.setUnit(this.state.unit);
        this.setView(this.state.view);
    }

    use(state, market) {
        const before = this.state;
        this.state = { ...state, market };
        if (before?.market !== market || before.range !== state.range) this.isSparse = false;
        this.tellChoices();
        byId('market').toggleAttribute('data-empty', !market);
        if (!market) {
            this.stream.follow('');
            return;
        }
        const isOther = before?.market !== market;
        if (isOther) {
            this.latest = this.definition = null;
            this.candles = [];
            this.emptyFigures();
            this.title();
            this.stream.follow(market);
        }
        if (
            isOther ||
            before.range !== state.range ||
            before.unit !== state.unit ||
            before.interval !== state.interval
        )
            this.load();
        else if (before.view !== state.view) this.draw(true);
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
        const { market } = this.state;
        const slow = setTimeout(
            () => this.veil('Loading …', false),
            this.candles.length > 0 ? 250 : 0,
        );
        try {
            // A market's history may have ended long ago: its range ends where it ends.
            const latest =
                this.latest ?? this.known(market) ?? (await api.latestOf(market, loading.signal));
            const [candles, readings, facts] = await Promise.all([
                api.candles(this.question(latest), loading.signal),
                api.readings(market, this.readingsUnit(latest), READINGS, loading.signal),
                this.definition ?? api.definition(market, loading.signal),
            ]);
            if (loading !== this.loading) return;
            clearTimeout(slow);
            if (
                !this.state.interval &&
                this.range.coarse &&
                !this.isSparse &&
                areFlat(candles.data)
            ) {
                this.isSparse = true;
                this.tellChoices();
                await this.load();
                return;
            }
            this.hasFailed = false;
            this.latest = latest;
            this.definition = facts;
            this.candles = candles.data;
            this.leftOut = candles.left_out_rows;
            this.title();
            this.figures();
            this.draw(false);
            this.listReadings(readings);
            this.explainEmpty();
        } catch (error) {
            clearTimeout(slow);
            if (loading !== this.loading || loading.signal.aborted) return;
            this.hasFailed = true;
            this.candles = [];
            this.draw(false);
            this.veil(`${error.message} ${error.advice ?? ''}`, true);
        }
    }

    question(latest) {
        const seconds = this.interval.seconds;
        const end = Math.min(parse(latest?.time) ?? this.now(), this.now());
        const first = Math.floor((end / 1000 - this.range.seconds) / seconds) * seconds;
        return {
            market: this.state.market,
            unit: this.state.unit,
            interval: this.interval.name,
            start: iso(first * 1000),
        };
    }

    explainEmpty() {
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
            const last = this.candles[this.candles.length - 1];
            const question = this.question(this.latest);
            const [latest, candles, readings] = await Promise.all([
                api.latestOf(market, loading?.signal),
                api.candles(last ? { ...question, start: last.start } : question, loading?.signal),
                api.readings(market, this.readingsUnit(this.latest), READINGS, loading?.signal),
            ]);
            if (loading !== this.loading) return;
            this.latest = latest;
            this.seen(latest);
            this.merge(candles.data, question.start);
            this.figures();
            this.draw(true);
            this.listReadings(readings);
            this.explainEmpty();
        } catch {
            // The next row asks again; what is shown stays true for its time.
        } finally {
            if (loading === this.loading) this.timer = 0;
        }
    }

    merge(fresh, start) {
        if (fresh.length === 0) return;
        const from = parse(fresh[0].start),
            first = parse(start);
        this.candles = [
            ...this.candles.filter((candle) => parse(candle.start) < from),
            ...fresh,
        ].filter((candle) => parse(candle.start) >= first);
    }

    // Candles of one reading each are dashes without a body: a line says the same and is legible.
    drawnView() {
        return areFlat(this.candles) ? 'line' : this.state.view;
    }

    draw(keepsZoom) {
        const column = (name) => this.candles.map((candle) => toNumber(candle[name]));
        this.chart.set(
            {
                time: this.candles.map((candle) => parse(candle.start) / 1000),
                open: column('open'),
                high: column('high'),
                low: column('low'),
                close: column('close'),
                price: column('price_close'),
            },
            { view: this.drawnView(), interval: this.interval.seconds, keepsZoom },
        );
        const { symbol } = parts(this.state.market);
        setAttribute(
            byId('chart'),
            'aria-label',
            `${symbol}: open interest in ${this.unitName()} and mark price, ${this.range.label}, ` +
                `${this.candles.length} candles of ${this.interval.label}`,
        );
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
        const csv = new URLSearchParams([
            ...api.candlesQuery(this.question(this.latest)),
            ['format', 'csv'],
        ]);
        setAttribute(byId('csv'), 'href', `/oi/v1/open-interest?${csv}`);
    }

    // The exact figures of the candle under the cursor, or of the newest.
    read(index) {
        const candle = this.candles[index ?? this.candles.length - 1];
        const start = candle ? parse(candle.start) : null;
        const isUp = candle && toNumber(candle.close) >= toNumber(candle.open);
        const price = candle?.price_close;
        const entries = [
            ['time', candle ? `${full(start)}` : '–', 'r-time'],
            ['Open', exact(candle?.open)],
            ['High', exact(candle?.high)],
            ['Low', exact(candle?.low)],
            ['Close', exact(candle?.close), isUp ? 'is-up' : candle ? 'is-down' : ''],
            ['Price', exact(price), 'r-price'],
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
                )} ${this.unitName()}, price ${exact(price)}`,
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
        byId('candles').replaceChildren(
            ...this.candles
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
        const state = isWaiting ? 'waiting' : (this.connection ?? 'off');
        setAttribute(byId('live'), 'data-state', state);
        setText(byId('live').lastElementChild, LIVE[state]);
    }
}
