// SPDX-License-Identifier: Apache-2.0
// A path of the API to be tried: a field a parameter, the line that asks, and what comes.

import { element, setText } from './dom.js';
import { Line } from './line.js';

// Of an answer that is longer, so much is shown.
const SHOWN_MAX = 20000;

// The control of one parameter: its schema says whether there is a choice.
function control(parameter, schema) {
    const choices = schema.enum ?? (schema.type === 'boolean' ? ['true', 'false'] : null);
    const shared = { name: parameter.name, required: Boolean(parameter.required) };

    if (!choices)
        return element('input', {
            ...shared,
            type: 'text',
            autocomplete: 'off',
            spellcheck: false,
            placeholder: String(schema.default ?? ''),
        });
    return element(
        'select',
        shared,
        element('option', { value: '', textContent: schema.default === undefined ? '' : `(${schema.default})` }),
        ...choices.map((choice) => element('option', { value: choice, textContent: choice })),
    );
}

// JSON is indented for the eye; figures are texts, so nothing of them is lost.
async function textOf(reply) {
    const type = reply.headers.get('content-type') ?? '';

    if (!/json|text|csv/.test(type)) return `${(await reply.arrayBuffer()).byteLength} bytes of ${type}`;
    const text = await reply.text();
    if (!type.startsWith('application/json')) return text;
    try {
        return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
        return text;
    }
}

// `parameters`: of the document, resolved; `schemaOf(parameter)`: likewise its schema.
export function tryIt(path, parameters, schemaOf) {
    const line = new Line();
    const form = element('form', { class: 'try-form' });
    const state = element('p', { class: 'try-state', role: 'status' });
    const shown = element('pre', { class: 'take-code try-answer', tabIndex: 0, role: 'region', 'aria-label': 'The answer', hidden: true });

    for (const parameter of parameters) {
        const label = element('label', {}, element('span', { textContent: parameter.name }), control(parameter, schemaOf(parameter)));
        form.append(label);
    }
    form.append(element('button', { type: 'submit', class: 'take', textContent: 'Ask' }));

    const target = () => {
        const given = [...new FormData(form)].filter(([, value]) => value !== '');
        const query = new URLSearchParams(given).toString().replaceAll('%3A', ':');
        return path + (query ? `?${query}` : '');
    };
    const tell = () => line.use(location.origin + target());
    form.addEventListener('input', tell);
    form.addEventListener('submit', async (event) => {
        event.preventDefault();
        tell();
        setText(state, 'Asking\u2026');
        const began = performance.now();
        try {
            const reply = await fetch(target());
            const text = await textOf(reply);
            const rest = text.length - SHOWN_MAX;
            setText(state, `${reply.status} after ${Math.round(performance.now() - began)} ms`);
            setText(shown, rest > 0 ? `${text.slice(0, SHOWN_MAX)}\n\u2026 and ${rest} characters more` : text);
            shown.hidden = false;
        } catch {
            setText(state, 'The server cannot be reached. Is it still running?');
        }
    });
    tell();
    return element('details', { class: 'try' }, element('summary', { textContent: 'Try it' }), form, ...line.nodes, state, shown);
}
