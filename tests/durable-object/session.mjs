// A session of the control plane as a Durable Object: it takes the sandbox's WebSocket with the hibernation API, keeps
// what it hears in its SQLite storage, acknowledges what is critical and answers HTTP requests, as
// contract/control-plane.md describes the real one.
//
// Nothing counts that is only in memory: the object may be evicted and made anew at any moment. What a test wants to
// know is a row of `report`, sent to the driver (control-plane.mjs) at once, and again from where it was after a loss.

import { DurableObject } from 'cloudflare:workers';
import { ACKNOWLEDGED_TYPES, eventFault } from '../../playground/event-schema.mjs';

const PING = '{"type":"ping"}';
const FIRST_SETTINGS = { sandboxStatus: 'connecting', refuseStatus: null, era: 'current', acks: true };
const text = (body, status) => new Response(body, { status });

export class Session extends DurableObject {
    constructor(ctx, env) {
        super(ctx, env);
        ctx.storage.sql.exec('CREATE TABLE IF NOT EXISTS report (id INTEGER PRIMARY KEY, body TEXT NOT NULL)');
        ctx.storage.kv.put('lives', (ctx.storage.kv.get('lives') ?? 0) + 1); // more than one: it was put away and woken
        const pong = JSON.stringify({ type: 'pong', timestamp: Date.now() });
        ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, pong));
    }

    get settings() { return { ...FIRST_SETTINGS, ...this.ctx.storage.kv.get('settings') }; }
    set settings(changed) { this.ctx.storage.kv.put('settings', { ...this.settings, ...changed }); }

    /** Keeps it and tells the driver. */
    report(kind, fields) {
        const body = JSON.stringify({ kind, ...fields });
        const { id } = this.ctx.storage.sql.exec('INSERT INTO report (body) VALUES (?) RETURNING id', body).one();
        for (const driver of this.ctx.getWebSockets('driver')) driver.send(JSON.stringify({ id, body }));
    }

    async fetch(request) {
        const url = new URL(request.url);
        if (url.pathname.startsWith('/driver/')) return this.acceptDriver(Number(url.searchParams.get('after')));
        if (request.headers.get('upgrade')?.toLowerCase() === 'websocket') return this.onUpgrade(request, url);
        return this.onRequest(request, url);
    }

    // ---- the sandbox's socket ----

    onUpgrade(request, url) {
        const seen = { headers: Object.fromEntries(request.headers), url: url.pathname + url.search };
        const [status, body] = this.rejection(request, url) ?? [];
        if (status) {
            this.report('rejected', { status, ...seen });
            return text(body, status);
        }
        for (const earlier of this.ctx.getWebSockets('sandbox')) earlier.close(1000, 'New sandbox connecting');
        const number = (this.ctx.storage.kv.get('connections') ?? 0) + 1;
        this.ctx.storage.kv.put('connections', number);
        this.settings = { sandboxStatus: 'ready' };
        const { 0: client, 1: server } = new WebSocketPair();
        this.ctx.acceptWebSocket(server, ['sandbox']);
        server.serializeAttachment({ number });
        this.report('opened', { number, ...seen });
        return new Response(null, { status: 101, webSocket: client });
    }

    /** What the real one refuses, in the order in which it looks. */
    rejection(request, url) {
        const { refuseStatus, era, sandboxStatus, sandboxId, token } = this.settings;
        if (refuseStatus) return [refuseStatus, 'refused on command'];
        if (!/^\/sessions\/[^/]+\/ws$/.test(url.pathname) || url.searchParams.get('type') !== 'sandbox') {
            return [400, 'Invalid WebSocket path'];
        }
        if (!token) return [404, 'Session not found'];
        if (['stopped', 'stale'].includes(sandboxStatus)) return [410, 'Sandbox is stopped'];
        const query = era === 'older' ? url.searchParams : new URLSearchParams();
        if ((request.headers.get('x-sandbox-id') ?? query.get('sandboxId')) !== sandboxId) {
            return [403, 'Forbidden: Wrong sandbox ID'];
        }
        const bearer = /^Bearer (.*)$/.exec(request.headers.get('authorization') ?? '')?.[1];
        return (bearer ?? query.get('token')) === token ? null : [401, 'Unauthorized: Invalid auth token'];
    }

    /** The newest connection; those that it replaced may still be closing. */
    sandbox() {
        const number = this.ctx.storage.kv.get('connections');
        return this.ctx.getWebSockets('sandbox').find((socket) => socket.readyState === WebSocket.OPEN
            && socket.deserializeAttachment().number === number);
    }

    async webSocketMessage(socket, message) {
        if (this.ctx.getTags(socket).includes('driver')) {
            await this.obey(JSON.parse(message));
            return;
        }
        const event = parse(message);
        const fault = event ? eventFault(event) : 'is not a JSON text';
        if (fault) {
            this.report('dropped', { event: event ?? String(message).slice(0, 1000), fault });
            return;
        }
        this.report('event', { event });
        const { era, acks } = this.settings;
        if (era === 'older' || !acks || event.ackId === undefined || !ACKNOWLEDGED_TYPES.includes(event.type)) return;
        this.sandbox()?.send(JSON.stringify({ type: 'ack', ackId: event.ackId }));
    }

    async webSocketClose(socket, code, reason, wasClean) {
        if (this.ctx.getTags(socket).includes('driver')) return;
        const { number } = socket.deserializeAttachment();
        this.report('closed', { number, code, reason, wasClean });
        try {
            socket.close(code, reason); // the real one echoes what it got
        } catch {
            // 1005 and 1006 may not be sent
        }
    }

    async webSocketError() {
        // webSocketClose follows
    }

    // ---- HTTP ----

    async onRequest(request, url) {
        const { era, token, answers = {} } = this.settings;
        const route = `${request.method} ${url.pathname.replace(/^\/sessions\/[^/]+/, '').replace(/(attachments)\/.*/, '$1')}`;
        const body = await request.text();
        const [status, answer] = request.headers.get('authorization') === `Bearer ${token}`
            ? answers[route] ?? (era === 'older' ? null : ANSWERS[route]) ?? [404, { error: 'Not found' }]
            : [401, { error: 'Unauthorized: Invalid sandbox token' }];
        this.report('request', { method: request.method, path: url.pathname, status, body: parse(body) ?? body });
        return status === 204 ? new Response(null, { status }) : Response.json(answer, { status });
    }

    // ---- the tests' own socket ----

    acceptDriver(after) {
        const { 0: client, 1: server } = new WebSocketPair();
        this.ctx.acceptWebSocket(server, ['driver']);
        for (const row of this.ctx.storage.sql.exec('SELECT id, body FROM report WHERE id > ? ORDER BY id', after)) {
            server.send(JSON.stringify(row));
        }
        return new Response(null, { status: 101, webSocket: client });
    }

    async obey({ order, ...what }) {
        switch (order) {
        case 'set':
            this.settings = what;
            break;
        case 'send':
            this.sandbox()?.send(what.text);
            break;
        case 'flood': // more than the driver's own connection would take
            this.sandbox()?.send(JSON.stringify({ type: 'unheard_of', text: 'a'.repeat(what.bytes) }));
            break;
        case 'mark':
            this.report('mark', { lives: this.ctx.storage.kv.get('lives') });
            break;
        case 'close':
            this.sandbox()?.close(what.code, what.reason);
            break;
        case 'vanish': // evicted, deployed, crashed: no Close frame, and nothing is left in memory
            await this.ctx.storage.sync();
            this.ctx.abort('evicted by the test');
            break;
        default:
            throw new Error(`unknown order ${order}`);
        }
    }
}

const ANSWERS = {
    'GET /commit-signing': [200, { enabled: false }],
    'PUT /diff': [200, { revisionId: 'revision-1' }],
    'POST /diff/failure': [204],
};

function parse(message) {
    try {
        const value = typeof message === 'string' ? JSON.parse(message) : null;
        return typeof value === 'object' ? value : null;
    } catch {
        return null;
    }
}
