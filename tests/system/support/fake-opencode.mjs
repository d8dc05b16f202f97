// A stand-in for `opencode serve`: its HTTP API and its event stream, in the shapes of OpenCode 1.18, with every event
// under the test's control. The real one is used wherever it can be (end-to-end.test.mjs). This one is for what cannot
// be had from the real one at will: an event at an exact moment, thirty thousand events in a burst, a death between
// two events, a request that is never answered.
//
//     const opencode = await FakeOpencode.start();
//     opencode.onPrompt = (run) => run.say('hello');        // or run.begin(), run.text(..), run.tool(..), run.finish()

import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import { waitForChange } from '../../../playground/waiting.mjs';

const newId = (prefix) => `${prefix}_${randomBytes(13).toString('hex')}`;
const HEARTBEAT_MS = 10_000;
const NO_TOKENS = { input: 0, output: 0, reasoning: 0, cache: { read: 0, write: 0 } };

export class FakeOpencode extends EventEmitter {
    constructor() {
        super();
        this.setMaxListeners(0);
        this.sessions = new Map(); // id -> [{ info, parts }]
        this.runs = []; // one for each prompt that was posted
        this.aborts = []; // { sessionID, at }
        this.requests = []; // 'POST /session', ...
        this.directories = new Set(); // that requests meant; null: none was named
        this.streams = new Set(); // open event streams
        this.streamCount = 0; // how many were ever opened
        this.onPrompt = (run) => run.say('ok');
        this.answers = {}; // 'POST /session': [status, body], a function that gives it, or 'never', in place of the usual answer
        this.pending = []; // { name, response }: what was not answered
        this.asks = { permission: [], question: [] }; // what waits for an answer: { id, sessionID }
        this.replies = []; // ids of `asks` that were answered
        this.sockets = new Set();
    }

    static async start({ port = 0, host = '127.0.0.1' } = {}) {
        const fake = new FakeOpencode();
        fake.host = host;
        await fake.#listen(port);
        return fake;
    }

    async close() {
        if (!this.server.listening) return;
        clearInterval(this.heartbeat);
        for (const socket of this.sockets) socket.destroy();
        this.server.close();
        await once(this.server, 'close');
        this.streams.clear();
    }

    /** As after kill -9: connections are reset and new ones refused, until restart(). Sessions survive, as on disk. */
    die() { return this.close(); }
    restart() { return this.#listen(this.port); }

    /** Bytes of the event streams that nobody has taken from this process yet. */
    get unread() { return [...this.streams].reduce((sum, { writableLength }) => sum + writableLength, 0); }

    /** Sends one event to every open stream. */
    emitEvent(type, properties) {
        const frame = `data: ${JSON.stringify({ id: newId('evt'), type, properties })}\n\n`;
        for (const stream of this.streams) stream.write(frame);
    }

    /** Ends the event streams in good order, as OpenCode does when an instance is disposed of. */
    endStreams() {
        for (const stream of this.streams) stream.end();
        this.streams.clear();
    }

    /** Breaks the event streams without their end. */
    breakStreams() {
        for (const stream of this.streams) stream.destroy();
        this.streams.clear();
    }

    /** Answers what 'never' has left unanswered, and later requests of that name as usual. */
    answerPending(name, body, status = 200) {
        delete this.answers[name];
        for (const { response } of this.pending.filter((left) => left.name === name)) {
            response.writeHead(status).end(JSON.stringify(body));
        }
        this.pending = this.pending.filter((left) => left.name !== name);
    }

    /** Does now what 'never' has left undone, and resolves when those who asked have taken the answers. */
    async servePending(name) {
        delete this.answers[name];
        const served = this.pending.filter((left) => left.name === name);
        this.pending = this.pending.filter((left) => left.name !== name);
        await Promise.all(served.map(({ response, ...request }) => {
            const taken = once(response.socket, 'close');
            this.#serve(name, response, request);
            return taken;
        }));
    }

    waitFor(predicate, options) { return waitForChange(this, () => predicate(this), options); }
    prompted(count = 1, options) {
        return this.waitFor(() => this.runs[count - 1], { what: `prompt ${count} at OpenCode`, ...options });
    }
    aborted(count = 1, options) {
        return this.waitFor(() => this.aborts[count - 1], { what: `abort ${count} at OpenCode`, ...options });
    }
    /** A permission or a question, which waits until it is answered. */
    ask(kind, id, sessionID) {
        this.asks[kind].push({ id, sessionID });
        this.emitEvent(`${kind}.asked`, { id, sessionID });
    }
    replied(id, options) { return this.waitFor(() => this.replies.includes(id), { what: `the answer to ${id}`, ...options }); }
    /** The `count`-th event stream that was ever opened. */
    listened(count = 1, options) {
        return this.waitFor(() => this.streamCount >= count, { what: `event stream ${count}`, ...options });
    }

    async #listen(port) {
        this.server = http.createServer((request, response) => {
            this.#answer(request, response).catch((error) => response.destroy(error));
        });
        this.server.keepAliveTimeout = 0;
        this.server.on('connection', (socket) => {
            this.sockets.add(socket);
            socket.on('close', () => this.sockets.delete(socket));
        });
        this.server.listen(port, this.host);
        await once(this.server, 'listening');
        this.port = this.server.address().port;
        this.heartbeat = setInterval(() => this.emitEvent('server.heartbeat', {}), HEARTBEAT_MS);
        this.heartbeat.unref();
    }

    async #answer(request, response) {
        const chunks = [];
        for await (const chunk of request) chunks.push(chunk);
        const { pathname: path, searchParams } = new URL(request.url, 'http://opencode.invalid');
        response.page = { limit: Number(searchParams.get('limit') ?? Infinity), before: searchParams.get('before') };
        const name = `${request.method} ${path.replace(/\/session\/(?!status$)[^/]+/, '/session/:id')}`;
        this.requests.push(name);
        const directory = request.headers['x-opencode-directory'];
        if (path !== '/global/health') this.directories.add(directory ? decodeURIComponent(directory) : null);
        this.emit('change');
        const asked = { id: path.split('/')[2], text: Buffer.concat(chunks).toString() };
        if (this.answers[name] === 'never') {
            this.pending.push({ name, response, ...asked });
            this.emit('change');
        } else {
            this.#serve(name, response, asked);
        }
    }

    #serve(name, response, { id, text }) {
        const answer = typeof this.answers[name] === 'function' ? this.answers[name]() : this.answers[name];
        const [status, body, afterwards] = answer ?? this.#route(name, id, text, response) ?? [];
        if (!status) return; // an event stream: it stays open
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(body === undefined ? '' : JSON.stringify(body));
        afterwards?.();
        this.emit('change');
    }

    #route(name, sessionID, text, response) {
        const notFound = [404, { name: 'NotFoundError', data: { message: `Session not found: ${sessionID}` } }];
        switch (name) {
        case 'GET /global/health': return [200, { healthy: true, version: '1.18.33' }];
        case 'POST /session': return [200, { id: this.newSession() }];
        case 'GET /event': return void this.#openStream(response);
        case 'GET /session/status': return [200, this.#statuses()];
        case 'POST /session/:id/abort': return [200, this.#abort(sessionID)];
        case 'GET /permission': return [200, this.asks.permission];
        case 'GET /question': return [200, this.asks.question];
        }
        if (/^POST .(permission|question)/.test(name)) return [200, this.#reply(sessionID)];
        if (!this.sessions.has(sessionID)) return notFound;
        switch (name) {
        case 'GET /session/:id': return [200, { id: sessionID, title: 'A session', time: { created: 1, updated: 1 } }];
        case 'GET /session/:id/message': return [200, this.#page(this.sessions.get(sessionID), response)];
        case 'POST /session/:id/prompt_async': return this.#prompt(sessionID, JSON.parse(text));
        }
        return this.#message(name, sessionID, response.req.url) ?? notFound;
    }

    /** The newest messages, or those before a cursor; the cursor is the number of messages that are older. */
    #page(messages, response) {
        const { limit, before } = response.page;
        const end = before === null ? messages.length : Number(Buffer.from(before, 'base64url'));
        const start = Math.max(0, end - limit);
        if (start > 0) response.setHeader('X-Next-Cursor', Buffer.from(String(start)).toString('base64url'));
        return messages.slice(start, end);
    }

    #reply(id) {
        this.replies.push(id);
        for (const kind of Object.keys(this.asks)) this.asks[kind] = this.asks[kind].filter((ask) => ask.id !== id);
        return true;
    }

    newSession() {
        const id = newId('ses');
        this.sessions.set(id, []);
        return id;
    }

    #message(name, sessionID, url) {
        const messageID = /\/message\/([^/?]+)/.exec(url)?.[1];
        const found = this.sessions.get(sessionID).find(({ info }) => info.id === messageID);
        return name.startsWith('GET ') && found ? [200, found] : null;
    }

    #statuses() {
        const busy = this.runs.filter((run) => run.state === 'busy');
        return Object.fromEntries(busy.map((run) => [run.sessionID, { type: 'busy' }]));
    }

    #openStream(response) {
        response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
        response.write(`data: ${JSON.stringify({ id: newId('evt'), type: 'server.connected', properties: {} })}\n\n`);
        this.streams.add(response);
        this.streamCount++;
        response.on('close', () => {
            this.streams.delete(response);
            this.emit('change');
        });
        this.emit('change');
    }

    #abort(sessionID) {
        this.aborts.push({ sessionID, at: performance.now() });
        const run = this.runs.findLast((other) => other.sessionID === sessionID && other.state === 'busy');
        run?.abort();
        return true;
    }

    #prompt(sessionID, body) {
        const run = new Run(this, sessionID, body);
        this.runs.push(run);
        // The real server answers 204 first and works then.
        return [204, undefined, () => this.onPrompt(run, this.runs.length)];
    }
}

/** One prompt: sends the events that OpenCode sends for it, and keeps the messages for GET /session/:id/message. */
export class Run {
    constructor(fake, sessionID, body) {
        Object.assign(this, { fake, sessionID, body, state: 'posted' });
        this.messageID = body.messageID ?? newId('msg');
        this.content = body.parts.map((part) => part.text ?? '').join('\n');
        this.messages = fake.sessions.get(sessionID);
        this.places = new Map(); // of parts, by id: where they stand in their message
    }

    begin() {
        const info = { id: this.messageID, role: 'user', time: { created: Date.now() } };
        this.#update(info);
        this.#part({ id: newId('prt'), messageID: this.messageID, type: 'text', text: this.content });
        this.status('busy');
        this.state = 'busy';
        return this.assistant();
    }

    /** Opens the next assistant message: one round trip of the model. */
    assistant() {
        this.answer = { id: newId('msg'), parentID: this.messageID, role: 'assistant', cost: 0, tokens: NO_TOKENS,
            modelID: 'scripted', providerID: 'playground', time: { created: Date.now() } };
        this.#update(this.answer);
        this.#part({ id: newId('prt'), messageID: this.answer.id, type: 'step-start' });
        return this;
    }

    openText() {
        this.open = { id: newId('prt'), messageID: this.answer.id, type: 'text', text: '', time: { start: Date.now() } };
        this.#part(this.open);
        return this;
    }

    delta(delta) {
        this.open.text += delta;
        this.fake.emitEvent('message.part.delta', { sessionID: this.sessionID, messageID: this.answer.id,
            partID: this.open.id, field: 'text', delta });
        return this;
    }

    closeText() {
        this.#part({ ...this.open, time: { ...this.open.time, end: Date.now() } });
        return this;
    }

    text(...deltas) {
        this.openText();
        for (const delta of deltas) this.delta(delta);
        return this.closeText();
    }

    tool(tool, input, output, { callID = newId('call'), status = 'completed' } = {}) {
        const part = { id: newId('prt'), messageID: this.answer.id, type: 'tool', tool, callID };
        this.#part({ ...part, state: { status: 'running', input, time: { start: Date.now() } } });
        const ended = status === 'error' ? { error: output } : { output };
        this.#part({ ...part, state: { status, input, ...ended, time: { start: Date.now(), end: Date.now() } } });
        return this;
    }

    /** A tool call that runs a child session. */
    task(description, sessionId, { callID = newId('call') } = {}) {
        this.#part({ id: newId('prt'), messageID: this.answer.id, type: 'tool', tool: 'task', callID,
            state: { status: 'running', input: { description }, metadata: { sessionId }, time: { start: Date.now() } } });
        return this;
    }

    /** Ends one round trip of the model; more may follow with assistant(). */
    endStep(reason = 'tool-calls') {
        this.#part({ id: newId('prt'), messageID: this.answer.id, type: 'step-finish', reason, cost: 0.01,
            tokens: { ...NO_TOKENS, input: 10, output: 5 } });
        return this.closeMessage({ finish: reason });
    }

    closeMessage(more = {}) {
        this.#update({ ...this.answer, ...more, time: { ...this.answer.time, completed: Date.now() } });
        return this;
    }

    finish() { return this.endStep('stop').idle(); }

    idle() {
        this.state = 'idle';
        this.status('idle');
        this.fake.emitEvent('session.idle', { sessionID: this.sessionID });
        return this;
    }

    status(type, more = {}) {
        this.fake.emitEvent('session.status', { sessionID: this.sessionID, status: { type, ...more } });
        return this;
    }

    /** As the real one: error, idle, then the late end of the message, and idle once more. */
    fail(name, message) {
        const error = { name, data: { message } };
        this.fake.emitEvent('session.error', { sessionID: this.sessionID, error });
        return this.idle().closeMessage({ error }).idle();
    }

    abort() { return this.fail('MessageAbortedError', 'The operation was aborted.'); }

    say(...deltas) { return this.begin().text(...deltas).finish(); }

    #update(info) {
        const full = { ...info, sessionID: this.sessionID };
        const known = this.messages.find((message) => message.info.id === info.id);
        if (known) known.info = full;
        else this.messages.push({ info: full, parts: [] });
        this.fake.emitEvent('message.updated', { sessionID: this.sessionID, info: full });
    }

    #part(part) {
        const full = { ...part, sessionID: this.sessionID };
        const { parts } = this.messages.find((message) => message.info.id === part.messageID);
        if (!this.places.has(part.id)) this.places.set(part.id, parts.length);
        parts[this.places.get(part.id)] = full;
        this.fake.emitEvent('message.part.updated', { sessionID: this.sessionID, part: full, time: Date.now() });
    }
}
