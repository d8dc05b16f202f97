// A prompt on its way through the bridge: to OpenCode and back, with everything that can happen in between.

import assert from 'node:assert/strict';
import test from 'node:test';
import { bridgeBetween, types } from './support/bridge.mjs';

test('a prompt streams its text, tools and steps, and ends with one completion', async (t) => {
    const { cp, opencode } = await bridgeBetween(t);
    opencode.onPrompt = (run) => run.begin().text('Let me ', 'look.')
        .tool('bash', { command: 'ls' }, 'README.md\n').endStep().assistant().text('Done.').finish();
    const id = cp.prompt('look around');
    const completion = await cp.completionOf(id);
    assert.equal(completion.success, true);
    assert.equal(completion.ackId, `execution_complete:${id}`);
    assert.equal(cp.textOf(id), 'Done.');
    const [running, completed] = cp.eventsOf(id).filter(({ type }) => type === 'tool_call');
    assert.deepEqual([running.tool, running.args, running.status], ['bash', { command: 'ls' }, 'running']);
    assert.deepEqual([completed.status, completed.output], ['completed', 'README.md\n']);
    assert.equal(completed.callId, running.callId);
    const order = types(cp.eventsOf(id));
    assert.equal(order[0], 'step_start');
    assert.equal(order.at(-1), 'execution_complete');
    assert.ok(order.indexOf('token') < order.indexOf('tool_call'), 'text before the tool call stays before it');
});

test('OpenCode gets the text, the model in two parts and a message id of ours', async (t) => {
    const { cp, opencode } = await bridgeBetween(t);
    await cp.completionOf(cp.prompt('hello "world" \u{1f680} \n', { model: 'openrouter/meta/llama' }));
    const [{ body }] = opencode.runs;
    assert.deepEqual(body.parts, [{ type: 'text', text: 'hello "world" \u{1f680} \n' }]);
    assert.deepEqual(body.model, { providerID: 'openrouter', modelID: 'meta/llama' });
    assert.match(body.messageID, /^msg_[0-9a-f]{12}[0-9A-Za-z]{14}$/);
});

test('text comes while it is being written, each token with the whole text so far (D-01)', async (t) => {
    const { cp, opencode } = await bridgeBetween(t, { env: { BRIDGE_TOKEN_INTERVAL_MS: '20' } });
    opencode.onPrompt = (run) => run.begin().openText().delta('One ');
    const id = cp.prompt('count');
    await cp.waitForEvent(({ type, content }) => type === 'token' && content === 'One ');
    const run = await opencode.prompted();
    run.delta('two ').delta('three');
    await cp.waitForEvent(({ type, content }) => type === 'token' && content === 'One two three');
    run.closeText().finish();
    await cp.completionOf(id);
});

test('many deltas become few tokens, and the last has all of the text (D-09)', async (t) => {
    const { cp, opencode } = await bridgeBetween(t);
    const words = Array.from({ length: 5000 }, (_, index) => `word${index} `);
    opencode.onPrompt = (run) => run.say(...words);
    const id = cp.prompt('write a lot');
    await cp.completionOf(id);
    assert.equal(cp.textOf(id), words.join(''));
    const tokens = cp.eventsOf(id).filter(({ type }) => type === 'token').length;
    assert.ok(tokens < 200, `${tokens} tokens for 5000 deltas`);
});

test('an emoji that OpenCode splits over two deltas arrives whole (B-431)', async (t) => {
    const { cp, opencode } = await bridgeBetween(t);
    opencode.onPrompt = (run) => run.say('go \ud83d', '\ude80!');
    const id = cp.prompt('launch');
    await cp.completionOf(id);
    assert.equal(cp.textOf(id), 'go \u{1f680}!');
});

test('the second prompt goes to the session of the first', async (t) => {
    const { cp, opencode } = await bridgeBetween(t);
    await cp.completionOf(cp.prompt('first'));
    await cp.completionOf(cp.prompt('second'));
    assert.equal(opencode.sessions.size, 1);
    assert.deepEqual(opencode.runs.map(({ content }) => content), ['first', 'second']);
});

test('a prompt that arrives while one runs waits for its turn (D-16)', async (t) => {
    const { cp, opencode } = await bridgeBetween(t);
    opencode.onPrompt = (run, count) => (count === 1 ? run.begin() : run.say('second answer'));
    const first = cp.prompt('first');
    const running = await opencode.prompted(1);
    const second = cp.prompt('second');
    cp.snapshot(); // handled after the prompt was taken: an answer shows that the queue was not passed
    running.text('first answer').finish();
    await cp.completionOf(second);
    assert.equal(opencode.runs.length, 2);
    const completions = cp.completions.map(({ messageId }) => messageId);
    assert.deepEqual(completions, [first, second]);
    assert.equal(cp.textOf(first), 'first answer');
    assert.equal(cp.textOf(second), 'second answer');
    cp.dropped.length = 0; // snapshot_ready: the real control plane drops it too
});

test('stop ends the prompt at once, before OpenCode has answered the abort', async (t) => {
    const { cp, opencode } = await bridgeBetween(t);
    opencode.onPrompt = (run) => run.begin().openText().delta('working');
    opencode.answers['POST /session/:id/abort'] = 'never';
    const id = cp.prompt('work');
    await cp.waitForEvent('token');
    cp.stop();
    const completion = await cp.completionOf(id, { timeoutMs: 2000 });
    assert.equal(completion.success, false);
    assert.equal(completion.error, 'Task was cancelled');
    await opencode.waitFor(() => opencode.requests.includes('POST /session/:id/abort'), { what: 'the abort' });
});

test('after a stop the next prompt is not disturbed by what the stopped one still sends (D-02, D-03)', async (t) => {
    const { cp, opencode } = await bridgeBetween(t);
    opencode.onPrompt = (run) => run.begin().openText().delta('old text');
    const first = cp.prompt('first');
    await cp.waitForEvent('token');
    cp.stop();
    await cp.completionOf(first);
    await opencode.aborted(1);
    const stopped = opencode.runs[0];
    opencode.onPrompt = (run) => {
        stopped.idle(); // as the real one does it: a late idle, and after the new prompt has begun the old text and error
        run.begin();
        stopped.closeText().closeMessage({ error: { name: 'MessageAbortedError', data: { message: 'Aborted' } } });
        run.text('new text').finish();
    };
    const second = cp.prompt('second');
    const completion = await cp.completionOf(second);
    assert.equal(completion.success, true);
    assert.equal(cp.textOf(second), 'new text');
    assert.equal(cp.completionsOf(first).length, 1);
});

test('a stop with nothing running is harmless', async (t) => {
    const { cp } = await bridgeBetween(t);
    cp.stop();
    const completion = await cp.completionOf(cp.prompt('hello'));
    assert.equal(completion.success, true);
});

test('an error of the session becomes an error event and a failed completion, and the text so far arrives', async (t) => {
    const { cp, opencode, bridge } = await bridgeBetween(t);
    opencode.onPrompt = (run) => run.begin().openText().delta('I was about to').fail('APIError', 'Invalid API key');
    const id = cp.prompt('go');
    const completion = await cp.completionOf(id);
    assert.equal(completion.success, false);
    assert.equal(completion.error, 'Invalid API key');
    assert.deepEqual(types(cp.eventsOf(id)).slice(-3), ['token', 'error', 'execution_complete']);
    assert.equal(cp.textOf(id), 'I was about to');
    await bridge.logged('prompt.run');
    assert.equal((await bridge.logged('bridge.session_error')).deduped, false);
    assert.ok(!bridge.logs.some(({ event }) => event === 'prompt.error'), 'that is of failures of ours alone (B-316)');
});

test('after a failed prompt the next is posted only when OpenCode has put the failed one away', async (t) => {
    // The real one says session.error, then ends the turn; a prompt posted in between is stored and never run.
    const { cp, opencode } = await bridgeBetween(t);
    opencode.onPrompt = (run) => {
        run.begin();
        opencode.emitEvent('session.error', { sessionID: run.sessionID, error: { name: 'APIError', data: { message: 'no' } } });
    };
    const first = cp.prompt('first');
    const run = await opencode.prompted();
    run.abort = () => {}; // it ends by itself, below
    opencode.answers['POST /session/:id/abort'] = 'never';
    await cp.completionOf(first);
    opencode.onPrompt = (next) => next.say('second answer');
    const second = cp.prompt('second');
    await opencode.waitFor(() => opencode.requests.includes('POST /session/:id/abort'), { what: 'the abort' });
    assert.equal(opencode.runs.length, 1, 'the second prompt waits for the answer to the abort');
    opencode.answerPending('POST /session/:id/abort', true);
    await cp.completionOf(second);
    assert.equal(cp.textOf(second), 'second answer');
});

test('a prompt without any output fails and says so', async (t) => {
    const { cp, opencode } = await bridgeBetween(t, { env: { BRIDGE_SETTLE_MS: '50', BRIDGE_ALIVE_MS: '200' } });
    opencode.onPrompt = (run) => {
        run.status('busy');
        run.answer = null;
        run.idle();
    };
    const completion = await cp.completionOf(cp.prompt('say nothing'));
    assert.equal(completion.success, false);
    assert.match(completion.error, /without emitting assistant output/);
});

test('OpenCode takes a prompt and never works on it: it fails in time, whatever else the stream says (D-02)', async (t) => {
    const { cp, opencode } = await bridgeBetween(t, { env: { BRIDGE_ALIVE_MS: '200' } });
    opencode.onPrompt = () => {};
    const id = cp.prompt('hello?');
    const completion = await cp.completionOf(id);
    assert.equal(completion.success, false);
    assert.ok(completion.error);
    await opencode.aborted(1); // should it begin after all
});

test('OpenCode needs long before it says the first word: as long as it works the prompt is kept (D-02)', async (t) => {
    const { cp, opencode } = await bridgeBetween(t, { env: { BRIDGE_ALIVE_MS: '100' } });
    opencode.onPrompt = (run) => { run.state = 'busy'; };
    const id = cp.prompt('start your tools');
    const run = await opencode.prompted();
    const asked = () => opencode.requests.filter((name) => name === 'GET /session/status').length;
    await opencode.waitFor(() => asked() >= 3, { what: 'three questions' });
    run.say('ready');
    assert.equal((await cp.completionOf(id)).success, true);
    assert.equal(cp.textOf(id), 'ready');
});

test('the title of the session is told once, and no placeholder is', async (t) => {
    const { cp, opencode } = await bridgeBetween(t);
    opencode.onPrompt = (run) => {
        for (const title of ['New session - 2026-11-21T03:02:37.050Z', 'Fix the tests', 'Fix the tests']) {
            opencode.emitEvent('session.updated', { sessionID: run.sessionID, info: { id: run.sessionID, title } });
        }
        run.say('ok');
    };
    await cp.completionOf(cp.prompt('fix'));
    assert.deepEqual(cp.eventsOfType('session_title').map(({ title }) => title), ['Fix the tests']);
});

test('snapshot is answered with the session of OpenCode, also while a prompt runs', async (t) => {
    const { cp, opencode } = await bridgeBetween(t, { allowDropped: ['snapshot_ready'] });
    opencode.onPrompt = (run) => run.begin();
    const id = cp.prompt('work');
    const run = await opencode.prompted();
    cp.snapshot();
    const { event } = await cp.waitFor(() => cp.dropped.find((drop) => drop.event.type === 'snapshot_ready'));
    assert.equal(event.opencodeSessionId, run.sessionID);
    run.text('done').finish();
    await cp.completionOf(id);
});

test('frames that make no sense fail no prompt (D-07)', async (t) => {
    const { cp, opencode } = await bridgeBetween(t);
    opencode.onPrompt = (run) => {
        run.begin();
        const { sessionID } = run;
        for (const frame of ['{"type":', '123', 'null', '[]', '{"type":"message.updated","properties":{"info":null}}',
            JSON.stringify({ type: 'message.part.updated', properties: { sessionID, part: null } }),
            JSON.stringify({ type: 'message.part.updated', properties: { sessionID, part: { id: 1, type: 'tool', state: 'x' } } }),
            JSON.stringify({ type: 'session.status', properties: { sessionID, status: 7 } })]) {
            for (const stream of opencode.streams) stream.write(`data: ${frame}\n\n`);
        }
        run.text('fine').finish();
    };
    const id = cp.prompt('go');
    const completion = await cp.completionOf(id);
    assert.equal(completion.success, true);
    assert.equal(cp.textOf(id), 'fine');
});

test('events of other sessions are not shown', async (t) => {
    const { cp, opencode } = await bridgeBetween(t);
    opencode.onPrompt = (run) => {
        run.begin();
        opencode.emitEvent('message.part.updated', { sessionID: 'ses_other', part: {
            id: 'prt_x', messageID: run.answer.id, sessionID: 'ses_other', type: 'text', text: 'not ours' } });
        opencode.emitEvent('session.idle', { sessionID: 'ses_other' });
        run.text('ours').finish();
    };
    const id = cp.prompt('go');
    await cp.completionOf(id);
    assert.ok(!JSON.stringify(cp.events).includes('not ours'));
    assert.equal(cp.textOf(id), 'ours');
});
