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
    assert.ok(!sandbox.output.includes(KEY), 'the key of the MCP server is not printed');
    const auth = readFileSync(sandbox.path('root/.local/share/opencode/auth.json'), 'utf8');
    assert.match(auth, /managed-by-control-plane/);
    const requests = cp.requests.filter(({ path }) => path.includes('provider-auth'));
    assert.equal(requests.length, 0, 'no token is asked for before a model needs it');
    assert.ok(playground.modelServer, 'the scripted model answered');
});
