// SPDX-License-Identifier: Apache-2.0
// The packages as files: what is in them, whose it is, what they ask for, and that the program runs
// out of the unpacked tarball. `make package-test` installs them in a clean Debian.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, renameSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { before, after, describe, test } from 'node:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';

import { startServer } from '../support/server.mjs';

const root = new URL('../../', import.meta.url).pathname;
const binary = process.env.OI_RELEASE_BINARY ?? join(root, 'build-release/oi');
const has = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const skip = !existsSync(binary) ? 'the release build is not there'
    : has('dpkg-shlibdeps') ? false : 'this is not Debian, or dpkg-dev is missing';

function run(command, args, options = {}) {
    const done = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, ...options });
    assert.equal(done.status, 0, `${command} ${args.join(' ')}: ${done.stdout}${done.stderr}`);
    return done.stdout;
}

describe('the packages', { skip }, () => {
    const version = skip ? '' : run(binary, ['--version']).trim().replace('oi ', '');
    let folder, deb, tarball, tree, control;

    before(async () => {
        folder = await mkdtemp(join(tmpdir(), 'oi-package-'));
        const args = ['deb', 'tarball', '--binary', binary, '--output', folder];
        [deb, tarball] = run(join(root, 'tools/package.sh'), args, { env: { ...process.env, OI_PACK_LEVEL: '1' } })
            .trim().split('\n');
        tree = join(folder, 'tree');
        run('dpkg-deb', ['-R', deb, tree]);
        control = Object.fromEntries([...readFileSync(join(tree, 'DEBIAN/control'), 'utf8')
            .matchAll(/^(\S+): (.*)$/gm)].map(([, name, value]) => [name, value]));
    });
    after(() => rm(folder, { recursive: true, force: true }));

    test('the version is the one that meson.build names', () => {
        assert.equal(control.Version, version);
        assert.match(readFileSync(join(root, 'meson.build'), 'utf8'), new RegExp(`^  version: '${version}',$`, 'm'));
    });

    test('it asks for the libraries that the program loads', () => {
        for (const library of ['libc6', 'libcurl4', 'liblmdb0', 'libssl3', 'libuv1', 'libzstd1', 'adduser', 'ca-certificates'])
            assert.match(control.Depends, new RegExp(`(^|, )${library}(:any)?( \\(|,|$)`), library);
        assert.doesNotMatch(control.Depends, /-dev|@/);
    });

    test('everything is root’s, and written by nobody else', () => {
        const entries = run('dpkg-deb', ['-c', deb]).trim().split('\n').map((line) => line.split(/\s+/));
        for (const [mode, owner, , , , path] of entries) {
            assert.equal(owner, 'root/root', path);
            assert.match(mode, path === './usr/bin/oi' || path.endsWith('/') ? /^[d-]rwxr-xr-x$/ : /^-rw-r--r--$/, path);
        }
        assert.equal(run('md5sum', ['--quiet', '-c', 'DEBIAN/md5sums'], { cwd: tree }), '');
    });

    test('the program has no debug symbols, and every command a manual page', () => {
        assert.doesNotMatch(run('readelf', ['-S', '-W', join(tree, 'usr/bin/oi')]), /\.debug_info|\.symtab/);
        const commands = [...run(binary, ['--help']).matchAll(/^ {2}([a-z]+) {2}/gm)].map(([, name]) => name);
        const pages = readdirSync(join(tree, 'usr/share/man/man1')).sort();
        assert.deepEqual(pages, ['oi.1.gz', ...commands.map((name) => `oi-${name}.1.gz`)].sort());
    });

    test('completions, documents and the licence are where Debian looks for them', () => {
        for (const path of ['bash-completion/completions/oi', 'zsh/vendor-completions/_oi',
            'fish/vendor_completions.d/oi.fish', 'doc/oi/copyright', 'doc/oi/changelog.gz', 'doc/oi/docs/operating.md'])
            assert.ok(statSync(join(tree, 'usr/share', path)).size > 100, path);
    });

    test('the settings are a conffile, and settings that the program knows', () => {
        assert.equal(readFileSync(join(tree, 'DEBIAN/conffiles'), 'utf8'), '/etc/oi/oi.conf\n');
        const config = join(tree, 'etc/oi/oi.conf');
        const shown = (file) => JSON.parse(run(binary, ['config', '--config', file, '--format', 'json']));
        assert.equal(shown(config).find((row) => row.setting === 'data').value, '/var/lib/oi');
        const known = new Set(shown(config).map((row) => row.setting));
        for (const [, setting] of readFileSync(config, 'utf8').matchAll(/^# ?(\w+) = /gm)) assert.ok(known.has(setting), setting);
    });

    test('maintainer scripts can be read by a plain shell', () => {
        for (const script of ['postinst', 'prerm', 'postrm']) run('sh', ['-n', join(tree, 'DEBIAN', script)]);
    });

    test('the unit starts what the package installs, as a user without privileges', (t) => {
        const unit = join(tree, 'lib/systemd/system/oi.service');
        const text = readFileSync(unit, 'utf8');
        const [program, command, ...args] = /^ExecStart=(.*)$/m.exec(text)[1].split(' ');
        assert.ok(existsSync(join(tree, program)));
        const help = run(binary, [command, '--help']);
        for (const flag of args.filter((word) => word.startsWith('--'))) assert.ok(help.includes(flag), flag);
        assert.ok(existsSync(join(tree, args[args.indexOf('--config') + 1])));
        assert.match(text, /^User=oi$/m);
        if (!has('systemd-analyze')) {
            t.diagnostic('systemd-analyze is not installed: its verdict is missing');
            return;
        }
        const security = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=15', '--no-pager', unit], { encoding: 'utf8' });
        assert.equal(security.status, 0, security.stdout + security.stderr);
    });

    test('the tarball runs from any place, with its own libraries alone', async () => {
        const [name] = run('tar', ['-tzf', tarball]).split('\n')[0].split('/');
        run('tar', ['-xzf', tarball, '-C', folder]);
        const place = join(folder, 'another place');
        renameSync(join(folder, name), place);
        symlinkSync(join(place, 'oi'), join(folder, 'link'));
        assert.equal(run(join(folder, 'link'), ['--version']), `oi ${version}\n`);
        const loader = readdirSync(join(place, 'lib')).find((file) => file.startsWith('ld-linux'));
        const loaded = run(join(place, 'lib', loader), ['--inhibit-cache', '--library-path', join(place, 'lib'), '--list', join(place, 'lib/oi')]);
        for (const [, library, path] of loaded.matchAll(/^\t(\S+) => (.*) \(0x/gm))
            if (!library.startsWith('/')) assert.equal(path, join(place, 'lib', library));
        const documents = readdirSync(join(place, 'share/doc/licences'));
        for (const licence of ['oi', 'embedded', 'libc6', 'libcurl4', 'zlib1g']) assert.ok(documents.includes(licence), licence);
    });
});

describe('the container file', () => {
    const text = readFileSync(join(root, 'packaging/Containerfile'), 'utf8');
    const lines = text.replaceAll(/^#.*\n/gm, '').replaceAll(/\\\n\s*/g, ' ').split('\n').filter(Boolean);
    const all = (verb) => lines.filter((line) => line.startsWith(`${verb} `)).map((line) => line.slice(verb.length + 1));

    test('it is Debian in every stage, and not root in the last', () => {
        for (const base of all('FROM')) assert.match(base, /^debian:bookworm-slim( AS \w+)?$/);
        const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
        assert.deepEqual(last.filter((line) => line.startsWith('USER ')), ['USER oi']);
    });

    test('what it copies and runs is there', () => {
        for (const copy of all('COPY'))
            for (const source of copy.split(' ').slice(0, -1)) assert.ok(existsSync(join(root, source)), source);
        const programs = all('RUN').flatMap((line) => [...line.matchAll(/tools\/[a-z_]+\.\w+/g)].map(([path]) => path));
        assert.deepEqual(programs, ['tools/setup.sh', 'tools/build.sh', 'tools/package.sh']);
        for (const program of programs) assert.ok(statSync(join(root, program)).mode & 0o100, program);
    });

    test('its health check tells a server that answers from one that does not', { skip: process.env.OI_BINARY ? false : 'OI_BINARY is not built' }, async (t) => {
        const [program, ...args] = JSON.parse(/ CMD (\[.*\])$/.exec(all('HEALTHCHECK')[0])[1]);
        const server = await startServer(t);
        const check = (port) => new Promise((resolve) =>
            spawn(program, args.map((arg) => arg.replaceAll('8080', port)), { stdio: 'ignore' }).once('exit', resolve));
        assert.equal(await check(new URL(server.url).port), 0);
        await server.stop();
        assert.notEqual(await check(new URL(server.url).port), 0);
    });
});
