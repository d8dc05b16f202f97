// The real OpenCode loads what was staged for it: tools, commands and skills of several repositories, managed skills,
// MCP servers, and the plugins of managed accounts; and a first prompt waits for no npm.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { createRepository } from '../../playground/sample-repository.mjs';
import { waitUntil } from '../../playground/waiting.mjs';
import { BOOT_LIMIT_MS, readySandbox } from './support/sandbox.mjs';

/** A server of the Model Context Protocol on standard input and output, with one tool; it notes its environment. */
const mcpServer = `
import { createInterface } from 'node:readline';
const results = {
    initialize: { protocolVersion: '2025-03-26', capabilities: { tools: {} }, serverInfo: { name: 'weather', version: '1' } },
    'tools/list': { tools: [{ name: 'forecast', description: 'd', inputSchema: { type: 'object', properties: {} } }] },
};
createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, method } = JSON.parse(line);
    if (id === undefined) return;
    if (method === 'initialize') console.error('weather server: key ' + process.env.WEATHER_KEY);
    console.log(JSON.stringify({ jsonrpc: '2.0', id, result: results[method] ?? {} }));
});
`;
const KEY = 'weather-key-66f01b';
const front = (name) => `---\nname: ${name}\ndescription: d\n---\nText.\n`;

const environmentOf = (sessionId) => ({
    OPENAI_OAUTH_MANAGED: '1', AGENT_SLACK_NOTIFY_ENABLED: 'TRUE',
    SESSION_CONFIG: JSON.stringify({
        session_id: sessionId, provider: 'playground', model: 'scripted',
        repositories: ['web', 'api'].map((name) => ({ repo_owner: 'acme', repo_name: name, branch: 'main' })),
        mcp_servers: [{ name: 'weather', type: 'local', command: ['node', '/app/weather.mjs'], env: { WEATHER_KEY: KEY } }],
    }),
});

/** Every tool and command of section 14 as the model calls it: what it asks, and what the model reads. */
async function callTools(cp, ask) {
    const session = `/sessions/${cp.sessionId}`;
    const child = { id: 'c1', title: 'Part', status: 'completed' };
    Object.assign(cp.answers, {
        [`POST ${session}/children`]: [201, { sessionId: 'c1', status: 'created' }],
        [`GET ${session}/children/c1`]: [200, { session: child, finalResponse: { success: true, textContent: 'All good.' } }],
        [`POST ${session}/children/c1/prompt`]: [200, { messageId: 'm1', status: 'queued' }],
        [`POST ${session}/children/c1/cancel`]: [409, { error: 'Session already completed' }],
        [`POST ${session}/slack-notify`]: [403, { error: 'feature_disabled', message: 'not here' }],
        [`POST ${session}/media`]: [201, { artifactId: 'a1', objectKey: 'k' }],
    });
    const { id } = await ask(['call spawn-child: {"title":"Part","prompt":"Do it"}',
        'call get-child-status: {"childId":"c1","includeResponse":true}', 'call send-child-prompt: {"childId":"c1","prompt":"More"}',
        'call cancel-child: {"childId":"c1"}', 'call slack-notify: {"channel":"#ops","text":"hi"}',
        'call create-pull-request: {"title":"T","body":"B"}', 'bash: echo x >/tmp/s.png && upload-media /tmp/s.png --caption Seen',
        'say: done'].join(' ;; '));
    const done = cp.eventsOf(id).filter(({ type, status }) => type === 'tool_call' && status === 'completed');
    const read = Object.fromEntries(done.map(({ tool, output }) => [tool, output.trim()]));
    assert.match(read['spawn-child'], /^Child session c1 started: Part\nState: PENDING/);
    assert.match(read['get-child-status'], /^c1  DONE  Part\n\nFinal response:\nAll good\.$/);
    assert.match(read['send-child-prompt'], /message m1/);
    assert.match(read['cancel-child'], /not cancelled.*ended already.*Session already completed/);
    assert.deepEqual(JSON.parse(read['slack-notify']), { ok: false, reason: 'feature_disabled', agentMessage: 'not here' });
    assert.match(read['create-pull-request'], /several repositories\. Say which one with repo: acme\/web, acme\/api/);
    assert.deepEqual(JSON.parse(read.bash), { artifactId: 'a1', objectKey: 'k' });
    const asked = cp.requests.filter(({ path }) => path.includes('/children') || path.endsWith('/slack-notify'));
    assert.deepEqual(asked.map(({ body }) => body), [{ title: 'Part', prompt: 'Do it' }, null, { content: 'More' }, { cancelNested: true },
        { channel: '#ops', text: 'hi' }]);
    assert.equal(asked[1].query.get('include'), 'result');
    for (const { headers } of asked) assert.equal(headers.authorization, `Bearer ${cp.token}`);
}

test('tools, commands, skills, MCP servers and plugins that were staged are there', async (t) => {
    const web = { 'README.md': 'web', '.opencode/command/hello.md': 'Say hello', '.opencode/skills/web-skill/SKILL.md': front('web-skill') };
    const api = { 'README.md': 'api', '.opencode/agent/reviewer.md': '---\ndescription: d\nmode: subagent\n---\nReview.',
        '.opencode/tool/dice.js': "export default { description: 'd', args: {}, async execute() { return '4'; } };" };
    const { playground, sandbox, cp, ask } = await readySandbox(t, {
        repository: { owner: 'acme', name: 'web', files: web },
        sandbox: (started) => {
            createRepository(join(started.dir, 'repositories'), 'acme', 'api', { files: api });
            started.controlPlane.skills = [{ name: 'managed', files: { 'SKILL.md': front('managed') } }];
            return { files: { 'app/weather.mjs': mcpServer }, env: environmentOf(started.controlPlane.sessionId) };
        },
    });
    /** OpenCode answers 503 as long as it brings up what it is asked for. */
    const get = (path) => waitUntil(async () => {
        const answer = await fetch(`http://127.0.0.1:4096/${path}?directory=/workspace`);
        const text = await answer.text();
        return answer.status === 503 ? null : JSON.parse(text);
    }, { what: `an answer about ${path}`, timeoutMs: BOOT_LIMIT_MS });
    const namesOf = async (path) => (await get(path)).map(({ name }) => name);

    const tools = await get('experimental/tool/ids');
    for (const tool of ['create-pull-request', 'spawn-child', 'get-child-status', 'send-child-prompt', 'cancel-child', 'slack-notify', 'dice']) {
        assert.ok(tools.includes(tool), `${tool} in ${tools}`);
    }
    const skills = await namesOf('skill');
    for (const skill of ['upload-screenshot', 'managed', 'web-skill']) assert.ok(skills.includes(skill), `${skill} in ${skills}`);
    assert.ok((await namesOf('command')).includes('hello'));
    assert.ok((await namesOf('agent')).includes('reviewer'));
    assert.deepEqual((await get('mcp')).weather, { status: 'connected' });
    const openai = (await get('config/providers')).providers.find(({ id }) => id === 'openai');
    assert.ok(openai?.models['gpt-5.3-codex'], 'the managed account offers its models');
    assert.equal((await get('config')).snapshot, false);

    const { completion } = await ask('hello');
    assert.equal(completion.success, true);
    await callTools(cp, ask);
    assert.ok(!sandbox.output.includes(KEY), 'the key of the MCP server is not printed');
    const auth = readFileSync(sandbox.path('root/.local/share/opencode/auth.json'), 'utf8');
    assert.match(auth, /managed-by-control-plane/);
    const requests = cp.requests.filter(({ path }) => path.includes('provider-auth'));
    assert.equal(requests.length, 0, 'no token is asked for before a model needs it');
    assert.ok(playground.modelServer, 'the scripted model answered');
});
