// SPDX-License-Identifier: Apache-2.0
// Reads a store without the program, from what docs/formats/ says and what LMDB is: the proof that
// the pages let a stranger do so. Shares no code with src/ and is not quick. Integers are BigInts.

import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const NONE = -(1n << 63n); // the time of what has none
const MASK = (1n << 64n) - 1n;
const signed = (value) => BigInt.asIntN(64, value);

//
// LMDB: a read-only walk over one B+tree (not part of our pages; lmdb.h has the same structures).
//

const PAGE_HEAD = 16;
const P_BRANCH = 1;
const P_LEAF = 2;
const F_BIGDATA = 1;
const NO_PAGE = MASK;

class Tree {
    constructor(file, pageSize, record) {
        Object.assign(this, { file, pageSize });
        this.root = record.readBigUInt64LE(40);
    }

    *entries(page = this.root) {
        if (page === NO_PAGE) return;
        const at = Number(page) * this.pageSize;
        const bytes = this.file.subarray(at, at + this.pageSize);
        const flags = bytes.readUInt16LE(10);
        const count = (bytes.readUInt16LE(12) - PAGE_HEAD) >> 1;
        for (let i = 0; i < count; i++) {
            const node = bytes.subarray(bytes.readUInt16LE(PAGE_HEAD + 2 * i));
            const [low, high, kind, keySize] = [0, 2, 4, 6].map((place) => node.readUInt16LE(place));
            if (flags & P_BRANCH) {
                yield* this.entries(BigInt(low) | (BigInt(high) << 16n) | (BigInt(kind) << 32n));
                continue;
            }
            if (!(flags & P_LEAF)) throw new Error(`page ${page} is no leaf`);
            const size = low + high * 65536;
            const key = node.subarray(8, 8 + keySize);
            let value = node.subarray(8 + keySize, 8 + keySize + size);
            if (kind & F_BIGDATA) {
                const first = Number(node.readBigUInt64LE(8 + keySize)) * this.pageSize + PAGE_HEAD;
                value = this.file.subarray(first, first + size);
            }
            yield [key, value];
        }
    }
}

export function openTables(folder) {
    const file = readFileSync(join(folder, 'data.mdb'));
    const pageSize = file.readUInt32LE(PAGE_HEAD + 24);
    const metas = [0, pageSize].map((at) => file.subarray(at + PAGE_HEAD));
    const newest = metas[0].readBigUInt64LE(128) > metas[1].readBigUInt64LE(128) ? metas[0] : metas[1];
    const tables = {};
    for (const [key, record] of new Tree(file, pageSize, newest.subarray(72)).entries())
        tables[key.toString()] = new Tree(file, pageSize, record);
    return tables;
}

//
// column.md
//

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
    return value;
});

function crc32c(...pieces) {
    let value = ~0;
    for (const piece of pieces)
        for (const byte of piece) value = CRC_TABLE[(value ^ byte) & 255] ^ (value >>> 8);
    return ~value >>> 0;
}

class Cursor {
    constructor(bytes) {
        this.bytes = bytes;
        this.at = 0;
    }
    take(size) {
        const end = this.at + Number(size);
        if (end > this.bytes.length) throw new Error('the bytes end too early');
        const taken = this.bytes.subarray(this.at, end);
        this.at = end;
        return taken;
    }
    u8 = () => this.take(1)[0];
    i8 = () => this.take(1).readInt8();
    u16 = () => this.take(2).readUInt16LE();
    u32 = () => this.take(4).readUInt32LE();
    u64 = () => this.take(8).readBigUInt64LE();
    i64 = () => this.take(8).readBigInt64LE();
    text = () => this.take(this.u8()).toString();
    varint() {
        let value = 0n;
        for (let shift = 0n; ; shift += 7n) {
            const byte = this.u8();
            value |= BigInt(byte & 127) << shift;
            if (byte < 128) return value & MASK;
        }
    }
    zigzag = () => unzigzag(this.varint());
    get isAtEnd() {
        return this.at === this.bytes.length;
    }
}

const unzigzag = (value) => (value & 1n ? -((value + 1n) >> 1n) : value >> 1n);

// The values of a column as signed 64-bit numbers.
function readColumn(cursor, count) {
    const type = cursor.u8();
    if (type === 1) return Array(count).fill(cursor.zigzag());
    if (type === 2) return readFrame(cursor, count);
    if (type === 3) {
        const power = 10n ** BigInt(cursor.u8());
        let value = cursor.zigzag();
        return readColumn(cursor, count).map((delta) => (value = signed(value + power * delta)));
    }
    if (type === 4) {
        const power = 10n ** BigInt(cursor.u8());
        const rest = cursor.zigzag();
        return readColumn(cursor, count).map((multiple) => signed(rest + power * multiple));
    }
    if (type === 5) {
        const entries = [];
        let entry = 0n;
        for (let left = cursor.u8() + 1; left > 0; left--)
            entries.push((entry = signed(entry + cursor.zigzag())));
        return readColumn(cursor, count).map((code) => entries[Number(code)]);
    }
    if (type === 6) return readGaps(cursor, count);
    throw new Error(`a column of type ${type}`);
}

const BLOCK = 512;

function readFrame(cursor, count) {
    const values = [];
    const frame = { base: 0n };
    for (let from = 0; from < count; from += BLOCK)
        values.push(...readBlock(cursor, Math.min(BLOCK, count - from), frame));
    return values;
}

function readBlock(cursor, size, frame) {
    const head = cursor.u8();
    const width = BigInt(head & 127);
    const base = (frame.base = signed(frame.base + cursor.zigzag()));
    const exceptions = Number(cursor.varint());
    const distances = readBits(cursor, size, width);
    for (let i = 0, at = 0; i < exceptions; i++, at++) {
        at += Number(cursor.varint());
        distances[at] += cursor.varint() << width;
    }
    return distances.map((distance) => signed(base + (head & 128 ? unzigzag(distance & MASK) : distance)));
}

function readGaps(cursor, count) {
    const values = [];
    const frame = { base: 0n };
    for (let from = 0; from < count; from += BLOCK) {
        const size = Math.min(BLOCK, count - from);
        const kept = Number(cursor.varint());
        const map = kept > 0 && kept < size ? cursor.take((size + 7) >> 3) : null;
        const block = kept > 0 ? readBlock(cursor, kept, frame) : [];
        for (let i = 0, next = 0; i < size; i++) {
            const isKept = map ? map[i >> 3] & (1 << (i & 7)) : kept > 0;
            values.push(isKept ? block[next++] : 0n);
        }
    }
    return values;
}

function readBits(cursor, count, width) {
    const mask = (1n << width) - 1n;
    if (count < BLOCK) {
        const bytes = cursor.take((count * Number(width) + 7) >> 3);
        const all = BigInt(`0x0${Buffer.from(bytes).reverse().toString('hex')}`);
        return Array.from({ length: count }, (_, i) => (all >> (BigInt(i) * width)) & mask);
    }
    const words = cursor.take(64 * Number(width));
    const lanes = Array(8).fill(0n);
    for (let word = Number(width) - 1; word >= 0; word--)
        for (let lane = 0; lane < 8; lane++)
            lanes[lane] = (lanes[lane] << 64n) | words.readBigUInt64LE((word * 8 + lane) * 8);
    return Array.from({ length: count }, (_, i) => (lanes[i % 8] >> (BigInt(i >> 3) * width)) & mask);
}

//
// Decimals: { mantissa, exponent } without needless zeros, or null.
//

function decimal(mantissa, exponent) {
    if (mantissa === 0n) return { mantissa, exponent: 0 };
    while (mantissa % 10n === 0n) [mantissa, exponent] = [mantissa / 10n, exponent + 1];
    return { mantissa, exponent };
}

const fromLimbs = (limbs, isNegative) =>
    limbs.reduceRight((sum, limb) => (sum << 64n) | limb, 0n) * (isNegative ? -1n : 1n);

export function printDecimal(value) {
    if (!value) return '';
    const { mantissa, exponent } = value;
    const digits = String(mantissa < 0n ? -mantissa : mantissa);
    const sign = mantissa < 0n ? '-' : '';
    if (exponent >= 0) return sign + digits + '0'.repeat(exponent);
    const padded = digits.padStart(1 - exponent, '0');
    return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

//
// chunk.md
//

const FIGURES = { 5: 'open_interest', 6: 'mark_price', 7: 'index_price', 8: 'last_price', 9: 'value_usd' };

function readTimes(cursor, times) {
    const presence = cursor.u8();
    if (presence === 1) return times.map(() => NONE);
    const there = presence === 2 ? readColumn(cursor, times.length) : null;
    return readColumn(cursor, times.length).map((value, i) =>
        there && !there[i] ? NONE : signed(value + times[i]),
    );
}

function predict(cursor, known, count) {
    const kind = cursor.u8();
    const power = cursor.i8();
    const factor = cursor.varint();
    const rest = readColumn(cursor, count);
    const isNarrow = kind & 2;
    const wrap = isNarrow ? MASK : (1n << 128n) - 1n;
    return rest.map((value, i) => {
        const unsigned = (part) => (part ? part.mantissas[i] & MASK : 0n);
        const mark = kind & 1 ? unsigned(known[6]) : 1n;
        let product = unsigned(known[5]) * mark * factor;
        if (power >= 0) return signed(value + product * 10n ** BigInt(power));
        const divisor = 10n ** BigInt(-power);
        product = (product + divisor / 2n) & wrap;
        if (!isNarrow) return signed(value + product / divisor);
        let bits = 0n;
        while (1n << bits < divisor) bits++;
        const reciprocal = ((1n << (63n + bits)) + divisor - 1n) / divisor;
        return signed(value + ((product * reciprocal) >> (63n + bits)));
    });
}

function readDecimals(cursor, count, known) {
    const head = cursor.u8();
    const form = head & 15;
    const exponent = form === 2 ? 0 : cursor.i8();
    const column = form === 0 ? null : readColumn(cursor, count);
    const mantissas = head & 16 ? predict(cursor, known, count) : readColumn(cursor, count);
    const values = mantissas.map((mantissa, i) => {
        if (form === 1 && !column[i]) return null;
        if (form !== 2) return decimal(mantissa, exponent);
        if (column[i] === -128n) return null;
        if (column[i] !== -127n) return decimal(mantissa, Number(column[i]));
        const limbs = cursor.u8();
        const wideExponent = cursor.i8();
        return decimal(fromLimbs(Array.from({ length: limbs & 127 }, cursor.u64), limbs & 128), wideExponent);
    });
    return { mantissas, values };
}

export function readChunk(key, bytes) {
    const cursor = new Cursor(bytes);
    if (cursor.u8() !== 1) throw new Error('a chunk of another version');
    const headerCrc = cursor.u32();
    const bodyCrc = cursor.u32();
    const count = Number(cursor.varint());
    const first = cursor.i64();
    const last = first + cursor.varint();
    const firstKnown = first + cursor.zigzag();
    const lastKnown = firstKnown + cursor.varint();
    const firstBatch = cursor.varint();
    const lastBatch = firstBatch + cursor.varint();
    if (headerCrc !== crc32c(key, bytes.subarray(0, 1), bytes.subarray(5, cursor.at))) throw new Error('header checksum');
    if (bodyCrc !== crc32c(bytes.subarray(cursor.at))) throw new Error('body checksum');
    const parts = {};
    while (!cursor.isAtEnd) parts[cursor.u8()] = new Cursor(cursor.take(cursor.varint()));
    const times = readColumn(parts[1], count);
    const exchange = parts[2] ? readTimes(parts[2], times) : [];
    const known = readTimes(parts[3], times);
    const batches = readColumn(parts[4], count);
    const figures = {};
    for (const part of [5, 6, 7, 8, 9]) if (parts[part]) figures[part] = readDecimals(parts[part], count, figures);
    const flags = parts[10] ? readColumn(parts[10], count) : [];
    for (const part of Object.values(parts)) if (!part.isAtEnd) throw new Error('bytes behind a part');
    const rows = times.map((time, i) => ({
        time,
        exchange_time: exchange[i] ?? NONE,
        known_time: known[i],
        batch: batches[i],
        flags: flags[i] ?? 0n,
        ...Object.fromEntries(Object.entries(FIGURES).map(([part, name]) => [name, figures[part]?.values[i] ?? null])),
    }));
    if (rows[0].time !== first || rows.at(-1).time !== last) throw new Error('first and last time');
    return { rows, firstKnown, lastKnown, firstBatch, lastBatch };
}

//
// store.md
//

const BATCH_FIGURES = ['open_interest', 'value_usd', 'mark_price', 'index_price', 'last_price'];

function openSeal(table, key, value) {
    const crc = value.readUInt32LE(value.length - 4);
    const sealed = value.subarray(0, -4);
    if (sealed[0] !== 1 && !(table === 'rollup' && sealed[0] === 2)) throw new Error(`${table}: another version`);
    if (crc !== crc32c(Buffer.from(`${table}\0`), key, sealed)) throw new Error(`${table}: checksum`);
    return new Cursor(sealed.subarray(1));
}

function readWholeDecimal(cursor) {
    const form = cursor.u8();
    if (form === 0) return null;
    const exponent = cursor.i8();
    if (form === 1) return decimal(cursor.i64(), exponent);
    const isNegative = cursor.u8();
    return decimal(fromLimbs([0, 1, 2, 3].map(cursor.u64), isNegative), exponent);
}

function readRow(cursor) {
    const row = { time: cursor.i64(), exchange_time: cursor.i64(), known_time: cursor.i64() };
    for (const name of BATCH_FIGURES) row[name] = readWholeDecimal(cursor);
    return { ...row, flags: BigInt(cursor.u16()) };
}

function readBatch(cursor) {
    const commit = cursor.i64();
    const imported = cursor.u32();
    const count = cursor.u32();
    const wides = Array.from({ length: cursor.u32() }, () => readWholeDecimal(cursor));
    if (count === 0) return { commit, imported, rows: [] };
    const [series, time, exchange, known, flags] = Array.from({ length: 5 }, () => readColumn(cursor, count));
    const figures = BATCH_FIGURES.map(() => [readColumn(cursor, count), readColumn(cursor, count)]);
    const rows = series.map((id, i) => {
        const row = { series: Number(id), time: time[i], exchange_time: exchange[i], known_time: known[i], flags: flags[i] };
        BATCH_FIGURES.forEach((name, figure) => {
            const [exponents, mantissas] = figures[figure];
            row[name] = null;
            if (exponents[i] === -127n) row[name] = wides[Number(mantissas[i])];
            else if (exponents[i] !== -128n) row[name] = decimal(mantissas[i], Number(exponents[i]));
        });
        return row;
    });
    if (!cursor.isAtEnd) throw new Error('bytes behind a batch');
    return { commit, imported, rows };
}

function readRollups(key, cursor) {
    const count = cursor.u16();
    const starts = readColumn(cursor, count);
    const counts = readColumn(cursor, count);
    const chunks = ['first', 'high', 'low', 'last'].map((name) => [name, readChunk(key, cursor.take(cursor.u32())).rows]);
    if (!cursor.isAtEnd) throw new Error('bytes behind a block of rollups');
    return starts.map((start, i) => ({
        start,
        count: counts[i],
        ...Object.fromEntries(chunks.map(([name, rows]) => [name, rows[i]])),
    }));
}

function readInstrument(cursor) {
    if (cursor.u8() !== 1) throw new Error('a definition of another version');
    const found = { id: cursor.u32(), exchange: cursor.text(), product: cursor.text(), symbol: cursor.text() };
    found.listed = cursor.i64();
    [found.kind, found.settlement, found.option_side, found.bits] = [0, 0, 0, 0].map(cursor.u8);
    [found.base, found.quote, found.margin] = [0, 0, 0].map(cursor.text);
    found.base_factor = cursor.i64();
    found.contract_size = cursor.text();
    found.expiry = cursor.i64();
    found.strike = cursor.text();
    found.valid_from = cursor.i64();
    found.known_from = cursor.i64();
    if (!cursor.isAtEnd) throw new Error('bytes behind a definition');
    return found;
}

const bias = (unsigned) => signed(unsigned - (1n << 63n));
const later = (a, b) => (a.known_time !== b.known_time ? a.known_time > b.known_time : a.batch > b.batch);

export class Store {
    constructor(folder) {
        openSync(join(folder, 'oi-store')); // else it is no store
        this.tables = openTables(folder);
        const format = this.one('meta', Buffer.from('format')).u32();
        if (format !== 1) throw new Error(`format ${format}`);
        const state = this.one('meta', Buffer.from('state'));
        this.lastBatch = state.u64();
        this.readCatalogue();
        this.readHidden();
        this.readCommits();
    }

    *sealed(table) {
        for (const [key, value] of this.tables[table].entries()) yield [key, openSeal(table, key, value)];
    }

    one(table, wanted) {
        for (const [key, cursor] of this.sealed(table)) if (key.equals(wanted)) return cursor;
        throw new Error(`${table} has no ${wanted}`);
    }

    readCatalogue() {
        this.instruments = new Map(); // the newest version comes last
        this.feeds = new Map();
        this.series = new Map();
        for (const [key, cursor] of this.sealed('instrument')) this.instruments.set(key.readUInt32BE(), readInstrument(cursor));
        for (const [key, cursor] of this.sealed('feed')) this.feeds.set(key.readUInt16BE(), cursor.text());
        for (const [key, cursor] of this.sealed('series'))
            this.series.set(key.readUInt32BE(), { instrument: cursor.u32(), feed: cursor.u16() });
    }

    readHidden() {
        this.hidden = new Set();
        this.imports = [];
        for (const [, cursor] of this.sealed('import')) {
            const fingerprint = cursor.take(32).toString('hex');
            const [isWithdrawn, isComplete] = [cursor.u8(), cursor.u8()];
            const [name, format] = [cursor.text(), cursor.text()];
            const [done, stored, duplicate, refused, count] = [0, 0, 0, 0, 0].map(() => cursor.varint());
            this.imports.push({ fingerprint, isWithdrawn, isComplete, name, format, done, stored, duplicate, refused });
            let batch = 0n;
            for (let i = 0n; i < count; i++) {
                batch += cursor.varint();
                if (isWithdrawn) this.hidden.add(batch);
            }
        }
    }

    readCommits() {
        this.commits = new Map();
        for (const [key, cursor] of this.sealed('commit')) {
            const first = key.readBigUInt64BE() * 512n + 1n;
            const count = cursor.u16();
            readColumn(cursor, count).forEach((time, i) => this.commits.set(first + BigInt(i), time));
            readColumn(cursor, count);
        }
    }

    // Every row that was ever stored, by series, in no order.
    allRows() {
        const rows = new Map([...this.series.keys()].map((id) => [id, []]));
        const chunked = new Map();
        for (const [key, cursor] of this.sealed('position')) chunked.set(key.readUInt32BE(), cursor.u64());
        for (const [key, value] of this.tables.chunk.entries()) rows.get(key.readUInt32BE()).push(...readChunk(key, value).rows);
        for (const [key, cursor] of this.sealed('log')) {
            const batch = key.readBigUInt64BE();
            for (const row of readBatch(cursor).rows)
                if (batch > (chunked.get(row.series) ?? 0n)) rows.get(row.series).push({ ...row, batch });
        }
        for (const list of rows.values())
            for (const row of list) if (row.known_time === NONE) row.known_time = this.commits.get(row.batch);
        return rows;
    }

    // By series what is answered now: of each time the row that was known last.
    rows() {
        const found = new Map();
        for (const [id, list] of this.allRows()) {
            const byTime = new Map();
            for (const row of list) {
                if (this.hidden.has(row.batch)) continue;
                const other = byTime.get(row.time);
                if (!other || later(row, other)) byTime.set(row.time, row);
            }
            found.set(id, [...byTime.values()].sort((a, b) => (a.time < b.time ? -1 : 1)));
        }
        return found;
    }

    // { series, kind, rollups } of every block.
    *rollups() {
        for (const [key, cursor] of this.sealed('rollup'))
            yield { series: key.readUInt32BE(), kind: key[4], start: bias(key.readBigUInt64BE(5)), rollups: readRollups(key, cursor) };
    }

    // The newest chunked row of each series.
    *positions() {
        for (const [key, cursor] of this.sealed('position')) {
            const [chunkedBatch, rows, chunks, lastBatch] = [0, 0, 0, 0].map(cursor.u64);
            const [first, last] = [cursor.i64(), cursor.i64()];
            const newest = cursor.u8() ? { batch: cursor.u64(), ...readRow(cursor) } : null;
            yield { series: key.readUInt32BE(), chunkedBatch, rows, chunks, lastBatch, first, last, newest };
        }
    }
}
