// SPDX-License-Identifier: Apache-2.0
// Labels of a chart's axes: as many digits as the steps between them need.

import { clock, day, month } from './time.js';

const UNITS = [
    [1e12, 'T'],
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'K'],
    [1, ''],
];

// A function that writes one value of an axis whose labels stand at `splits`, `step` apart.
export function amountWriter(splits, step) {
    const largest = Math.max(...splits.map((value) => Math.abs(value ?? 0)));
    const [unit, letter] = UNITS.find(([size]) => largest >= size) ?? [1, ''];
    let places = 0;
    const isWhole = (number) => Math.abs(number - Math.round(number)) < 1e-6 * number;
    while (places < 12 && !isWhole((step / unit) * 10 ** places)) places++;
    return (value) => (value === null ? null : (value / unit).toFixed(places) + letter);
}

// The clock, and the day where one begins.
export function timeLabels(splits, step, isFirstDayNamed) {
    let last = null;
    return splits.map((seconds) => {
        const ms = seconds * 1000;
        if (step >= 86400 * 27) return month(ms);
        const date = day(ms);
        if (step >= 86400) return date;
        const isNewDay = last === null ? isFirstDayNamed : date !== last;
        last = date;
        return isNewDay ? date : clock(ms, step < 60);
    });
}
