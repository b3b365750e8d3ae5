// SPDX-License-Identifier: Apache-2.0
// A search field that offers what can be chosen while one types: a combobox with a list, as the
// ARIA practices have it. What there is to offer is asked of the caller.

import { element, setAttribute, setText } from './dom.js';

const WAIT_MS = 120;

export class Picker {
    // offers(text): a promise of [{ token, name, about }]; onPick(token)
    constructor(input, list, { offers, onPick }) {
        this.input = input;
        this.list = list;
        this.offers = offers;
        this.onPick = onPick;
        this.shown = [];
        this.active = -1;
        this.asked = 0;
        input.addEventListener('input', () => this.later());
        input.addEventListener('focus', () => this.later());
        input.addEventListener('blur', () => setTimeout(() => this.close(), 150));
        input.addEventListener('keydown', (event) => this.key(event));
    }

    later() {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.ask(), WAIT_MS);
    }

    async ask() {
        const asked = ++this.asked;
        const found = await this.offers(this.input.value.trim()).catch(() => []);
        // A slow answer never overwrites a newer one.
        if (asked !== this.asked || document.activeElement !== this.input) return;
        this.shown = found;
        this.active = found.length > 0 ? 0 : -1;
        this.list.replaceChildren(
            ...found.map((offer, at) => {
                const option = element(
                    'li',
                    { role: 'option', id: `${this.list.id}-${at}` },
                    element('b', { textContent: offer.name }),
                    element('span', { textContent: offer.about }),
                );
                option.addEventListener('pointerdown', (event) => event.preventDefault());
                option.addEventListener('click', () => this.pick(at));
                return option;
            }),
        );
        if (found.length === 0)
            this.list.replaceChildren(
                element('li', {
                    class: 'none',
                    role: 'option',
                    'aria-disabled': 'true',
                    textContent: 'Nothing fits',
                }),
            );
        this.open();
    }

    open() {
        this.list.hidden = false;
        setAttribute(this.input, 'aria-expanded', 'true');
        this.point();
    }

    close() {
        clearTimeout(this.timer);
        this.asked++;
        this.list.hidden = true;
        setAttribute(this.input, 'aria-expanded', 'false');
        this.input.removeAttribute('aria-activedescendant');
    }

    point() {
        [...this.list.children].forEach((option, at) =>
            setAttribute(option, 'aria-selected', String(at === this.active)),
        );
        if (this.active < 0) return;
        const option = this.list.children[this.active];
        setAttribute(this.input, 'aria-activedescendant', option.id);
        option.scrollIntoView({ block: 'nearest' });
    }

    pick(at) {
        const offer = this.shown[at];
        if (!offer) return;
        this.input.value = '';
        this.close();
        this.onPick(offer.token);
    }

    key(event) {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (step) {
            event.preventDefault();
            if (this.list.hidden) this.ask();
            else if (this.shown.length > 0) {
                this.active = (this.active + step + this.shown.length) % this.shown.length;
                this.point();
            }
        } else if (event.key === 'Enter' && !this.list.hidden) {
            event.preventDefault();
            this.pick(this.active);
        } else if (event.key === 'Escape') {
            if (this.list.hidden) this.input.value = '';
            this.close();
        }
    }
}

// The chosen ones, each with a button that takes it away.
export function fillChips(container, chips, onRemove) {
    const before = [...container.children].indexOf(document.activeElement?.parentElement);
    const texts = chips.map((chip) => `${chip.name} ${chip.colour}`).join('\n');
    if (container.dataset.texts === texts) return;
    container.dataset.texts = texts;
    container.replaceChildren(
        ...chips.map((chip) => {
            const button = element('button', { type: 'button' });
            setText(button, '×');
            button.setAttribute('aria-label', `Remove ${chip.name}`);
            button.addEventListener('click', () => onRemove(chip.token));
            return element(
                'li',
                { 'data-colour': chip.colour },
                element('span', { textContent: chip.name, title: chip.title ?? chip.name }),
                button,
            );
        }),
    );
    // Removing one leaves the keyboard at its neighbour.
    if (before >= 0)
        container.children[Math.min(before, chips.length - 1)]?.querySelector('button')?.focus();
}
