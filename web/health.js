// SPDX-License-Identifier: Apache-2.0
// The view "health".

import { element } from './dom.js';

export const fields = {};

export function mount(root) {
    root.append(element('h2', { textContent: 'Health' }));
    return { use() {} };
}
