// SPDX-License-Identifier: Apache-2.0
// Decimals as the server sends them: texts. What is shown is cut, grouped or divided on the digits
// themselves, so that no figure on the page ever went through a binary fraction. `toNumber` is for
// drawing and sorting alone.

const UNITS = [
    [12, 'T'],
    [9, 'B'],
    [6, 'M'],
    [3, 'K'],
];

// { sign, digits, scale } with value = sign * digits / 10^scale, or null for what is not a decimal.
export function parse(text) {
    const found = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text ?? '');
    if (!found) return null;
    const fraction = found[3] ?? '';
    let digits = BigInt(found[2] + fraction);
    let scale = fraction.length - Number(found[4] ?? 0);
    if (scale < 0) {
        digits *= 10n ** BigInt(-scale);
        scale = 0;
    }
    return { sign: found[1] === '-' ? -1 : 1, digits, scale };
}

function print({ sign, digits, scale }) {
    const text = digits.toString().padStart(scale + 1, '0');
    const whole = text.slice(0, text.length - scale);
    const fraction = scale > 0 ? '.' + text.slice(text.length - scale) : '';
    return (
        (sign < 0 && digits !== 0n ? '−' : '') + whole.replace(/\B(?=(\d{3})+$)/g, ',') + fraction
    );
}

// Half away from zero, to at most `places` digits behind the point; never more than there are.
function rounded(value, places) {
    if (value.scale <= places) return value;
    const unit = 10n ** BigInt(value.scale - places);
    return { sign: value.sign, digits: (value.digits + unit / 2n) / unit, scale: places };
}

function padded(value, places) {
    return value.scale >= places
        ? value
        : { ...value, digits: value.digits * 10n ** BigInt(places - value.scale), scale: places };
}

// Every digit, with groups of three in front of the point: "1234567.890" is "1,234,567.890".
export function exact(text) {
    const value = parse(text);
    return value ? print(value) : '–';
}

// a − b and a + b with every digit, as texts; null where one is none.
export function subtract(a, b) {
    return combine(parse(a), parse(b), -1n);
}
export function add(a, b) {
    return combine(parse(a), parse(b), 1n);
}

function combine(a, b, sign) {
    if (!a || !b) return null;
    const scale = Math.max(a.scale, b.scale);
    const whole = (value) => BigInt(value.sign) * padded(value, scale).digits;
    const result = whole(a) + sign * whole(b);
    const digits = (result < 0n ? -result : result).toString().padStart(scale + 1, '0');
    const fraction = scale > 0 ? '.' + digits.slice(digits.length - scale) : '';
    return (result < 0n ? '-' : '') + digits.slice(0, digits.length - scale) + fraction;
}

// Four digits at a glance: "8424113205.77" is "8.424 B".
export function compact(text) {
    const value = parse(text);
    if (!value) return '–';
    const whole = rounded(value, 0).digits.toString().length;
    for (const [power, letter] of UNITS) {
        if (whole > power)
            return (
                print(fixed({ ...value, scale: value.scale + power }, power, whole)) + ' ' + letter
            );
    }
    return print(padded(rounded(value, 2), 2));
}

function fixed(value, power, whole) {
    const places = Math.max(1, 4 - (whole - power));
    return padded(rounded(value, places), places);
}

// A part of a whole in percent, to one place: "36.1%".
export function share(part, whole) {
    const a = parse(part),
        b = parse(whole);
    if (!a || !b || b.digits === 0n) return '–';
    const scale = Math.max(a.scale, b.scale);
    const [over, under] = [padded(a, scale).digits * 10000n, padded(b, scale).digits];
    return `${print(padded(rounded({ sign: a.sign * b.sign, digits: over / under, scale: 2 }, 1), 1))}%`;
}

// The sum of texts, with every digit, leaving out what is not there; null where none is.
export function sum(texts) {
    const values = texts.map(parse).filter(Boolean);
    if (values.length === 0) return null;
    const scale = Math.max(...values.map((value) => value.scale));
    let total = 0n;
    for (const value of values) total += BigInt(value.sign) * padded(value, scale).digits;
    const digits = (total < 0n ? -total : total).toString().padStart(scale + 1, '0');
    const fraction = scale > 0 ? '.' + digits.slice(digits.length - scale) : '';
    return (total < 0n ? '-' : '') + digits.slice(0, digits.length - scale) + fraction;
}

// A change with its sign, at a glance: "-12923866.7" is { text: "−12.92 M", sign: -1 }.
export function signedCompact(text) {
    const value = parse(text);
    if (!value) return null;
    const sign = value.digits === 0n ? 0 : value.sign;
    return { text: (sign > 0 ? '+' : '') + compact(text), sign };
}

// A price or an amount in a table: as it is while short, otherwise cut to six significant digits.
export function brief(text) {
    const value = parse(text);
    if (!value) return '–';
    const whole = value.digits / 10n ** BigInt(value.scale);
    const length = whole === 0n ? 0 : whole.toString().length;
    if (length > 0) return print(rounded(value, Math.max(0, 7 - length)));
    const leading = value.scale - value.digits.toString().length;
    return print(rounded(value, leading + 6));
}

// A percentage with its sign, two places: "1.2" is { text: "+1.20%", sign: 1 }; null for none.
export function signedPercent(text) {
    const value = parse(text);
    if (!value) return null;
    const short = padded(rounded(value, 2), 2);
    const sign = short.digits === 0n ? 0 : short.sign;
    return { text: `${sign > 0 ? '+' : ''}${print(short)}%`, sign };
}

// For positions on the screen and for sorting; never shown.
export function toNumber(text) {
    return text === null || text === undefined || text === '' ? null : Number(text);
}
