/* The tools for child sessions against a real HTTP server (S-516..S-519, S-522). */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import cancelChild from '../../plugin/tools/cancel-child.js';
import getChildStatus from '../../plugin/tools/get-child-status.js';
import sendChildPrompt from '../../plugin/tools/send-child-prompt.js';
import spawnChild from '../../plugin/tools/spawn-child.js';
import { startServer, TOKEN } from './support.mjs';

let cp;
before(async () => { cp = await startServer(); });
after(() => cp.close());
beforeEach(() => {
    Object.assign(process.env, cp.environment);
    cp.requests = [];
});

const last = () => cp.requests.at(-1);

test('a child is started with title and prompt, and what is left empty is not sent', async () => {
    cp.reply = { status: 201, body: { sessionId: 'c1', status: 'created' } };
    const answer = await spawnChild.execute({ title: 'T', prompt: 'P', model: '', reasoning: ' ' });
    assert.match(answer, /Child session c1 started: T\nState: PENDING/);
    assert.deepEqual([last().method, last().url, last().body], ['POST', '/sessions/s%201/children', { title: 'T', prompt: 'P' }]);
    assert.equal(last().headers.authorization, `Bearer ${TOKEN}`);
    await spawnChild.execute({ title: 'T', prompt: 'P', model: 'anthropic/x', reasoning: 'high' });
    assert.deepEqual(last().body, { title: 'T', prompt: 'P', model: 'anthropic/x', reasoningEffort: 'high' });
});

test('a child that may not be started is said with what to do instead', async () => {
    cp.reply = { status: 403, body: { error: 'depth' } };
    assert.match(await spawnChild.execute({ title: 'T', prompt: 'P' }), /not started.*may not start.*depth/);
    cp.reply = { status: 429, body: { error: 'too many' } };
    assert.match(await spawnChild.execute({ title: 'T', prompt: 'P' }), /wait for one to end.*too many/);
    cp.reply = { status: 400, body: { error: 'Invalid model' } };
    assert.match(await spawnChild.execute({ title: 'T', prompt: 'P' }), /HTTP 400, Invalid model/);
    assert.match(await spawnChild.execute({ title: 'T', prompt: ' ' }), /not empty/);
});

test('children are listed with counts by state', async () => {
    cp.reply = { body: { children: [{ id: 'a', title: 'A', status: 'active' }, { id: 'b', title: 'B', status: 'archived' },
        { id: 'c', status: 'failed' }, { id: 'd', title: 'D', status: 'active' }] } };
    const answer = await getChildStatus.execute({ childId: '', includeResponse: true });
    assert.equal(last().url, '/sessions/s%201/children');
    assert.equal(answer, ['4 child sessions: 2 RUNNING, 1 DONE, 1 FAILED', 'a  RUNNING  A', 'b  DONE  B', 'c  FAILED  (no title)', 'd  RUNNING  D'].join('\n'));
    cp.reply = { body: { children: [] } };
    assert.match(await getChildStatus.execute({}), /no child sessions/);
});

test('one child is shown in detail, with what was asked for', async () => {
    cp.reply = { body: {
        session: { id: 'a/1', title: 'A', status: 'completed', repoOwner: 'acme', repoName: 'app', model: 'm', createdAt: 1795228152902 },
        sandbox: { status: 'ready' }, hasUnfinishedPrompt: false, artifacts: [{ type: 'pr', url: 'https://x/1' }],
        recentEvents: [{ type: 'token', createdAt: 1795228152902, data: { content: 'hi' } }], finalResponse: 'All done.',
        trajectory: { events: [{ type: 'tool_call', createdAt: 1795228152902, data: { tool: 'bash', args: { command: 'make\nall' } } }],
            hasMore: true, cursor: '40:id' } } };
    const answer = await getChildStatus.execute({ childId: 'a/1', includeResponse: true, includeTrajectory: true,
        trajectoryLimit: 5000, trajectoryCursor: 'x', includeEventData: true });
    assert.equal(last().url, '/sessions/s%201/children/a%2F1?include=result%2Ctrajectory&trajectoryLimit=1000&trajectoryCursor=x');
    for (const part of ['a/1  DONE  A', 'Repository: acme/app', 'Sandbox: ready', 'https://x/1', 'Final response:\nAll done.', '"command":"make',
        'There is more: trajectoryCursor 40:id', new Date(1795228152902).toISOString(), '{"content":"hi"}']) assert.ok(answer.includes(part), `${part} in ${answer}`);
    const short = await getChildStatus.execute({ childId: 'a', trajectoryLimit: 0 });
    assert.equal(last().url, '/sessions/s%201/children/a');
    assert.ok(!short.includes('{"content"') && short.includes('tool_call: bash make all'), short);
});

test('a long child is cut, but not the place where it goes on; a final response is its text', async () => {
    const event = { type: 'token', data: { content: 'x'.repeat(3000) } };
    cp.reply = { body: { session: { id: 'a', status: 'failed' }, finalResponse: { success: false, error: 'no model', textContent: 'half\na line' },
        trajectory: { events: Array(100).fill(event), hasMore: true, cursor: '7:x' }, recentEvents: Array(100).fill(event) } };
    const answer = await getChildStatus.execute({ childId: 'a', includeResponse: true, includeTrajectory: true, includeEventData: true });
    assert.ok(answer.length < 70_000 && answer.includes('There is more: trajectoryCursor 7:x'), `${answer.length} characters`);
    assert.ok(answer.includes('Final response:\nIt failed: no model.\nhalf\na line\n'), answer.slice(0, 500));
});

test('the session is named as the supervisor finds it, in the older era by SESSION_ID (S-55)', async () => {
    cp.reply = { body: { children: [] } };
    const environments = { named: { SESSION_CONFIG: '{"sessionId":"","session_id":"named"}' }, 7: { SESSION_CONFIG: '{"session_id":7}' },
        older: { SESSION_CONFIG: '{}', SESSION_ID: 'older' } };
    for (const [session, environment] of Object.entries(environments)) {
        Object.assign(process.env, environment);
        await getChildStatus.execute({});
        assert.equal(last().url, `/sessions/${session}/children`);
    }
    process.env.OPENINSPECT_BOOT_MODE = 'fresh';
    assert.match(await getChildStatus.execute({}), /no session id/);
    delete process.env.OPENINSPECT_BOOT_MODE;
    delete process.env.SESSION_ID;
});

test('a prompt for a child is queued, and refusals are told apart', async () => {
    cp.reply = { body: { messageId: 'm1', status: 'queued' } };
    assert.match(await sendChildPrompt.execute({ childId: 'c', prompt: 'more' }), /queued.*m1/);
    assert.deepEqual([last().url, last().body], ['/sessions/s%201/children/c/prompt', { content: 'more' }]);
    for (const [status, words] of [[404, /no such child/], [409, /not take prompts/], [429, /wait for this child/]]) {
        cp.reply = { status, body: { error: 'why' } };
        assert.match(await sendChildPrompt.execute({ childId: 'c', prompt: 'more' }), words);
    }
});

test('a child is cancelled with its own children unless told otherwise', async () => {
    cp.reply = { body: { status: 'cancelled', cancelledDescendantIds: ['x', 'y'] } };
    assert.equal(await cancelChild.execute({ childId: 'c' }), 'Child c: CANCELLED. 2 of its own children were cancelled with it.');
    assert.deepEqual(last().body, { cancelNested: true });
    await cancelChild.execute({ childId: 'c', cancelNested: false });
    assert.deepEqual(last().body, { cancelNested: false });
    cp.reply = { status: 409, body: { error: 'Session already cancelled' } };
    assert.match(await cancelChild.execute({ childId: 'c' }), /ended already/);
});

test('whatever happens, the model gets a text', async () => {
    const tools = [[spawnChild, { title: 'T', prompt: 'P' }], [getChildStatus, {}], [sendChildPrompt, { childId: 'c', prompt: 'p' }], [cancelChild, { childId: 'c' }]];
    for (const reply of ['cut', { body: '<html>' }, { body: 'null' }]) {
        cp.reply = reply;
        for (const [tool, args] of tools) assert.equal(typeof await tool.execute(args), 'string');
    }
    process.env.SESSION_CONFIG = 'no json';
    for (const [tool, args] of tools) assert.match(await tool.execute(args), /no session id/);
});
