// SPDX-License-Identifier: Apache-2.0
// A question as a line of code that can be copied: for a shell, for Python, for JavaScript.

import { element, setAttribute, setText } from './dom.js';

const LANGUAGES = {
    curl: (url) => `curl '${url}'`,
    Python: (url) =>
        `import json, urllib.request\nanswer = json.load(urllib.request.urlopen("${url}"))["data"]`,
    JavaScript: (url) => `const { data } = await (await fetch("${url}")).json();`,
};

export class Line {
    constructor() {
        this.language = 'curl';
        this.url = '';
        this.code = element('code');
        this.copy = element('button', { type: 'button', class: 'take', textContent: 'Copy' });
        this.copy.addEventListener('click', () => this.copyCode());
        this.buttons = Object.keys(LANGUAGES).map((language) => {
            const button = element('button', { type: 'button', textContent: language });
            button.addEventListener('click', () => {
                this.language = language;
                this.tell();
            });
            return button;
        });
        this.nodes = [
            element(
                'div',
                { class: 'take-row' },
                element('div', { class: 'choice', role: 'group', 'aria-label': 'Language' }, ...this.buttons),
                this.copy,
            ),
            element(
                'pre',
                { class: 'take-code', tabIndex: 0, role: 'region', 'aria-label': 'The question as a line of code' },
                this.code,
            ),
        ];
    }

    // The address that the line asks.
    use(url) {
        this.url = url;
        this.tell();
    }

    tell() {
        for (const button of this.buttons)
            setAttribute(button, 'aria-pressed', String(button.textContent === this.language));
        setText(this.code, LANGUAGES[this.language](this.url));
    }

    async copyCode() {
        try {
            await navigator.clipboard.writeText(this.code.textContent);
            setText(this.copy, 'Copied');
        } catch {
            // Without a secure context there is no clipboard: the line is selected instead.
            getSelection().selectAllChildren(this.code);
            setText(this.copy, 'Selected');
        }
        setTimeout(() => setText(this.copy, 'Copy'), 2000);
    }
}
