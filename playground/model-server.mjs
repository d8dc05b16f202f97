// A model server for OpenCode that needs no key and no network: OpenAI's chat completions, streamed, with answers
// scripted by the prompt (model-script.mjs). OpenCode reaches it as a provider of its own, "playground", declared in
// OpenCode's global configuration file: the supervisor's OPENCODE_CONFIG_CONTENT is merged over it, so the sandbox
// under test needs to know nothing about it.

import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OTHER_PROTOCOLS } from './model-protocols.mjs';
import { ModelScript, readConversation } from './model-script.mjs';

export const PLAYGROUND_PROVIDER = 'playground';
export const PLAYGROUND_MODEL = 'scripted';

export class ModelServer {
    constructor() {
        this.script = new ModelScript();
        this.requests = []; // { command, tools, users, turn, body, aborted }, titles included
        this.otherRequests = []; // { path, body }: in another protocol, whose answer is not scripted
        this.http = http.createServer((request, response) => {
            this.#answer(request, response).catch((error) => response.destroy(error));
        });
    }

    static async start({ port = 0 } = {}) {
        const server = new ModelServer();
        server.http.listen(port, '127.0.0.1');
        await once(server.http, 'listening');
        return server;
    }

    get url() { return `http://127.0.0.1:${this.http.address().port}/v1`; }

    async close() {
        this.http.close();
        this.http.closeAllConnections();
        await once(this.http, 'close');
    }

    async #answer(request, response) {
        const chunks = [];
        for await (const chunk of request) chunks.push(chunk);
        const other = Object.keys(OTHER_PROTOCOLS).find((end) => request.url.endsWith(end));
        if (request.method === 'POST' && other) {
            const asked = JSON.parse(Buffer.concat(chunks).toString());
            this.otherRequests.push({ path: other, body: asked });
            response.writeHead(200, { 'content-type': 'text/event-stream' });
            return response.end([...OTHER_PROTOCOLS[other](asked)].join(''));
        }
        if (request.method !== 'POST' || !request.url.endsWith('/chat/completions')) {
            response.writeHead(404, { 'content-type': 'application/json' });
            return response.end('{"error":{"message":"no such route"}}');
        }
        const body = JSON.parse(Buffer.concat(chunks).toString());
        const conversation = readConversation(body);
        const answer = this.script.answer(conversation);
        const record = { ...conversation, command: answer.command, body, aborted: false };
        this.requests.push(record);
        response.on('close', () => { record.aborted = !response.writableEnded; });
        if (answer.fail) {
            response.writeHead(answer.fail, { 'content-type': 'application/json' });
            return response.end(JSON.stringify({ error: { message: `scripted failure ${answer.fail}` } }));
        }
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.flushHeaders();
        await stream(response, answer, this.requests.length);
    }
}

async function stream(response, answer, number) {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const pause = (ms) => sleep(ms, null, { signal: gone.signal }).catch(() => {});
    const chunk = (delta, finish = null, extra = {}) => response.write(`data: ${JSON.stringify({
        id: `answer-${number}`, object: 'chat.completion.chunk', created: 0, model: PLAYGROUND_MODEL,
        choices: [{ index: 0, delta, finish_reason: finish }], ...extra })}\n\n`);

    chunk({ role: 'assistant', content: '' });
    if (answer.hangMs) await pause(answer.hangMs);
    for (const content of answer.text) {
        if (gone.signal.aborted) return;
        if (!chunk({ content })) await Promise.race([once(response, 'drain'), once(response, 'close')]);
        if (answer.gapMs) await pause(answer.gapMs);
    }
    if (answer.cut) return void response.destroy();
    answer.calls.forEach(({ name, args }, index) => chunk({ tool_calls: [{
        index, id: `call_${number}_${index}`, type: 'function', function: { name, arguments: JSON.stringify(args) } }] }));
    const usage = { prompt_tokens: 100, completion_tokens: answer.text.length + 1, total_tokens: answer.text.length + 101 };
    chunk({}, answer.calls.length ? 'tool_calls' : 'stop', { usage });
    response.end('data: [DONE]\n\n');
}

/** Writes the global configuration by which the OpenCode of home directory `home` finds the server at `url`. */
export function writeOpencodeConfig(home, url) {
    const dir = join(home, '.config', 'opencode');
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'opencode.json'), `${JSON.stringify({
        provider: {
            [PLAYGROUND_PROVIDER]: {
                npm: '@ai-sdk/openai-compatible', // the one that OpenCode carries inside: nothing is downloaded
                options: { baseURL: url, apiKey: 'none' },
                models: { [PLAYGROUND_MODEL]: { limit: { context: 200000, output: 32000 } } },
            },
        },
    }, null, 2)}\n`);
}
