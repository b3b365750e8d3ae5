// SPDX-License-Identifier: Apache-2.0
// The documents: every command in them is run in a prepared place and what it prints is compared;
// the site that the server shows is whole, reads well in a browser, and is searched without a server.

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import { browserPath, openBrowser, openPage } from '../support/browser.mjs';
import { agrees, blocksOf, KINDS, stepsOf } from '../support/documents.mjs';
import { binary, oi, skip, startServer } from '../support/server.mjs';

const root = new URL('../../', import.meta.url).pathname;
// The demo's week is made much sooner by the release build.
const released = join(root, 'build-release/oi');
const program = existsSync(released) ? released : binary;
const fixtures = join(root, 'tests/fixtures/documents');

function pagesUnder(folder) {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? pagesUnder(join(folder, entry.name)) : entry.name.endsWith('.md') ? [join(folder, entry.name)] : []);
}
const pages = [
    ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'packaging/README.md', 'examples/README.md'].map((name) => join(root, name)),
    ...pagesUnder(join(root, 'docs')),
].filter(existsSync);
const blocks = pages.flatMap(blocksOf);
const place = (block) => `${relative(root, block.path)}:${block.line}`;

test('every block of the documents says what it is', (t) => {
    const faults = blocks.filter(({ kind, excuse, isOdd }) =>
        isOdd || !(excuse ? KINDS.excusable : [...KINDS.run, ...KINDS.shown]).includes(kind));
    assert.deepEqual(faults.map(place), [], 'write ```console (with `$ ` lines), sh, conf or promql for what is run, text for what ' +
        'is shown, "untested: why" behind it for what cannot be run');
    const excused = blocks.filter((block) => block.excuse);
    t.diagnostic(`${blocks.filter(({ kind, excuse }) => KINDS.run.includes(kind) && !excuse).length} blocks are run; ` +
        `${excused.length} are not: ${excused.map((block) => `${place(block)} (${block.excuse})`).join(', ')}`);
    // So that their number does not grow unseen.
    assert.ok(excused.length <= 24, `${excused.length} blocks are not run`);
});

test('the comparison knows what differs', () => {
    assert.ok(agrees('{"a": 1,\n  …}', '{"a":1,"b":[2]}\n', false));
    assert.ok(agrees('x 2026-01-02 -1.5', 'x 2027-11-22 3', true));
    assert.ok(!agrees('x 1', 'x 2', false));
    assert.ok(!agrees('{"a":1}', '{"b":1}', true));
    assert.ok(!agrees('a', 'a b', true));
});

describe('what the documents say', { skip }, () => {
    let folder, server, simulator;
    const ends = [];

    before(async () => {
        const t = { after: (end) => ends.push(end) };
        folder = await mkdtemp(join(tmpdir(), 'oi-documents-'));
        mkdirSync(join(folder, 'bin'));
        symlinkSync(resolve(binary), join(folder, 'bin/oi'));
        writeFileSync(join(folder, '.curlrc'), 'silent\nshow-error\nnoproxy = "*"\n');
        [server, simulator] = await Promise.all([
            startServer(t, { command: 'serve', args: ['--demo'], data: join(folder, 'demo'), program }),
            startServer(t, { command: 'demo', args: [], data: null, program }),
        ]);
        const csv = join(folder, 'btc.csv');
        writeFileSync(csv, 'time,oi\n2026-03-01T10:00:00Z,1000\n2026-03-01T10:30:00Z,5000\n');
        assert.equal(oi(['import', 'csv', '--data', join(folder, 'data'), '--time', 'time', '--oi', 'oi', '--unit', 'coins',
            '--market', 'binance:usdm:BTCUSDT', '--every', '30m', csv]).status, 0);
    });
    after(async () => {
        for (const end of ends.reverse()) await end();
        await rm(folder, { recursive: true, force: true });
    });

    // A place of its own for each page: the program, the running server's data, a small store.
    function workspaceOf(page) {
        const workspace = join(folder, relative(root, page).replaceAll('/', '-'));
        mkdirSync(join(workspace, 'build'), { recursive: true });
        symlinkSync(resolve(binary), join(workspace, 'build/oi'));
        symlinkSync(join(folder, 'demo'), join(workspace, 'data-demo'));
        cpSync(join(folder, 'data'), join(workspace, 'data'), { recursive: true });
        for (const name of readdirSync(fixtures)) cpSync(join(fixtures, name), join(workspace, name));
        if (existsSync(join(root, 'examples'))) symlinkSync(join(root, 'examples'), join(workspace, 'examples'));
        return workspace;
    }

    const addresses = () => [['http://127.0.0.1:8080', server.url], ['http://127.0.0.1:PORT', simulator.url]];
    const outward = (text) => addresses().reduce((now, [said, real]) => now.replaceAll(said, real), text);
    const inward = (text) => addresses().reduce((now, [said, real]) => now.replaceAll(real, said), text);

    function run(script, workspace) {
        const kept = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OI_')));
        return new Promise((done) => {
            execFile('bash', ['-c', `exec 2>&1; set -o pipefail\n${outward(script)}`], {
                cwd: workspace, maxBuffer: 1 << 26, timeout: 60000,
                env: { ...kept, OI_URL: server.url, HOME: folder, PATH: `${join(folder, 'bin')}:${process.env.PATH}` },
            }, (error, stdout) => done({ code: error ? (error.code ?? error.signal) : 0, output: inward(stdout) }));
        });
    }

    const ways = {
        async console(block, workspace) {
            const steps = stepsOf(block);
            assert.ok(steps.length > 0, `${place(block)}: no line begins with "$ "`);
            for (const { command, expected } of steps) {
                const { code, output } = await run(command, workspace);
                assert.equal(code, 0, `${place(block)}: ${command}\n${output}`);
                if (expected.trim() !== '' && !agrees(expected, output, block.isLike))
                    assert.fail(`${place(block)}: ${command}\nthe page says:\n${expected}\nit is:\n${output.slice(0, 4000)}`);
            }
        },
        async sh(block, workspace) {
            const { code, output } = await run(`set -e\n${block.lines.join('\n')}`, workspace);
            assert.equal(code, 0, `${place(block)}\n${output}`);
        },
        async conf(block, workspace) {
            writeFileSync(join(workspace, 'said.conf'), `${block.lines.join('\n')}\n`);
            const { code, output } = await run('oi config --config said.conf', workspace);
            assert.equal(code, 0, `${place(block)}\n${output}`);
        },
        async promql(block) {
            const query = encodeURIComponent(block.lines.join('\n'));
            const answer = await (await fetch(`${server.url}/prometheus/api/v1/query?query=${query}`)).json();
            assert.equal(answer.status, 'success', place(block));
            assert.ok(answer.data.result.length > 0, `${place(block)}: no answer`);
        },
        async json(block) {
            JSON.parse(block.lines.join('\n'));
        },
    };

    for (const page of pages) {
        const own = blocks.filter((block) => block.path === page && KINDS.run.includes(block.kind) && !block.excuse);
        if (own.length === 0) continue;
        test(`${relative(root, page)}: ${own.length} blocks`, async () => {
            const workspace = workspaceOf(page);
            for (const block of own) await ways[block.kind](block, workspace);
        });
    }
});

const hasRenderer = spawnSync('cmark-gfm', ['--version']).status === 0;

describe('the site', { skip: hasRenderer ? false : 'cmark-gfm is not installed' }, () => {
    let folder, files;

    before(async () => {
        folder = await mkdtemp(join(tmpdir(), 'oi-site-'));
        const { status, stderr } = spawnSync('python3', [join(root, 'tools/docs.py'), '--output', folder], { encoding: 'utf8' });
        assert.equal(status, 0, stderr);
        files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.html'));
    });
    after(() => rm(folder, { recursive: true, force: true }));

    test('every page is in it, and every link leads somewhere', () => {
        assert.ok(files.length >= pagesUnder(join(root, 'docs')).length);
        const ids = new Map();
        const idsOf = (file) => {
            if (!ids.has(file)) ids.set(file, new Set([...readFileSync(file, 'utf8').matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)));
            return ids.get(file);
        };
        const faults = [];
        for (const name of files) {
            const file = join(folder, name);
            for (const [, target] of readFileSync(file, 'utf8').matchAll(/ (?:href|src)="([^"]+)"/g)) {
                if (/^[a-z]+:/.test(target)) continue;
                const [path, fragment] = target.replaceAll('&amp;', '&').split('#');
                const other = path ? resolve(dirname(file), path) : file;
                if (!existsSync(other) || (fragment && !idsOf(other).has(decodeURIComponent(fragment)))) faults.push(`${name}: ${target}`);
            }
        }
        assert.deepEqual(faults, []);
    });

    describe('in a browser', { skip: browserPath ? skip : 'there is no Chromium' }, () => {
        let browser, server;
        const ends = [];

        before(async () => {
            browser = await openBrowser();
            server = await startServer({ after: (end) => ends.push(end) });
        });
        after(async () => {
            await browser?.close();
            for (const end of ends) await end();
        });

        test('is served at /docs, as it is in the folder, and asks nobody else', async () => {
            const page = await openPage(browser, `${server.url}/docs`);
            assert.equal(page.url(), `${server.url}/docs/`);
            await page.getByRole('link', { name: 'What the figures mean' }).first().click();
            assert.equal(await page.locator('h1').textContent(), 'What the figures mean');
            await page.getByRole('link', { name: 'Charts' }).click();
            assert.equal(new URL(page.url()).pathname, '/');
            assert.deepEqual(page.strangers, []);
            await page.close();
        });

        test('has no error of console and no fault of access, in light, dark and on a phone', async () => {
            const axe = readFileSync(join(root, 'tests/system/node_modules/axe-core/axe.min.js'), 'utf8');
            for (const [path, options] of [
                ['start.html', { colorScheme: 'light' }],
                ['operating.html', { colorScheme: 'dark' }],
                ['benchmarks.html', { viewport: { width: 360, height: 740 } }],
            ]) {
                const page = await openPage(browser, `${server.url}/docs/${path}`, { ...options, bypassCSP: true });
                await page.evaluate(axe);
                const { violations } = await page.evaluate(() => window.axe.run());
                assert.deepEqual(violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
                    .map(({ id, nodes }) => `${path} ${id}: ${nodes[0].html}`), []);
                const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
                assert.equal(over, 0, path);
                assert.deepEqual(page.errors, []);
                await page.close();
            }
        });

        test('searches without a server, from the keyboard', async () => {
            const page = await openPage(browser, pathToFileURL(join(folder, 'dialects/kiyotaka.html')).href);
            await page.keyboard.press('/');
            await page.keyboard.type('staleness limit');
            await page.locator('#found li').first().waitFor();
            await page.keyboard.press('ArrowDown');
            await page.keyboard.press('Enter');
            await page.waitForURL(/#/);
            assert.match(await page.locator('article').textContent(), /staleness limit/);
            assert.deepEqual(page.errors, []);
            await page.locator('#search').fill('no such words anywhere');
            await page.getByText('Nothing found').waitFor();
            await page.close();
        });

        test('copies the commands of a block, without what they print', async () => {
            const page = await openPage(browser, `${server.url}/docs/start.html`);
            await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
            await page.locator('.code', { hasText: '/oi/v1/latest' }).getByRole('button', { name: 'Copy' }).click();
            await page.getByText('Copied').waitFor();
            assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "curl 'http://127.0.0.1:8080/oi/v1/latest?coin=BTC&limit=1'\n");
            await page.locator('#menu').waitFor({ state: 'hidden' });
            await page.close();
        });
    });
});
