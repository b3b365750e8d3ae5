// SPDX-License-Identifier: Apache-2.0
// What is not as it should be in the span that is seen: holes, and readings that were told anew.

import { causeName, causeText } from './causes.js';
import { exact } from './decimal.js';
import { element, setText } from './dom.js';
import { parse } from './time.js';

const GAPS_MAX = 1000;
const LISTED_MAX = 100;
// Revisions come as every reading there ever was, so they are looked for in short spans only.
const REVISIONS_SPAN_S = 3 * 86400;
const READINGS_MAX = 20000;

const shortTime = (text) => text.replace('T', ' ').replace('Z', '').replace(/(:\d\d)\.\d+/, '$1');

// Of every reading that was ever known, those whose instant a feed told more than once.
function revisedOf(rows) {
    const found = [];
    for (let at = 1; at < rows.length; at++) {
        const [before, row] = [rows[at - 1], rows[at]];
        if (row.feed === before.feed && row.time === before.time) found.push({ before, row });
    }
    return found;
}

export class Marks {
    // get(path, parameters, signal); shown({ gaps, revised }): to draw.
    constructor(box, get, shown) {
        this.get = get;
        this.shown = shown;
        this.summary = element('summary', { textContent: 'Gaps and revisions' });
        this.note = element('p', { class: 'remark' });
        this.list = element('tbody');
        const head = (text) => element('th', { scope: 'col', textContent: text });
        box.replaceChildren(
            this.summary,
            this.note,
            element(
                'div',
                { class: 'wide', tabIndex: 0, role: 'region', 'aria-label': 'Gaps and revisions' },
                element(
                    'table',
                    { class: 'plain' },
                    element(
                        'thead',
                        {},
                        element('tr', {}, head('From (UTC)'), head('To'), head('What'), head('Why')),
                    ),
                    this.list,
                ),
            ),
        );
        this.clear();
    }

    clear() {
        this.stopper?.abort();
        this.gaps = [];
        this.revised = [];
        this.key = '';
        this.tell(false);
    }

    // choice: parameters of the market; span in ISO; seconds of a candle.
    async look(choice, { start, end, seconds }, candle) {
        const key = JSON.stringify([choice, start, end, candle]);
        if (key === this.key) return;
        this.stopper?.abort();
        const stopper = new AbortController();
        this.stopper = stopper;
        const mayRevise = seconds <= REVISIONS_SPAN_S;
        const span = [
            ['start', start],
            ['end', end],
        ];
        const market = choice.filter(([name]) => name !== 'unit');
        try {
            const [gaps, rows] = await Promise.all([
                this.get('/oi/v1/gaps', [...market, ...span, ['limit', GAPS_MAX]], stopper.signal),
                mayRevise
                    ? this.get(
                          '/oi/v1/revisions',
                          [...choice, ...span, ['limit', READINGS_MAX]],
                          stopper.signal,
                      )
                    : { data: [] },
            ]);
            if (stopper.signal.aborted) return;
            this.key = key;
            this.gaps = gaps.data;
            this.revised = revisedOf(rows.data);
            this.hasMore = gaps.next !== null;
        } catch {
            // What is missing is an addition; the figures themselves say when they fail.
            if (stopper.signal.aborted) return;
            this.gaps = [];
            this.revised = [];
        }
        this.tell(!mayRevise);
        this.draw(candle);
    }

    // A hole that leaves no candle empty would hide the candle that it is in.
    draw(candle) {
        const times = new Set(
            this.revised.map(({ row }) => Math.floor(parse(row.time) / 1000 / candle) * candle),
        );
        this.shown({
            gaps: this.gaps
                .map((gap) => ({ from: parse(gap.from) / 1000, to: parse(gap.to) / 1000 }))
                .filter((gap) => gap.to - gap.from >= candle),
            revised: [...times],
        });
    }

    tell(isLong) {
        const count = (number, word) => `${number} ${word}${number === 1 ? '' : 's'}`;
        const parts = [
            `${this.hasMore ? 'more than ' : ''}${count(this.gaps.length, 'gap')}`,
            isLong ? 'revisions are looked for in three days or less' : count(this.revised.length, 'revision'),
        ];
        setText(this.summary, `Gaps and revisions in view: ${parts.join(', ')}`);
        setText(
            this.note,
            'A gap is a time for which a reading was due and none is stored; it is shaded where it leaves a whole ' +
                'candle empty. A revision is a reading that was told again with another figure; the first one stays ' +
                'known, and a question “as of” an earlier time answers with it.',
        );
        const row = (...cells) =>
            element('tr', {}, ...cells.map((text) => element('td', { textContent: text })));
        this.list.replaceChildren(
            ...this.gaps.slice(0, LISTED_MAX).map((gap) => {
                const line = row(shortTime(gap.from), shortTime(gap.to), 'Gap', causeName(gap.cause));
                line.lastElementChild.title = causeText(gap.cause);
                return line;
            }),
            ...this.revised
                .slice(0, LISTED_MAX)
                .map(({ before, row: now }) =>
                    row(
                        shortTime(now.time),
                        '',
                        `${exact(before.open_interest)} became ${exact(now.open_interest)}`,
                        `Revised, known since ${shortTime(now.known_time)}`,
                    ),
                ),
        );
    }
}
