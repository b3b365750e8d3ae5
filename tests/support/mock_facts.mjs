// SPDX-License-Identifier: Apache-2.0
// The made-up server's answers beside readings: holes, revisions, option chains, days of coverage.

const MINUTE = 60000,
    HOUR = 3600000,
    DAY = 86400000;
const iso = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z');
const GAPS = [
    [40 * HOUR, 5 * HOUR, 'collector_down'],
    [9 * DAY, 11 * HOUR, 'rate_limited'],
    [3 * HOUR, 12 * MINUTE, 'silent'],
];

export function gaps(market, now, from, to) {
    return GAPS.map(([ago, length, cause]) => {
        const start = Math.floor((now - ago) / MINUTE) * MINUTE;
        return { market, from: iso(start), to: iso(start + length), cause };
    }).filter((gap) => Date.parse(gap.to) > from && Date.parse(gap.from) < to);
}

// Two readings told anew, among others that were not.
export function revisions(rows) {
    return rows.flatMap((row, at) =>
        at % 30 === 7
            ? [row, { ...row, open_interest: String(Number(row.open_interest) + 1), known_time: iso(Date.parse(row.time) + HOUR) }]
            : [row],
    );
}

export function chain(coin, exchange, price, now) {
    const found = [];
    const first = Math.floor(now / DAY) * DAY + 8 * HOUR;
    for (const days of [1, 8, 29, 92, 183]) {
        for (let step = -9; step <= 9; step++) {
            const strike = Math.round((price * (1 + step * 0.05)) / 1000) * 1000;
            for (const side of ['call', 'put']) {
                const lean = side === 'call' ? step - 2 : -step - 2;
                const coins = ((900 / (1 + lean * lean * 0.12)) * (1 + ((days * 7 + step * 3) % 5) / 9)).toFixed(1);
                found.push({
                    market: `${exchange}:option:${coin}-${days}-${strike}-${side[0].toUpperCase()}`,
                    exchange,
                    product: 'option',
                    coin,
                    quote: 'USD',
                    expiry: iso(first + days * DAY),
                    strike: String(strike),
                    option_side: side,
                    feed: 'live',
                    time: iso(Math.floor(now / MINUTE) * MINUTE),
                    contracts: coins,
                    coins,
                    value_usd: (Number(coins) * price).toFixed(2),
                    index_price: String(price),
                    mark_price: '0.01',
                });
            }
        }
    }
    return found;
}

export function expiries(rows) {
    const groups = Map.groupBy
        ? Map.groupBy(rows, (row) => row.expiry)
        : rows.reduce((map, row) => map.set(row.expiry, [...(map.get(row.expiry) ?? []), row]), new Map());
    return [...groups].map(([expiry, members]) => {
        const of = (side) => members.filter((row) => row.option_side === side);
        const sum = (side, name) => of(side).reduce((total, row) => total + Number(row[name]), 0);
        const payout = (at) =>
            members.reduce((total, row) => {
                const by = row.option_side === 'call' ? at - Number(row.strike) : Number(row.strike) - at;
                return total + Math.max(0, by) * Number(row.coins);
            }, 0);
        const strikes = [...new Set(members.map((row) => Number(row.strike)))];
        return {
            exchange: members[0].exchange,
            coin: members[0].coin,
            expiry,
            time: members[0].time,
            call_markets: of('call').length,
            put_markets: of('put').length,
            calls: sum('call', 'coins').toFixed(1),
            puts: sum('put', 'coins').toFixed(1),
            calls_usd: sum('call', 'value_usd').toFixed(2),
            puts_usd: sum('put', 'value_usd').toFixed(2),
            put_call_ratio: (sum('put', 'coins') / sum('call', 'coins')).toFixed(4),
            max_pain: String(strikes.reduce((best, at) => (payout(at) < payout(best) ? at : best))),
        };
    });
}

export function days(exchanges, from, to) {
    const found = [];
    exchanges.forEach((exchange, at) => {
        for (let day = Math.floor(from / DAY) * DAY; day < to; day += DAY) {
            const number = day / DAY,
                due = 86400 * 12;
            const hole = (every, part) => ((number + at * 3) % every === 0 ? Math.round(due * part) : 0);
            const causes = {
                silent_s: hole(11, 0.002),
                unreachable_s: hole(17, 0.04),
                blocked_s: at === 4 ? hole(9, 0.6) : 0,
                rate_limited_s: hole(23, 0.01),
                collector_down_s: hole(29, 0.3),
            };
            const missing = Object.values(causes).reduce((sum, part) => sum + part, 0);
            found.push({
                exchange,
                day: iso(day),
                markets: 12,
                due_s: due,
                missing_s: missing,
                completeness_percent: String(Math.floor(((due - missing) * 1e6) / due) / 1e4),
                ...causes,
            });
        }
    });
    return found;
}

export function metrics(exchanges, now) {
    const lines = [];
    const family = (name, value) =>
        exchanges.forEach((exchange, at) => lines.push(`oi_collector_${name}{exchange="${exchange}"} ${value(at)}`));
    family('polls_total', () => 1440);
    family('requests_total', (at) => 1440 * (at + 1));
    family('rows_total', (at) => 17280 - at * 40);
    family('markets', () => 12);
    family('markets_missing', (at) => (at === 3 ? 2 : 0));
    family('markets_frozen', () => 0);
    family('last_success_timestamp_seconds', (at) => Math.floor(now / 60000) * 60 - (at === 4 ? 5400 : 0));
    family('lag_milliseconds', (at) => 2100 + at * 700);
    family('budget_used_permille', (at) => 120 + at * 190);
    family('shut', (at) => (at === 4 ? 1 : 0));
    family('clock_skew_milliseconds', (at) => at * 12);
    exchanges.forEach((exchange, at) =>
        ['busy', 'denied', 'not_found', 'nonsense', 'unreachable'].forEach((kind, of) =>
            lines.push(`oi_collector_errors_total{exchange="${exchange}",kind="${kind}"} ${(at * of) % 5}`),
        ),
    );
    return lines.join('\n') + '\n';
}
