// OpenCode or the bridge itself going away in the middle: exactly one completion for each prompt, and work goes on.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { bridgeBetween, settle } from './support/bridge.mjs';
import { FakeOpencode } from './support/fake-opencode.mjs';

const env = { BRIDGE_HEARTBEAT_INTERVAL_MS: '100', BRIDGE_FINAL_FETCH_MS: '500' };

test('OpenCode is not there when the prompt comes: a failed completion that says so', async (t) => {
    const { cp, opencode, bridge } = await bridgeBetween(t, { env: { ...env, BRIDGE_OPENCODE_TIMEOUT_MS: '500' } });
    await opencode.die();
    const id = cp.prompt('hello?');
    const completion = await cp.completionOf(id);
    assert.equal(completion.success, false);
    assert.ok(completion.error.length > 10, completion.error);
    await bridge.logged('prompt.run');
    assert.deepEqual(bridge.logs.map(({ event }) => event).filter((name) => name.startsWith('prompt.')),
        ['prompt.start', 'prompt.error', 'prompt.run'], 'B-316');
});

test('OpenCode listens on ::1 alone: it is found (B-103)', async (t) => {
    let opencode;
    try {
        opencode = await FakeOpencode.start({ host: '::1' });
    } catch (error) {
        t.skip(`this machine has no ::1: ${error.code}`);
        return;
    }
    const { cp } = await bridgeBetween(t, { env, openOpencode: () => opencode });
    assert.equal((await cp.completionOf(cp.prompt('hello?'))).success, true);
});

test('the question for the stored session is never answered: it is asked again soon (D-29)', async (t) => {
    const { cp, opencode, bridge, startBridge } = await bridgeBetween(t, { env });
    assert.equal((await cp.completionOf(cp.prompt('one'))).success, true);
    await bridge.stop('SIGKILL');
    opencode.answers['GET /session/:id'] = 'never';
    startBridge();
    await opencode.waitFor(() => opencode.pending.length === 1, { what: 'the first question' });
    delete opencode.answers['GET /session/:id'];
    await cp.ready(2);
    assert.equal((await cp.completionOf(cp.prompt('two'))).success, true);
    assert.equal(opencode.sessions.size, 1, 'the conversation goes on');
});

test('OpenCode takes the prompt request and never answers it: a failed completion after the limit', async (t) => {
    const { cp, opencode } = await bridgeBetween(t, { env: { ...env, BRIDGE_OPENCODE_TIMEOUT_MS: '300' } });
    opencode.answers['POST /session/:id/prompt_async'] = 'never';
    const completion = await cp.completionOf(cp.prompt('hello?'));
    assert.equal(completion.success, false);
});

test('the connection breaks under the question for commit signing: it is asked again, and the prompt runs', async (t) => {
    const { cp } = await bridgeBetween(t, { env });
    const isQuestion = ({ url }) => url.endsWith('/commit-signing');
    await cp.waitFor(() => cp.requests.some(({ path }) => path.endsWith('/commit-signing')), { what: 'the first question' });
    let broken = 0;
    cp.server.prependListener('request', (request) => {
        if (isQuestion(request) && ++broken <= 3) request.socket.destroy();
    });
    assert.equal((await cp.completionOf(cp.prompt('go'))).success, true);
    assert.equal(broken, 4);
});

const refusals = {
    'the prompt': ['POST /session/:id/prompt_async', [400, { name: 'BadRequest', data: { message: 'no such model' } }],
        'Async prompt failed: 400 - {"name":"BadRequest","data":{"message":"no such model"}}'],
    'its event stream': ['GET /event', [503, {}], 'SSE connection failed: 503'],
    'a session, with an answer that names none': ['POST /session', [200, {}], 'OpenCode session not initialized'],
};
for (const [what, [request, answer, error]] of Object.entries(refusals)) {
    test(`OpenCode refuses ${what}: a failed completion that says so, and then work goes on`, async (t) => {
        const { cp, opencode } = await bridgeBetween(t, { env });
        opencode.answers[request] = answer;
        opencode.breakStreams();
        const completion = await cp.completionOf(cp.prompt('hello?'));
        assert.deepEqual([completion.success, completion.error], [false, error]);
        delete opencode.answers[request];
        assert.equal((await cp.completionOf(cp.prompt('once more'))).success, true);
    });
}

for (const signal of ['SIGKILL', 'SIGTERM']) {
    test(`the bridge ends by ${signal} in the middle of a prompt: one completion, and the next bridge works`, async (t) => {
        const { cp, opencode, bridge, startBridge } = await bridgeBetween(t, { env });
        opencode.onPrompt = (run) => run.begin().openText().delta('working on');
        const first = cp.prompt('first');
        await cp.waitForEvent('token');
        await bridge.stop(signal);
        startBridge();
        await cp.ready(2);
        const run = opencode.runs[0];
        if (run.state === 'busy') run.delta(' and done').closeText().finish();
        await cp.completionOf(first);
        opencode.onPrompt = (next) => next.say('second answer');
        const second = cp.prompt('second');
        assert.equal((await cp.completionOf(second)).success, true);
        await settle(cp);
        assert.equal(cp.completionsOf(first).length, 1);
        assert.equal(cp.completionsOf(second).length, 1);
        assert.equal(opencode.sessions.size, 1, 'the conversation goes on in the session of before');
    });
}

test('OpenCode ends a turn between the two questions of a take-over: it was not broken off', async (t) => {
    const { cp, opencode, bridge, startBridge } = await bridgeBetween(t, { env });
    opencode.onPrompt = (run) => run.begin().openText().delta('working on');
    const id = cp.prompt('first');
    await cp.waitForEvent('token');
    await bridge.stop('SIGKILL');
    const [run] = opencode.runs;
    opencode.on('change', () => {
        if (opencode.requests.at(-1) === 'GET /session/status' && run.state === 'busy') run.delta(' and done').closeText().finish();
    });
    startBridge();
    const completion = await cp.completionOf(id);
    assert.equal(completion.success, true, completion.error);
    assert.equal(cp.textOf(id), 'working on and done');
});

for (const [what, end] of [['ends', ({ bridge }) => bridge.signal('SIGTERM')], ['is told to stop', ({ cp }) => cp.stop()]]) {
    test(`the bridge ${what} while it takes over a prompt of an earlier session: OpenCode is told to stop there`, async (t) => {
        const { cp, opencode, bridge, startBridge, directory } = await bridgeBetween(t, { env });
        opencode.onPrompt = (run) => run.begin().openText().delta('working on');
        const id = cp.prompt('first');
        await cp.waitForEvent('token');
        await bridge.stop('SIGKILL');
        rmSync(join(directory, 'opencode-session-id')); // only the journal knows now
        const next = startBridge();
        await cp.ready(2);
        await opencode.waitFor(() => opencode.requests.includes('GET /session/status'), { what: 'the take-over' });
        end({ cp, bridge: next });
        assert.equal((await cp.completionOf(id)).success, false);
        await opencode.aborted(1);
        assert.deepEqual(opencode.aborts.map(({ sessionID }) => sessionID), [opencode.runs[0].sessionID]);
    });
}

test('the bridge is killed after a prompt that was acknowledged: nothing of it is sent again', async (t) => {
    const { cp, bridge, startBridge } = await bridgeBetween(t, { env });
    const id = cp.prompt('first');
    await cp.completionOf(id);
    await settle(cp);
    await bridge.stop('SIGKILL');
    startBridge();
    await cp.ready(2);
    await settle(cp);
    assert.equal(cp.completionsOf(id).length, 1);
});
