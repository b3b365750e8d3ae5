// SPDX-License-Identifier: Apache-2.0
// Health: is everything collected, how late, how near its limits, what is missing of which day and
// why, and how the store grows. The calendar is the API's; what the collector counts comes from
// /metrics, which a server off the loopback address shows to its operator alone.

import * as api from './api.js';
import { CAUSES, causeName } from './causes.js';
import { exact, toNumber } from './decimal.js';
import { choiceGroup, element, setText } from './dom.js';
import { Take } from './market_take.js';
import { age, day, iso, parse } from './time.js';

const DAY_MS = 86400000;
const CALENDAR_EVERY_MS = 120000;
const SPANS = [
    { name: '31d', text: '31 days', days: 31 },
    { name: '90d', text: '90 days', days: 90 },
    { name: '1y', text: '1 year', days: 365 },
];
const LATE_S = 180;
const DUE_CAUSES = ['silent', 'unreachable', 'blocked', 'rate_limited', 'collector_down'];
// What went wrong with an exchange, and what it takes.
const ERRORS = {
    busy: ['Told to slow down', 'The exchange’s limit was reached. The collector waits and goes on by itself.'],
    denied: ['Refused', 'The exchange refuses this address or region. Collect from another one, or through a proxy.'],
    not_found: ['Not found', 'A market or path is gone. Delisted markets are left out at the next listing.'],
    nonsense: ['Not understood', 'An answer had another form than documented. Look for an update of oi.'],
    unreachable: ['Unreachable', 'No answer in time. Check the network; “oi doctor” says where it ends.'],
};

export const fields = {
    span: { standard: '31d', choices: SPANS.map((span) => span.name) },
};

// Lines of Prometheus' text format: { name: { exchange: { '' or kind: value } } }.
export function readMetrics(text) {
    const found = {};
    for (const line of text.split('\n')) {
        const match = /^(\w+)\{exchange="([^"]+)"(?:,kind="([^"]+)")?\} (\S+)$/.exec(line);
        if (!match) continue;
        const [, name, exchange, kind, value] = match;
        ((found[name] ??= {})[exchange] ??= {})[kind ?? ''] = Number(value);
    }
    return found;
}

// How a day stands: which of the shades it has.
export function shadeOf(percent) {
    const value = toNumber(percent);
    if (value === null) return 'none';
    return value >= 99.9 ? 'whole' : value >= 99 ? 'good' : value >= 90 ? 'fair' : value >= 50 ? 'poor' : 'bad';
}

// The shade of a day of one exchange. Where most of what is missing was never asked for, because oi
// was not running, the day says so instead of accusing the exchange.
export function shadeOfDay(row) {
    const shade = shadeOf(row.completeness_percent);
    const isOurs = row.collector_down_s * 2 > row.missing_s;
    return isOurs && ['fair', 'poor', 'bad'].includes(shade) ? 'unasked' : shade;
}

const bytes = (count) => {
    const [size, name] = [[1e12, 'TB'], [1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB'], [1, 'B']].find(
        ([unit]) => count >= unit,
    ) ?? [1, 'B'];
    return `${(count / size).toFixed(size === 1 ? 0 : count / size < 10 ? 2 : 1)} ${name}`;
};
const seconds = (count) => age(count * 1000);
const number = (value) => exact(String(value));

export function mount(root, shell) {
    let state = null;
    let days = [];
    let calendarKey = '';
    let calendarAt = -Infinity;
    let asked = 0;

    const share = element('button', { type: 'button', class: 'quiet', textContent: 'Copy link' });
    const about = element('p', { class: 'page-about', textContent: '\u00a0' });
    const figures = element('dl', { class: 'tiles' });
    const cells = ['Database', 'In use', 'Readings', 'Bytes a reading', 'Growth a day', 'Markets'].map((name) => {
        const value = element('dd', { textContent: '–' });
        figures.append(element('div', {}, element('dt', { textContent: name }), value));
        return value;
    });
    const head = (text, name = '', title = '') =>
        element('th', { scope: 'col', class: name, textContent: text, title });
    const exchangeRows = element('tbody');
    const exchangeNote = element('p', { class: 'remark', hidden: true });
    const errorRows = element('tbody');
    const spans = element('div', { class: 'choice', role: 'radiogroup', 'aria-label': 'Span of the calendar' });
    const calendar = element('table', { class: 'h-calendar', role: 'grid', 'aria-label': 'Coverage by exchange and day' });
    const dayNote = element('p', { class: 'h-day', 'aria-live': 'polite', textContent: '\u00a0' });
    const takeBox = element('section', { class: 'take-box is-whole', 'aria-label': 'Take it along' });
    const shades = [
        ['whole', '99.9 % or more'],
        ['good', '99 %'],
        ['fair', '90 %'],
        ['poor', '50 %'],
        ['bad', 'less'],
        ['unasked', 'oi was not collecting'],
    ];

    root.classList.add('page');
    root.append(
        element('div', { class: 'page-head' }, element('h2', { textContent: 'Health' }), share),
        about,
        element(
            'div',
            { class: 'page-body' },
            figures,
            element(
                'section',
                { class: 'leaf is-whole', 'aria-labelledby': 'h-exchanges' },
                element('div', { class: 'leaf-head' }, element('h3', { id: 'h-exchanges', textContent: 'Exchanges' })),
                exchangeNote,
                element(
                    'div',
                    { class: 'wide', tabIndex: 0, role: 'region', 'aria-label': 'Exchanges' },
                    element(
                        'table',
                        { class: 'plain h-exchanges' },
                        element(
                            'thead',
                            {},
                            element(
                                'tr',
                                {},
                                head('Exchange'),
                                head('State'),
                                head('Newest', 'number', 'Since the last minute that brought a reading'),
                                head('Lag', 'number', 'From the minute to its last commit'),
                                head('Markets', 'number', 'Due in the last minute'),
                                head('Missing', 'number', 'Of those, how many did not come'),
                                head('Frozen', 'number', 'Figures that stand still while the price moves'),
                                head('Limit used', 'h-limit', 'Of the fullest limit that the exchange publishes'),
                                head('Clock', 'number', 'How far the exchange’s clock is ahead of ours'),
                                head('Errors', 'number', 'Since the collector was started'),
                            ),
                        ),
                        exchangeRows,
                    ),
                ),
            ),
            element(
                'section',
                { class: 'leaf is-whole', 'aria-labelledby': 'h-calendar' },
                element(
                    'div',
                    { class: 'leaf-head' },
                    element('h3', { id: 'h-calendar', textContent: 'Coverage by day' }),
                    spans,
                ),
                element(
                    'p',
                    { class: 'h-legend' },
                    ...shades.map(([shade, text]) =>
                        element('span', {}, element('i', { class: `swatch h-${shade}`, 'aria-hidden': 'true' }), text),
                    ),
                ),
                element('div', { class: 'h-scroll' }, calendar),
                dayNote,
            ),
            element(
                'section',
                { class: 'leaf', 'aria-labelledby': 'h-errors' },
                element('div', { class: 'leaf-head' }, element('h3', { id: 'h-errors', textContent: 'Errors and what they mean' })),
                element(
                    'div',
                    { class: 'wide', tabIndex: 0, role: 'region', 'aria-label': 'Errors' },
                    element(
                        'table',
                        { class: 'plain h-wraps' },
                        element('thead', {}, element('tr', {}, head('Exchange'), head('Error'), head('Times', 'number'), head('What it means'))),
                        errorRows,
                    ),
                ),
            ),
            element(
                'section',
                { class: 'leaf', 'aria-labelledby': 'h-causes' },
                element('div', { class: 'leaf-head' }, element('h3', { id: 'h-causes', textContent: 'Why readings are missing' })),
                element(
                    'dl',
                    { class: 'h-causes' },
                    ...DUE_CAUSES.flatMap((cause) => [
                        element('dt', { textContent: CAUSES[cause][0] }),
                        element('dd', { textContent: CAUSES[cause][1] }),
                    ]),
                ),
            ),
            takeBox,
        ),
    );
    const take = new Take(takeBox);
    const setSpan = choiceGroup(spans, SPANS, (span) => shell.change({ span }));
    share.addEventListener('click', () => shell.share(share));

    const daysWanted = () => SPANS.find((span) => span.name === state.span).days;
    const firstDay = () => Math.floor(shell.now() / DAY_MS) * DAY_MS - (daysWanted() - 1) * DAY_MS;

    // One day of one exchange, in words.
    function dayText(row) {
        const parts = DUE_CAUSES.filter((cause) => row[`${cause}_s`] > 0).map(
            (cause) => `${causeName(cause).toLowerCase()} ${number(row[`${cause}_s`])} s`,
        );
        const what = parts.length > 0 ? `missing ${number(row.missing_s)} s: ${parts.join(', ')}` : 'nothing is missing';
        return `${row.exchange}, ${day(parse(row.day))}: ${exact(row.completeness_percent)} % of ${number(row.due_s)} s due of ${row.markets} markets; ${what}`;
    }

    function drawCalendar() {
        const exchanges = [...new Set(days.map((row) => row.exchange))];
        const first = firstDay(),
            count = daysWanted();
        const byKey = new Map(days.map((row) => [`${row.exchange}/${parse(row.day)}`, row]));
        calendar.className = `h-calendar is-${state.span}`;
        const top = element('tr', {}, element('th', { scope: 'col' }, element('span', { class: 'unseen', textContent: 'Exchange' })));
        for (let at = 0; at < count; at++) {
            const ms = first + at * DAY_MS,
                date = new Date(ms);
            const isNamed = count <= 31 ? date.getUTCDay() === 1 : date.getUTCDate() === 1;
            const cell = element('th', { scope: 'col', 'aria-label': day(ms) });
            if (isNamed && at < count - (count <= 31 ? 1 : 3))
                cell.append(element('span', { 'aria-hidden': 'true', textContent: day(ms) }));
            top.append(cell);
        }
        const rows = exchanges.map((exchange) => {
            const line = element('tr', {}, element('th', { scope: 'row', textContent: exchange }));
            for (let at = 0; at < count; at++) {
                const row = byKey.get(`${exchange}/${first + at * DAY_MS}`);
                const cell = element('td', {
                    role: 'gridcell',
                    tabIndex: -1,
                    class: `h-${row ? shadeOfDay(row) : 'none'}`,
                    'aria-label': row
                        ? `${day(first + at * DAY_MS)}: ${row.completeness_percent} %`
                        : `${day(first + at * DAY_MS)}: nothing was due`,
                });
                cell.row = row;
                line.append(cell);
            }
            return line;
        });
        calendar.replaceChildren(element('thead', {}, top), element('tbody', {}, ...rows));
        const last = calendar.querySelector('tbody tr td:last-child');
        if (last) last.tabIndex = 0;
        calendar.parentNode.scrollLeft = calendar.scrollWidth;
        setText(
            dayNote,
            days.length > 0
                ? 'Point at a day for its figures; the arrow keys walk through the days.'
                : 'Nothing was due in this span.',
        );
    }

    const tellDay = (cell) => {
        if (cell?.row) setText(dayNote, dayText(cell.row));
        else if (cell?.matches('td')) setText(dayNote, cell.getAttribute('aria-label'));
    };
    calendar.addEventListener('pointerover', (event) => tellDay(event.target.closest('td')));
    calendar.addEventListener('focusin', (event) => tellDay(event.target.closest('td')));
    calendar.addEventListener('keydown', (event) => {
        const cell = event.target.closest('td');
        const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
        if (!cell || !move) return;
        const lines = [...calendar.querySelectorAll('tbody tr')];
        const line = lines[lines.indexOf(cell.parentNode) + move[0]];
        const next = line?.cells[cell.cellIndex + move[1]];
        event.preventDefault();
        if (!next?.matches('td')) return;
        cell.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
    });

    // What the collector says of itself, in one word.
    function stateOf(of) {
        if (of('shut') === 1) return ['is-bad', 'Left alone'];
        const last = of('last_success_timestamp_seconds');
        if (!last) return ['is-waiting', 'Waiting'];
        if (shell.now() / 1000 - last > LATE_S) return ['is-bad', 'Late'];
        if (of('markets_missing') > 0) return ['is-fair', 'Some missing'];
        return ['is-good', 'Collecting'];
    }

    function drawExchanges(metrics) {
        const exchanges = Object.keys(metrics.oi_collector_polls_total ?? {});
        const cell = (text, name = 'number') => element('td', { class: name, textContent: text });
        exchangeRows.replaceChildren(
            ...exchanges.map((exchange) => {
                const of = (name) => metrics[`oi_collector_${name}`]?.[exchange]?.[''];
                const [kind, word] = stateOf(of);
                const last = of('last_success_timestamp_seconds');
                const used = of('budget_used_permille') ?? 0;
                const errors = Object.values(metrics.oi_collector_errors_total?.[exchange] ?? {});
                const meter = element('meter', { min: 0, max: 1000, high: 800, optimum: 0, value: used });
                meter.setAttribute('aria-label', `Limit used: ${used / 10} %`);
                return element(
                    'tr',
                    {},
                    element('th', { scope: 'row', textContent: exchange }),
                    element('td', {}, element('span', { class: `h-state ${kind}`, textContent: word })),
                    cell(last ? seconds(Math.max(0, shell.now() / 1000 - last)) : '–'),
                    cell(`${((of('lag_milliseconds') ?? 0) / 1000).toFixed(1)} s`),
                    cell(number(of('markets') ?? 0)),
                    cell(number(of('markets_missing') ?? 0), of('markets_missing') > 0 ? 'number is-down' : 'number'),
                    cell(number(of('markets_frozen') ?? 0)),
                    element('td', { class: 'h-limit' }, meter, element('span', { textContent: `${(used / 10).toFixed(0)} %` })),
                    cell(`${number(of('clock_skew_milliseconds') ?? 0)} ms`),
                    cell(number(errors.reduce((sum, count) => sum + count, 0))),
                );
            }),
        );
        const lines = exchanges.flatMap((exchange) =>
            Object.entries(metrics.oi_collector_errors_total?.[exchange] ?? {})
                .filter(([, count]) => count > 0)
                .map(([kind, count]) =>
                    element(
                        'tr',
                        {},
                        element('th', { scope: 'row', textContent: exchange }),
                        cell(ERRORS[kind]?.[0] ?? kind, ''),
                        cell(number(count)),
                        cell(ERRORS[kind]?.[1] ?? '', 'h-meaning'),
                    ),
                ),
        );
        errorRows.replaceChildren(
            ...(lines.length > 0
                ? lines
                : [element('tr', {}, element('td', { colSpan: 4, textContent: 'None since the collector was started.' }))]),
        );
        return exchanges;
    }

    function drawStore(status, metrics) {
        const put = (at, text, title = '') => {
            setText(cells[at], text);
            cells[at].parentNode.title = title;
        };
        // What this process has of readings that are elsewhere says nothing of their size.
        const isHere = !status.rows_elsewhere;
        const each = isHere && status.rows > 0 ? (status.used_bytes ?? status.file_bytes) / status.rows : null;
        // What the collector stores a minute, at what a reading takes.
        const sum = (name) =>
            Object.values(metrics?.[`oi_collector_${name}`] ?? {}).reduce((total, of) => total + of[''], 0);
        const minutes = Math.max(...Object.values(metrics?.oi_collector_polls_total ?? {}).map((of) => of['']), 0);
        const perDay = minutes > 0 ? (sum('rows_total') / minutes) * 1440 : null;
        const used = status.used_bytes ?? status.file_bytes;
        const chunks = `${number(status.rows_in_chunks ?? 0)} of them in ${number(status.chunks ?? 0)} chunks`;
        put(0, isHere ? bytes(status.file_bytes) : 'in ClickHouse', isHere ? `${number(status.file_bytes)} bytes` : '');
        put(1, isHere ? bytes(used) : '–', isHere ? `${number(used)} bytes` : '');
        put(2, number(status.rows), isHere ? chunks : '');
        put(3, each === null ? '–' : each.toFixed(1), 'Bytes in use over readings');
        put(
            4,
            perDay === null || each === null ? '–' : bytes(perDay * each),
            perDay === null ? '' : `About ${number(Math.round(perDay))} readings a day at the present rate`,
        );
        put(5, number(status.markets));
    }

    async function askMetrics() {
        const reply = await fetch('/metrics');
        exchangeNote.hidden = reply.ok;
        if (!reply.ok) {
            setText(
                exchangeNote,
                'What the collector counts is shown where the page is opened on the server itself, or with an open ' +
                    'server; elsewhere /metrics wants an operator’s key. The calendar below is for everyone.',
            );
            return null;
        }
        return readMetrics(await reply.text());
    }

    const calendarQuery = () => [['start', iso(firstDay())], ['limit', '100000']];

    async function askCalendar() {
        const key = `${state.span}/${firstDay()}`;
        if (key === calendarKey && performance.now() - calendarAt < CALENDAR_EVERY_MS) return;
        const wanted = ++asked;
        const answer = await api.get('/oi/v1/coverage/days', calendarQuery());
        if (wanted !== asked) return;
        const isSame = key === calendarKey && JSON.stringify(answer.data) === JSON.stringify(days);
        days = answer.data;
        calendarKey = key;
        calendarAt = performance.now();
        if (!isSame) drawCalendar();
    }

    async function ask() {
        const [status, metrics] = await Promise.all([api.status(), askMetrics(), askCalendar()]);
        drawStore(status, metrics);
        const exchanges = metrics ? drawExchanges(metrics) : [];
        const good = exchanges.filter(
            (exchange) => stateOf((name) => metrics[`oi_collector_${name}`]?.[exchange]?.[''])[0] === 'is-good',
        ).length;
        setText(
            about,
            (exchanges.length > 0 ? `${good} of ${exchanges.length} exchanges are collected without a fault` : 'Nothing is collected here') +
                (status.writing_paused ? '; nothing is written, the disk is full' : '') +
                ` · version ${status.version}`,
        );
        take.use('/oi/v1/coverage/days', calendarQuery());
        return true;
    }

    return {
        use(next) {
            const before = state;
            state = next;
            setSpan(state.span);
            if (before && before.span !== state.span) askCalendar().catch((error) => shell.trouble(error));
        },
        refresh: () => ask(),
        again: () => ask().catch((error) => shell.trouble(error)),
        focus: () => root.querySelector('[tabindex="0"]')?.focus(),
    };
}
