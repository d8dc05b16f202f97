// The servers that the unit tests of net/ talk to. Each misbehaves in one way, chosen by the path, so that a test
// reads as "open /close-hang". Plain sockets on purpose: no library in between that would repair anything.
//
// Prints one line of "name=value" pairs when all listen, and ends when stdin ends.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { issueCertificate, makeAuthority } from '../../playground/certificates.mjs';

const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

function frame(opcode, payload, isLast = true) {
    const body = Buffer.from(payload);
    let head;
    if (body.length < 126) {
        head = Buffer.from([0, body.length]);
    } else if (body.length < 65536) {
        head = Buffer.from([0, 126, 0, 0]);
        head.writeUInt16BE(body.length, 2);
    } else {
        head = Buffer.alloc(10);
        head[1] = 127;
        head.writeBigUInt64BE(BigInt(body.length), 2);
    }
    head[0] = (isLast ? 0x80 : 0) | opcode;
    return Buffer.concat([head, body]);
}

function closeFrame(code, reason = '') {
    const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
    payload.writeUInt16BE(code, 0);
    payload.write(reason, 2);
    return frame(OPCODE.close, payload);
}

/** Calls onFrame(opcode, payload) for every whole masked frame of a client. */
function frameReader(onFrame) {
    let pending = Buffer.alloc(0);
    return (chunk) => {
        pending = Buffer.concat([pending, chunk]);
        for (;;) {
            if (pending.length < 2) return;
            let length = pending[1] & 0x7f;
            let at = 2;
            if (length === 126) {
                if (pending.length < 4) return;
                length = pending.readUInt16BE(2);
                at = 4;
            } else if (length === 127) {
                if (pending.length < 10) return;
                length = Number(pending.readBigUInt64BE(2));
                at = 10;
            }
            if (pending.length < at + 4 + length) return;
            const mask = pending.subarray(at, at + 4);
            const payload = Buffer.from(pending.subarray(at + 4, at + 4 + length));
            for (let i = 0; i < payload.length; i++) payload[i] ^= mask[i & 3];
            const opcode = pending[0] & 0x0f;
            pending = pending.subarray(at + 4 + length);
            onFrame(opcode, payload);
        }
    };
}

let lastClose = 'none'; // what the last Close of a client said

/** What each WebSocket path does once it is open; the function it returns gets the client's frames. */
const webSockets = {
    '/last-close': (socket) => {
        socket.write(frame(OPCODE.text, lastClose));
        return () => {};
    },
    '/echo': (socket) => (opcode, payload) => {
        if (opcode === OPCODE.close) {
            lastClose = `${payload.readUInt16BE(0)} ${payload.subarray(2)}`;
            socket.end(frame(OPCODE.close, payload));
        }
        if (opcode === OPCODE.text) socket.write(frame(OPCODE.text, payload));
        if (opcode === OPCODE.ping) socket.write(frame(OPCODE.pong, payload));
    },
    '/fragments': (socket) => {
        socket.write(Buffer.concat([frame(OPCODE.text, 'one ', false), frame(OPCODE.continuation, 'two ', false),
            frame(OPCODE.ping, 'p'), frame(OPCODE.continuation, 'three')]));
        socket.write(frame(OPCODE.binary, '{"binary":true}'));
        socket.write(frame(OPCODE.text, ''));
        const big = Buffer.alloc(300000, 'x');
        for (let at = 0; at < big.length; at += 1000) setImmediate(() => {
            const isLast = at + 1000 >= big.length;
            const opcode = at === 0 ? OPCODE.text : OPCODE.continuation;
            socket.write(frame(opcode, big.subarray(at, at + 1000), isLast));
        });
        return webSockets['/echo'](socket);
    },
    '/big': (socket) => {
        socket.write(frame(OPCODE.text, Buffer.alloc(1048577, 'x')));
        return webSockets['/echo'](socket);
    },
    '/close': (socket) => {
        socket.write(closeFrame(4001, 'because'));
        return (opcode) => opcode === OPCODE.close && socket.end();
    },
    '/close-empty': (socket) => {
        socket.write(frame(OPCODE.close, ''));
        return () => {};
    },
    // As the control plane's platform does: TCP stays open after the Close was answered.
    '/close-hang': (socket) => {
        socket.write(closeFrame(1000, 'New sandbox connecting'));
        return () => {};
    },
    '/ignore-close': () => () => {},
    '/drop': (socket) => {
        setImmediate(() => socket.destroy());
        return () => {};
    },
    '/no-pong': () => () => {},
    '/stop-reading': (socket) => {
        socket.pause();
        setTimeout(() => socket.resume(), 300);
        let received = 0;
        let isOrdered = true;
        return (opcode, payload) => {
            if (opcode !== OPCODE.text) return;
            isOrdered &&= payload.toString().startsWith(`${received} `);
            received++;
            if (payload.toString().endsWith(' last')) socket.write(frame(OPCODE.text, `${received} ${isOrdered}`));
        };
    },
    '/garbage': (socket) => {
        socket.write('this is no frame at all');
        return () => {};
    },
};

function answer(socket, status, headers = [], body = '') {
    socket.end(`HTTP/1.1 ${status} X\r\n${headers.map((line) => `${line}\r\n`).join('')}` +
        `Content-Length: ${body.length}\r\n\r\n${body}`);
}

function onWebSocketRequest(socket, head) {
    const [, target] = head.split(' ');
    const url = new URL(target, 'http://x');
    const header = (name) => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1].trim();

    if (url.pathname.startsWith('/status/')) {
        answer(socket, url.pathname.slice(8), ['Content-Type: text/plain'], 'no');
    } else if (url.pathname === '/redirect') {
        answer(socket, 302, [`Location: ${url.searchParams.get('to')}`]);
    } else if (url.pathname === '/circle') {
        answer(socket, 302, ['Location: /circle']);
    } else if (url.pathname === '/never') {
        return undefined;
    } else if (url.pathname === '/hang-up') {
        socket.destroy();
    } else if (url.pathname === '/no-websocket') {
        answer(socket, 200, ['Content-Type: text/html'], '<html>');
    } else {
        const accept = createHash('sha1').update(header('Sec-WebSocket-Key') + WEBSOCKET_GUID).digest('base64');
        socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
            `Sec-WebSocket-Accept: ${url.pathname === '/wrong-accept' ? 'bm8=' : accept}\r\n\r\n`);
        if (url.pathname === '/headers') {
            socket.write(frame(OPCODE.text, JSON.stringify({ authorization: header('Authorization'),
                sandbox: header('X-Sandbox-ID'), host: header('Host'), query: url.search })));
            return webSockets['/echo'](socket);
        }
        return webSockets[url.pathname]?.(socket);
    }
    return undefined;
}

function serveWebSockets(socket) {
    let head = '';
    let reader;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
        if (reader) {
            reader(chunk);
            return;
        }
        head += chunk.toString('latin1');
        if (!head.includes('\r\n\r\n')) return;
        const onFrame = onWebSocketRequest(socket, head);
        if (onFrame) reader = frameReader(onFrame);
    });
}

const httpAnswers = {
    '/json': (request, response) => response.writeHead(200, { 'Content-Type': 'application/json' })
        .end('{"healthy":true}'),
    '/cursor': (request, response) => response.writeHead(200, { 'X-Next-Cursor': 'eyJpZCI6Mn0' }).end(Buffer.alloc(5000, 'y')),
    '/no-content': (request, response) => response.writeHead(204).end(),
    '/empty': (request, response) => response.writeHead(200, { 'Content-Length': '0' }).end(),
    '/chunked': (request, response) => {
        response.writeHead(200);
        response.write('one ');
        setTimeout(() => response.end('two'), 20);
    },
    '/until-close': (request, response) => request.socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end'),
    '/cut': (request, response) => {
        response.writeHead(200, { 'Content-Length': '100' });
        response.write('short');
        setTimeout(() => request.socket.destroy(), 20);
    },
    '/cut-chunked': (request, response) => {
        response.writeHead(200);
        response.write('short');
        setTimeout(() => request.socket.destroy(), 20);
    },
    '/big': (request, response) => response.writeHead(200).end(Buffer.alloc(200000, 'y')),
    '/stall': (request, response) => {
        response.writeHead(200, { 'Content-Length': '100' });
        response.write('short');
    },
    '/never': () => {},
    // Slower as a whole than the test's limit of silence (400 ms), each piece far quicker.
    '/drops': async (request, response) => {
        response.writeHead(200, { 'Content-Length': '6' });
        for (const letter of 'abcdef') {
            response.write(letter);
            await new Promise((resolve) => { setTimeout(resolve, 100); });
        }
        response.end();
    },
    '/headers': (request, response) => response.writeHead(200).end(JSON.stringify(request.headers)),
    '/dribble': (request, response) => {
        const text = '{"slow":true}';
        let at = 0;
        response.writeHead(200, { 'Content-Length': String(text.length) });
        const timer = setInterval(() => {
            response.write(text[at++]);
            if (at === text.length) {
                clearInterval(timer);
                response.end();
            }
        }, 3);
    },
    '/echo': (request, response) => {
        const chunks = [];
        request.on('data', (chunk) => chunks.push(chunk));
        request.on('end', () => {
            const body = Buffer.concat(chunks);
            response.writeHead(201, { 'Content-Type': 'text/plain' })
                .end(`${request.method} ${body.length} ${createHash('sha256').update(body).digest('hex').slice(0, 16)}`);
        });
    },
    '/events/dribble': (request, response) => {
        const text = 'data: {"n":1}\n\n: comment\r\n\r\ndata: {"n":\ndata: 2}\n\n';
        let at = 0;
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        const timer = setInterval(() => {
            response.write(text[at++]);
            if (at === text.length) {
                clearInterval(timer);
                response.end();
            }
        }, 2);
    },
    '/events/many': (request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        let text = '';
        for (let n = 0; n < 20000; n++) text += `data: {"n":${n}}\n\n`;
        response.end(text);
    },
    '/events/big': (request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write(`data: ${'x'.repeat(4000000)}\n\n`);
        response.write(`data: ${'y'.repeat(2000)}\n\n`);
    },
    '/events/cut': (request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write('data: {"n":1}\n\ndata: {"half');
        setTimeout(() => request.socket.destroy(), 20);
    },
    '/events/silent': (request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.flushHeaders();
    },
};

function serveHttp(request, response) {
    const { pathname } = new URL(request.url, 'http://x');
    if (pathname.startsWith('/status/')) response.writeHead(Number(pathname.slice(8))).end('no');
    else if (httpAnswers[pathname]) httpAnswers[pathname](request, response);
    else response.writeHead(404).end();
}

/** A proxy that knows one host: cp.example is this machine. `credentials`: "user:password", or anybody may pass. */
function createProxy(credentials = null) {
    const server = createHttpServer((request, response) => response.writeHead(405).end());
    return server.on('connect', (request, client) => {
        const [host, port] = request.url.split(':');
        const refuse = (status) => client.end(`HTTP/1.1 ${status} no\r\nContent-Length: 0\r\n\r\n`);
        const given = /^Basic (.*)$/i.exec(request.headers['proxy-authorization'] ?? '')?.[1] ?? '';
        client.on('error', () => {});
        if (credentials && Buffer.from(given, 'base64').toString() !== credentials) return refuse(407);
        if (host !== 'cp.example') return refuse(403);
        const onward = connect(Number(port), '127.0.0.1', () => {
            client.write('HTTP/1.1 200 Connection established\r\n\r\n');
            client.pipe(onward).pipe(client);
        });
        return onward.on('error', () => client.destroy());
    });
}

async function listen(server, host = '127.0.0.1', port = 0) {
    await new Promise((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
    return server.address().port;
}

/** On ::1; 0 where there is no IPv6. */
async function listenOnIpv6(server) {
    try {
        return await listen(server, '::1');
    } catch {
        return 0;
    }
}

async function unusedPort() {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    return port;
}

function expiredCertificate(authority) {
    const path = (suffix) => join(authority.dir, `expired.${suffix}`);
    const { key } = issueCertificate(authority, 'expired', ['localhost']);
    writeFileSync(path('key'), key);
    writeFileSync(path('ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    execFileSync('openssl', ['req', '-new', '-key', path('key'), '-subj', '/CN=localhost', '-out', path('csr')]);
    execFileSync('openssl', ['x509', '-req', '-in', path('csr'), '-CA', authority.certificate, '-CAkey', authority.key,
        '-CAcreateserial', '-sha256', '-days', '-1', '-extfile', path('ext'), '-out', path('pem')], { stdio: 'ignore' });
    return { key, cert: readFileSync(path('pem')) };
}

/** A server's certificate that nobody but its own key signed, and that is no authority's. */
function selfSignedCertificate(name) {
    const path = (suffix) => join(dir, `${name}.${suffix}`);
    execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', path('key')]);
    execFileSync('openssl', ['req', '-new', '-key', path('key'), '-subj', '/CN=self-signed', '-out', path('csr')]);
    writeFileSync(path('ext'), 'basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost\n');
    execFileSync('openssl', ['x509', '-req', '-in', path('csr'), '-signkey', path('key'), '-sha256', '-days', '2',
        '-extfile', path('ext'), '-out', path('pem')], { stdio: 'ignore' });
    return { key: readFileSync(path('key')), cert: readFileSync(path('pem')) };
}

const dir = mkdtempSync(join(tmpdir(), 'net-servers-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

const authority = makeAuthority(dir, 'good');
const stranger = makeAuthority(dir, 'stranger');
const good = issueCertificate(authority, 'server', ['localhost', '127.0.0.1', 'cp.example']);
const tls = (options) => listen(createTlsServer(options, serveWebSockets).on('tlsClientError', () => {}));

// A bundle as found in the wild: with one certificate in the middle that nobody can parse.
const bundle = join(dir, 'bundle.pem');
writeFileSync(bundle, readFileSync(authority.certificate));
appendFileSync(bundle, '-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n');
appendFileSync(bundle, readFileSync(stranger.certificate));
const selfSigned = selfSignedCertificate('self-signed');
appendFileSync(bundle, selfSigned.cert);

const names = {
    ws: await listen(createTcpServer(serveWebSockets)),
    ws_ipv6: await listenOnIpv6(createTcpServer(serveWebSockets)),
    http: await listen(createHttpServer(serveHttp)),
    mute: await listen(createTcpServer((socket) => socket.on('error', () => {}))),
    refused: await unusedPort(),
    tls: await tls(good),
    tls13: await tls({ ...good, minVersion: 'TLSv1.3' }),
    tls12: await tls({ ...good, maxVersion: 'TLSv1.2' }),
    tls_untrusted: await tls(issueCertificate(makeAuthority(dir, 'unknown'), 'server', ['localhost'])),
    tls_other_host: await tls(issueCertificate(authority, 'other', ['elsewhere.example'])),
    tls_expired: await tls(expiredCertificate(authority)),
    tls_self_signed: await tls(selfSigned),
    tls_same_name: await tls(selfSignedCertificate('same-name')),
    proxy: await listen(createProxy()),
    proxy_guarded: await listen(createProxy('user:p@ss')),
    authority: authority.certificate,
    bundle,
};
// The same port of another address: somebody who accepts and says nothing.
await listen(createTcpServer((socket) => socket.on('error', () => {})), '127.0.0.3', names.tls);
console.log(Object.entries(names).map(([name, value]) => `${name}=${value}`).join(' '));
process.stdin.on('end', () => process.exit(0)).resume();
