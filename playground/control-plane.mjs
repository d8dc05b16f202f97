// A control plane for one session: what the sandbox connects to, with everything it hears kept in memory, and with
// every way of misbehaving that a network or a server has. It follows the real one, including what that one does
// silently: events that its schema does not take are dropped without a reply (`dropped` has them and why).
//
//     const cp = await ControlPlane.start({ certificate });      // { key, cert }, or nothing for plain HTTP
//     ... start a sandbox with cp.environment() ...
//     const id = cp.prompt('hello');
//     await cp.completionOf(id);
//     cp.events, cp.dropped, cp.connections, cp.requests, cp.fatalReports
//
// Misbehaviour: cp.acks (true, false, or a delay in ms), cp.refuse(status), cp.stallHandshake, cp.cut(),
// cp.closeSocket(code, reason), cp.pauseReading(), cp.goAway() and cp.comeBack().
// `era: 'older'` is the control plane of early 2026: no acks, older commands, authentication also by query.

import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { ACKNOWLEDGED_TYPES, eventFault } from './event-schema.mjs';
import { answerRequest } from './control-plane-http.mjs';
import { requireInstalled } from './paths.mjs';
import { waitForChange } from './waiting.mjs';

const { WebSocketServer } = requireInstalled('ws');

const MAX_MESSAGE_BYTES = 32 * 1024 * 1024;
const OPEN = 1;

export class ControlPlane extends EventEmitter {
    constructor({ certificate = null, era = 'current', host = 'localhost', acks = true, sessionId, sandboxId, token,
        repository = { owner: 'acme', name: 'app' } } = {}) {
        super();
        this.setMaxListeners(0);
        this.era = era;
        this.host = host;
        this.acks = era === 'older' ? false : acks;
        this.sessionId = sessionId ?? randomBytes(16).toString('hex');
        this.sandboxId = sandboxId ?? `sandbox-${repository.owner}-${repository.name}-${Date.now()}`;
        this.token = token ?? randomBytes(16).toString('hex');
        this.repository = repository;
        this.sandboxStatus = 'connecting'; // 'stopped' and 'stale' answer 410
        this.stallHandshake = false;
        this.refuseStatus = null;
        this.scmCredentials = null; // { username, password }, for POST /scm-credentials
        this.pushRemote = null; // ({ owner, name }) => { remoteUrl, redactedRemoteUrl }
        this.signer = null; // a CommitSigner: commits are to be signed
        this.attachments = new Map(); // id: { mimeType, bytes }
        this.skills = []; // of the session: { name, files: { path: text } }
        this.answers = {}; // 'POST /sessions/:id/pr': [status, body] in place of the usual answer

        // As they came, each with a hidden `receivedAt` (ms of performance.now()) and `connection` (its index below).
        this.events = [];
        this.completions = []; // those of type execution_complete
        this.dropped = []; // { event, fault }
        this.connections = []; // { headers, url, openedAt, closedAt, code, reason }
        this.rejections = []; // { status, headers, url }: handshakes that were refused
        this.requests = []; // { method, path, headers, body, bytes, status }
        this.fatalReports = []; // bodies of POST /sandbox/:id/error
        this.diffs = []; // bundles of PUT /sessions/:id/diff that were taken
        this.diffFaults = []; // what was wrong with others
        this.diffFailures = []; // texts of POST /sessions/:id/diff/failure
        this.socket = null;

        this.certificate = certificate;
        this.tcpSockets = new Set();
        this.webSockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
    }

    static async start(options = {}) {
        const controlPlane = new this(options);
        await controlPlane.listen(options.port ?? 0);
        return controlPlane;
    }

    get url() { return `${this.certificate ? 'https' : 'http'}://${this.host}:${this.port}`; }

    /** The variables by which a launcher tells a sandbox about this control plane. */
    environment() {
        return { SANDBOX_ID: this.sandboxId, CONTROL_PLANE_URL: this.url, SANDBOX_AUTH_TOKEN: this.token };
    }

    async close() {
        this.cut();
        for (const socket of this.tcpSockets) socket.destroy();
        if (this.server.listening) {
            this.server.close();
            await once(this.server, 'close');
        }
    }

    // ---- commands to the sandbox ----

    send(command) {
        if (this.socket?.readyState !== OPEN) throw new Error(`no sandbox is connected to take ${command.type}`);
        this.socket.send(typeof command === 'string' ? command : JSON.stringify(command));
    }

    /** Sends a prompt and returns its message id. `more` adds or replaces fields of the command. */
    prompt(content, { messageId = randomBytes(16).toString('hex'), model = 'playground/scripted', ...more } = {}) {
        const author = this.era === 'older'
            ? { userId: 'user-1', githubName: 'Ada', githubEmail: 'ada@example.com' }
            : { userId: 'user-1', gitIdentity: { mode: 'agent-only' } };
        this.send({ type: 'prompt', messageId, content, model, author, ...more });
        return messageId;
    }

    stop() { this.send({ type: 'stop' }); }
    snapshot() { this.send({ type: 'snapshot' }); }
    shutdown() { this.send({ type: 'shutdown' }); }
    refreshDiff() { this.send({ type: 'refresh_diff' }); }
    ack(ackId) { this.send({ type: 'ack', ackId }); }

    /** Asks for a push of the checkout's HEAD to `branch`, in the words of the era. */
    push(branch, { owner = this.repository.owner, name = this.repository.name, force = true, ...more } = {}) {
        if (this.era === 'older') {
            this.send({ type: 'push', branchName: branch, repoOwner: owner, repoName: name, ...more });
            return;
        }
        const remote = this.pushRemote({ owner, name });
        this.send({ type: 'push', pushSpec: {
            ...remote, refspec: `HEAD:refs/heads/${branch}`, targetBranch: branch, repoOwner: owner, repoName: name,
            force, ...more } });
    }

    // ---- misbehaviour ----

    /** Answers every handshake with `status` from now on; null ends it. */
    refuse(status) { this.refuseStatus = status; }

    /** When what was set holds: at once; of a control plane in another process, a little later. */
    async obeyed() {}

    /** Cuts the sandbox's TCP connection: no close frame, as when a network goes away. */
    cut() {
        this.socket?.terminate();
        this.socket = null;
    }

    closeSocket(code, reason) { this.socket?.close(code, reason); }

    /** Stops taking bytes from the sandbox, so that its sending backs up; resumeReading() takes them again. */
    pauseReading() { this.socket.pause(); }
    resumeReading() { this.socket.resume(); }

    /** Goes away as a whole: connections are cut and new ones refused by the kernel. */
    async goAway() {
        this.cut();
        for (const socket of this.tcpSockets) socket.destroy();
        this.server.close();
        await once(this.server, 'close');
    }

    comeBack() { return this.listen(this.port); }

    // ---- looking and waiting ----

    eventsOf(messageId) { return this.events.filter((event) => event.messageId === messageId); }
    eventsOfType(type) { return this.events.filter((event) => event.type === type); }
    completionsOf(messageId) { return this.completions.filter((event) => event.messageId === messageId); }

    /** The text that the real control plane would show for a message: its last token. */
    textOf(messageId) {
        return this.eventsOf(messageId).findLast(({ type }) => type === 'token')?.content ?? '';
    }

    /** Waits until `predicate(this)` is truthy and gives that; looks again whenever anything happens. */
    waitFor(predicate, options = {}) {
        return waitForChange(this, () => predicate(this), { details: () => this.describe(), ...options });
    }

    waitForEvent(predicate, { after = 0, ...options } = {}) {
        const matches = typeof predicate === 'string' ? ({ type }) => type === predicate : predicate;
        const what = typeof predicate === 'string' ? `the event ${predicate}` : 'an event';
        let next = after;
        const look = () => {
            while (next < this.events.length) {
                const event = this.events[next++];
                if (matches(event)) return event;
            }
            return null;
        };
        return this.waitFor(look, { what, ...options });
    }

    /** The `count`-th ready: that of the first connection, of the first reconnect, ... */
    ready(count = 1, options = {}) {
        return this.waitFor(() => this.eventsOfType('ready')[count - 1], { what: `ready ${count}`, ...options });
    }

    completionOf(messageId, options = {}) {
        return this.waitFor(() => this.completionsOf(messageId)[0], { what: `the completion of ${messageId}`, ...options });
    }

    /** The last events in short, for the texts of failures. */
    describe() {
        const lines = this.events.slice(-20).map((event) => `  ${JSON.stringify(event).slice(0, 200)}`);
        return [`control plane: ${this.events.length} events, ${this.dropped.length} dropped, `
            + `${this.connections.length} connections; the last events:`, ...lines].join('\n');
    }

    // ---- serving ----

    async listen(port) {
        const onRequest = (request, response) => {
            answerRequest(this, request, response).catch((error) => response.destroy(error));
        };
        this.server = this.certificate ? https.createServer(this.certificate, onRequest) : http.createServer(onRequest);
        this.server.on('connection', (socket) => {
            this.tcpSockets.add(socket);
            socket.on('close', () => this.tcpSockets.delete(socket));
        });
        this.server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
        this.server.listen(port, '127.0.0.1');
        await once(this.server, 'listening');
        this.port = this.server.address().port;
    }

    #onUpgrade(request, socket, head) {
        socket.on('error', () => {}); // a sandbox that goes away is what the tests are about
        if (this.stallHandshake) return;
        const [status, text] = this.#rejection(request) ?? [];
        if (status) {
            this.rejections.push({ status, headers: request.headers, url: request.url });
            socket.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? 'Refused'}\r\n`
                + `content-type: text/plain\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`);
            this.emit('change');
            return;
        }
        this.webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#onSandbox(webSocket, request));
    }

    /** What the real one refuses, in the order in which it looks. */
    #rejection(request) {
        if (this.refuseStatus) return [this.refuseStatus, 'refused on command'];
        const url = new URL(request.url, 'http://control.invalid');
        const session = /^\/sessions\/([^/]+)\/ws$/.exec(url.pathname)?.[1];
        if (!session || url.searchParams.get('type') !== 'sandbox') return [400, 'Invalid WebSocket path'];
        if (decodeURIComponent(session) !== this.sessionId) return [404, 'Session not found'];
        if (['stopped', 'stale'].includes(this.sandboxStatus)) return [410, 'Sandbox is stopped'];
        const query = this.era === 'older' ? url.searchParams : new URLSearchParams();
        const sandboxId = request.headers['x-sandbox-id'] ?? query.get('sandboxId');
        if (sandboxId !== this.sandboxId) return [403, 'Forbidden: Wrong sandbox ID'];
        const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? query.get('token');
        if (token !== this.token) return [401, 'Unauthorized: Invalid auth token'];
        return null;
    }

    #onSandbox(socket, request) {
        const connection = { headers: request.headers, url: request.url, openedAt: performance.now(), closedAt: null };
        this.connections.push(connection);
        this.socket?.close(1000, 'New sandbox connecting');
        this.socket = socket;
        this.sandboxStatus = 'ready';
        const index = this.connections.length - 1;
        socket.on('message', (data, isBinary) => this.#onMessage(index, data, isBinary));
        socket.on('error', () => {}); // 'close' follows
        socket.on('close', (code, reason) => {
            Object.assign(connection, { closedAt: performance.now(), code, reason: String(reason) });
            if (this.socket === socket) this.socket = null;
            this.emit('change');
        });
        this.emit('connected', connection);
        this.emit('change');
    }

    #onMessage(connection, data, isBinary) {
        let event;
        try {
            event = isBinary ? null : JSON.parse(String(data));
        } catch {
            event = null;
        }
        const fault = event ? eventFault(event) : 'is not a JSON text';
        if (fault) {
            this.dropped.push({ event: event ?? String(data).slice(0, 1000), fault });
        } else {
            this.keep(event, connection);
            this.#acknowledge(event);
        }
        this.emit('change');
    }

    /** Remembers an event that was taken; `connection`: over which it came, if that is known. */
    keep(event, connection = null) {
        Object.defineProperties(event, { receivedAt: { value: performance.now() }, connection: { value: connection } });
        this.events.push(event);
        if (event.type === 'execution_complete') this.completions.push(event);
        this.emit('event', event);
    }

    #acknowledge({ type, ackId }) {
        if (this.acks === false || ackId === undefined || !ACKNOWLEDGED_TYPES.includes(type)) return;
        const send = () => {
            if (this.socket?.readyState === OPEN) this.ack(ackId);
        };
        if (this.acks === true) send();
        else setTimeout(send, this.acks).unref();
    }
}
