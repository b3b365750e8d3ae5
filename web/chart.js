// SPDX-License-Identifier: Apache-2.0
// The chart, three panes on one canvas: open interest as candles or a line, the mark price below it,
// and what each candle changed, coloured by its regime. Wheel or pinch zooms, dragging moves, a
// double click shows the range again; the arrow keys walk through the candles and move on at the
// edge. It draws numbers and says which span and which candle is meant; the figures are shown
// elsewhere, and what to draw of the span comes from outside.

import { amountWriter, timeLabels } from './axis.js';

/* global uPlot */

// In drawing order: candles lie over the price.
const SERIES = { price: 1, open: 2, high: 3, low: 4, close: 5, change: 6 };
// Where the panes are, from the bottom, in parts of the height.
const PANES = { change: [0.01, 0.15], price: [0.21, 0.4], oi: [0.46, 1] };
const NO_PRICE = { ...PANES, oi: [0.21, 1] };
const SHORTEST_S = 600;
export const REGIMES = ['', 'long-buildup', 'short-buildup', 'long-unwinding', 'short-covering'];
const EMPTY = [[], [], [], [], [], [], []];

// The first index whose time is not before.
function indexAt(times, time) {
    let low = 0,
        high = times.length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (times[middle] < time) low = middle + 1;
        else high = middle;
    }
    return low;
}

function labels(u, splits, index, space, step) {
    const series = index === 2 ? SERIES.price : SERIES.close;
    if (!u.data[series].some((value) => value !== null)) return splits.map(() => '');
    return splits.map(amountWriter(splits, step));
}

function times(u, splits, index, space, step) {
    return u.data[0].length === 0 ? splits.map(() => '') : timeLabels(splits, step, false);
}

export class Chart {
    // onCursor(index or null): into the candles last set; onSpan(): what is seen was moved.
    constructor(container, { onCursor, onSpan }) {
        this.container = container;
        this.onCursor = onCursor;
        this.onSpan = onSpan;
        this.data = EMPTY;
        this.view = 'candles';
        this.interval = 3600;
        this.spacing = 3600;
        this.regimes = [];
        this.gaps = [];
        this.revised = [];
        this.limits = [0, 1];
        this.home = [0, 1];
        this.span = this.home;
        this.keyIndex = null;
        this.readColours();
        this.plot = new uPlot(this.options(), EMPTY, container);
        this.watchSize();
        this.watchPointer();
        this.watchKeys();
    }

    readColours() {
        const style = getComputedStyle(document.documentElement);
        const colour = (name) => style.getPropertyValue(name).trim();
        this.colours = {
            text: colour('--muted'),
            grid: colour('--grid'),
            up: colour('--up'),
            down: colour('--down'),
            line: colour('--accent'),
            fill: colour('--accent-fill'),
            price: colour('--price'),
            gap: colour('--gap'),
            gapEdge: colour('--gap-edge'),
            revised: colour('--revised'),
            pane: colour('--edge'),
            regimes: REGIMES.map((name) => (name ? colour(`--${name}`) : '')),
        };
    }

    size() {
        return {
            width: Math.max(200, this.container.clientWidth),
            height: Math.max(160, this.container.clientHeight),
        };
    }

    options() {
        const chart = this;
        const hidden = (name) => ({
            label: name,
            scale: 'oi',
            paths: () => null,
            points: { show: false },
        });
        const font = '12px ' + getComputedStyle(document.body).fontFamily;
        const padded = (name) => (u, min, max) => {
            if (min === null || max === null) return [0, 1];
            const room = (max - min) * 0.06 || Math.abs(max) * 0.01 || 1;
            return chart.inPane(name, min - room, max + room);
        };
        const inside = (name) => (u, splits) => {
            const [low, high] = chart.paneOf(name, u.scales[name]);
            return splits.map((value) => (value >= low && value <= high ? value : null));
        };
        const axis = {
            stroke: () => chart.colours.text,
            font,
            ticks: { show: false },
            grid: { stroke: () => chart.colours.grid, width: 1 },
        };
        return {
            ...this.size(),
            legend: { show: false },
            padding: [10, 0, 0, 0],
            tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
            cursor: {
                drag: { x: false, y: false, setScale: false },
                points: {
                    show: (u, index) =>
                        [SERIES.close, SERIES.price].includes(index) ? chart.point(index) : null,
                },
                bind: { dblclick: () => null },
                y: false,
            },
            scales: {
                x: { time: true, range: () => chart.visible() },
                oi: { range: padded('oi') },
                price: { range: padded('price') },
                change: {
                    range: (u, min, max) => {
                        const most = Math.max(Math.abs(min ?? 0), Math.abs(max ?? 0)) || 1;
                        return chart.inPane('change', -most * 1.05, most * 1.05);
                    },
                },
            },
            axes: [
                { ...axis, values: times, space: 72, gap: 6, size: 34, grid: { show: false } },
                {
                    ...axis,
                    scale: 'oi',
                    values: labels,
                    size: 58,
                    gap: 6,
                    space: 34,
                    filter: inside('oi'),
                    grid: { ...axis.grid, filter: inside('oi') },
                },
                {
                    ...axis,
                    scale: 'price',
                    values: labels,
                    side: 1,
                    size: 58,
                    gap: 6,
                    space: 26,
                    filter: inside('price'),
                    stroke: () => chart.colours.price,
                    grid: { ...axis.grid, filter: inside('price') },
                },
            ],
            series: [
                {},
                {
                    label: 'price',
                    scale: 'price',
                    width: 1.25,
                    points: { show: false },
                    spanGaps: true,
                    stroke: () => chart.colours.price,
                    gaps: (u, index, from, to) => chart.breaks(u, from, to),
                },
                hidden('open'),
                hidden('high'),
                hidden('low'),
                {
                    label: 'close',
                    scale: 'oi',
                    width: 1.75,
                    points: { show: false },
                    stroke: () => chart.colours.line,
                    fill: () => chart.colours.fill,
                    fillTo: (u) => chart.paneOf('oi', u.scales.oi)[0],
                    paths: (u, index, from, to) =>
                        chart.view === 'line' ? uPlot.paths.linear()(u, index, from, to) : null,
                    gaps: (u, index, from, to) => chart.breaks(u, from, to),
                },
                { ...hidden('change'), scale: 'change' },
            ],
            hooks: {
                drawAxes: [(u) => chart.drawPanes(u)],
                draw: [(u) => chart.drawRevised(u)],
                drawSeries: [
                    (u, index) => {
                        if (index === SERIES.close && chart.view === 'candles')
                            chart.drawCandles(u);
                        else if (index === SERIES.change) chart.drawChanges(u);
                    },
                ],
                setCursor: [(u) => chart.onCursor(u.cursor.left >= 0 ? u.cursor.idx : null)],
            },
        };
    }

    point(index) {
        const node = document.createElement('div');
        node.className = index === SERIES.price ? 'point point-price' : 'point point-oi';
        return node;
    }

    get panes() {
        return this.hasPrice ? PANES : NO_PRICE;
    }

    // A scale so wide that these two lie at the pane's ends, and back.
    inPane(name, low, high) {
        const [bottom, top] = this.panes[name];
        const whole = (high - low) / (top - bottom);
        return [low - bottom * whole, low + (1 - bottom) * whole];
    }

    paneOf(name, { min, max }) {
        const [bottom, top] = this.panes[name];
        return [min + bottom * (max - min), min + top * (max - min)];
    }

    // A line must not bridge hours in which nothing was recorded.
    breaks(u, from, to) {
        const times = u.data[0],
            found = [];
        for (let i = from + 1; i <= to; i++) {
            if (times[i] - times[i - 1] > this.spacing * 2.5)
                found.push([u.valToPos(times[i - 1], 'x', true), u.valToPos(times[i], 'x', true)]);
        }
        return found;
    }

    // How wide a candle is, in pixels of the canvas; and the candles that are seen.
    barWidth(u) {
        const { min, max } = u.scales.x;
        const step = (u.bbox.width * this.interval) / (max - min);
        return Math.max(1, Math.min(Math.floor(step * 0.68), 18 * (window.devicePixelRatio || 1)));
    }

    seen(u) {
        const times = u.data[0];
        return [
            indexAt(times, u.scales.x.min - this.interval),
            indexAt(times, u.scales.x.max + this.interval),
        ];
    }

    // valToPos for the many: the axes are linear.
    place(u, name) {
        const { min, max } = u.scales[name],
            { left, top, width, height } = u.bbox;
        return name === 'x'
            ? (value) => left + ((value - min) / (max - min)) * width
            : (value) => top + ((max - value) / (max - min)) * height;
    }

    clipped(u, draw) {
        const context = u.ctx;
        context.save();
        context.beginPath();
        context.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
        context.clip();
        draw(context);
        context.restore();
    }

    drawPanes(u) {
        const context = u.ctx,
            { left, top, width, height } = u.bbox;
        const ratio = window.devicePixelRatio || 1;
        this.clipped(u, () => {
            const least = 2 * ratio;
            for (const gap of this.gaps) {
                if (gap.to < u.scales.x.min || gap.from > u.scales.x.max) continue;
                const from = u.valToPos(gap.from, 'x', true),
                    to = u.valToPos(gap.to, 'x', true);
                context.fillStyle = this.colours.gap;
                context.fillRect(from, top, Math.max(least, to - from), height);
                context.fillStyle = this.colours.gapEdge;
                context.fillRect(from, top, Math.max(least, to - from), 3 * ratio);
            }
        });
        context.fillStyle = this.colours.pane;
        const ends = [(this.panes.oi[0] + (this.hasPrice ? PANES.price[1] : PANES.change[1])) / 2];
        if (this.hasPrice) ends.push((PANES.price[0] + PANES.change[1]) / 2);
        for (const end of ends)
            context.fillRect(left, Math.round(top + height * (1 - end)), width, ratio);
    }

    // A dot above each candle that holds a reading told anew.
    drawRevised(u) {
        const ratio = window.devicePixelRatio || 1;
        this.clipped(u, (context) => {
            context.fillStyle = this.colours.revised;
            for (const time of this.revised) {
                if (time < u.scales.x.min || time > u.scales.x.max) continue;
                const x = u.valToPos(time, 'x', true);
                context.beginPath();
                context.arc(x, u.bbox.top + 7 * ratio, 3 * ratio, 0, 2 * Math.PI);
                context.fill();
            }
        });
    }

    drawChanges(u) {
        const [times] = u.data,
            changes = u.data[SERIES.change];
        const width = this.barWidth(u),
            zero = Math.round(u.valToPos(0, 'change', true));
        const [from, to] = this.seen(u);
        const xOf = this.place(u, 'x'),
            yOf = this.place(u, 'change');
        this.clipped(u, (context) => {
            for (let i = from; i < to; i++) {
                if (changes[i] === null) continue;
                const end = Math.round(yOf(changes[i]));
                context.fillStyle = this.colours.regimes[this.regimes[i]] || this.colours.text;
                context.fillRect(
                    Math.round(xOf(times[i]) - width / 2),
                    Math.min(zero, end),
                    width,
                    Math.max(1, Math.abs(end - zero)),
                );
            }
        });
    }

    drawCandles(u) {
        const [times, , opens, highs, lows, closes] = u.data;
        const ratio = window.devicePixelRatio || 1;
        const width = this.barWidth(u);
        const wick = Math.max(1, Math.min(Math.round(ratio), width));
        const [from, to] = this.seen(u);
        const xOf = this.place(u, 'x'),
            yOf = this.place(u, 'oi');
        this.clipped(u, (context) => {
            for (let i = from; i < to; i++) {
                if (opens[i] === null || closes[i] === null) continue;
                const x = Math.round(xOf(times[i]));
                const open = yOf(opens[i]),
                    close = yOf(closes[i]);
                const high = yOf(highs[i]),
                    low = yOf(lows[i]);
                context.fillStyle = closes[i] >= opens[i] ? this.colours.up : this.colours.down;
                context.fillRect(
                    Math.round(x - wick / 2),
                    Math.round(high),
                    wick,
                    Math.max(1, Math.round(low - high)),
                );
                context.fillRect(
                    Math.round(x - width / 2),
                    Math.round(Math.min(open, close)),
                    width,
                    Math.max(ratio, Math.round(Math.abs(close - open))),
                );
            }
        });
    }

    visible() {
        return this.span;
    }

    // What may be looked at, and where the range chosen is.
    bound(limits, home) {
        this.limits = limits;
        this.home = home;
    }

    // Data: { time, open, high, low, close, price, change, regime } of equal length, times in
    // seconds; what is seen stays as it is.
    set(data, { view, interval }) {
        this.data = [
            data.time,
            data.price,
            data.open,
            data.high,
            data.low,
            data.close,
            data.change,
        ];
        this.regimes = data.regime;
        this.hasPrice = data.price.some((value) => value !== null);
        this.view = view;
        this.interval = interval;
        const steps = data.time.slice(1).map((time, at) => time - data.time[at]);
        steps.sort((a, b) => a - b);
        this.spacing = Math.max(interval, steps[steps.length >> 1] ?? 0);
        this.keyIndex = null;
        this.plot.setData(this.data, true);
    }

    // Gaps { from, to } and the times of candles with revisions, in seconds.
    mark({ gaps, revised }) {
        this.gaps = gaps;
        this.revised = revised;
        this.plot.redraw(false);
    }

    show(span) {
        const [first, last] = this.limits;
        let [from, to] = span;
        const least = SHORTEST_S;
        if (to - from < least) [from, to] = [(from + to - least) / 2, (from + to + least) / 2];
        const length = Math.min(to - from, last - first);
        from = Math.min(Math.max(from, first), last - length);
        if (this.span[0] === from && this.span[1] === from + length) return;
        this.span = [from, from + length];
        this.plot.setScale('x', { min: this.span[0], max: this.span[1] });
        this.onSpan();
    }

    zoom(factor, centre) {
        const [from, to] = this.visible();
        const middle = centre ?? (from + to) / 2;
        this.show([middle - (middle - from) * factor, middle + (to - middle) * factor]);
    }

    pan(share) {
        const [from, to] = this.visible();
        this.show([from + (to - from) * share, to + (to - from) * share]);
    }

    // Back to the range chosen.
    reset() {
        this.show(this.home);
    }

    repaint() {
        this.readColours();
        this.plot.redraw(true);
    }

    watchSize() {
        let frame = 0;
        new ResizeObserver(() => {
            cancelAnimationFrame(frame);
            frame = requestAnimationFrame(() => this.plot.setSize(this.size()));
        }).observe(this.container);
    }

    watchPointer() {
        const over = this.plot.over,
            pointers = new Map();
        let start = null;
        const timeAt = (clientX) =>
            this.plot.posToVal(clientX - over.getBoundingClientRect().left, 'x');
        const spread = () => {
            const [a, b] = [...pointers.values()];
            return { distance: Math.max(20, Math.abs(a - b)), middle: (a + b) / 2 };
        };
        const begin = () => {
            start = {
                span: this.visible(),
                x: [...pointers.values()][0],
                pinch: pointers.size === 2 ? { ...spread(), time: timeAt(spread().middle) } : null,
            };
        };

        over.addEventListener(
            'wheel',
            (event) => {
                if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
                    this.pan(event.deltaX / over.clientWidth);
                } else {
                    // The page must stay scrollable where there is nothing left to zoom out of.
                    if (event.deltaY > 0 && this.span[1] - this.span[0] >= this.limits[1] - this.limits[0])
                        return;
                    this.zoom(event.deltaY > 0 ? 1.2 : 1 / 1.2, timeAt(event.clientX));
                }
                event.preventDefault();
            },
            { passive: false },
        );
        over.addEventListener('dblclick', () => this.reset());
        over.addEventListener('pointerdown', (event) => {
            if (event.button !== 0 || pointers.size === 2) return;
            pointers.set(event.pointerId, event.clientX);
            over.setPointerCapture(event.pointerId);
            begin();
        });
        over.addEventListener('pointermove', (event) => {
            if (!pointers.has(event.pointerId)) return;
            pointers.set(event.pointerId, event.clientX);
            const length = start.span[1] - start.span[0];
            if (start.pinch && pointers.size === 2) {
                const factor = start.pinch.distance / spread().distance;
                this.show([
                    start.pinch.time - (start.pinch.time - start.span[0]) * factor,
                    start.pinch.time + (start.span[1] - start.pinch.time) * factor,
                ]);
            } else if (Math.abs(event.clientX - start.x) > 3) {
                over.classList.add('is-moving');
                const shift = ((start.x - event.clientX) / over.clientWidth) * length;
                this.show([start.span[0] + shift, start.span[1] + shift]);
            }
        });
        const end = (event) => {
            if (!pointers.delete(event.pointerId)) return;
            over.classList.remove('is-moving');
            if (pointers.size > 0) begin();
        };
        over.addEventListener('pointerup', end);
        over.addEventListener('pointercancel', end);
    }

    watchKeys() {
        this.container.addEventListener('keydown', (event) => {
            const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
            const pans = { PageUp: -0.5, PageDown: 0.5, ArrowUp: -0.2, ArrowDown: 0.2 };
            if (event.ctrlKey || event.metaKey || event.altKey) return;
            if (event.key in steps && event.shiftKey) this.pan(steps[event.key] > 0 ? 0.2 : -0.2);
            else if (event.key in steps) this.step(steps[event.key]);
            else if (event.key in pans) this.pan(pans[event.key]);
            else if (event.key === '+' || event.key === '=') this.zoom(1 / 1.5);
            else if (event.key === '-') this.zoom(1.5);
            else if (event.key === '0' || event.key === 'Escape') this.reset();
            else return;
            event.preventDefault();
        });
        this.container.addEventListener('blur', () => this.pointAt(null));
    }

    // Walk among the candles that are seen; past the edge what is seen moves along.
    step(count) {
        const times = this.data[0],
            [from, to] = this.visible();
        const first = indexAt(times, from),
            last = indexAt(times, to + 1e-6) - 1;
        if (last < first) return;
        if (!Number.isFinite(count)) this.pointAt(count < 0 ? first : last);
        else
            this.pointAt(
                Math.min(
                    times.length - 1,
                    Math.max(0, (this.keyIndex ?? (count < 0 ? last + 1 : first - 1)) + count),
                ),
            );
    }

    pointAt(index) {
        this.keyIndex = index;
        if (index === null) {
            this.plot.setCursor({ left: -10, top: -10 });
            return;
        }
        const time = this.data[0][index],
            [from, to] = this.visible();
        if (time < from) this.show([time - this.interval, time - this.interval + (to - from)]);
        else if (time > to) this.show([time + this.interval - (to - from), time + this.interval]);
        this.plot.setCursor({
            left: this.plot.valToPos(time, 'x'),
            top: this.plot.over.clientHeight / 2,
        });
    }
}
