// SPDX-License-Identifier: Apache-2.0
// A squarified treemap (Bruls, Huizing, van Wijk): rectangles of given areas whose sides are as equal
// as can be. Tiles are links or labelled boxes, in the order of their size, so that Tab and a screen
// reader meet the largest first.

import { element, setAttribute, setClass, setText } from './dom.js';

// The worst ratio of sides when these areas share a strip along a side.
function worst(row, sum, side) {
    const most = Math.max(...row),
        least = Math.min(...row);
    const square = sum * sum,
        along = side * side;
    return Math.max((along * most) / square, square / (along * least));
}

// Rectangles { left, top, width, height } for areas in falling order, in a box.
export function squarify(values, width, height) {
    const total = values.reduce((sum, value) => sum + value, 0);
    const places = [];
    if (!(total > 0) || width <= 0 || height <= 0) return places;
    const areas = values.map((value) => (value / total) * width * height);
    const box = { left: 0, top: 0, width, height };

    for (let at = 0; at < areas.length;) {
        const side = Math.min(box.width, box.height);
        const row = [areas[at]];
        let sum = areas[at];
        while (at + row.length < areas.length) {
            const next = areas[at + row.length];
            if (worst([...row, next], sum + next, side) > worst(row, sum, side)) break;
            row.push(next);
            sum += next;
        }
        const isUpright = box.width >= box.height; // the strip stands at the left
        const breadth = side > 0 ? sum / side : 0;
        let along = isUpright ? box.top : box.left;
        for (const area of row) {
            const length = breadth > 0 ? area / breadth : 0;
            places.push(
                isUpright
                    ? { left: box.left, top: along, width: breadth, height: length }
                    : { left: along, top: box.top, width: length, height: breadth },
            );
            along += length;
        }
        if (isUpright) {
            box.left += breadth;
            box.width = Math.max(0, box.width - breadth);
        } else {
            box.top += breadth;
            box.height = Math.max(0, box.height - breadth);
        }
        at += row.length;
    }
    return places;
}

export class Treemap {
    constructor(container) {
        this.container = container;
        this.items = [];
        new ResizeObserver(() => this.lay()).observe(container);
        container.addEventListener('keydown', (event) => {
            const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
            const tiles = [...container.children];
            const at = tiles.indexOf(event.target);
            if (!step || at < 0) return;
            event.preventDefault();
            tiles[(at + step + tiles.length) % tiles.length].focus();
        });
    }

    // items: [{ name, text, more, label, value, href or '', tone }], the largest first
    set(items) {
        this.items = items.filter((item) => item.value > 0);
        const nodes = this.container.children;
        this.items.forEach((item, at) => {
            let node = nodes[at];
            const tag = item.href ? 'A' : 'DIV';
            if (node?.tagName !== tag) {
                const fresh = element(tag, {}, element('b'), element('span'), element('span'));
                if (node) node.replaceWith(fresh);
                else this.container.append(fresh);
                node = fresh;
            }
            if (item.href) setAttribute(node, 'href', item.href);
            else {
                setAttribute(node, 'role', 'img');
                node.tabIndex = 0;
            }
            setAttribute(node, 'aria-label', item.label);
            setAttribute(node, 'title', item.label);
            setAttribute(node, 'data-tone', item.tone);
            [item.name, item.text, item.more].forEach((text, part) =>
                setText(node.children[part], text),
            );
        });
        while (nodes.length > this.items.length) this.container.lastElementChild.remove();
        this.lay();
    }

    lay() {
        const { clientWidth: width, clientHeight: height } = this.container;
        const places = squarify(
            this.items.map((item) => item.value),
            width,
            height,
        );
        places.forEach((place, at) => {
            const node = this.container.children[at];
            node.style.left = `${place.left}px`;
            node.style.top = `${place.top}px`;
            node.style.width = `${place.width}px`;
            node.style.height = `${place.height}px`;
            // A name that is cut says less than none.
            const isNamed = place.width > this.items[at].name.length * 8 + 16;
            const lines = isNamed ? Math.floor((place.height - 8) / 17) : 0;
            const wide = place.width > 62 ? 3 : 1;
            setClass(
                node,
                `tile shows-${Math.max(0, Math.min(lines, wide, 3))}${
                    place.width > 150 && place.height > 110 ? ' is-large' : ''
                }`,
            );
        });
    }
}
