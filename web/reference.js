// SPDX-License-Identifier: Apache-2.0
// The page of our own API, made of its OpenAPI document: what the server says of itself, readable.

import { tryIt } from './try_it.js';

function element(name, text, ...children) {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    made.append(...children);
    return made;
}

// `code` in a description becomes code.
function prose(text) {
    const made = element('p');
    text.split('`').forEach((part, i) => made.append(i % 2 === 1 ? element('code', part) : part));
    return made;
}

function resolve(document_, node) {
    if (!node?.$ref) return node;
    return node.$ref.slice(2).split('/').reduce((at, name) => at[name], document_);
}

function typeName(document_, schema) {
    if (schema.$ref) return typeName(document_, resolve(document_, schema));
    if (schema.enum) return schema.enum.join(', ');
    if (schema.type === 'array') return `${typeName(document_, schema.items)}, repeatable`;
    return [].concat(schema.type ?? 'any').filter((type) => type !== 'null').join(' or ') + (schema.format ? ` (${schema.format})` : '');
}

function table(heads, rows) {
    const made = element('table', '', element('tr', '', ...heads.map((head) => element('th', head))));
    made.append(...rows.map((cells) => element('tr', '', ...cells.map((cell) => element('td', '', cell)))));
    return made;
}

function parameters(document_, operation) {
    const rows = operation.parameters.map((node) => resolve(document_, node)).map((one) => [
        element('code', one.name),
        typeName(document_, one.schema) + (one.schema.default === undefined ? '' : `; ${one.schema.default} unless given`),
        prose(one.description),
    ]);
    return table(['parameter', 'value', 'meaning'], rows);
}

function columns(document_, schema) {
    const rows = Object.entries(resolve(document_, schema).properties ?? {}).map(([name, type]) => [
        element('code', name), typeName(document_, type),
    ]);
    return table(['column', 'type'], rows);
}

function section(document_, path, operation) {
    const made = element('section', '', element('h2', '', element('code', `GET ${document_.servers[0].url}${path}`)), prose(operation.summary + '.'));
    if (operation.description) made.append(prose(operation.description));
    if (operation.parameters) {
        made.append(element('details', '', element('summary', 'Parameters'), parameters(document_, operation)));
    }
    // A stream never ends, so there is nothing to show for it.
    if (operation.responses['200'].content['application/json'])
        made.append(
            tryIt(
                document_.servers[0].url + path,
                (operation.parameters ?? []).map((node) => resolve(document_, node)),
                (parameter) => resolve(document_, parameter.schema),
            ),
        );
    const answer = operation.responses['200'].content['application/json']?.schema;
    const items = answer?.properties?.data.items ?? answer;
    for (const one of items?.anyOf ?? (items ? [items] : [])) {
        made.append(element('details', '', element('summary', `Columns${one.$ref ? `: ${one.$ref.split('/').at(-1)}` : ''}`), columns(document_, one)));
    }
    return made;
}

async function show() {
    const main = document.getElementById('reference');
    const answer = await fetch('/oi/v1/openapi.json');
    const document_ = await answer.json();

    for (const [path, methods] of Object.entries(document_.paths)) {
        const made = section(document_, path, methods.get);
        const link = element('a', path);

        made.id = path.replaceAll('/', '');
        link.href = `#${made.id}`;
        document.getElementById('contents').append(element('li', '', link));
        main.append(made);
    }
    main.removeAttribute('aria-busy');
}

show();
