// SPDX-License-Identifier: Apache-2.0
// Building the page. Every text goes in as a text node: a market named "<script>" is shown as that.

export const byId = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
        if (name === 'class') node.className = value;
        else if (name.includes('-') || ['scope', 'href', 'role', 'download'].includes(name))
            node.setAttribute(name, value);
        else node[name] = value;
    }
    node.append(...children);
    return node;
}

// Touch the page only where something changed.
export function setText(node, text) {
    if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export function setClass(node, name) {
    if (node.className !== name) node.className = name;
}

// A row of exclusive buttons: one tab stop, arrows move the choice, as in a native radio group.
export function choiceGroup(container, choices, onPick) {
    const buttons = new Map();
    for (const choice of choices) {
        const button = element('button', {
            type: 'button',
            textContent: choice.text,
            title: choice.title ?? '',
            role: 'radio',
        });
        if (choice.title) button.setAttribute('aria-label', choice.title);
        button.addEventListener('click', () => onPick(choice.name));
        buttons.set(choice.name, button);
        container.append(button);
    }
    container.addEventListener('keydown', (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (!step) return;
        const open = [...buttons.values()].filter((button) => !button.disabled);
        const next =
            open[(open.indexOf(document.activeElement) + step + open.length) % open.length];
        event.preventDefault();
        next?.focus();
        next?.click();
    });
    return (picked, isOpen = () => true) => {
        for (const [name, button] of buttons) {
            const isPicked = name === picked;
            button.setAttribute('aria-checked', String(isPicked));
            button.disabled = !isOpen(name);
            button.tabIndex = isPicked ? 0 : -1;
        }
    };
}
