// SPDX-License-Identifier: Apache-2.0
// What the documents do beyond being read: search without a server, copy, light or dark, the list of
// pages on a phone. A plain script, so that the site works from a folder too.
(function () {
    'use strict';
    const byId = (id) => document.getElementById(id);
    const root = document.documentElement.dataset.root;

    // Light or dark, remembered by theme.js's name.
    byId('theme').addEventListener('click', () => {
        const page = document.documentElement;
        const isDark = page.dataset.theme
            ? page.dataset.theme === 'dark'
            : matchMedia('(prefers-color-scheme: dark)').matches;
        page.dataset.theme = isDark ? 'light' : 'dark';
        try {
            localStorage.setItem('oi.theme', page.dataset.theme);
        } catch {
            // Not remembered, then.
        }
    });

    byId('menu').addEventListener('click', () => {
        const isOpen = byId('pages').classList.toggle('is-open');
        byId('menu').setAttribute('aria-expanded', String(isOpen));
    });
    const current = document.querySelector('#pages [aria-current]');
    if (current && current.offsetTop > byId('pages').clientHeight - 40)
        byId('pages').scrollTop = current.offsetTop - byId('pages').clientHeight / 2;

    // Code: commands stand out from what they print, and copying takes the commands alone.
    function commandsOf(text) {
        const lines = text.split('\n');
        if (!lines.some((line) => line.startsWith('$ '))) return text;
        let goesOn = false;
        return lines
            .filter((line) => {
                const isCommand = goesOn || line.startsWith('$ ');
                goesOn = isCommand && line.endsWith('\\');
                return isCommand;
            })
            .map((line) => line.replace(/^\$ /, '') + '\n')
            .join('');
    }
    for (const pre of document.querySelectorAll('article pre')) {
        const text = pre.textContent;
        const code = pre.querySelector('code');
        if (code && /^\$ /m.test(text)) {
            let goesOn = false;
            code.replaceChildren(
                ...text.split('\n').map((line, at, all) => {
                    const span = document.createElement('span');
                    const isCommand = goesOn || line.startsWith('$ ');
                    goesOn = isCommand && line.endsWith('\\');
                    span.className = isCommand ? 'command' : 'answer';
                    span.textContent = at + 1 < all.length ? line + '\n' : line;
                    return span;
                }),
            );
        }
        const box = document.createElement('div');
        box.className = 'code';
        pre.replaceWith(box);
        const button = document.createElement('button');
        button.type = 'button';
        button.textContent = 'Copy';
        button.addEventListener('click', async () => {
            try {
                await navigator.clipboard.writeText(commandsOf(text));
                button.textContent = 'Copied';
            } catch {
                getSelection().selectAllChildren(pre);
                button.textContent = 'Selected';
            }
            setTimeout(() => (button.textContent = 'Copy'), 1500);
        });
        box.append(pre, button);
    }

    // The part of the page that is read is marked in its contents.
    const entries = [...document.querySelectorAll('.contents a')];
    const heads = entries.map((entry) => byId(decodeURIComponent(entry.hash.slice(1))));
    if (entries.length > 0) {
        const mark = () => {
            let at = 0;
            heads.forEach((head, index) => {
                if (head && head.getBoundingClientRect().top < 120) at = index;
            });
            entries.forEach((entry, index) => {
                if (index === at) entry.setAttribute('aria-current', 'true');
                else entry.removeAttribute('aria-current');
            });
        };
        addEventListener('scroll', mark, { passive: true });
        mark();
    }

    // Search: every word must be in a section; words in headings count most.
    const input = byId('search');
    const found = byId('found');
    const list = found.querySelector('ul');
    let loading = null;

    function load() {
        loading ??= new Promise((resolve, reject) => {
            const script = document.createElement('script');
            script.src = `${root}/assets/search.js`;
            script.onload = () => resolve(window.oiDocuments);
            script.onerror = reject;
            document.head.append(script);
        });
        return loading;
    }
    function score(row, words) {
        const [, title, , heading, text] = row.map((part) => part.toLowerCase());
        let sum = 0;
        for (const word of words) {
            const inHeading = heading.includes(word);
            const at = text.indexOf(word);
            const inTitle = title.includes(word);
            if (!inHeading && !inTitle && at < 0) return 0;
            sum += (inHeading ? 20 : 0) + (inTitle ? 10 : 0) + (at >= 0 ? 3 : 0);
            if (heading === word || title === word) sum += 20;
        }
        return sum;
    }
    // The text around the first word found, the words marked; as text nodes.
    function excerpt(text, words) {
        const lower = text.toLowerCase();
        const places = words.map((word) => lower.indexOf(word)).filter((place) => place >= 0);
        const from = Math.max(0, Math.min(...places, text.length) - 50);
        const piece = text.slice(places.length > 0 ? from : 0, (places.length > 0 ? from : 0) + 150);
        const small = document.createElement('small');
        const pattern = words.map((word) => word.replace(/[^\w]/g, '\\$&')).join('|');
        piece.split(new RegExp(`(${pattern})`, 'i')).forEach((part, index) => {
            if (index % 2 === 0) return small.append(part);
            const mark = document.createElement('mark');
            mark.textContent = part;
            small.append(mark);
        });
        return small;
    }
    async function search() {
        const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
        if (words.length === 0) {
            found.hidden = true;
            return;
        }
        const rows = await load();
        const hits = rows
            .map((row) => ({ row, points: score(row, words) }))
            .filter((hit) => hit.points > 0)
            .sort((a, b) => b.points - a.points);
        list.replaceChildren(
            ...hits.slice(0, 12).map(({ row: [path, title, fragment, heading, text] }) => {
                const entry = document.createElement('li');
                const link = document.createElement('a');
                const name = document.createElement('b');
                link.href = `${root}/${path}#${fragment}`;
                name.textContent = heading === title ? title : `${title}: ${heading}`;
                link.append(name, excerpt(text, words));
                entry.append(link);
                return entry;
            }),
        );
        byId('count').textContent =
            hits.length === 0 ? 'Nothing found' : `${hits.length} ${hits.length === 1 ? 'place' : 'places'}`;
        found.hidden = false;
    }
    function move(step) {
        const links = [...list.querySelectorAll('a')];
        const at = links.indexOf(document.activeElement) + step;
        if (at < 0) input.focus();
        else links[Math.min(at, links.length - 1)]?.focus();
    }
    input.addEventListener('focus', load, { once: true });
    input.addEventListener('input', search);
    document.querySelector('.search').addEventListener('keydown', (event) => {
        if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
            event.preventDefault();
            move(event.key === 'ArrowDown' ? 1 : -1);
        } else if (event.key === 'Enter' && document.activeElement === input) {
            list.querySelector('a')?.click();
        } else if (event.key === 'Escape') {
            input.value = '';
            found.hidden = true;
            input.focus();
        }
    });
    document.addEventListener('click', (event) => {
        if (!event.target.closest('.search')) found.hidden = true;
    });
    document.addEventListener('keydown', (event) => {
        if (event.key !== '/' || event.target.closest('input, textarea')) return;
        event.preventDefault();
        input.focus();
    });
})();
