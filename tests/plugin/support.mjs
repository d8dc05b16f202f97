// A control plane for one test file: an HTTP server that keeps what it was asked and answers what `server.reply` says.

import { once } from 'node:events';
import { createServer } from 'node:http';

export const TOKEN = 'sandbox-token-1234';

/** `reply`: { status, body }, 'cut', or a function of the request that gives one of these. */
export async function startServer() {
    const state = { requests: [], reply: { body: {} } };
    const server = createServer(async (request, response) => {
        const parts = [];
        for await (const part of request) parts.push(part);
        const bytes = Buffer.concat(parts);
        const record = { method: request.method, url: request.url, headers: request.headers, bytes,
            body: /json/.test(request.headers['content-type'] ?? '') ? JSON.parse(bytes) : null };
        state.requests.push(record);
        const reply = typeof state.reply === 'function' ? await state.reply(record) : state.reply;
        if (reply === 'cut') return request.socket.destroy();
        response.writeHead(reply.status ?? 200, { 'Content-Type': 'application/json' });
        response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    state.close = () => server.close();
    state.environment = {
        CONTROL_PLANE_URL: `http://127.0.0.1:${server.address().port}/`, SANDBOX_AUTH_TOKEN: TOKEN,
        SESSION_CONFIG: JSON.stringify({ session_id: 's 1' }) };
    return state;
}
