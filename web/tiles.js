// SPDX-License-Identifier: Apache-2.0
// Candles of one market in pieces of equal length, kept in memory and bounded in number, so that
// what was looked at once is there at once, and only what is missing is asked for.

import { toNumber } from './decimal.js';
import { parse } from './time.js';

const TILE_CANDLES = 512;
const TILES_MAX = 128;
const TILES_A_QUESTION = 8;

// Of the exact texts, the numbers to draw by. The amount tells positions apart from their worth: a
// change of price alone is none of it.
function columnsOf(candles, unit) {
    const column = (name) => candles.map((candle) => toNumber(candle[name]));
    const columns = {
        time: candles.map((candle) => parse(candle.start) / 1000),
        open: column('open'),
        high: column('high'),
        low: column('low'),
        close: column('close'),
        price: column('price_close'),
    };
    columns.amount = columns.close.map((close, at) =>
        unit !== 'usd' || close === null ? close : columns.price[at] ? close / columns.price[at] : null,
    );
    return columns;
}

export class Tiles {
    // ask({ interval, start, end }, signal): an answer of candles, seconds. arrived(): more is there.
    constructor(ask, arrived) {
        this.ask = ask;
        this.arrived = arrived;
        this.clear('');
    }

    // Another market, unit or moment: nothing of before holds.
    clear(unit) {
        this.stopper?.abort();
        this.stopper = new AbortController();
        this.tiles = new Map();
        this.unit = unit;
        this.leftOut = 0;
        this.error = null;
        this.version = (this.version ?? 0) + 1;
    }

    static range(interval, from, to) {
        const length = interval.seconds * TILE_CANDLES;
        return [Math.floor(from / length), Math.ceil(to / length)];
    }

    key(interval, index) {
        return `${interval.name}/${index}`;
    }

    isReady(interval, from, to) {
        const [first, end] = Tiles.range(interval, from, to);
        for (let index = first; index < end; index++)
            if (!this.tiles.get(this.key(interval, index))?.candles) return false;
        return true;
    }

    // Ask for what is missing of a span, in as few questions as there are holes.
    need(interval, from, to) {
        const [first, end] = Tiles.range(interval, from, to);
        for (let index = first; index < end; ) {
            if (this.tiles.has(this.key(interval, index))) {
                index++;
                continue;
            }
            let stop = index + 1;
            while (
                stop < end &&
                stop - index < TILES_A_QUESTION &&
                !this.tiles.has(this.key(interval, stop))
            )
                stop++;
            this.fetch(interval, index, stop);
            index = stop;
        }
    }

    async fetch(interval, first, end) {
        const { signal } = this.stopper,
            length = interval.seconds * TILE_CANDLES;
        for (let index = first; index < end; index++)
            this.tiles.set(this.key(interval, index), { candles: null });
        try {
            const answer = await this.ask(
                { interval, start: first * length, end: end * length },
                signal,
            );
            if (signal.aborted) return;
            const parts = Array.from({ length: end - first }, () => []);
            for (const candle of answer.data)
                parts[Math.floor(parse(candle.start) / 1000 / length) - first]?.push(candle);
            parts.forEach((candles, at) => this.put(interval, first + at, candles));
            this.leftOut += answer.left_out_rows;
            this.error = null;
        } catch (error) {
            if (signal.aborted) return;
            for (let index = first; index < end; index++)
                this.tiles.delete(this.key(interval, index));
            this.error = error;
        }
        this.arrived();
    }

    put(interval, index, candles) {
        this.version++;
        const key = this.key(interval, index);
        this.tiles.delete(key);
        this.tiles.set(key, { candles, columns: columnsOf(candles, this.unit) });
        for (const old of this.tiles.keys()) {
            if (this.tiles.size <= TILES_MAX) break;
            if (this.tiles.get(old).candles) this.tiles.delete(old);
        }
    }

    // The newest candles as they are by now, and those behind them. Coarser ones are asked anew when
    // they are looked at.
    merge(interval, fresh) {
        const length = interval.seconds * TILE_CANDLES,
            parts = new Map();
        for (const candle of fresh) {
            const index = Math.floor(parse(candle.start) / 1000 / length);
            if (!parts.has(index)) parts.set(index, []);
            parts.get(index).push(candle);
        }
        for (const [index, candles] of parts) {
            const old = this.tiles.get(this.key(interval, index))?.candles ?? [];
            const from = parse(candles[0].start);
            this.put(interval, index, [
                ...old.filter((candle) => parse(candle.start) < from),
                ...candles,
            ]);
        }
        const newest = fresh.length > 0 ? parse(fresh[0].start) / 1000 : Infinity;
        for (const [key, tile] of this.tiles) {
            const [name, index] = key.split('/');
            if (name === interval.name || !tile.candles) continue;
            const last = tile.columns.time[tile.columns.time.length - 1] ?? -Infinity;
            const isNewest = last + 86400 >= newest && Number(index) >= 0;
            if (isNewest) this.tiles.delete(key);
        }
    }

    // What is there of a span as one: candles, and the columns to draw; touched, so that it stays.
    read(interval, from, to) {
        const [first, end] = Tiles.range(interval, from, to);
        const candles = [],
            columns = { time: [], open: [], high: [], low: [], close: [], price: [], amount: [] };
        for (let index = first; index < end; index++) {
            const key = this.key(interval, index),
                tile = this.tiles.get(key);
            if (!tile?.candles) continue;
            this.tiles.delete(key);
            this.tiles.set(key, tile);
            candles.push(...tile.candles);
            for (const name of Object.keys(columns)) columns[name].push(...tile.columns[name]);
        }
        return { candles, columns };
    }
}
