// SPDX-License-Identifier: Apache-2.0
// Options: of a coin on an exchange what stands at each expiry, and of one expiry what stands at
// each strike. Sums over markets are added digit by digit; ratios and the strike of maximum pain are
// the server's.

import * as api from './api.js';
import { add, brief, compact, exact, toNumber } from './decimal.js';
import { choiceGroup, element, setText } from './dom.js';
import { Take } from './market_take.js';
import { day, full, iso, parse } from './time.js';

const SVG = 'http://www.w3.org/2000/svg';
const UNITS = [
    { name: 'coins', text: 'Coins' },
    { name: 'usd', text: 'USD' },
    { name: 'contracts', text: 'Contracts' },
];
const COLUMNS = { coins: 'coins', usd: 'value_usd', contracts: 'contracts' };

export const fields = {
    coin: { standard: 'BTC' },
    exchange: { standard: 'deribit' },
    expiry: { standard: '' },
    unit: { standard: 'coins', choices: UNITS.map((unit) => unit.name) },
    as_of: { standard: '' },
};

function svg(tag, attributes = {}, text = '') {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
    if (text) node.textContent = text;
    return node;
}

const unique = (list) => [...new Set(list)];
const year = (ms) => new Date(ms).getUTCFullYear();
const dateOf = (text) => `${day(parse(text))} ${year(parse(text))}`;

// Strike by strike, ascending: exact sums of both sides.
export function strikesOf(rows, column) {
    const found = new Map();
    for (const row of rows) {
        const at = found.get(row.strike) ?? { strike: row.strike, call: null, put: null };
        const side = row.option_side;
        at[side] = at[side] === null ? row[column] : (add(at[side], row[column]) ?? at[side]);
        found.set(row.strike, at);
    }
    return [...found.values()].sort((a, b) => toNumber(a.strike) - toNumber(b.strike));
}

// A step of 1, 2 or 5 times a power of ten, so that about `count` of them reach `most`.
function niceStep(most, count) {
    const raw = most / count,
        power = 10 ** Math.floor(Math.log10(raw));
    return power * [1, 2, 5, 10].find((factor) => factor * power >= raw);
}

class StrikeChart {
    // picked(index or null)
    constructor(box, picked) {
        this.box = box;
        this.picked = picked;
        this.strikes = [];
        new ResizeObserver(() => this.draw()).observe(box);
        box.addEventListener('pointermove', (event) => this.pick(this.indexAt(event.clientX)));
        box.addEventListener('pointerleave', () => this.pick(null));
        box.addEventListener('keydown', (event) => {
            const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
            if (!step || this.strikes.length === 0) return;
            const last = this.strikes.length - 1;
            this.pick(Math.min(last, Math.max(0, (this.index ?? (step < 0 ? last + 1 : -1)) + step)));
            event.preventDefault();
        });
        box.addEventListener('blur', () => this.pick(null));
    }

    set(strikes, { index, maxPain }) {
        this.strikes = strikes;
        this.price = index;
        this.maxPain = maxPain;
        this.index = null;
        this.draw();
    }

    indexAt(clientX) {
        const at = Math.floor((clientX - this.box.getBoundingClientRect().left - 56) / this.step);
        return at >= 0 && at < this.strikes.length ? at : null;
    }

    pick(index) {
        if (index === this.index) return;
        this.index = index;
        this.band?.setAttribute('visibility', index === null ? 'hidden' : 'visible');
        if (index !== null) this.band?.setAttribute('x', String(56 + index * this.step));
        this.picked(index);
    }

    // Between which strikes a price is, in pixels.
    xOf(price) {
        const values = this.strikes.map(({ strike }) => toNumber(strike));
        const at = values.findIndex((value) => value >= price);
        if (at < 0) return 56 + (values.length - 0.5) * this.step;
        if (at === 0) return 56 + this.step / 2;
        const part = (price - values[at - 1]) / (values[at] - values[at - 1]);
        return 56 + (at - 0.5 + part) * this.step;
    }

    draw() {
        const width = this.box.clientWidth,
            height = this.box.clientHeight;
        if (width === 0) return;
        const top = 46,
            bottom = height - 30,
            { strikes } = this;
        const picture = svg('svg', { width, height, 'aria-hidden': 'true' });
        this.step = (width - 56 - 12) / Math.max(1, strikes.length);
        const most = Math.max(
            ...strikes.flatMap(({ call, put }) => [toNumber(call) ?? 0, toNumber(put) ?? 0]),
            0,
        );
        if (most > 0) {
            const step = niceStep(most, 5),
                scale = (bottom - top) / most;
            for (let value = 0; value <= most; value += step) {
                const y = Math.round(bottom - value * scale) + 0.5;
                picture.append(
                    svg('line', { x1: 56, x2: width - 12, y1: y, y2: y, class: 'o-grid' }),
                    svg('text', { x: 50, y: y + 4, class: 'o-label is-end' }, axisText(value)),
                );
            }
            this.band = svg('rect', { x: 0, y: top - 6, width: this.step, height: bottom - top + 6, class: 'o-band', visibility: 'hidden' });
            picture.append(this.band);
            this.drawBars(picture, bottom, scale);
            this.drawPrices(picture, bottom, width);
        }
        this.box.replaceChildren(picture);
    }

    drawBars(picture, bottom, scale) {
        const bar = Math.max(1, Math.min(28, this.step * 0.36));
        const every = Math.max(1, Math.ceil(58 / this.step));
        this.strikes.forEach(({ strike, call, put }, at) => {
            const middle = 56 + (at + 0.5) * this.step;
            for (const [value, name, x] of [
                [call, 'o-call', middle - bar - 0.5],
                [put, 'o-put', middle + 0.5],
            ]) {
                const size = (toNumber(value) ?? 0) * scale;
                if (size > 0)
                    picture.append(
                        svg('rect', { x, y: bottom - size, width: bar, height: Math.max(0.5, size), rx: Math.min(2, bar / 3), class: name }),
                    );
            }
            if (at % every === 0)
                picture.append(svg('text', { x: middle, y: bottom + 18, class: 'o-label is-middle' }, exact(strike)));
        });
    }

    drawPrices(picture, bottom, width) {
        const lines = [
            ['Max pain', this.maxPain, 'o-pain'],
            ['Index', this.price, 'o-index'],
        ].filter(([, price]) => price !== null && price !== undefined);
        lines.forEach(([name, price, kind], at) => {
            const x = Math.round(this.xOf(toNumber(price))) + 0.5;
            const isRight = x > width - 150;
            picture.append(
                svg('line', { x1: x, x2: x, y1: 4 + at * 15, y2: bottom, class: `o-line ${kind}` }),
                svg(
                    'text',
                    { x: x + (isRight ? -5 : 5), y: 14 + at * 15, class: `o-label o-mark ${kind}${isRight ? ' is-end' : ''}` },
                    `${name} ${brief(price)}`,
                ),
            );
        });
    }
}

function axisText(value) {
    const [size, letter] = [[1e9, 'B'], [1e6, 'M'], [1e3, 'K'], [1, '']].find(([unit]) => value >= unit) ?? [1, ''];
    return `${Number((value / size).toPrecision(3))}${letter}`;
}

export function mount(root, shell) {
    let state = null;
    let all = []; // expiries of every exchange and coin
    let chain = [];
    let strikes = [];
    let asked = 0;

    const coinSelect = element('select', { 'aria-label': 'Coin' });
    const exchangeSelect = element('select', { 'aria-label': 'Exchange' });
    const expirySelect = element('select', { 'aria-label': 'Expiry' });
    const units = element('div', { class: 'choice', role: 'radiogroup', 'aria-label': 'Unit' });
    const asOf = element('input', { type: 'datetime-local', id: 'options-as-of', min: '2009-01-03T00:00' });
    const asOfNow = element('button', { type: 'button', class: 'quiet', textContent: 'Now' });
    const asOfLabel = element('label', { textContent: 'As of (UTC)' });
    asOfLabel.setAttribute('for', 'options-as-of');
    const asOfBox = element('div', { class: 'as-of' }, asOfLabel, asOf, asOfNow);
    const share = element('button', { type: 'button', class: 'quiet', textContent: 'Copy link' });
    const title = element('h2', { textContent: 'Options' });
    const about = element('p', { class: 'page-about', textContent: '\u00a0' });
    const figures = element('dl', { class: 'tiles' });
    const readout = element('p', { class: 'o-readout', 'aria-live': 'polite', textContent: '\u00a0' });
    const plot = element('div', {
        class: 'o-plot',
        tabIndex: 0,
        role: 'application',
        'aria-roledescription': 'chart',
        'aria-label': 'Open interest by strike; left and right walk through the strikes',
    });
    const expiryRows = element('tbody');
    const strikeRows = element('tbody');
    const empty = element('p', { class: 'page-empty' });
    const takeBox = element('section', { class: 'take-box', 'aria-label': 'Take it along' });
    const head = (text, name = '') => element('th', { scope: 'col', class: name, textContent: text });

    const names = ['Calls', 'Puts', 'Put/call ratio', 'Max pain', 'Index price', 'Expires'];
    const cells = names.map((name) => {
        const value = element('dd', { textContent: '–' });
        figures.append(element('div', {}, element('dt', { textContent: name }), value));
        return value;
    });
    cells[2].parentNode.title = 'Open interest of puts over that of calls, in coins';
    cells[3].parentNode.title =
        'The strike at which, were it the last price, all holders together would be paid least';

    const details = element(
        'details',
        { class: 'leaf' },
        element('summary', { textContent: 'Strikes as a table' }),
        element(
            'div',
            { class: 'wide', tabIndex: 0, role: 'region', 'aria-label': 'Strikes' },
            element(
                'table',
                { class: 'plain' },
                element('thead', {}, element('tr', {}, head('Strike'), head('Calls', 'number'), head('Puts', 'number'))),
                strikeRows,
            ),
        ),
    );
    const body = element(
        'div',
        { class: 'page-body' },
        figures,
        element(
            'section',
            { class: 'leaf o-strikes', 'aria-labelledby': 'o-strikes-title' },
            element(
                'div',
                { class: 'leaf-head' },
                element('h3', { id: 'o-strikes-title', textContent: 'By strike' }),
                element('span', { class: 'o-key' }, element('i', { class: 'swatch o-call-box' }), 'Calls', element('i', { class: 'swatch o-put-box' }), 'Puts'),
            ),
            readout,
            plot,
        ),
        element(
            'section',
            { class: 'leaf o-expiries', 'aria-labelledby': 'o-expiries-title' },
            element('div', { class: 'leaf-head' }, element('h3', { id: 'o-expiries-title', textContent: 'By expiry' })),
            element(
                'div',
                { class: 'wide', tabIndex: 0, role: 'region', 'aria-label': 'Expiries' },
                element(
                    'table',
                    { class: 'plain o-table' },
                    element(
                        'thead',
                        {},
                        element('tr', {}, head('Expiry'), head('Calls | puts', 'o-bar-cell'), head('Calls', 'number'), head('Puts', 'number'), head('Put/call', 'number'), head('Max pain', 'number')),
                    ),
                    expiryRows,
                ),
            ),
        ),
        details,
        takeBox,
    );
    root.classList.add('page');
    root.append(
        element('div', { class: 'page-head' }, title, share),
        about,
        element('div', { class: 'knobs page-knobs' }, coinSelect, exchangeSelect, expirySelect, units, asOfBox),
        empty,
        body,
    );

    const chart = new StrikeChart(plot, tellStrike);
    const take = new Take(takeBox);
    const setUnit = choiceGroup(units, UNITS, (unit) => shell.change({ unit }));
    coinSelect.addEventListener('change', () => shell.change({ coin: coinSelect.value, expiry: '' }));
    exchangeSelect.addEventListener('change', () =>
        shell.change({ exchange: exchangeSelect.value, expiry: '' }),
    );
    expirySelect.addEventListener('change', () => shell.change({ expiry: expirySelect.value }));
    asOf.addEventListener('change', () => {
        const ms = parse(`${asOf.value}Z`);
        shell.change({ as_of: ms === null ? '' : iso(ms) });
    });
    asOfNow.addEventListener('click', () => shell.change({ as_of: '' }));
    share.addEventListener('click', () => shell.share(share, { expiry: picked()?.expiry ?? '' }));

    const unitName = () => (state.unit === 'usd' ? 'USD' : state.unit === 'coins' ? state.coin : 'contracts');
    const ofChoice = () => all.filter((row) => row.coin === state.coin && row.exchange === state.exchange);

    // The expiry chosen, or the one with most of it.
    function picked() {
        const rows = ofChoice();
        const size = (row) => (toNumber(row.calls) ?? 0) + (toNumber(row.puts) ?? 0);
        return (
            rows.find((row) => row.expiry === state.expiry) ??
            rows.reduce((best, row) => (best && size(best) >= size(row) ? best : row), null)
        );
    }

    const moment = () => (state.as_of ? [['as_of', state.as_of]] : []);
    const choice = () => [['coin', state.coin], ['exchange', state.exchange], ...moment()];

    function fill(select, values, chosen, textOf = (value) => value) {
        const key = JSON.stringify(values);
        if (select.dataset.key !== key) {
            select.dataset.key = key;
            select.replaceChildren(
                ...values.map((value) => element('option', { value, textContent: textOf(value) })),
            );
        }
        select.value = chosen;
    }

    // What is not there gives way to what is: the first exchange that has the coin.
    function settleChoice() {
        if (all.length === 0) return;
        const coins = unique(all.map((row) => row.coin));
        if (!coins.includes(state.coin)) state.coin = coins.includes('BTC') ? 'BTC' : coins[0];
        const exchanges = unique(all.filter((row) => row.coin === state.coin).map((row) => row.exchange));
        if (!exchanges.includes(state.exchange)) state.exchange = exchanges[0];
        fill(coinSelect, coins.sort(), state.coin);
        fill(exchangeSelect, exchanges.sort(), state.exchange);
        fill(expirySelect, ofChoice().map((row) => row.expiry), picked()?.expiry ?? '', dateOf);
    }

    function tellKnobs() {
        setUnit(state.unit, (unit) => unit !== 'contracts' || unique(chain.map((row) => row.product)).length <= 1);
        const ms = parse(state.as_of);
        asOf.value = ms === null ? '' : new Date(ms).toISOString().slice(0, 16);
        asOfNow.disabled = ms === null;
        asOfBox.classList.toggle('is-set', ms !== null);
    }

    function tellStrike(index) {
        const at = strikes[index];
        setText(
            readout,
            at
                ? `Strike ${exact(at.strike)}: calls ${exact(at.call)}, puts ${exact(at.put)} ${unitName()}`
                : `Open interest in ${unitName()}; point at a strike for its figures`,
        );
    }

    function drawFigures(expiry) {
        const inUsd = state.unit === 'usd';
        const calls = inUsd ? expiry?.calls_usd : expiry?.calls,
            puts = inUsd ? expiry?.puts_usd : expiry?.puts;
        const unit = inUsd ? 'USD' : state.coin;
        const put = (at, text, detail) => {
            setText(cells[at], text);
            cells[at].title = detail ?? '';
        };
        const newest = chain.find((row) => row.expiry === expiry?.expiry && row.index_price !== null);
        put(0, `${(inUsd ? compact : brief)(calls)} ${unit}`, `${exact(calls)} ${unit}`);
        put(1, `${(inUsd ? compact : brief)(puts)} ${unit}`, `${exact(puts)} ${unit}`);
        put(2, exact(expiry?.put_call_ratio));
        put(3, exact(expiry?.max_pain));
        put(4, exact(newest?.index_price));
        put(5, expiry ? dateOf(expiry.expiry) : '–', expiry ? full(parse(expiry.expiry)) : '');
        return newest;
    }

    function drawExpiries(chosen) {
        const rows = ofChoice(),
            inUsd = state.unit === 'usd';
        const of = (row) => (inUsd ? [row.calls_usd, row.puts_usd] : [row.calls, row.puts]);
        const most = Math.max(...rows.map((row) => of(row).reduce((sum, text) => sum + (toNumber(text) ?? 0), 0)), 0);
        expiryRows.replaceChildren(
            ...rows.map((row) => {
                const [calls, puts] = of(row);
                const link = element('a', {
                    href: shell.address({ ...state, expiry: row.expiry }),
                    textContent: dateOf(row.expiry),
                    title: full(parse(row.expiry)),
                });
                const bar = svg('svg', { width: '100%', height: 12, 'aria-hidden': 'true' });
                const width = (text) => (most > 0 ? ((toNumber(text) ?? 0) / most) * 100 : 0);
                bar.append(
                    svg('rect', { x: 0, y: 1, width: `${width(calls)}%`, height: 10, rx: 2, class: 'o-call' }),
                    svg('rect', { x: `${width(calls)}%`, y: 1, width: `${width(puts)}%`, height: 10, rx: 2, class: 'o-put' }),
                );
                const number = (text) => element('td', { class: 'number', textContent: text });
                const line = element(
                    'tr',
                    {},
                    element('th', { scope: 'row' }, link),
                    element('td', { class: 'o-bar-cell' }, bar),
                    number(inUsd ? compact(calls) : exact(calls)),
                    number(inUsd ? compact(puts) : exact(puts)),
                    number(exact(row.put_call_ratio)),
                    number(exact(row.max_pain)),
                );
                if (row.expiry === chosen?.expiry) line.setAttribute('aria-current', 'true');
                return line;
            }),
        );
    }

    function draw() {
        settleChoice();
        tellKnobs();
        const expiry = picked();
        const has = all.length > 0;
        empty.hidden = has;
        body.classList.toggle('is-empty', !has);
        setText(
            empty,
            'No option is recorded' +
                (state.as_of ? ' as of this time.' : ' yet. Options of Deribit, OKX, Bybit and Binance appear as they are collected.'),
        );
        const newest = drawFigures(expiry);
        strikes = strikesOf(
            chain.filter((row) => row.expiry === expiry?.expiry),
            COLUMNS[state.unit],
        );
        chart.set(strikes, { index: newest?.index_price ?? null, maxPain: expiry?.max_pain ?? null });
        tellStrike(null);
        drawExpiries(expiry);
        strikeRows.replaceChildren(
            ...strikes.map(({ strike, call, put }) =>
                element(
                    'tr',
                    {},
                    element('th', { scope: 'row', textContent: exact(strike) }),
                    element('td', { class: 'number', textContent: exact(call) }),
                    element('td', { class: 'number', textContent: exact(put) }),
                ),
            ),
        );
        setText(
            about,
            expiry
                ? `${state.coin} on ${state.exchange}, ${expiry.call_markets} calls and ${expiry.put_markets} puts of ` +
                      `${dateOf(expiry.expiry)}, as read ${full(parse(expiry.time))}`
                : '\u00a0',
        );
        take.use('/oi/v1/options', choice());
        document.title = `${state.coin} options · ${state.exchange} · Open interest`;
    }

    async function ask() {
        const number = ++asked;
        const answer = await api.get('/oi/v1/options/expiries', [...moment(), ['limit', 10000]]);
        if (number !== asked) return false;
        all = answer.data;
        settleChoice();
        const rows = all.length > 0 ? (await api.get('/oi/v1/options', choice())).data : [];
        if (number !== asked) return false;
        chain = rows;
        draw();
        return all.length > 0;
    }

    return {
        use(next) {
            const before = state;
            state = { ...next };
            tellKnobs();
            if (!before) return;
            if (['coin', 'exchange', 'as_of'].some((name) => before[name] !== state[name]))
                ask().catch((error) => shell.trouble(error));
            else draw();
        },
        refresh: () => ask(),
        again: () => ask().catch((error) => shell.trouble(error)),
        repaint: () => chart.draw(),
        focus: () => plot.focus(),
    };
}
