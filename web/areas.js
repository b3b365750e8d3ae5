// SPDX-License-Identifier: Apache-2.0
// Several series over time: as areas on each other, or as lines. It draws numbers and says over which
// instant the cursor is; the exact figures are shown beside it.

import { amountWriter, timeLabels } from './axis.js';

/* global uPlot */

function values(u, splits, axis, space, step) {
    const write = amountWriter(splits, step);
    return splits.map((value) => (value === 0 ? '0' : write(value)));
}

// The first label names its day too.
const times = (u, splits, axis, space, step) => timeLabels(splits, step, true);

// Each series on those before it; what is missing counts as nothing, unless all are missing.
function stacked(series) {
    const sums = series[0]?.map(() => 0) ?? [];
    return series.map((values) =>
        values.map((value, at) => {
            sums[at] += value ?? 0;
            return series.every((other) => other[at] === null) ? null : sums[at];
        }),
    );
}

export class Areas {
    // onCursor(index or null)
    constructor(container, onCursor) {
        this.container = container;
        this.onCursor = onCursor;
        this.times = [];
        this.series = [];
        this.isStacked = true;
        this.plot = null;
        this.key = null;
        this.keyIndex = null;
        new ResizeObserver(() => this.plot?.setSize(this.size())).observe(container);
        container.addEventListener('keydown', (event) => this.walk(event));
        container.addEventListener('blur', () => this.point(null));
    }

    size() {
        return {
            width: Math.max(160, this.container.clientWidth),
            height: Math.max(140, this.container.clientHeight),
        };
    }

    // series: [{ name, colour: '--c1', values: [number or null] }], the lowest first
    set(times, series, { isStacked, isShare = false }) {
        this.times = times;
        this.series = series;
        this.isShare = isShare;
        const key = `${isStacked} ${isShare} ${series.map((one) => one.colour).join()}`;
        const data = [times, ...this.drawn(isStacked)];
        this.isStacked = isStacked;
        if (this.plot && key === this.key) this.plot.setData(data);
        else this.build(data);
        this.key = key;
    }

    drawn(isStacked) {
        const values = this.series.map((one) => one.values);
        return isStacked ? stacked(values) : values;
    }

    build(data) {
        const style = getComputedStyle(document.documentElement);
        const colour = (name) => style.getPropertyValue(name).trim();
        this.plot?.destroy();
        const axis = {
            stroke: colour('--muted'),
            font: '12px sans-serif',
            grid: { stroke: colour('--grid'), width: 1 },
            ticks: { show: false },
        };
        this.plot = new uPlot(
            {
                ...this.size(),
                padding: [10, 20, 0, 0],
                legend: { show: false },
                tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'UTC'),
                cursor: {
                    y: false,
                    drag: { x: false, y: false },
                    points: { show: !this.isStacked, size: 7 },
                },
                scales: {
                    x: { time: true },
                    y: { range: (u, low, high) => this.range(low, high) },
                },
                axes: [
                    { ...axis, grid: { show: false }, values: times, space: 70, size: 30 },
                    { ...axis, values, size: 58, space: 46 },
                ],
                series: [
                    {},
                    ...this.series.map((one, at) => ({
                        stroke: colour(one.colour),
                        width: this.isStacked ? 1 : 2,
                        fill: this.isStacked
                            ? `color-mix(in srgb, ${colour(one.colour)} 62%, ${colour('--panel')})`
                            : undefined,
                        points: { show: this.times.length < 2 },
                        label: String(at),
                    })),
                ],
                bands: this.isStacked
                    ? this.series.slice(1).map((_, at) => ({ series: [at + 2, at + 1] }))
                    : [],
                hooks: {
                    setCursor: [
                        (u) => this.onCursor(u.cursor.left < 0 ? null : (u.cursor.idx ?? null)),
                    ],
                },
            },
            data,
            this.container,
        );
    }

    range(low, high) {
        if (low === null || high === null) return [0, 1];
        if (this.isShare) return [0, 100];
        if (this.isStacked) return [0, high > 0 ? high * 1.06 : 1];
        const room = (high - low || Math.abs(high) || 1) * 0.07;
        return [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
    }

    repaint() {
        if (this.plot) this.build([this.times, ...this.drawn(this.isStacked)]);
    }

    point(index) {
        this.keyIndex = index;
        this.plot?.setCursor(
            index === null
                ? { left: -10, top: -10 }
                : { left: this.plot.valToPos(this.times[index], 'x'), top: 10 },
        );
        if (index === null) this.onCursor(null);
    }

    walk(event) {
        const last = this.times.length - 1;
        const at = this.keyIndex ?? last;
        const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
        if (to === undefined || last < 0) return;
        event.preventDefault();
        this.point(Math.max(0, Math.min(last, to)));
    }
}
