// SPDX-License-Identifier: Apache-2.0
// What is on the screen, to take along: as a file, as a picture, and as the line that asks for it.

import { element, setAttribute, setText } from './dom.js';

const LANGUAGES = {
    curl: (url) => `curl '${url}'`,
    Python: (url) =>
        `import json, urllib.request\nanswer = json.load(urllib.request.urlopen("${url}"))["data"]`,
    JavaScript: (url) => `const { data } = await (await fetch("${url}")).json();`,
};

export class Take {
    // picture(): a canvas of the view, where there is one; name(): of its file, without the ending.
    constructor(box, { picture = null, name = () => '' } = {}) {
        this.language = 'curl';
        this.files = ['CSV', 'Parquet'].map((text) =>
            element('a', { class: 'take', href: '#', textContent: text }),
        );
        this.files.forEach((link) => link.setAttribute('download', ''));
        const png = element('button', { type: 'button', class: 'take', textContent: 'PNG' });
        png.addEventListener('click', () => savePicture(picture(), `${name()}.png`));
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
        box.replaceChildren(
            element(
                'div',
                { class: 'take-row' },
                element('span', { class: 'take-name', textContent: 'What is on screen' }),
                ...this.files,
                ...(picture ? [png] : []),
            ),
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
        );
    }

    // The question that the screen answers: a path with its parameters.
    use(path, parameters) {
        const query = (more) => new URLSearchParams([...parameters, ...more]);
        this.url = `${location.origin}${path}?${query([]).toString().replaceAll('%3A', ':')}`;
        setAttribute(this.files[0], 'href', `${path}?${query([['format', 'csv']])}`);
        setAttribute(this.files[1], 'href', `${path}?${query([['format', 'parquet']])}`);
        this.tell();
    }

    tell() {
        for (const button of this.buttons)
            setAttribute(
                button,
                'aria-pressed',
                String(button.textContent === this.language),
            );
        setText(this.code, LANGUAGES[this.language](this.url ?? ''));
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

function savePicture(canvas, name) {
    canvas.toBlob((blob) => {
        const link = element('a', { href: URL.createObjectURL(blob) });
        link.setAttribute('download', name);
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
}

// A canvas with words above it, on the page's background.
export function framed(canvas, title, words) {
    const ratio = window.devicePixelRatio || 1,
        head = 58 * ratio;
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const family = getComputedStyle(document.body).fontFamily;
    const framedOne = document.createElement('canvas');
    framedOne.width = canvas.width;
    framedOne.height = canvas.height + head;
    const context = framedOne.getContext('2d');
    context.fillStyle = colour('--panel');
    context.fillRect(0, 0, framedOne.width, framedOne.height);
    context.fillStyle = colour('--text');
    context.font = `600 ${16 * ratio}px ${family}`;
    context.fillText(title, 12 * ratio, 24 * ratio);
    context.fillStyle = colour('--muted');
    context.font = `${12 * ratio}px ${family}`;
    context.fillText(words, 12 * ratio, 44 * ratio);
    context.drawImage(canvas, 0, head);
    return framedOne;
}
