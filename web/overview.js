// SPDX-License-Identifier: Apache-2.0
// The view "overview".

import { element } from './dom.js';

export const fields = {};

export function mount(root) {
    root.append(element('h2', { textContent: 'Overview' }));
    return { use() {} };
}
