// A git server over HTTPS for the playground and the tests: Node's https in front of `git http-backend`, with a
// user name and a token. It counts what it is asked and can misbehave on command:
//
//     server.stall = 'connect'   accept the TCP connection, never answer the TLS handshake
//     server.stall = 'answer'    take the request, never answer it
//     server.stall = 'pack'      send `stallAfterBytes` of a clone, then nothing
//     server.refusePush = true   403 on every push
//     server.bytesPerSecond = n  send a clone slowly

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import https from 'node:https';
import net from 'node:net';

const SLOW_TICK_MS = 50;

export class GitServer {
    /** `root` holds <owner>/<name>.git; `certificate` is { key, cert }; `token` is the only password taken. */
    constructor({ root, certificate, token, username = 'x-access-token', host = 'localhost' }) {
        Object.assign(this, { root, token, username, host });
        this.requests = []; // { method, path, status, user }, in the order of arrival
        this.stall = null;
        this.stallAfterBytes = 64 * 1024;
        this.refusePush = false;
        this.bytesPerSecond = 0;
        this.sockets = new Set();
        this.backends = new Set();
        this.https = https.createServer(certificate, (request, response) => this.#answer(request, response));
        // TLS sits behind a plain listener so that a connection can be accepted and then left without a handshake.
        this.listener = net.createServer((socket) => this.#accept(socket));
    }

    static async start(options) {
        const server = new GitServer(options);
        server.listener.listen(0, '127.0.0.1');
        await once(server.listener, 'listening');
        return server;
    }

    get port() { return this.listener.address().port; }
    /** What VCS_HOST must be for a sandbox to clone from here. */
    get vcsHost() { return `${this.host}:${this.port}`; }
    url(owner, name) { return `https://${this.vcsHost}/${owner}/${name}.git`; }
    urlWithToken(owner, name) { return `${this.baseWithToken}${owner}/${name}.git`; }
    /** What an insteadOf of a git configuration can put in place of another host's https://host/. */
    get baseWithToken() { return `https://${this.username}:${this.token}@${this.vcsHost}/`; }

    async close() {
        for (const socket of this.sockets) socket.destroy();
        for (const backend of this.backends) backend.kill('SIGKILL');
        if (!this.listener.listening) return;
        this.listener.close();
        await once(this.listener, 'close');
    }

    #accept(socket) {
        this.sockets.add(socket);
        socket.on('close', () => this.sockets.delete(socket));
        socket.on('error', () => {}); // a client that goes away is what the tests are about
        if (this.stall === 'connect') return;
        this.https.emit('connection', socket);
    }

    #answer(request, response) {
        const url = new URL(request.url, 'https://git.invalid');
        const record = { method: request.method, path: url.pathname, status: 0, user: null };
        this.requests.push(record);
        const refuse = (status, text, headers = {}) => {
            record.status = status;
            request.resume();
            response.writeHead(status, { 'content-type': 'text/plain', ...headers });
            response.end(text);
        };
        if (this.stall === 'answer') return request.resume();
        const [user, password] = basicCredentials(request.headers.authorization);
        record.user = user;
        if (password !== this.token) {
            return refuse(401, 'wrong password\n', { 'www-authenticate': 'Basic realm="playground"' });
        }
        const isPush = /git-receive-pack/.test(request.url);
        if (isPush && this.refusePush) return refuse(403, 'pushes are refused\n');
        this.#runBackend(request, response, url, record);
    }

    #runBackend(request, response, url, record) {
        const backend = spawn('git', ['http-backend'], { env: backendEnvironment(this, request, url, record.user) });
        this.backends.add(backend);
        backend.on('close', () => this.backends.delete(backend));
        backend.on('error', (error) => response.destroy(error));
        backend.stdin.on('error', () => {}); // it may refuse a request without reading its body
        response.on('close', () => backend.kill('SIGKILL'));
        request.pipe(backend.stdin);
        backend.stderr.resume();
        readCgiHead(backend.stdout, (status, headers, rest) => {
            record.status = status;
            response.writeHead(status, headers);
            this.#sendBody(backend.stdout, response, rest, /git-upload-pack$/.test(url.pathname));
        });
    }

    #sendBody(source, response, first, isPack) {
        if (!isPack || (this.stall !== 'pack' && !this.bytesPerSecond)) {
            response.write(first);
            source.pipe(response);
            return;
        }
        const rate = this.bytesPerSecond * (SLOW_TICK_MS / 1000);
        let budget = this.stall === 'pack' ? this.stallAfterBytes : rate;
        let pending = first;
        let ended = false;
        const send = () => {
            const take = Math.min(pending.length, Math.floor(budget));
            response.write(pending.subarray(0, take));
            pending = pending.subarray(take);
            budget -= take;
            if (ended && pending.length === 0) response.end();
        };
        source.on('data', (chunk) => { pending = Buffer.concat([pending, chunk]); send(); });
        source.on('end', () => { ended = true; send(); });
        if (this.stall === 'pack') return;
        const timer = setInterval(() => { budget = rate; send(); }, SLOW_TICK_MS);
        response.on('close', () => clearInterval(timer));
    }
}

function basicCredentials(header) {
    const encoded = /^Basic (.+)$/i.exec(header ?? '')?.[1];
    if (!encoded) return [null, null];
    const text = Buffer.from(encoded, 'base64').toString();
    const colon = text.indexOf(':');
    return [text.slice(0, colon), text.slice(colon + 1)];
}

function backendEnvironment(server, request, url, user) {
    const env = {
        PATH: process.env.PATH,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_PROJECT_ROOT: server.root,
        GIT_HTTP_EXPORT_ALL: '1',
        REMOTE_USER: user ?? '',
        REMOTE_ADDR: '127.0.0.1',
        REQUEST_METHOD: request.method,
        PATH_INFO: decodeURIComponent(url.pathname),
        QUERY_STRING: url.search.slice(1),
        CONTENT_TYPE: request.headers['content-type'] ?? '',
    };
    if (request.headers['content-length']) env.CONTENT_LENGTH = request.headers['content-length'];
    if (request.headers['content-encoding']) env.HTTP_CONTENT_ENCODING = request.headers['content-encoding'];
    if (request.headers['git-protocol']) env.GIT_PROTOCOL = request.headers['git-protocol'];
    return env;
}

/** Reads the header lines of a CGI answer and calls back once with (status, headers, start of the body). */
function readCgiHead(stream, onHead) {
    let head = Buffer.alloc(0);
    const onData = (chunk) => {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        stream.off('data', onData);
        stream.pause();
        let status = 200;
        const headers = {};
        for (const line of head.subarray(0, end).toString().split('\r\n')) {
            const [name, value] = [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()];
            if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
            else headers[name] = value;
        }
        onHead(status, headers, head.subarray(end + 4));
        stream.resume();
    };
    stream.on('data', onData);
}
