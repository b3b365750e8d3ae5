// SPDX-License-Identifier: Apache-2.0
// What is on the screen, to take along: as a file, as a picture, and as the line that asks for it.

import { element, setAttribute } from './dom.js';
import { Line } from './line.js';

export class Take {
    // picture(): a canvas of the view, where there is one; name(): of its file, without the ending.
    constructor(box, { picture = null, name = () => '' } = {}) {
        this.files = ['CSV', 'Parquet'].map((text) =>
            element('a', { class: 'take', href: '#', textContent: text }),
        );
        this.files.forEach((link) => link.setAttribute('download', ''));
        const png = element('button', { type: 'button', class: 'take', textContent: 'PNG' });
        png.addEventListener('click', () => savePicture(picture(), `${name()}.png`));
        this.line = new Line();
        box.replaceChildren(
            element(
                'div',
                { class: 'take-row' },
                element('span', { class: 'take-name', textContent: 'What is on screen' }),
                ...this.files,
                ...(picture ? [png] : []),
            ),
            ...this.line.nodes,
        );
    }

    // The question that the screen answers: a path with its parameters.
    use(path, parameters) {
        const query = (more) => new URLSearchParams([...parameters, ...more]);
        this.line.use(`${location.origin}${path}?${query([]).toString().replaceAll('%3A', ':')}`);
        setAttribute(this.files[0], 'href', `${path}?${query([['format', 'csv']])}`);
        setAttribute(this.files[1], 'href', `${path}?${query([['format', 'parquet']])}`);
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
