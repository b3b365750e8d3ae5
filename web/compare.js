// SPDX-License-Identifier: Apache-2.0
// The view "compare".

import { element } from './dom.js';

export const fields = {};

export function mount(root) {
    root.append(element('h2', { textContent: 'Compare' }));
    return { use() {} };
}
