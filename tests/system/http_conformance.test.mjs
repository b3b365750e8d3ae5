// SPDX-License-Identifier: Apache-2.0
// What docs/http.md promises of HTTP and WebSocket, line by line, over raw sockets against
// tests/support/echo_server.c: nothing repairs a message on the way, as a client's library would.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import test from 'node:test';
import tls from 'node:tls';
import { gunzipSync } from 'node:zlib';

const binary = process.env.OI_ECHO_SERVER ??
  path.join(path.dirname(process.env.OI_BINARY ?? 'build-debug/oi'), 'tests', 'echo_server');
const LARGE = 8 << 20;

async function startServer(t, ...options) {
  // What a sanitizer keeps of freed memory would hide what the server keeps.
  const ASAN_OPTIONS = `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=1`;
  const child = spawn(binary, options,
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ASAN_OPTIONS } });
  let text = '';
  const exited = once(child, 'exit');
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (data) => { text += data; if (/listening \d+\n/.test(text)) resolve(); });
    child.on('exit', () => reject(new Error('the server ended before it listened')));
    child.on('error', reject);
  });
  const server = { child, exited, port: Number(/listening (\d+)/.exec(text)[1]) };
  server.connect = () => net.connect(server.port, '127.0.0.1');
  server.stop = async () => {
    if (!child.killed) child.kill('SIGTERM'); // a second one finds the default action again
    return (await exited)[0];
  };
  // A fault that a sanitizer sees, or a reply that was never finished, shows in the exit code.
  t.after(async () => assert.equal(await server.stop(), 0));
  return server;
}

function makeCertificate(t) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'oi-tls-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const [certificate, itsKey] = [path.join(folder, 'chain.pem'), path.join(folder, 'key.pem')];
  const made = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
    'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=127.0.0.1', '-out', certificate,
    '-keyout', itsKey]);
  return made.error ? {} : { folder, certificate, itsKey };
}

// Send bytes and give everything that came back until the other end closed, or until `enough`.
function talk(server, bytes, { enough = () => false, ms = 5000, end = false } = {}) {
  return new Promise((resolve, reject) => {
    const socket = server.connect();
    const parts = [];
    let size = 0;
    const answer = () => { clearTimeout(timer); socket.destroy(); resolve(Buffer.concat(parts)); };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no end after ${ms} ms: ${Buffer.concat(parts).subarray(0, 300)}`));
    }, ms);
    socket.on('data', (data) => {
      parts.push(data);
      size += data.length;
      if (enough(size < 100_000 ? Buffer.concat(parts) : data, size)) answer();
    });
    socket.on('close', answer);
    socket.on('error', () => {});
    if (end) socket.end(bytes);
    else socket.write(bytes);
  });
}

// Take the replies apart; `methods` tells which were asked with HEAD.
function replies(bytes, methods = []) {
  const found = [];
  let at = 0;
  while (at < bytes.length) {
    const headEnd = bytes.indexOf('\r\n\r\n', at);
    assert.notEqual(headEnd, -1, `a head that does not end: ${bytes.subarray(at, at + 200)}`);
    const [line, ...rest] = bytes.toString('latin1', at, headEnd).split('\r\n');
    const headers = {};
    for (const one of rest) {
      const colon = one.indexOf(':');
      headers[one.slice(0, colon).toLowerCase()] = one.slice(colon + 1).trim();
    }
    const reply = { status: Number(line.split(' ')[1]), headers, body: Buffer.alloc(0), line };
    at = headEnd + 4;
    if (methods[found.length] !== 'HEAD' && reply.status >= 200 && reply.status !== 204) {
      if (headers['transfer-encoding'] === 'chunked') {
        const parts = [];
        for (;;) {
          const lineEnd = bytes.indexOf('\r\n', at);
          assert.notEqual(lineEnd, -1, 'a chunk without a size');
          const size = parseInt(bytes.toString('latin1', at, lineEnd), 16);
          at = lineEnd + 2;
          parts.push(bytes.subarray(at, at + size));
          at += size;
          assert.equal(bytes.toString('latin1', at, at + 2), '\r\n', 'a chunk and its size');
          at += 2;
          if (size === 0) break;
        }
        reply.body = Buffer.concat(parts);
      } else if (headers['content-length'] !== undefined) {
        reply.body = bytes.subarray(at, at + Number(headers['content-length']));
        at += reply.body.length;
      } else {
        reply.body = bytes.subarray(at);
        at = bytes.length;
      }
    }
    found.push(reply);
  }
  return found;
}

const last = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const get = (target, ...headers) =>
  `GET ${target} HTTP/1.1\r\nHost: a\r\n${headers.map((h) => h + '\r\n').join('')}\r\n`;

async function refused(server, bytes, status, options) {
  const found = replies(await talk(server, bytes, options));
  assert.equal(found.length, 1, `one answer to ${JSON.stringify(bytes.slice(0, 100))}`);
  const allowed = Array.isArray(status) ? status : [status];
  assert.ok(allowed.includes(found[0].status),
    `${found[0].status} for ${JSON.stringify(bytes.slice(0, 100))}`);
  assert.equal(found[0].headers.connection, 'close');
  return found[0];
}

test('three requests in one packet are answered in order: small, 8 MB, small', async (t) => {
  const server = await startServer(t);
  const found = replies(await talk(server, get('/') + get('/large') + last, { ms: 20_000 }));
  assert.deepEqual(found.map((r) => [r.status, r.body.length]), [[200, 6], [200, LARGE], [200, 6]]);
});

test('200 requests for 20 KB in one packet are all answered', async (t) => {
  const server = await startServer(t);
  const found = replies(await talk(server, get('/20k').repeat(200) + last, { ms: 20_000 }));
  assert.equal(found.length, 201);
  assert.ok(found.slice(0, 200).every((r) => r.status === 200 && r.body.length === 20_000));
});

test('requests that come byte by byte are answered like any other', async (t) => {
  const server = await startServer(t);
  const socket = net.connect(server.port, '127.0.0.1');
  const parts = [];
  socket.on('data', (data) => parts.push(data));
  socket.setNoDelay(true);
  for (const byte of Buffer.from(get('/echo/x?a=1') + last)) {
    socket.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  await once(socket, 'close');
  assert.deepEqual(replies(Buffer.concat(parts)).map((r) => r.status), [200, 200]);
});

test('HEAD has the length and no body, not even the last chunk of a streamed one', async (t) => {
  const server = await startServer(t);
  const head = (target) => get(target).replace('GET', 'HEAD');
  const methods = ['HEAD', 'HEAD', 'GET'];
  const found = replies(await talk(server, head('/20k') + head('/large') + last), methods);
  assert.deepEqual(found.map((r) => r.status), [200, 200, 200]);
  assert.equal(found[0].headers['content-length'], '20000');
  assert.equal(found[1].headers['transfer-encoding'], 'chunked');
  assert.equal(found[2].body.toString(), 'hello\n');
});

test('a chunked body and the request behind it are both answered', async (t) => {
  const server = await startServer(t);
  const chunked = 'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n' +
    '5\r\nhello\r\n7;x=y\r\n, world\r\n0\r\nX-Trailer: 1\r\n\r\n';
  const found = replies(await talk(server, chunked + last));
  assert.deepEqual(found.map((r) => r.body.toString()), ['hello, world', 'hello\n']);
});

test('Expect: 100-continue gets its 100 before the body', async (t) => {
  const server = await startServer(t);
  const socket = net.connect(server.port, '127.0.0.1');
  socket.write('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n' +
    'Connection: close\r\n\r\n');
  const [first] = await once(socket, 'data');
  assert.equal(first.toString(), 'HTTP/1.1 100 Continue\r\n\r\n');
  socket.write('hello');
  const [second] = await once(socket, 'data');
  assert.equal(replies(second)[0].body.toString(), 'hello');
  await once(socket, 'close');
});

test('another expectation is 417', async (t) => {
  const server = await startServer(t);
  await refused(server, get('/', 'Expect: tea'), 417);
});

test('heads: 200 headers are fine, over 16 KB and 5,000 headers are 431', async (t) => {
  const server = await startServer(t);
  const headers = (count) => Array.from({ length: count }, (_, i) => `X-${i}: 1`);
  const found = replies(await talk(server, get('/', ...headers(200)) + last));
  assert.deepEqual(found.map((r) => r.status), [200, 200]);
  await refused(server, get('/', ...headers(5000)), 431);
  await refused(server, get('/', 'X: ' + 'y'.repeat(17_000)), 431);
});

test('a target of 10,000 characters is fine, a longer one than the limit is 414', async (t) => {
  const server = await startServer(t);
  const found = replies(await talk(server, get('/echo?a=' + 'y'.repeat(9_990)) + last));
  assert.deepEqual(found.map((r) => r.status), [200, 200]);
  await refused(server, get('/?' + 'y'.repeat(10_300)), 414);
});

test('the refusal speaks the envelope of its route', async (t) => {
  const server = await startServer(t);
  const reply = await refused(server, 'GET /json HTTP/1.1\r\n\r\n', 400);
  assert.equal(JSON.parse(reply.body).status, 400);
});

test('no Host, two Hosts and a malformed one are 400', async (t) => {
  const server = await startServer(t);
  await refused(server, 'GET / HTTP/1.1\r\n\r\n', 400);
  await refused(server, 'GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n', 400);
  for (const host of ['', 'a b', 'a/b', 'user@a', 'a\\b', '<a>'])
    await refused(server, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 400);
});

test('unsound header lines are 400', async (t) => {
  const server = await startServer(t);
  const lines = ['X : 1', ' X: 1', 'X: 1\r\n folded', 'X: 1\r\n\tfolded', 'X: a\0b', 'X: a\rb',
    'no colon', ': 1', 'X(: 1', 'X: \x01', 'X: \x7f', 'X\0: 1'];
  for (const line of lines)
    await refused(server, get('/', line), 400);
  await refused(server, Buffer.concat([Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nX: '),
    Buffer.from([0xff, 0xfe]), Buffer.from('\r\n\r\n')]), 400);
});

test('bare LF line ends are 400 at once', async (t) => {
  const server = await startServer(t);
  const before = Date.now();
  await refused(server, 'GET / HTTP/1.1\nHost: a\n\n', 400);
  await refused(server, 'GET / HTTP/1.1\r\nHost: a\n', 400);
  assert.ok(Date.now() - before < 2000);
});

test('ambiguous or malformed lengths are 400', async (t) => {
  const server = await startServer(t);
  const post = (...headers) =>
    `POST /echo HTTP/1.1\r\nHost: a\r\n${headers.map((h) => h + '\r\n').join('')}\r\nhello`;
  const lengths = ['+5', '5x', '-1', '0x5', '5, 5', '5 5', '', '99999999999999999999999999',
    '18446744073709551621'];
  for (const length of lengths)
    await refused(server, post(`Content-Length: ${length}`), 400);
  await refused(server, post('Content-Length: 5', 'Content-Length: 6'), 400);
  await refused(server, post('Content-Length: 5', 'Content-Length: 5'), 400);
  await refused(server, post('Content-Length: 5', 'Transfer-Encoding: chunked'), 400);
  await refused(server, post('Transfer-Encoding: chunked', 'Content-Length: 5'), 400);
  await refused(server, post('Content-Length: 4294967296'), 413);
  await refused(server, post('Content-Length: 2000000'), 413);
});

test('any transfer encoding but exactly chunked is refused', async (t) => {
  const server = await startServer(t);
  const post = (...headers) =>
    `POST /echo HTTP/1.1\r\nHost: a\r\n${headers.map((h) => h + '\r\n').join('')}\r\n0\r\n\r\n`;
  for (const encoding of ['gzip', 'gzip, chunked', 'chunked, chunked', 'xchunked', 'chunked;q=1',
    '"chunked"', 'identity', 'chunked, gzip', ''])
    await refused(server, post(`Transfer-Encoding: ${encoding}`), [400, 501]);
  await refused(server, post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'), 400);
  await refused(server, post('Transfer-Encoding: chunked').replace('1.1', '1.0'), 400);
});

test('malformed chunks are 400', async (t) => {
  const server = await startServer(t);
  const chunks = ['0x5\r\nhello\r\n', 'FFFFFFFFFFFFFFFFF\r\n', '5\nhello\r\n', '5\r\nhelloX\r\n',
    '5\r\nhello\n', '5\r\nhello\rX', '\r\n', ' 5\r\nhello\r\n', '5 \r\nhello\r\n', '-1\r\n', 'g\r\n',
    '000000000005\r\nhello\r\n', '5;\n\r\n', '0\r\nno colon\r\n\r\n', '0\r\nX: 1\n\r\n',
    `5;${'x'.repeat(300)}\r\n`];
  for (const chunk of chunks)
    await refused(server,
      `POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`, 400);
  await refused(server, 'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n' +
    'FFFFFFF\r\n', 413);
});

test('malformed request lines are 400, 501 or 505', async (t) => {
  const server = await startServer(t);
  const lines = [['GET /', 400], ['GET / HTTP/0.9', 505], ['GET / HTTP/2.0', 505],
    ['GET / HTTP/9.9', 505], ['GET / HTTP/1.2', 505], ['GET / HTTP/1.10', 400],
    ['GET / http/1.1', 400], ['GET  / HTTP/1.1', 400], ['GET /  HTTP/1.1', 400],
    [' GET / HTTP/1.1', 400], ['GET / HTTP/1.1 ', 400], ['get / HTTP/1.1', [400, 501]],
    ['BREW / HTTP/1.1', 501], ['GET\t/ HTTP/1.1', 400], ['GET x HTTP/1.1', 400],
    ['GET /a#b HTTP/1.1', 400], ['GET * HTTP/1.1', 400], ['CONNECT a:80 HTTP/1.1', 501],
    ['PRI * HTTP/2.0', 505], ['GET /\x80 HTTP/1.1', 400], ['', 400], ['\r\n', 400]];
  for (const [line, status] of lines)
    await refused(server, `${line}\r\nHost: a\r\n\r\n`, status);
});

test('a method that a route does not take is 405 with Allow', async (t) => {
  const server = await startServer(t);
  for (const method of ['POST', 'DELETE', 'PUT', 'PATCH', 'TRACE']) {
    const bytes = get('/', 'Connection: close').replace('GET', method);
    const [reply] = replies(await talk(server, bytes));
    assert.equal(reply.status, 405, method);
    assert.equal(reply.headers.allow, 'GET, HEAD');
  }
});

test('targets in every form are defined', async (t) => {
  const server = await startServer(t);
  const found = replies(await talk(server, get('http://example.com/echo/a?x=1&y=2') +
    'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n' + get('/%65cho/%61%20b') + get('/echo/x/../y/./z') +
    get('/echo?a=b+c%2B&&d') + get('http://example.com') + last));
  assert.equal(found[0].headers['x-path'], '/echo/a');
  assert.equal(found[0].headers['x-origin'], 'http://example.com');
  assert.equal(found[1].status, 204);
  assert.match(found[1].headers.allow, /GET/);
  assert.equal(found[2].headers['x-path'], '/echo/a b');
  assert.equal(found[3].headers['x-path'], '/echo/y/z');
  assert.equal(found[4].headers['x-path'], '/echo');
  assert.equal(found[5].body.toString(), 'hello\n');
  for (const target of ['/../x', '/a/../../x', '/%2e%2e/x', '/..%2fx', '/a%00b', '/%zz', '/%f',
    '/%ff', '/%c0%ae/'])
    await refused(server, get(target), 400);
});

test('HTTP/1.0 closes, keeps alive when asked, and never gets chunks', async (t) => {
  const server = await startServer(t);
  const old = (target, ...headers) => get(target, ...headers).replace('1.1', '1.0');
  let found = replies(await talk(server, old('/')));
  assert.equal(found[0].headers.connection, 'close');
  found = replies(await talk(server, old('/', 'Connection: keep-alive') + old('/')));
  assert.deepEqual(found.map((r) => r.headers.connection), ['keep-alive', 'close']);
  const bytes = await talk(server, old('/large', 'Connection: keep-alive'), { ms: 20_000 });
  found = replies(bytes);
  assert.equal(found[0].headers['transfer-encoding'], undefined);
  assert.equal(found[0].headers['content-length'], undefined);
  assert.equal(found[0].body.length, LARGE);
  found = replies(await talk(server, 'GET / HTTP/1.0\r\n\r\n'));
  assert.equal(found[0].status, 200, 'Host may be missing in HTTP/1.0');
});

test('one byte at a time in the head does not extend its deadline', async (t) => {
  const server = await startServer(t, 'head=500');
  const socket = net.connect(server.port, '127.0.0.1');
  const parts = [];
  const before = Date.now();
  socket.on('data', (data) => parts.push(data));
  socket.on('error', () => {});
  const drip = setInterval(() => socket.write('x'), 100);
  socket.write('GET / HTTP/1.1\r\nX: ');
  await once(socket, 'close');
  clearInterval(drip);
  assert.equal(replies(Buffer.concat(parts))[0].status, 408);
  assert.ok(Date.now() - before < 3500, 'lingering included');
});

test('a TLS handshake that stops has the deadline of a head', async (t) => {
  const { folder, certificate, itsKey } = makeCertificate(t);
  if (!folder) return t.skip('there is no openssl to make a certificate with');
  const server = await startServer(t, 'head=300', `certificate=${certificate}`, `key=${itsKey}`);
  const before = Date.now();
  await talk(server, Buffer.from([0x16, 0x03, 0x01]));
  assert.ok(Date.now() - before < 2000);
});

test('an idle connection and a body that stops have deadlines of their own', async (t) => {
  const server = await startServer(t, 'idle=300', 'body=600');
  let before = Date.now();
  assert.equal((await talk(server, '')).length, 0);
  assert.ok(Date.now() - before >= 250 && Date.now() - before < 2000);
  before = Date.now();
  const found = replies(await talk(server, get('/')));
  assert.equal(found.length, 1, 'closed without another word');
  before = Date.now();
  await refused(server, 'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe', 408);
  assert.ok(Date.now() - before >= 500);
});

const residentKiB = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

test('60 readers that stop cost a few MB together and are ended', async (t) => {
  const server = await startServer(t, 'write=1500');
  await talk(server, get('/large') + last, { ms: 20_000 });
  const before = residentKiB(server.child.pid);
  const closed = Array.from({ length: 60 }, () => {
    const socket = net.connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(get('/large'));
    socket.pause();
    return once(socket, 'close').then(() => socket);
  });
  await new Promise((resolve) => setTimeout(resolve, 800));
  const grown = residentKiB(server.child.pid) - before;
  assert.ok(grown < 30 << 10, `grown by ${grown} KiB`); // 0.5 MB each, sanitizers included
  const stats = replies(await talk(server, get('/stats', 'Connection: close')))[0];
  assert.equal(JSON.parse(stats.body).streams, 60);
  for (let i = 0; i < 100; i++) {
    const now = JSON.parse(replies(await talk(server, get('/stats', 'Connection: close')))[0].body);
    if (now.streams === 0) return; // paused sockets do not see their end themselves
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`still streaming to readers that stopped: ${closed.length}`);
});

test('200 clients that go away in the middle of 8 MB hold nobody up', async (t) => {
  const server = await startServer(t);
  const gone = Array.from({ length: 200 }, () => new Promise((resolve) => {
    const socket = net.connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.once('data', () => { socket.destroy(); resolve(); });
    socket.write(get('/large'));
  }));
  const before = Date.now();
  const found = replies(await talk(server, last));
  assert.equal(found[0].status, 200);
  assert.ok(Date.now() - before < 3000);
  await Promise.all(gone);
  for (let i = 0; i < 50; i++) {
    const stats = replies(await talk(server, get('/stats', 'Connection: close')))[0];
    if (JSON.parse(stats.body).streams === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail('replies that nobody reads are still open');
});

test('an answer that fails on the way ends before its time; one that fails at once is 500', async (t) => {
  const server = await startServer(t);
  const bytes = await talk(server, get('/broken'));
  assert.match(bytes.toString('latin1', 0, 15), /^HTTP\/1.1 200/);
  assert.ok(!bytes.subarray(-7).equals(Buffer.from('\r\n0\r\n\r\n')));
  assert.ok(bytes.length < LARGE);
  assert.equal(replies(await talk(server, get('/unmade')))[0].status, 500);
});

test('a client that half-closes still gets its answers', async (t) => {
  const server = await startServer(t);
  const found = replies(await talk(server, get('/20k') + get('/large') + get('/'),
    { end: true, ms: 20_000 }));
  assert.deepEqual(found.map((r) => r.body.length), [20_000, LARGE, 6]);
});

test('gzip: small never, middle, large and streamed bodies when accepted', async (t) => {
  const server = await startServer(t);
  const accepted = 'Accept-Encoding: br, gzip;q=0.5';
  const found = replies(await talk(server, get('/', accepted) + get('/20k', accepted) +
    get('/500k', accepted) + get('/large.txt', accepted) + get('/20k', 'Accept-Encoding: gzip;q=0') +
    get('/20k', 'Accept-Encoding: *') + get('/20k') + last, { ms: 20_000 }));
  const encodings = found.map((r) => r.headers['content-encoding'] ?? '-');
  assert.deepEqual(encodings, ['-', 'gzip', 'gzip', 'gzip', '-', 'gzip', '-', '-']);
  assert.ok(found.every((r) => r.headers.vary === 'Accept-Encoding'));
  assert.equal(gunzipSync(found[1].body).length, 20_000);
  assert.equal(gunzipSync(found[2].body).length, 500_000);
  assert.equal(gunzipSync(found[3].body).length, LARGE);
});

test('a client that goes away while its body is compressed leaves nothing behind', async (t) => {
  const server = await startServer(t);
  for (let i = 0; i < 20; i++) {
    const socket = net.connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(get('/500k', 'Accept-Encoding: gzip'));
    await once(socket, 'connect');
    socket.resetAndDestroy();
  }
  assert.equal(replies(await talk(server, last))[0].status, 200);
});

test('connections past the limit wait for their turn', async (t) => {
  const server = await startServer(t, 'connections=4');
  const open = [];
  for (let i = 0; i < 4; i++) {
    const socket = net.connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(get('/'));
    await once(socket, 'data');
    open.push(socket);
  }
  const waiting = talk(server, last);
  const early = await Promise.race([waiting,
    new Promise((resolve) => setTimeout(resolve, 200, 'waiting'))]);
  assert.equal(early, 'waiting');
  open[0].destroy();
  assert.equal(replies(await waiting)[0].status, 200);
  open.forEach((socket) => socket.destroy());
});

test('SIGTERM under load cuts no answer and refuses new connections', async (t) => {
  const server = await startServer(t);
  const under = Array.from({ length: 8 }, () => talk(server, get('/large'), { ms: 20_000 }));
  // Fresh connections keep coming; whoever got through to the server is answered.
  let goesOn = true, answered = 0;
  const cut = [];
  const visitor = async () => {
    while (goesOn) {
      await new Promise((resolve) => {
        const socket = net.connect(server.port, '127.0.0.1');
        let isConnected = false, text = '';
        socket.on('connect', () => { isConnected = true; socket.write(last); });
        socket.on('data', (data) => { text += data; });
        socket.on('error', () => {});
        socket.on('close', () => {
          if (text.endsWith('hello\n')) answered++;
          else if (isConnected) cut.push(text);
          resolve();
        });
      });
      await new Promise(setImmediate);
    }
  };
  const visitors = Array.from({ length: 8 }, visitor);
  await new Promise((resolve) => setTimeout(resolve, 30));
  const before = Date.now();
  server.child.kill('SIGTERM');
  for (let outcome = ''; outcome !== 'ECONNREFUSED';) {
    const late = net.connect(server.port, '127.0.0.1');
    outcome = await new Promise((resolve) => {
      late.on('connect', () => resolve('accepted'));
      late.on('error', (error) => resolve(error.code));
    });
    late.destroy();
    assert.ok(Date.now() - before < 3000, 'new connections are still accepted');
  }
  goesOn = false;
  await Promise.all(visitors);
  assert.ok(answered > 0);
  // Between the last look at the listener and its end lies a moment that nobody can close.
  assert.ok(cut.length <= 2, `${cut.length} of ${answered} were cut`);
  for (const bytes of await Promise.all(under)) {
    // An answer begun before the signal may promise to keep the connection; it ends all the same.
    assert.equal(replies(bytes)[0].body.length, LARGE);
  }
  assert.equal((await server.exited)[0], 0);
  assert.ok(Date.now() - before < 10_000);
});

test('TLS carries the same, and what is not TLS gets nothing', async (t) => {
  const { folder, certificate, itsKey } = makeCertificate(t);
  if (!folder) return t.skip('there is no openssl to make a certificate with');
  const server = await startServer(t, `certificate=${certificate}`, `key=${itsKey}`);
  const plain = server.connect;
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    server.connect = () => tls.connect({ port: server.port, host: '127.0.0.1',
      rejectUnauthorized: false, minVersion: version, maxVersion: version });
    const found = replies(await talk(server, get('/echo') + get('/large') + last, { ms: 20_000 }));
    assert.deepEqual(found.map((r) => r.body.length), [0, LARGE, 6]);
    assert.equal(found[0].headers['x-origin'], 'https://a');
    const messages = await wsTalk(server, [frame(1, 'hello'), frame(8, [3, 232])]);
    assert.deepEqual(messages.map((f) => f.opcode), [1, 8]);
  }
  server.connect = plain;
  const bytes = await talk(server, get('/'));
  assert.ok(!bytes.includes('HTTP/1.1'));
});

// ---- WebSocket ----

const key = 'dGhlIHNhbXBsZSBub25jZQ==';
const handshake = (target = '/ws', version = 13, itsKey = key) =>
  `GET ${target} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
  `Sec-WebSocket-Version: ${version}\r\nSec-WebSocket-Key: ${itsKey}\r\n\r\n`;

// A client's frame, with every freedom to be wrong.
function frame(opcode, payload, { fin = true, rsv = 0, mask = true, announced, size16 } = {}) {
  const body = Buffer.from(payload);
  const size = announced ?? BigInt(body.length);
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  const bit = mask ? 0x80 : 0;
  if (size < 126n && !size16) head.push(bit | Number(size));
  else if (size < 65536n) head.push(bit | 126, Number(size >> 8n), Number(size & 255n));
  else {
    head.push(bit | 127);
    for (let i = 7n; i >= 0n; i--) head.push(Number((size >> (8n * i)) & 255n));
  }
  if (!mask) return Buffer.concat([Buffer.from(head), body]);
  const masking = crypto.randomBytes(4);
  return Buffer.concat([Buffer.from(head), masking, body.map((byte, i) => byte ^ masking[i & 3])]);
}

// A server's frames.
function frames(bytes) {
  const found = [];
  let at = 0;
  while (at + 2 <= bytes.length) {
    const opcode = bytes[at] & 15;
    let size = bytes[at + 1];
    assert.ok(size < 128, 'a server does not mask');
    at += 2;
    if (size === 126) { size = bytes.readUInt16BE(at); at += 2; }
    else if (size === 127) { size = Number(bytes.readBigUInt64BE(at)); at += 8; }
    if (at + size > bytes.length) break;
    found.push({ opcode, payload: bytes.subarray(at, at + size) });
    at += size;
  }
  return found;
}

async function wsTalk(server, sent, options) {
  const bytes = await talk(server, Buffer.concat([Buffer.from(handshake()), ...sent]), options);
  const headEnd = bytes.indexOf('\r\n\r\n');
  assert.match(bytes.toString('latin1', 0, headEnd), /^HTTP\/1.1 101 /);
  return frames(bytes.subarray(headEnd + 4));
}

async function closesWith(server, sent, code) {
  const found = await wsTalk(server, sent);
  const close = found.at(-1);
  assert.ok(close && close.opcode === 8, 'a close frame comes');
  assert.equal(close.payload.readUInt16BE(0), code);
  return found;
}

test('the handshake gives the key of the standard’s example', async (t) => {
  const server = await startServer(t);
  const bytes = await talk(server, handshake(), { enough: (b) => b.includes('\r\n\r\n') });
  assert.match(bytes.toString(), /Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
});

test('a wrong version is 426, a bad key 400, a refused route what its handler says', async (t) => {
  const server = await startServer(t);
  const reply = await refused(server, handshake('/ws', 8), 426);
  assert.equal(reply.headers['sec-websocket-version'], '13');
  for (const bad of ['', 'x', 'dGhlIHNhbXBsZSBub25jZQ', 'AAAA', '!GhlIHNhbXBsZSBub25jZQ=='])
    await refused(server, handshake('/ws', 13, bad), 400);
  await refused(server, handshake().replace('GET', 'POST'), 400);
  await refused(server, handshake('/nowhere'), 403);
});

test('handshake and first frame in one packet work; messages come back', async (t) => {
  const server = await startServer(t);
  const long = 'x'.repeat(70_000);
  const found = await wsTalk(server, [frame(1, 'hello'), frame(1, long), frame(8, [0x03, 0xe8])]);
  assert.equal(found[0].payload.toString(), 'hello');
  assert.equal(found[1].payload.toString(), long);
  assert.equal(found[2].opcode, 8);
  assert.equal(found[2].payload.readUInt16BE(0), 1000);
});

test('control frames inside fragments are answered', async (t) => {
  const server = await startServer(t);
  const found = await wsTalk(server, [frame(1, 'hel', { fin: false }), frame(9, 'p'),
    frame(0, 'lo'), frame(8, [0x03, 0xe8])]);
  assert.deepEqual(found.map((f) => f.opcode).sort(), [1, 10, 8].sort());
  assert.equal(found.find((f) => f.opcode === 10).payload.toString(), 'p');
  assert.equal(found.find((f) => f.opcode === 1).payload.toString(), 'hello');
});

test('unsound frames are 1002', async (t) => {
  const server = await startServer(t);
  const wrong = {
    unmasked: frame(1, 'x', { mask: false }),
    'reserved bits': frame(1, 'x', { rsv: 4 }),
    'bad opcode': frame(3, 'x'),
    'bad control opcode': frame(11, 'x'),
    'continuation first': frame(0, 'x'),
    'control in fragments': frame(9, 'x', { fin: false }),
    'control over 125 bytes': frame(9, 'x'.repeat(126)),
    'close over 125 bytes': frame(8, Buffer.concat([Buffer.from([3, 232]), Buffer.alloc(124, 97)])),
    'close code 999': frame(8, [0x03, 0xe7]),
    'close code 1005': frame(8, [0x03, 0xed]),
    'close of one byte': frame(8, [3]),
    'length past 2^63': frame(1, '', { announced: 1n << 63n }),
    'length that is not minimal': frame(1, 'x', { size16: true }),
  };
  for (const [name, bytes] of Object.entries(wrong))
    await t.test(name, () => closesWith(server, [bytes], 1002));
  await t.test('text inside fragments', () =>
    closesWith(server, [frame(1, 'a', { fin: false }), frame(1, 'b')], 1002));
});

test('bad UTF-8 is 1007, in messages and in closes', async (t) => {
  const server = await startServer(t);
  await closesWith(server, [frame(1, [0xff])], 1007);
  await closesWith(server, [frame(1, [0xc3])], 1007);
  await closesWith(server, [frame(8, [0x03, 0xe8, 0xff])], 1007);
});

test('announced lengths past the limit are 1009 before a byte of them comes', async (t) => {
  const server = await startServer(t);
  await closesWith(server, [frame(1, '', { announced: 1n << 30n })], 1009);
  await closesWith(server, [frame(1, '', { announced: (1n << 62n) })], 1009);
  await closesWith(server, [frame(1, Buffer.alloc(900_000, 97), { fin: false }),
    frame(0, Buffer.alloc(900_000, 97))], 1009);
});

test('a close asked for by the application goes out after what was sent', async (t) => {
  const server = await startServer(t);
  const found = await wsTalk(server, [frame(1, 'a'), frame(1, 'close')], { ms: 8000 });
  assert.deepEqual(found.map((f) => f.opcode), [1, 8]);
  assert.equal(found[1].payload.readUInt16BE(0), 4000);
});

test('a WebSocket reader that stops has a bounded queue and is ended; others go on', async (t) => {
  const server = await startServer(t, 'write=1000');
  const stopped = net.connect(server.port, '127.0.0.1');
  stopped.on('error', () => {});
  stopped.write(handshake('/push'));
  stopped.pause();
  const reading = net.connect(server.port, '127.0.0.1');
  let size = 0;
  reading.on('data', (data) => { size += data.length; });
  reading.write(handshake('/push'));
  for (let i = 0; i < 100; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const stats = replies(await talk(server, get('/stats', 'Connection: close')))[0];
    if (i > 5 && JSON.parse(stats.body).sockets === 1) break;
    assert.ok(i < 99, 'the reader that stopped is still there');
  }
  assert.ok(residentKiB(server.child.pid) < 400 << 10);
  const had = size;
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.ok(size > had, 'the one that reads goes on');
  reading.destroy();
  stopped.destroy();
});

test('a silent WebSocket is pinged, and ended when nothing answers', async (t) => {
  const server = await startServer(t, 'idle=300');
  const found = await wsTalk(server, []);
  assert.deepEqual(found.map((f) => f.opcode), [9]);
});

test('stopping closes WebSockets with 1001', async (t) => {
  const server = await startServer(t);
  const talked = wsTalk(server, [frame(1, 'hello')]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  server.child.kill('SIGTERM');
  const close = (await talked).at(-1);
  assert.equal(close.opcode, 8);
  assert.equal(close.payload.readUInt16BE(0), 1001);
});
