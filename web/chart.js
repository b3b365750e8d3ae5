// SPDX-License-Identifier: Apache-2.0
// The chart: open interest as candles or a line on the left axis, the mark price on the right one.
// Wheel or pinch zooms, dragging moves, a double click shows everything; the arrow keys walk
// through the candles. It draws numbers and says which candle is meant; the figures are
// shown elsewhere.

import { clock, day, month } from './time.js';

/* global uPlot */

// In drawing order: candles lie over the price.
const SERIES = { price: 1, open: 2, high: 3, low: 4, close: 5 };
const UNITS = [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'K'],
    [1, ''],
];
const EMPTY = [[], [], [], [], [], []];

// Labels of an axis: as many digits as its steps need.
function labels(u, splits, index, space, step) {
    const series = index === 2 ? SERIES.price : SERIES.close;
    if (!u.data[series].some((value) => value !== null)) return splits.map(() => '');
    const largest = Math.max(...splits.map(Math.abs));
    const [unit, letter] = UNITS.find(([size]) => largest >= size) ?? [1, ''];
    let places = 0;
    const isWhole = (number) => Math.abs(number - Math.round(number)) < 1e-6 * number;
    while (places < 12 && !isWhole((step / unit) * 10 ** places)) places++;
    return splits.map((value) => (value / unit).toFixed(places) + letter);
}

function timeLabels(u, splits, index, space, step) {
    let last = '';
    if (u.data[0].length === 0) return splits.map(() => '');
    return splits.map((seconds) => {
        const ms = seconds * 1000;
        if (step >= 86400 * 27) return month(ms);
        const date = day(ms);
        if (step >= 86400) return date;
        const isNewDay = last !== '' && date !== last;
        last = date;
        return isNewDay ? date : clock(ms, step < 60);
    });
}

export class Chart {
    // onCursor(index or null); index into the candles last set.
    constructor(container, onCursor) {
        this.container = container;
        this.onCursor = onCursor;
        this.data = EMPTY;
        this.view = 'candles';
        this.interval = 3600;
        this.span = null;
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
        const padded = (u, min, max) => {
            if (min === null || max === null) return [0, 1];
            const room = (max - min) * 0.06 || Math.abs(max) * 0.01 || 1;
            return [min - room, max + room];
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
                oi: { range: padded },
                price: { range: padded },
            },
            axes: [
                { ...axis, values: timeLabels, space: 72, gap: 6, size: 34, grid: { show: false } },
                { ...axis, scale: 'oi', values: labels, size: 58, gap: 6, space: 44 },
                {
                    ...axis,
                    scale: 'price',
                    values: labels,
                    side: 1,
                    size: 58,
                    gap: 6,
                    space: 44,
                    stroke: () => chart.colours.price,
                    grid: { show: false },
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
                    gaps: (u, index, from, to) => chart.gaps(u, from, to),
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
                    fillTo: (u) => u.scales.oi.min,
                    paths: (u, index, from, to) =>
                        chart.view === 'line' ? uPlot.paths.linear()(u, index, from, to) : null,
                    gaps: (u, index, from, to) => chart.gaps(u, from, to),
                },
            ],
            hooks: {
                drawSeries: [
                    (u, index) => {
                        if (index === SERIES.close && chart.view === 'candles')
                            chart.drawCandles(u);
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

    // A line must not bridge hours in which nothing was recorded.
    gaps(u, from, to) {
        const times = u.data[0],
            found = [];
        for (let i = from + 1; i <= to; i++) {
            if (times[i] - times[i - 1] > this.interval * 2.5)
                found.push([u.valToPos(times[i - 1], 'x', true), u.valToPos(times[i], 'x', true)]);
        }
        return found;
    }

    drawCandles(u) {
        const [times, , opens, highs, lows, closes] = u.data;
        const context = u.ctx,
            ratio = window.devicePixelRatio || 1;
        const step =
            u.valToPos(times[0] + this.interval, 'x', true) - u.valToPos(times[0], 'x', true);
        const width = Math.max(1, Math.min(Math.floor(step * 0.68), 18 * ratio));
        const wick = Math.max(1, Math.min(Math.round(ratio), width));
        context.save();
        context.beginPath();
        context.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
        context.clip();
        for (let i = 0; i < times.length; i++) {
            if (
                times[i] < u.scales.x.min - this.interval ||
                times[i] > u.scales.x.max ||
                opens[i] === null ||
                closes[i] === null
            )
                continue;
            const x = Math.round(u.valToPos(times[i], 'x', true));
            const open = u.valToPos(opens[i], 'oi', true),
                close = u.valToPos(closes[i], 'oi', true);
            const high = u.valToPos(highs[i], 'oi', true),
                low = u.valToPos(lows[i], 'oi', true);
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
        context.restore();
    }

    // Half an interval of room, so that the first and the last candle are whole.
    whole() {
        const times = this.data[0];
        return times.length === 0
            ? [0, 1]
            : [times[0] - this.interval * 0.7, times[times.length - 1] + this.interval * 0.7];
    }

    visible() {
        return this.span ?? this.whole();
    }

    // Data: { time, open, high, low, close, price } of equal length, times in seconds. The zoom
    // stays where it is with `keepsZoom`.
    set(data, { view, interval, keepsZoom }) {
        const wasAtEnd = this.span !== null && this.span[1] >= this.whole()[1] - 1e-6;
        const end = this.whole()[1];
        this.data = [data.time, data.price, data.open, data.high, data.low, data.close];
        this.view = view;
        this.interval = interval;
        if (!keepsZoom) this.span = null;
        else if (wasAtEnd) this.span = this.span.map((edge) => edge + this.whole()[1] - end);
        this.plot.setData(this.data, true);
    }

    show(span) {
        const [first, last] = this.whole();
        const least = this.interval * 5;
        let [from, to] = span;
        if (to - from < least) [from, to] = [(from + to - least) / 2, (from + to + least) / 2];
        const length = Math.min(to - from, last - first);
        from = Math.min(Math.max(from, first), last - length);
        this.span = length >= last - first - 1e-6 ? null : [from, from + length];
        this.plot.setScale('x', { min: this.visible()[0], max: this.visible()[1] });
    }

    zoom(factor, centre) {
        if (this.data[0].length === 0) return;
        const [from, to] = this.visible();
        const middle = centre ?? (from + to) / 2;
        this.show([middle - (middle - from) * factor, middle + (to - middle) * factor]);
    }

    pan(share) {
        const [from, to] = this.visible();
        this.show([from + (to - from) * share, to + (to - from) * share]);
    }

    reset() {
        this.span = null;
        this.plot.setScale('x', { min: this.visible()[0], max: this.visible()[1] });
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
                    if (event.deltaY > 0 && this.span === null) return;
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
            const steps = {
                ArrowLeft: -1,
                ArrowRight: 1,
                PageUp: -10,
                PageDown: 10,
                Home: -Infinity,
                End: Infinity,
            };
            if (event.ctrlKey || event.metaKey || event.altKey) return;
            if (event.key in steps && event.shiftKey) this.pan(steps[event.key] > 0 ? 0.2 : -0.2);
            else if (event.key in steps) this.step(steps[event.key]);
            else if (event.key === '+' || event.key === '=') this.zoom(1 / 1.5);
            else if (event.key === '-') this.zoom(1.5);
            else if (event.key === '0' || event.key === 'Escape') this.reset();
            else return;
            event.preventDefault();
        });
        this.container.addEventListener('blur', () => this.pointAt(null));
    }

    step(count) {
        const last = this.data[0].length - 1;
        if (last < 0) return;
        this.pointAt(
            Math.min(last, Math.max(0, (this.keyIndex ?? last + (count < 0 ? 1 : 0)) + count)),
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
        if (time < from || time > to) this.show([time - (to - from) / 2, time + (to - from) / 2]);
        this.plot.setCursor({
            left: this.plot.valToPos(time, 'x'),
            top: this.plot.over.clientHeight / 2,
        });
    }
}
