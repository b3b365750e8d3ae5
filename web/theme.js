// SPDX-License-Identifier: Apache-2.0
// Runs before the first paint, so that a remembered choice of light or dark never flashes the
// other. Without a choice the system's preference holds, in theme.css.
(function () {
    'use strict';
    let choice = null;
    try {
        choice = localStorage.getItem('oi.theme');
    } catch {
        // Storage may be forbidden; then the system's preference holds.
    }
    if (choice === 'light' || choice === 'dark') document.documentElement.dataset.theme = choice;
})();
