// SPDX-License-Identifier: Apache-2.0
// Manual pages and completions against what the program itself says, in the shells there are.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { makeFolder, oi, skip } from '../support/server.mjs';

const has = (program) => spawnSync(program, ['--version']).status === 0;
const commands = [...oi(['--help']).stdout.matchAll(/^ {2}([a-z]+) {2}/gm)].map((found) => found[1]);
// The flags of a command with the first words said of each, from its --help.
const flags = (command) => [...oi([command, '--help']).stdout.matchAll(/^ {2}(--[a-z-]+)/gm)].map((found) => found[1]);

test('a manual page says what --help says', { skip }, async (t) => {
    const folder = await makeFolder(t);

    assert.equal(oi(['manual', '--into', folder]).status, 0);
    assert.deepEqual(readdirSync(folder).sort(), ['oi.1', ...commands.map((name) => `oi-${name}.1`)].sort());
    for (const command of commands) {
        const page = readFileSync(join(folder, `oi-${command}.1`), 'utf8').replaceAll('\\-', '-');
        assert.deepEqual([...page.matchAll(/^\\fB(--[a-z-]+)\\fR/gm)].map((found) => found[1]), flags(command), command);
    }
    if (!has('groff')) return;
    for (const page of readdirSync(folder)) {
        const { status, stderr } = spawnSync('groff', ['-man', '-ww', '-z', '-K', 'utf8', '-Tutf8', join(folder, page)]);
        assert.equal(status, 0);
        assert.equal(stderr.toString(), '', page);
    }
});

test('bash completes commands, options, words and files', { skip }, async (t) => {
    const script = join(await makeFolder(t), 'oi.bash');
    const complete = (...words) => {
        const { stdout, stderr } = spawnSync('bash', ['-c',
            `. "${script}"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _oi; printf '%s\\n' "\${COMPREPLY[@]}"`,
            'bash', 'oi', ...words], { encoding: 'utf8' });
        assert.equal(stderr, '');
        return stdout.split('\n').filter(Boolean);
    };

    writeFileSync(script, oi(['completions', 'bash']).stdout);
    assert.deepEqual(complete(''), [...commands, 'help', '--help', '--version']);
    assert.deepEqual(complete('verif'), ['verify']);
    for (const command of commands) assert.deepEqual(complete(command, '--'), flags(command), command);
    assert.deepEqual(complete('query', '--format', 'n'), ['ndjson']);
    assert.deepEqual(complete('query', '--limit', ''), []);
    assert.deepEqual(complete('import', 'csv', script.slice(0, -2)), [script]);
});

test('zsh and fish read their scripts', { skip }, async (t) => {
    const folder = await makeFolder(t);

    for (const shell of ['zsh', 'fish']) {
        const script = join(folder, shell);
        writeFileSync(script, oi(['completions', shell]).stdout);
        if (!has(shell)) {
            t.diagnostic(`${shell} is not installed: its script was not read`);
            continue;
        }
        const { status, stderr } = spawnSync(shell, ['-n', script], { encoding: 'utf8' });
        assert.equal(status, 0, stderr);
        assert.equal(stderr, '');
    }
    if (!has('fish')) return;
    const { stdout } = spawnSync('fish', ['-c', `source ${folder}/fish; complete -C 'oi query --format '`],
        { encoding: 'utf8', env: { ...process.env, HOME: folder } });
    assert.deepEqual(stdout.split('\n').filter(Boolean).map((line) => line.split('\t')[0]),
        ['csv', 'json', 'ndjson', 'parquet', 'table']);
});

test('an unknown shell or command is refused', { skip }, () => {
    assert.match(oi(['completions', 'tcsh']).stderr, /SHELL must be bash, zsh or fish, not "tcsh"/);
    assert.equal(oi(['completions', 'tcsh']).status, 2);
    assert.match(oi(['manual', 'nonsense']).stderr, /there is no command "nonsense"/);
});
