// The whole path on real parts, as in end-to-end.test.mjs, with something going wrong in the middle of a prompt.

import assert from 'node:assert/strict';
import test from 'node:test';
import { waitUntil } from '../../playground/waiting.mjs';
import { settle, types } from './support/bridge.mjs';
import { BOOT_LIMIT_MS, daemonise, endInOrder, PROMPT_LIMIT_MS, readySandbox } from './support/sandbox.mjs';

for (const [what, find] of [['OpenCode', 'opencode serve'], ['the bridge', 'oi-bridge']]) {
    test(`kill -9 of ${what} in the middle of a prompt: exactly one completion, and the sandbox goes on`, async (t) => {
        const { sandbox, cp, ask } = await readySandbox(t);
        const known = await ask('remember the word walnut');
        assert.equal(known.completion.success, true);
        const id = cp.prompt('say 200 words at 40/s');
        await cp.waitForEvent(({ type, messageId }) => type === 'token' && messageId === id, { timeoutMs: PROMPT_LIMIT_MS });
        process.kill(sandbox.find(find).pid, 'SIGKILL');
        await cp.completionOf(id, { timeoutMs: PROMPT_LIMIT_MS });
        if (what === 'the bridge') await cp.ready(2, { timeoutMs: BOOT_LIMIT_MS });
        else await sandbox.logged('opencode.ready', { count: 2, timeoutMs: BOOT_LIMIT_MS });
        const next = await ask('what did I say?');
        assert.equal(next.completion.success, true, next.completion.error);
        assert.match(cp.textOf(next.id), /walnut/, 'the session is still the same');
        await settle(cp);
        assert.equal(cp.completionsOf(id).length, 1);
        await endInOrder(sandbox);
    });
}

test('the control plane is away for a minute in the middle of a prompt: everything arrives, in order', async (t) => {
    const { sandbox, cp, ask } = await readySandbox(t, { sandbox: { env: { BRIDGE_RECONNECT_MAX_MS: '2000' } } });
    await ask('warm up');
    const steps = Array.from({ length: 12 }, (_, step) => `bash: echo step-${step}; sleep 5.${step + 10}`);
    const id = cp.prompt([...steps, 'say: all done'].join(' ;; '));
    await cp.waitForEvent(({ type, args }) => type === 'tool_call' && args.command.includes('step-0'), { timeoutMs: PROMPT_LIMIT_MS });
    await cp.goAway();
    await waitUntil(() => sandbox.find('sleep 5.21'), { timeoutMs: 120_000, what: 'the last step' });
    await cp.comeBack();
    const completion = await cp.completionOf(id, { timeoutMs: PROMPT_LIMIT_MS });
    assert.equal(completion.success, true);
    const seen = cp.eventsOf(id).filter(({ type }) => type === 'tool_call')
        .map(({ args, status }) => `${/step-\d+/.exec(args.command)[0]} ${status}`);
    assert.deepEqual(seen, steps.flatMap((_, step) => [`step-${step} running`, `step-${step} completed`]));
    assert.equal(types(cp.eventsOf(id)).at(-1), 'execution_complete');
    await settle(cp);
    assert.equal(cp.completionsOf(id).length, 1);
    await endInOrder(sandbox);
});

test('SIGTERM in the middle of a prompt with a daemon of the agent: one completion, exit 0, nothing left', async (t) => {
    const { sandbox, cp } = await readySandbox(t);
    const script = daemonise('agents-daemon').trim().split('\n').map((line) => line.replace(/\\$/, '')).join(' ');
    const id = cp.prompt(`bash: ${script.replaceAll(' disown', '')} sleep 1000`);
    await waitUntil(() => sandbox.find('agents-daemon') && sandbox.find('sleep 1000'), { timeoutMs: PROMPT_LIMIT_MS, what: 'the daemon' });
    await endInOrder(sandbox, { limitMs: 16_000 });
    assert.equal(cp.completionsOf(id).length, 1);
    assert.equal(cp.completionsOf(id)[0].success, false);
});
