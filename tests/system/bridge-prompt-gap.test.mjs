// OpenCode's event stream breaks in the middle of a prompt: as long as OpenCode is there the prompt goes on, and what was
// written meanwhile arrives. It fails only when OpenCode has lost it.

import assert from 'node:assert/strict';
import test from 'node:test';
import { bridgeBetween, settle, types } from './support/bridge.mjs';
import { Run } from './support/fake-opencode.mjs';

const env = { BRIDGE_HEARTBEAT_INTERVAL_MS: '100', BRIDGE_FINAL_FETCH_MS: '2000' };
/** For what takes a sanitized program on a busy machine seconds to read. */
const patient = { ...env, BRIDGE_FINAL_FETCH_MS: '60000' };
const calls = (cp, id) => cp.eventsOf(id).filter(({ type }) => type === 'tool_call').map(({ args, status }) => `${args.command} ${status}`);

/** A prompt that has said `First part.`, and its run at OpenCode. */
async function midPrompt(t, more = {}) {
    const ends = await bridgeBetween(t, { env: { ...env, ...more } });
    ends.opencode.onPrompt = (run) => run.begin().text('First part.');
    const id = ends.cp.prompt('go');
    const run = await ends.opencode.prompted();
    await ends.cp.waitForEvent('token');
    return { ...ends, id, run };
}

for (const [what, end] of [['breaks', 'breakStreams'], ['ends in good order (D-11)', 'endStreams']]) {
    test(`the event stream ${what}: the prompt goes on, and nothing is missing`, async (t) => {
        const { cp, opencode, id, run } = await midPrompt(t);
        opencode[end]();
        run.tool('bash', { command: 'in the gap' }, 'x').endStep().assistant().openText().delta('Sec'); // nobody hears this
        await opencode.listened(2);
        await cp.waitForEvent(({ type, status }) => type === 'tool_call' && status === 'completed');
        run.delta('ond part.').closeText().tool('bash', { command: 'after it' }, 'y').endStep().assistant().text('Done.').finish();
        const completion = await cp.completionOf(id);
        assert.equal(completion.success, true, completion.error);
        assert.deepEqual(calls(cp, id), ['in the gap completed', 'after it running', 'after it completed']);
        const texts = cp.eventsOf(id).filter(({ type }) => type === 'token').map(({ content }) => content);
        assert.deepEqual(texts, ['First part.', 'Second part.', 'Done.'], 'no text with a hole is ever shown');
        assert.equal(types(cp.eventsOf(id)).filter((type) => type === 'step_finish').length, 3, 'each step is told once');
        await settle(cp);
        assert.equal(cp.completionsOf(id).length, 1);
        assert.deepEqual(opencode.aborts, []);
    });
}

test('the prompt ends in the gap: its end is told with all it wrote', async (t) => {
    const { cp, opencode, id, run } = await midPrompt(t);
    opencode.breakStreams();
    run.tool('bash', { command: 'ls' }, 'x').endStep().assistant().text('The answer.').finish();
    const completion = await cp.completionOf(id);
    assert.equal(completion.success, true, completion.error);
    assert.deepEqual(calls(cp, id), ['ls completed']);
    assert.equal(cp.textOf(id), 'The answer.');
});

for (const over of ['goes on', 'is over when it ends']) {
    test(`what a sub-task does in the gap arrives, all of it, and the prompt ${over}`, async (t) => {
        const { cp, opencode, id, run } = await midPrompt(t);
        const child = new Run(opencode, opencode.newSession(), { parts: [{ text: 'look' }] });
        run.task('look', child.sessionID, { callID: 'task_1' });
        child.begin().tool('bash', { command: 'before it' }, 'x');
        await cp.waitForEvent(({ args, status }) => args?.command === 'before it' && status === 'completed');
        opencode.breakStreams();
        const grandchild = new Run(opencode, opencode.newSession(), { parts: [{ text: 'look deeper' }] });
        child.task('look deeper', grandchild.sessionID).tool('bash', { command: 'in the gap' }, 'y').endStep();
        grandchild.begin().tool('bash', { command: 'deep in the gap' }, 'y').endStep();
        if (over !== 'goes on') run.tool('bash', { command: 'last' }, 'z').text('Done.').finish();
        await opencode.listened(2);
        if (over === 'goes on') {
            await cp.waitForEvent(({ args }) => args?.command === 'deep in the gap');
            child.assistant().tool('bash', { command: 'after it' }, 'z').endStep();
            run.text('Done.').finish();
        }
        assert.equal((await cp.completionOf(id)).success, true);
        const ofChildren = cp.eventsOf(id).filter(({ isSubtask }) => isSubtask);
        const commands = ofChildren.filter(({ status, tool }) => tool === 'bash' && status === 'completed').map(({ args }) => args.command);
        assert.deepEqual(commands.toSorted(), ['before it', 'in the gap', 'deep in the gap', ...(over === 'goes on' ? ['after it'] : [])].toSorted());
        assert.ok(ofChildren.every(({ taskCallId }) => taskCallId === 'task_1'));
        const steps = ofChildren.filter(({ type }) => type === 'step_finish').length;
        assert.equal(steps, over === 'goes on' ? 3 : 2, 'each step is told once');
    });
}

test('the turn ends while what the gap hid is still being asked for: the final fetch brings it, and is not thrown away', async (t) => {
    const { cp, opencode, id, run } = await midPrompt(t, patient);
    const [messages, status] = ['GET /session/:id/message', 'GET /session/status'];
    const held = (name) => opencode.waitFor(() => opencode.pending.some((left) => left.name === name), { what: `the question ${name}` });
    const child = new Run(opencode, opencode.newSession(), { parts: [{ text: 'look' }] });
    run.task('look', child.sessionID, { callID: 'task_1' });
    child.begin();
    opencode.answers[status] = 'never';
    opencode.breakStreams();
    child.tool('bash', { command: 'in the gap' }, 'x').endStep();
    run.text('Second part.');
    await opencode.listened(2);
    await held(status); // the messages were read, and are not translated before this is answered
    opencode.answers[messages] = 'never';
    run.finish();
    await held(messages); // the final fetch
    const served = opencode.servePending(messages);
    opencode.answers[messages] = 'never';
    await served;
    await held(messages); // of it, the sub-task's
    opencode.answerPending(status, { [run.sessionID]: { type: 'busy' } });
    await settle(cp); // it was taken
    opencode.servePending(messages);
    const completion = await cp.completionOf(id, { timeoutMs: 20_000 });
    assert.equal(completion.success, true, completion.error);
    assert.equal(cp.textOf(id), 'Second part.');
    assert.ok(calls(cp, id).includes('in the gap completed'), calls(cp, id).join());
});

test('a sub-task of the gap that OpenCode does not tell of holds nothing up', async (t) => {
    const { cp, bridge, opencode, id, run } = await midPrompt(t);
    opencode.breakStreams();
    run.task('look', 'ses_unknown').text('Done.').finish();
    assert.equal((await cp.completionOf(id)).success, true);
    assert.equal((await bridge.logged('bridge.child_resync_error')).status_code, 404);
});

test('the prompt fails in the gap: it fails, with its error', async (t) => {
    const { cp, opencode, id, run } = await midPrompt(t);
    opencode.breakStreams();
    run.fail('APIError', 'the quota is used up');
    const completion = await cp.completionOf(id);
    assert.equal(completion.success, false);
    assert.equal(completion.error, 'the quota is used up');
});

test('the prompt ends in the gap without a word: that is a failure with a reason, no success', async (t) => {
    const { cp, opencode } = await bridgeBetween(t, { env: { ...env, BRIDGE_SETTLE_MS: '50' } });
    opencode.onPrompt = (run) => run.status('busy');
    const id = cp.prompt('go');
    const run = await opencode.prompted();
    opencode.breakStreams();
    run.begin().closeMessage().idle();
    const completion = await cp.completionOf(id);
    assert.equal(completion.success, false);
    assert.match(completion.error, /without emitting assistant output/);
});

test('a permission and a question that were asked in the gap are answered: the prompt does not hang (D-23)', async (t) => {
    const { cp, opencode, id, run } = await midPrompt(t);
    opencode.breakStreams();
    opencode.ask('permission', 'per_gap', run.sessionID);
    opencode.ask('question', 'que_gap', run.sessionID);
    opencode.ask('permission', 'per_other', 'ses_other');
    await opencode.replied('per_gap');
    await opencode.replied('que_gap');
    run.finish();
    await cp.completionOf(id);
    assert.ok(!opencode.replies.includes('per_other'), 'other sessions are not ours');
});

const REFUSALS = {
    permission: 'POST /permission/per_1/reply',
    question: 'POST /question/que_1/reject',
};
for (const [kind, refusal] of Object.entries(REFUSALS)) {
    const askId = refusal.split('/')[2];

    test(`the refusal of a ${kind} fails once: it is sent again, and the prompt goes on`, async (t) => {
        const { cp, bridge, opencode, id, run } = await midPrompt(t);
        opencode.answers[refusal] = () => (delete opencode.answers[refusal], [500, { name: 'UnknownError' }]);
        opencode.ask(kind, askId, run.sessionID);
        await opencode.replied(askId);
        await bridge.logged('bridge.ask_reject_failed');
        run.finish();
        assert.equal((await cp.completionOf(id)).success, true);
    });

    test(`the refusal of a ${kind} fails for ever: the prompt ends with the reason and is broken off`, async (t) => {
        const { cp, opencode, id, run } = await midPrompt(t);
        opencode.answers[refusal] = [500, { name: 'UnknownError' }];
        opencode.ask(kind, askId, run.sessionID);
        const completion = await cp.completionOf(id);
        assert.equal(completion.success, false);
        assert.match(completion.error, new RegExp(`an answer to a ${kind}.*status 500`));
        await opencode.aborted(1);
        opencode.onPrompt = (next) => next.say('ok');
        assert.equal((await cp.completionOf(cp.prompt('next'))).success, true);
    });

    test(`what waits for an answer after a gap cannot be listed once (${kind}): it is refused all the same`, async (t) => {
        const { cp, bridge, opencode, id, run } = await midPrompt(t);
        const list = `GET /${kind}`;
        opencode.answers[list] = () => (delete opencode.answers[list], [500, { name: 'UnknownError' }]);
        opencode.breakStreams();
        opencode.ask(kind, askId, run.sessionID);
        await opencode.replied(askId);
        await bridge.logged('bridge.ask_reject_failed');
        run.finish();
        assert.equal((await cp.completionOf(id)).success, true);
    });
}

test('what waits for an answer after a gap can never be listed: the prompt ends with the reason', async (t) => {
    const { cp, opencode, id } = await midPrompt(t);
    opencode.answers['GET /question'] = [500, { name: 'UnknownError' }];
    opencode.breakStreams();
    const completion = await cp.completionOf(id);
    assert.equal(completion.success, false);
    assert.match(completion.error, /an answer to a question.*status 500/);
    await opencode.aborted(1);
});

test('the stream breaks again and again: one completion, nothing twice', async (t) => {
    const { cp, opencode, id, run } = await midPrompt(t);
    for (let round = 1; round <= 5; round++) {
        opencode.breakStreams();
        run.tool('bash', { command: `round ${round}` }, 'x');
        await opencode.listened(1 + round);
    }
    run.endStep().assistant().text('Done.').finish();
    assert.equal((await cp.completionOf(id)).success, true);
    for (let round = 1; round <= 5; round++) {
        assert.equal(calls(cp, id).filter((call) => call === `round ${round} completed`).length, 1, `round ${round}`);
    }
    assert.equal(cp.textOf(id), 'Done.');
});

test('OpenCode was restarted in the gap: one failed completion that says so, and the session goes on', async (t) => {
    const { cp, opencode, id, run } = await midPrompt(t);
    await opencode.die();
    run.text('Written, but not told.');
    run.state = 'idle'; // the run ended with its process; the session is on disk
    await opencode.restart();
    const completion = await cp.completionOf(id);
    assert.equal(completion.success, false);
    assert.match(completion.error, /OpenCode stopped in the middle of this prompt/);
    assert.equal(cp.textOf(id), 'Written, but not told.');
    opencode.onPrompt = (next) => next.say('next answer');
    const next = cp.prompt('next');
    assert.equal((await cp.completionOf(next)).success, true);
    assert.equal(opencode.sessions.size, 1);
    await settle(cp);
    assert.equal(cp.completionsOf(id).length, 1);
});

test('OpenCode lost the session in the gap: one failed completion that says so, and the next prompt has a new one', async (t) => {
    const { cp, opencode, id, run } = await midPrompt(t);
    await opencode.die();
    opencode.sessions.delete(run.sessionID);
    run.state = 'idle';
    await opencode.restart();
    const completion = await cp.completionOf(id);
    assert.equal(completion.success, false);
    assert.match(completion.error, /no longer has the session/);
    opencode.onPrompt = (next) => next.say('next answer');
    assert.equal((await cp.completionOf(cp.prompt('next'))).success, true);
});

test('OpenCode does not come back: the prompt ends in time, with what it had written', async (t) => {
    const { cp, opencode, id } = await midPrompt(t, { BRIDGE_OPENCODE_TIMEOUT_MS: '300' });
    await opencode.die();
    const completion = await cp.completionOf(id);
    assert.equal(completion.success, false);
    assert.match(completion.error, /disconnected/);
    assert.equal(cp.textOf(id), 'First part.');
});

test('the stream breaks before the post is answered, with 404: the prompt runs once, in a new session', async (t) => {
    const { cp, opencode } = await bridgeBetween(t, { env });
    const post = 'POST /session/:id/prompt_async';
    await cp.completionOf(cp.prompt('first'));
    const [session] = opencode.sessions.keys();
    opencode.answers[post] = 'never';
    opencode.onPrompt = (run) => run.say('second answer');
    const id = cp.prompt('second');
    await opencode.waitFor(() => opencode.requests.filter((name) => name === post).length === 2, { what: 'the post' });
    opencode.breakStreams();
    await opencode.listened(2);
    opencode.sessions.delete(session);
    opencode.answerPending(post, { name: 'NotFoundError' }, 404);
    const completion = await cp.completionOf(id);
    assert.equal(completion.success, true, completion.error);
    await settle(cp);
    assert.equal(cp.completionsOf(id).length, 1);
    assert.equal(opencode.runs.filter(({ content }) => content === 'second').length, 1);
});

test('the prompt was given up before the post is answered, with 404: it is not posted again', async (t) => {
    const { cp, opencode } = await bridgeBetween(t, { env: { ...env, SANDBOX_TIMEOUT_SECONDS: '2' } });
    const post = 'POST /session/:id/prompt_async';
    opencode.answers[post] = 'never';
    opencode.answers['POST /session/:id/abort'] = 'never'; // it is still being given up when the answer comes
    const id = cp.prompt('go');
    await opencode.waitFor(() => opencode.requests.includes('POST /session/:id/abort'), { what: 'the abort' });
    opencode.answerPending(post, { name: 'NotFoundError' }, 404);
    const completion = await cp.completionOf(id);
    assert.match(completion.error, /max duration/);
    opencode.answerPending('POST /session/:id/abort', true);
    opencode.onPrompt = (run) => run.say('next answer');
    assert.equal((await cp.completionOf(cp.prompt('next'))).success, true);
    assert.deepEqual(opencode.runs.map(({ content }) => content), ['next']);
});

test('a history of large images does not hide the end of an answer (D-24)', async (t) => {
    const { cp, opencode } = await bridgeBetween(t, { env: patient });
    await cp.completionOf(cp.prompt('first'));
    const [[sessionID, messages]] = opencode.sessions;
    const image = `data:image/png;base64,${'A'.repeat(3_500_000)}`;
    for (let number = 0; number < 12; number++) {
        const id = `msg_old${number}`;
        messages.push({ info: { id, sessionID, role: 'user', time: { created: Date.now() - 1000 } },
            parts: [{ id: `prt_old${number}`, sessionID, messageID: id, type: 'file', mime: 'image/png', url: image }] });
    }
    opencode.onPrompt = (run) => {
        run.begin().tool('read', { command: 'read' }, 'an image');
        run.messages.at(-1).parts.at(-1).state.attachments = [{ mime: 'image/png', url: image + image }];
        run.endStep().assistant().text('Half.');
        run.messages.at(-1).parts.at(-1).text = 'Half. And the other half.'; // as if the stream had lost it
        run.finish();
    };
    const id = cp.prompt('look at it');
    assert.equal((await cp.completionOf(id)).success, true);
    assert.equal(cp.textOf(id), 'Half. And the other half.');
    assert.ok(opencode.requests.filter((name) => name === 'GET /session/:id/message').length < 20, 'not all of it is read');
});

test('a prompt that is too long for the journal goes on after a gap, and its end is fetched', async (t) => {
    const { cp, opencode } = await bridgeBetween(t, { env: patient });
    opencode.onPrompt = (run) => run.begin().text('First part.');
    const id = cp.prompt('x'.repeat(9_000_000));
    const run = await opencode.prompted();
    await cp.waitForEvent('token');
    opencode.breakStreams();
    run.text('Second part.');
    await cp.waitForEvent(({ content }) => content === 'Second part.');
    run.messages.at(-1).parts.at(-1).text = 'Second part, corrected.';
    run.finish();
    assert.equal((await cp.completionOf(id)).success, true);
    assert.equal(cp.textOf(id), 'Second part, corrected.');
});
