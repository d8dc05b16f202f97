// `stop` is answered within 15 s whatever OpenCode does and wherever the prompt is: its completion says that it was
// cancelled, exactly once, and the next prompt works as soon as OpenCode does. (The real one, stopped by SIGSTOP, is in
// bridge-prompt-real.test.mjs.)

import assert from 'node:assert/strict';
import test from 'node:test';
import { bridgeBetween, settle } from './support/bridge.mjs';

const STOP_LIMIT_MS = 15_000;
const POST = 'POST /session/:id/prompt_async';
const ABORT = 'POST /session/:id/abort';
const env = { BRIDGE_HEARTBEAT_INTERVAL_MS: '100' };

/** Resolves when OpenCode has been asked `name`, as often as `count` says. */
const asked = (opencode, name, count = 1) => opencode.waitFor(
    () => opencode.requests.filter((request) => request === name).length >= count, { what: name });

const beginText = (run) => run.begin().openText().delta('working');

/** Where the prompt is: `begin` brings it there, `heal` makes OpenCode well again afterwards. */
const places = {
    'OpenCode refuses connections': {
        begin: async ({ opencode, cp }) => { await opencode.die(); return cp.prompt('go'); },
        heal: ({ opencode }) => opencode.restart(),
    },
    'OpenCode does not answer the post': {
        begin: async ({ opencode, cp }) => {
            opencode.answers[POST] = 'never';
            const id = cp.prompt('go');
            await asked(opencode, POST, 2);
            return id;
        },
        heal: ({ opencode }) => opencode.answerPending(POST, {}, 500),
    },
    'OpenCode works and does not answer the abort': {
        begin: async ({ opencode, cp }) => {
            opencode.answers[ABORT] = 'never';
            opencode.onPrompt = beginText;
            const id = cp.prompt('go');
            await cp.waitForEvent(({ content }) => content === 'working');
            return id;
        },
        heal: ({ opencode }) => opencode.answerPending(ABORT, true),
    },
    'OpenCode works and refuses the abort': {
        begin: async ({ opencode, cp }) => {
            opencode.answers[ABORT] = [500, { name: 'UnknownError' }];
            opencode.onPrompt = beginText;
            const id = cp.prompt('go');
            await cp.waitForEvent(({ content }) => content === 'working');
            return id;
        },
        heal: ({ opencode }) => { delete opencode.answers[ABORT]; },
    },
    'OpenCode dies while it works': {
        begin: async ({ opencode, cp }) => {
            opencode.onPrompt = beginText;
            const id = cp.prompt('go');
            await cp.waitForEvent(({ content }) => content === 'working');
            await opencode.die();
            return id;
        },
        heal: ({ opencode }) => opencode.restart(),
    },
    'OpenCode is done and does not give its messages': {
        begin: async ({ opencode, cp }) => {
            opencode.answers['GET /session/:id/message'] = 'never';
            opencode.onPrompt = (run) => run.say('done');
            const id = cp.prompt('go');
            await asked(opencode, 'GET /session/:id/message', 2);
            return id;
        },
        heal: ({ opencode }) => { opencode.answers = {}; },
    },
    'the event stream broke and OpenCode does not give its messages': {
        begin: async ({ opencode, cp }) => {
            opencode.answers['GET /session/:id/message'] = 'never';
            opencode.onPrompt = beginText;
            const id = cp.prompt('go');
            await cp.waitForEvent(({ content }) => content === 'working');
            opencode.breakStreams();
            await asked(opencode, 'GET /session/:id/message', 2);
            return id;
        },
        heal: ({ opencode }) => { opencode.answers = {}; },
    },
};

for (const [where, { begin, heal }] of Object.entries(places)) {
    test(`${where}: stop is answered in time, and the next prompt works`, async (t) => {
        const ends = await bridgeBetween(t, { env });
        const { cp, opencode } = ends;
        await cp.completionOf(cp.prompt('first'));
        const id = await begin(ends);
        const waiting = cp.prompt('waits behind it');
        const askedAt = performance.now();
        cp.stop();
        for (const stopped of [id, waiting]) {
            const completion = await cp.completionOf(stopped, { timeoutMs: STOP_LIMIT_MS });
            assert.equal(completion.success, false);
            assert.equal(completion.error, 'Task was cancelled');
        }
        assert.ok(performance.now() - askedAt < STOP_LIMIT_MS);
        await heal(ends);
        opencode.onPrompt = (run) => run.say('next answer');
        const next = cp.prompt('next');
        assert.equal((await cp.completionOf(next)).success, true);
        assert.equal(cp.textOf(next), 'next answer');
        await settle(cp);
        for (const each of [id, waiting, next]) assert.equal(cp.completionsOf(each).length, 1);
    });
}

// An abort that meets a post under way answers true and stops nothing, as the real one does; OpenCode works then on a
// prompt that the user has stopped.

const STATUS = 'GET /session/status';
const NO_ANSWER = [500, { name: 'UnknownError' }];
const TRUE = [200, true];

/** A prompt that is stopped while its post is under way; its completion has come. */
async function stoppedWhilePosting(t) {
    const ends = await bridgeBetween(t, { env });
    const { cp, opencode } = ends;
    opencode.answers = { [POST]: 'never', [ABORT]: 'never' };
    opencode.onPrompt = beginText;
    const id = cp.prompt('go');
    await asked(opencode, POST);
    cp.stop();
    assert.equal((await cp.completionOf(id)).error, 'Task was cancelled');
    await asked(opencode, ABORT);
    return { ...ends, id };
}

/** The stopped prompt was broken off, and only then the next one is posted. */
async function nextWorks({ cp, opencode, id }) {
    opencode.onPrompt = (run) => run.say(opencode.runs[0].state === 'idle' ? 'alone' : 'beside the stopped one');
    const next = cp.prompt('next');
    assert.equal((await cp.completionOf(next)).success, true);
    assert.equal(cp.textOf(next), 'alone');
    for (const each of [id, next]) assert.equal(cp.completionsOf(each).length, 1);
}

test('stop during the post, whose answer comes before that of the abort: another abort follows', async (t) => {
    const ends = await stoppedWhilePosting(t);
    const { opencode } = ends;
    opencode.answers[STATUS] = NO_ANSWER; // what is known without it is enough
    await opencode.servePending(POST);
    opencode.answerPending(ABORT, true);
    await nextWorks(ends);
    assert.equal(opencode.aborts.length, 1, 'the one that stopped it');
});

test('stop during the post, whose answer comes after that of the abort: another abort follows', async (t) => {
    const ends = await stoppedWhilePosting(t);
    const { opencode } = ends;
    opencode.answerPending(ABORT, true);
    await asked(opencode, STATUS);
    await opencode.servePending(POST);
    await nextWorks(ends);
});

for (const posted of [false, true]) {
    test(`OpenCode begins only after the abort (${posted ? 'the next prompt waits' : 'no prompt waits'}): it is broken off`, async (t) => {
        const { cp, opencode, bridge } = await bridgeBetween(t, { env });
        opencode.onPrompt = () => {};
        const id = cp.prompt('go');
        const run = await opencode.prompted();
        cp.stop();
        assert.equal((await cp.completionOf(id)).error, 'Task was cancelled');
        await asked(opencode, STATUS, 2); // and said that it is idle
        opencode.onPrompt = (next) => next.say(run.state === 'idle' ? 'alone' : 'beside the stopped one');
        const next = posted ? cp.prompt('next') : null;
        beginText(run);
        await opencode.waitFor(() => run.state === 'idle', { what: 'the abort' });
        assert.equal(opencode.runs[1]?.state ?? 'idle', 'idle');
        if (next) assert.equal((await cp.completionOf(next)).success && cp.textOf(next), 'alone');
        assert.equal(bridge.exit, null);
    });
}

test('the abort of a stop stops nothing: OpenCode is told again until it is idle, and then gets the next prompt', async (t) => {
    const { cp, opencode } = await bridgeBetween(t, { env });
    opencode.onPrompt = beginText;
    opencode.answers[ABORT] = () => (opencode.requests.filter((name) => name === ABORT).length < 3 ? TRUE : undefined);
    const id = cp.prompt('go');
    await cp.waitForEvent(({ content }) => content === 'working');
    cp.stop();
    await nextWorks({ cp, opencode, id });
    assert.equal(opencode.aborts.length, 1);
});

test('OpenCode does not heed any abort: that is logged, and the next prompt does not wait for ever', async (t) => {
    const { cp, opencode, bridge } = await bridgeBetween(t, { env });
    opencode.onPrompt = (run, count) => (count === 1 ? beginText(run) : run.say('next answer'));
    opencode.answers[ABORT] = TRUE;
    const id = cp.prompt('go');
    await cp.waitForEvent(({ content }) => content === 'working');
    cp.stop();
    const next = cp.prompt('next');
    assert.equal((await cp.completionOf(id)).error, 'Task was cancelled');
    assert.ok(!opencode.runs[1], 'the completion does not wait for the aborts');
    assert.equal((await cp.completionOf(next)).success, true);
    await bridge.logged('bridge.stop_unheeded');
    assert.equal(opencode.requests.filter((name) => name === ABORT).length, 5);
});
