// SPDX-License-Identifier: Apache-2.0
// The table of the largest markets: searched, filtered and sorted here, over what one request
// brought. Rows are kept and moved, not rebuilt, so that an update never loses focus or place.

import { brief, compact, exact, signedPercent, toNumber } from './decimal.js';
import { byId, element, setAttribute, setClass, setText } from './dom.js';
import { age, parse } from './time.js';

const PAGE = 60;
// Polled markets are read once a minute; three missed readings deserve a mark.
export const STALE_MS = 200000;

const VALUES = {
    market: (row) => row.symbol.toLowerCase(),
    exchange: (row) => row.exchange ?? '',
    kind: (row) => row.kind ?? '',
    amount: (row) => toNumber(row.open_interest),
    usd: (row) => toNumber(row.value_usd),
    '1h': (row) => toNumber(row.change_percent_1h),
    '24h': (row) => toNumber(row.change_percent_24h),
    '7d': (row) => toNumber(row.change_percent_7d),
    age: (row) => (row.ms === null ? null : -row.ms),
};

// "binance:usdm:BTCUSDT" in its three parts; the symbol may hold colons itself.
export function parts(market) {
    const [exchange, product, ...symbol] = market.split(':');
    return symbol.length > 0
        ? { exchange, product, symbol: symbol.join(':') }
        : { exchange: '', product: '', symbol: market };
}

export function kindName(kind) {
    return kind && kind !== 'UNKNOWN' ? kind[0] + kind.slice(1).toLowerCase() : '';
}

function prepared(row) {
    const named = parts(row.market);
    return { ...row, ...named, exchange: row.exchange ?? named.exchange, ms: parse(row.time) };
}

export class Table {
    // callbacks: address(market) for links, pick(market), change(part of the state)
    constructor(callbacks) {
        this.callbacks = callbacks;
        this.rows = [];
        this.nodes = new Map();
        this.shown = PAGE;
        this.state = null;
        this.selected = '';
        this.clockSkew = 0;
        this.body = byId('rows');
        this.skeleton();
        this.watch();
    }

    skeleton() {
        for (let i = 0; i < 24; i++) {
            const row = element('tr', { class: 'skeleton', 'aria-hidden': 'true' });
            row.append(element('td', { colSpan: 9 }, element('span')));
            this.body.append(row);
        }
        setText(byId('count'), 'Loading markets …');
    }

    watch() {
        const search = byId('search');
        search.addEventListener('input', () => this.change({ q: search.value }));
        search.addEventListener('keydown', (event) => {
            if (event.key === 'Escape') {
                search.value = '';
                this.change({ q: '' });
                search.blur();
            } else if (event.key === 'ArrowDown') {
                event.preventDefault();
                this.body.querySelector('a')?.focus();
            } else if (event.key === 'Enter') {
                this.body.querySelector('a')?.click();
            }
        });
        for (const name of ['exchange', 'coin'])
            byId(name).addEventListener('change', (event) =>
                this.change({ [name]: event.target.value }),
            );
        for (const button of document.querySelectorAll('[data-sort]')) {
            button.addEventListener('click', () => {
                const sort = button.dataset.sort;
                const isText = ['market', 'exchange', 'kind'].includes(sort);
                const first = isText ? 'up' : 'down';
                const order =
                    this.state.sort !== sort ? first : this.state.order === 'up' ? 'down' : 'up';
                this.change({ sort, order });
            });
        }
        byId('more').addEventListener('click', () => {
            const at = this.shown;
            this.shown += PAGE;
            this.render();
            this.body.children[at]?.querySelector('a')?.focus();
        });
        this.body.addEventListener('click', (event) => {
            const row = event.target.closest('tr[data-market]');
            if (!row || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0)
                return;
            event.preventDefault();
            this.callbacks.pick(row.dataset.market);
        });
        this.body.addEventListener('keydown', (event) => {
            const row = event.target.closest('tr');
            const to = {
                ArrowDown: row?.nextElementSibling,
                ArrowUp: row?.previousElementSibling,
                Home: this.body.firstElementChild,
                End: this.body.lastElementChild,
            };
            if (!(event.key in to)) return;
            event.preventDefault();
            if (to[event.key]) to[event.key].querySelector('a')?.focus();
            else if (event.key === 'ArrowUp') byId('search').focus();
        });
    }

    change(part) {
        this.shown = PAGE;
        byId('scroll').scrollTop = 0;
        this.callbacks.change(part);
    }

    // A newer reading of one market; its place changes with the next full answer.
    update(fresh) {
        const at = this.rows.findIndex((row) => row.market === fresh?.market);
        if (at < 0) return;
        this.rows[at] = prepared(fresh);
        this.visible = this.visible.map((row) =>
            row.market === fresh.market ? this.rows[at] : row,
        );
        const node = this.nodes.get(fresh.market);
        if (node) this.fill(node, this.rows[at]);
    }

    set(rows) {
        this.rows = rows.map(prepared);
        this.options('exchange', new Set(this.rows.map((row) => row.exchange)), 'All exchanges');
        this.options('coin', new Set(this.rows.map((row) => row.coin)), 'All coins');
        this.render();
    }

    options(id, names, all) {
        const select = byId(id);
        const wanted = [...names].filter(Boolean).sort();
        if (this.state?.[id] && !wanted.includes(this.state[id])) wanted.unshift(this.state[id]);
        if (
            wanted.join('\n') !==
            [...select.options]
                .slice(1)
                .map((option) => option.value)
                .join('\n')
        ) {
            select.replaceChildren(
                new Option(all, ''),
                ...wanted.map((name) => new Option(name, name)),
            );
        }
        select.value = this.state?.[id] ?? '';
    }

    use(state, selected) {
        const isNew = selected !== this.selected;
        this.state = state;
        this.selected = selected;
        const search = byId('search');
        if (search.value !== state.q) search.value = state.q;
        byId('exchange').value = state.exchange;
        byId('coin').value = state.coin;
        if (this.rows.length > 0) this.render();
        if (isNew) this.nodes.get(selected)?.row.scrollIntoView({ block: 'nearest' });
    }

    matching() {
        const { q, exchange, coin, sort, order } = this.state;
        const words = q.toLowerCase().split(/\s+/).filter(Boolean);
        const value = VALUES[sort],
            direction = order === 'up' ? 1 : -1;
        const found = this.rows.filter(
            (row) =>
                (!exchange || row.exchange === exchange) &&
                (!coin || row.coin === coin) &&
                words.every((word) =>
                    `${row.market} ${row.coin ?? ''} ${row.kind ?? ''}`
                        .toLowerCase()
                        .includes(word),
                ),
        );
        // The server's order is by exact USD; comparing rounded numbers would disturb it.
        if (sort === 'usd' && order === 'down') return found;
        return found
            .map((row, index) => ({ row, index, value: value(row) }))
            .sort((a, b) => {
                if (a.value === null || b.value === null)
                    return (a.value === null) - (b.value === null) || a.index - b.index;
                return (
                    (a.value < b.value ? -1 : a.value > b.value ? 1 : 0) * direction ||
                    a.index - b.index
                );
            })
            .map(({ row }) => row);
    }

    build(market) {
        const cell = (name) =>
            element('td', {
                class: `c-${name}${
                    name === 'market' || name === 'exchange' || name === 'kind' ? '' : ' number'
                }`,
            });
        const node = { row: element('tr', { 'data-market': market }) };
        node.link = element('a', { href: this.callbacks.address(market) });
        node.below = element('small');
        node.marketCell = element('th', { class: 'c-market', scope: 'row' }, node.link, node.below);
        for (const name of ['exchange', 'kind', 'amount', 'usd', '1h', '24h', '7d', 'age'])
            node[name] = cell(name);
        node.usdText = element('span');
        node.amountBelow = element('small');
        node.usd.append(node.usdText, node.amountBelow);
        node.row.append(
            node.marketCell,
            node.exchange,
            node.kind,
            node.amount,
            node.usd,
            node['1h'],
            node['24h'],
            node['7d'],
            node.age,
        );
        return node;
    }

    fill(node, row) {
        setText(node.link, row.symbol);
        setAttribute(node.link, 'title', row.market);
        setAttribute(node.link, 'href', this.callbacks.address(row.market));
        setText(node.below, [row.exchange, row.product].filter(Boolean).join(' '));
        setText(node.exchange, row.exchange);
        setText(node.kind, kindName(row.kind));
        setText(node.amount, brief(row.open_interest));
        setAttribute(node.amount, 'title', exact(row.open_interest));
        setText(node.usdText, compact(row.value_usd));
        setAttribute(node.usd, 'title', `${exact(row.value_usd)} USD`);
        setText(node.amountBelow, compact(row.open_interest));
        for (const name of ['1h', '24h', '7d']) {
            const change = signedPercent(row[`change_percent_${name}`]);
            setText(node[name], change ? change.text : '–');
            setClass(
                node[name],
                `c-${name} number ${
                    !change
                        ? 'is-none'
                        : change.sign > 0
                          ? 'is-up'
                          : change.sign < 0
                            ? 'is-down'
                            : ''
                }`.trim(),
            );
        }
        this.fillAge(node, row);
        if (row.market === this.selected) setAttribute(node.row, 'aria-current', 'true');
        else node.row.removeAttribute('aria-current');
    }

    fillAge(node, row) {
        const old = row.ms === null ? null : Date.now() + this.clockSkew - row.ms;
        setText(node.age, old === null ? '–' : age(old));
        setAttribute(node.age, 'title', row.time ?? 'never');
        node.row.classList.toggle('is-stale', old !== null && old > STALE_MS);
    }

    tick() {
        for (const row of this.visible ?? []) {
            const node = this.nodes.get(row.market);
            if (node) this.fillAge(node, row);
        }
    }

    render() {
        if (!this.state) return;
        const matching = this.matching();
        this.visible = matching.slice(0, this.shown);
        const wanted = this.visible.map((row) => {
            const node = this.nodes.get(row.market) ?? this.build(row.market);
            this.nodes.set(row.market, node);
            this.fill(node, row);
            return node.row;
        });
        wanted.forEach((row, index) => {
            if (this.body.children[index] !== row)
                this.body.insertBefore(row, this.body.children[index] ?? null);
        });
        while (this.body.children.length > wanted.length) this.body.lastElementChild.remove();
        for (const button of document.querySelectorAll('[data-sort]')) {
            const isSorted = button.dataset.sort === this.state.sort;
            const order = isSorted
                ? { up: 'ascending', down: 'descending' }[this.state.order]
                : 'none';
            setAttribute(button.closest('th'), 'aria-sort', order);
        }
        this.tell(matching.length);
    }

    tell(count) {
        const empty = byId('list-empty');
        empty.hidden = count > 0;
        if (count === 0 && this.rows.length === 0) {
            setText(empty, 'Nothing is recorded yet.');
        } else if (count === 0) {
            setText(
                empty,
                'No market fits. Clear the search or the filters (Esc in the search box).',
            );
        }
        const shown = Math.min(count, this.shown);
        setText(
            byId('count'),
            count === 0
                ? ''
                : shown === count
                  ? `${count} market${count === 1 ? '' : 's'}`
                  : `${shown} of ${count} markets`,
        );
        byId('more').hidden = shown >= count;
        byId('more').textContent = `Show ${Math.min(PAGE, count - shown)} more`;
    }
}
