// The bridge with the real OpenCode behind a relay: what the stand-in claims about gaps of the event stream, stops and
// restarts holds there too.

import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { bridgeBetween } from './support/bridge.mjs';
import { RealOpencode } from './support/real-opencode.mjs';

const LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 15_000;
const COLD_LIMIT_MS = 35_000; // the stopped one would take longer

// One for all tests: it starts slowly. Each has its own bridge and session.
let opencode;
before(async () => { opencode = await RealOpencode.start(); });
after(() => opencode.close());

/** A prompt that is at its first tool, or at its text when it has none. */
async function working(t, script) {
    // A second start of OpenCode takes its time on a busy machine.
    const env = { BRIDGE_OPENCODE_TIMEOUT_MS: String(2 * LIMIT_MS) };
    const ends = await bridgeBetween(t, { env, openOpencode: () => ({ port: opencode.port, close: () => {} }) });
    const id = ends.cp.prompt(script);
    const begun = ends.cp.waitForEvent(({ type }) => type === 'token' || type === 'tool_call', { timeoutMs: LIMIT_MS });
    await ends.bridge.stillRuns(begun);
    const ask = async (text) => {
        const next = ends.cp.prompt(text);
        return { completion: await ends.cp.completionOf(next, { timeoutMs: LIMIT_MS }), text: ends.cp.textOf(next) };
    };
    return { ...ends, id, ask };
}

test('the real event stream is cut in the middle of a tool and of a text: the prompt goes on, and nothing is missing', async (t) => {
    const { cp, bridge, id } = await working(t, 'bash: sleep 1; echo first ;; bash: echo second ;; say 60 words at 20/s');
    opencode.cutConnections();
    await bridge.logged('bridge.prompt_resynced', { timeoutMs: LIMIT_MS });
    await cp.waitForEvent('token', { timeoutMs: LIMIT_MS });
    opencode.cutConnections();
    await bridge.logged('bridge.prompt_resynced', { count: 2, timeoutMs: LIMIT_MS });
    const completion = await cp.completionOf(id, { timeoutMs: LIMIT_MS });
    assert.equal(completion.success, true, completion.error);
    const ended = cp.eventsOf(id).filter(({ type, status }) => type === 'tool_call' && status === 'completed');
    assert.deepEqual(ended.map(({ output }) => output.trim()), ['first', 'second']);
    const texts = cp.eventsOf(id).filter(({ type }) => type === 'token').map(({ content }) => content);
    const words = Array.from({ length: 60 }, (_, index) => `w${index + 1} `).join('');
    assert.equal(texts.at(-1), words, 'the text that was cut is whole in the end');
    for (const text of texts) assert.ok(words.startsWith(text), `a text with a hole: ${text}`);
    assert.equal(cp.eventsOf(id).filter(({ type }) => type === 'step_finish').length, 3, 'each step is told once');
    assert.equal(cp.completionsOf(id).length, 1);
});

test('the real OpenCode hangs (SIGSTOP): stop is answered in time, and when it is back the next prompt works', async (t) => {
    const { cp, id, ask } = await working(t, 'say 400 words at 40/s');
    await opencode.signal('SIGSTOP');
    const asked = performance.now();
    cp.stop();
    const completion = await cp.completionOf(id, { timeoutMs: STOP_LIMIT_MS });
    assert.ok(performance.now() - asked < STOP_LIMIT_MS);
    assert.equal(completion.error, 'Task was cancelled');
    await opencode.signal('SIGCONT');
    const next = await ask('say: back again');
    assert.equal(next.completion.success, true, next.completion.error);
    assert.equal(next.text, 'back again');
    assert.equal(cp.completionsOf(id).length, 1);
});

test('the real OpenCode is killed and started again: one failed completion that says so, and the session goes on', async (t) => {
    const { cp, id, ask } = await working(t, 'bash: echo walnut; sleep 30');
    await opencode.signal('SIGKILL');
    await opencode.startServer();
    const completion = await cp.completionOf(id, { timeoutMs: LIMIT_MS });
    assert.equal(completion.success, false);
    assert.match(completion.error, /OpenCode stopped in the middle of this prompt/);
    assert.match((await ask('what did I say?')).text, /walnut/);
    assert.equal(cp.completionsOf(id).length, 1);
});

test('a cold OpenCode is told to stop before it has begun: it is broken off when it begins, and the next prompt works', async (t) => {
    const cold = await RealOpencode.start();
    const posted = new Promise((resolve) => cold.relay.on('connection', (socket) => socket.on('data', (data) => {
        if (/^POST .*prompt_async/.test(data.toString('latin1'))) resolve();
    })));
    const { cp } = await bridgeBetween(t, { openOpencode: () => cold });
    const id = cp.prompt('say 400 words at 10/s');
    await posted;
    cp.stop();
    assert.equal((await cp.completionOf(id, { timeoutMs: STOP_LIMIT_MS })).error, 'Task was cancelled');
    const asked = performance.now();
    const next = cp.prompt('say: at once');
    const completion = await cp.completionOf(next, { timeoutMs: LIMIT_MS });
    assert.equal(completion.success, true, completion.error);
    assert.equal(cp.textOf(next), 'at once');
    assert.ok(performance.now() - asked < COLD_LIMIT_MS, 'it did not wait for the end of the stopped one');
});
