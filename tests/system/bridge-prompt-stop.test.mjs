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
