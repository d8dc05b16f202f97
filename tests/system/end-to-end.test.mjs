// The whole path on real parts: the supervisor clones over HTTPS, starts the real OpenCode and the bridge; the control
// plane double sends prompts. Only the model is scripted (playground/model-script.mjs).

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import test from 'node:test';
import { residentKib } from '../../playground/processes.mjs';
import { git } from '../../playground/sample-repository.mjs';
import { waitUntil } from '../../playground/waiting.mjs';
import { BOOT_LIMIT_MS, endInOrder, playgroundFor, PROMPT_LIMIT_MS, QUICK, readySandbox } from './support/sandbox.mjs';

const MAX_SUPERVISOR_KIB = 1024;
const MAX_BRIDGE_KIB = 3 * 1024;
const COMMIT = 'git -c user.name=Agent -c user.email=agent@localhost commit -qam';

test('two prompts, the second knows the first; a tool call; a pull request; in the end nothing is left', async (t) => {
    const { playground, sandbox, cp, ask } = await readySandbox(t);
    const first = await ask('my favourite number is 17');
    assert.equal(first.completion.success, true);
    assert.match(cp.textOf(first.id), /favourite number is 17/);

    const second = await ask('what did I say?');
    assert.match(cp.textOf(second.id), /Before that you wrote: "my favourite number is 17"/);

    const third = await ask(`bash: git checkout -qb Agent/Readme && echo more >> README.md && ${COMMIT} "More" ;; say: committed`);
    const calls = cp.eventsOf(third.id).filter(({ type }) => type === 'tool_call');
    assert.deepEqual(calls.map(({ tool, status }) => [tool, status]), [['bash', 'running'], ['bash', 'completed']]);
    assert.equal(cp.textOf(third.id).trim(), 'committed');

    const fourth = await ask('pull request More: Adds a line ;; say: opened');
    const pullRequest = cp.eventsOf(fourth.id).find(({ tool, status }) => tool === 'create-pull-request' && status === 'completed');
    assert.match(pullRequest?.output ?? cp.describe(), /pull\/1/);
    assert.equal(git(playground.bareRepository, 'log', '-1', '--format=%s', 'agent/readme'), 'More');

    assert.equal(cp.eventsOfType('session_title').length, 1);
    assert.deepEqual(readdirSync(sandbox.path('workspace/app')).filter((name) => name === '.opencode'), [],
        'nothing is put into the checkout');
    assert.equal(git(sandbox.path('workspace/app'), 'status', '--porcelain'), '');
    await endInOrder(sandbox);
});

test('between prompts both programs are small', { skip: process.env.OI_SANITIZED ? 'sanitizers need memory' : false }, async (t) => {
    const { sandbox, ask } = await readySandbox(t);
    await ask('say 500 words');
    const [supervisor, bridge] = [sandbox.pid, sandbox.find('oi-bridge').pid].map(residentKib);
    assert.ok(supervisor < MAX_SUPERVISOR_KIB, `oi-supervisor: ${supervisor} KiB`);
    assert.ok(bridge < MAX_BRIDGE_KIB, `oi-bridge, connected over TLS: ${bridge} KiB`);
    await endInOrder(sandbox);
});

test('text streams: the first token comes long before the last', async (t) => {
    const { sandbox, cp, ask } = await readySandbox(t);
    await ask('warm up');
    const { id } = await ask('say 60 words at 30/s');
    const tokens = cp.eventsOf(id).filter(({ type }) => type === 'token');
    assert.ok(tokens.length >= 5, `${tokens.length} tokens`);
    assert.ok(tokens.at(-1).receivedAt - tokens[0].receivedAt > 1000);
    assert.equal(tokens.at(-1).content.trim(), Array.from({ length: 60 }, (_, index) => `w${index + 1}`).join(' '));
    await endInOrder(sandbox);
});

test('stop ends a running command within a moment, and the next prompt works', async (t) => {
    const { sandbox, cp, ask } = await readySandbox(t);
    const id = cp.prompt('bash: sleep 1000');
    await cp.waitForEvent(({ type, status }) => type === 'tool_call' && status === 'running', { timeoutMs: PROMPT_LIMIT_MS });
    const asked = performance.now();
    cp.stop();
    const completion = await cp.completionOf(id);
    assert.equal(completion.error, 'Task was cancelled');
    assert.ok(completion.receivedAt - asked < 1000);
    await waitUntil(() => !sandbox.find('sleep 1000'), { what: 'the command to be ended' });
    const next = await ask('say: still here');
    assert.equal(next.completion.success, true);
    assert.equal(cp.textOf(next.id).trim(), 'still here');
    assert.equal(cp.completionsOf(id).length, 1);
    await endInOrder(sandbox);
});

test('push sends the commits to the repository, also while a prompt runs, and says so once', async (t) => {
    const { playground, sandbox, cp, ask } = await readySandbox(t);
    await ask(`bash: echo more >> README.md && ${COMMIT} "By push"`);
    const running = cp.prompt('bash: sleep 3 ;; say: slept');
    await cp.waitForEvent(({ type, args }) => type === 'tool_call' && args.command === 'sleep 3', { timeoutMs: PROMPT_LIMIT_MS });
    cp.push('feature/by-push');
    const pushed = await cp.waitForEvent('push_complete');
    assert.equal(pushed.branchName, 'feature/by-push');
    assert.equal(cp.completionsOf(running).length, 0, 'the push did not wait for the prompt');
    assert.equal(git(playground.bareRepository, 'log', '-1', '--format=%s', 'feature/by-push'), 'By push');

    playground.gitServer.refusePush = true;
    await cp.completionOf(running, { timeoutMs: PROMPT_LIMIT_MS });
    await ask(`bash: echo even more >> README.md && ${COMMIT} "Refused"`);
    cp.push('feature/refused');
    const refused = await cp.waitForEvent('push_error');
    assert.match(refused.error, /^Push failed/);
    assert.ok(!JSON.stringify(cp.events).includes(playground.gitServer.token), 'no event holds the token');
    await endInOrder(sandbox);
});

test('the older contract: the credential in the query, github.com, a push by branch name, a control plane without acks', async (t) => {
    const playground = await playgroundFor(t, { era: 'older' });
    const { controlPlane: cp, gitServer, bareRepository } = playground;
    const sandbox = await playground.startSandbox({ env: { ...QUICK, BRIDGE_WS_AUTH: 'query' }, files: {
        'root/.gitconfig': `[url "${gitServer.baseWithToken}"]\n\tinsteadOf = https://github.com/\n` } });
    await sandbox.stillRuns(cp.ready(1, { timeoutMs: BOOT_LIMIT_MS }));
    assert.match(cp.connections[0].url, /&token=\w+&sandboxId=/);
    const id = cp.prompt(`bash: echo more >> README.md && ${COMMIT} "Older" ;; say: committed`);
    assert.equal((await cp.completionOf(id, { timeoutMs: PROMPT_LIMIT_MS })).success, true);
    cp.push('older-branch');
    const pushed = await cp.waitForEvent(({ type }) => type.startsWith('push_'));
    assert.equal(pushed.type, 'push_complete', pushed.error);
    assert.equal(git(bareRepository, 'log', '-1', '--format=%s', 'older-branch'), 'Older');
    await endInOrder(sandbox);
});

test('an error of the model reaches the user, and the session lives on', async (t) => {
    const { sandbox, cp, ask } = await readySandbox(t);
    const { id, completion } = await ask('fail 400');
    assert.equal(completion.success, false);
    assert.match(completion.error, /scripted failure 400/);
    assert.equal(cp.eventsOf(id).filter(({ type }) => type === 'error').length, 1);
    const next = await ask('say: alive');
    assert.equal(next.completion.success, true);
    await endInOrder(sandbox);
});

test('a write of the agent is a file in the checkout', async (t) => {
    const { sandbox, ask } = await readySandbox(t);
    const { completion } = await ask('write /workspace/app/notes.txt: remember me ;; say: written');
    assert.equal(completion.success, true);
    const path = sandbox.path('workspace/app/notes.txt');
    if (sandbox.isolated) assert.ok(existsSync(path) && readFileSync(path, 'utf8').includes('remember me'));
    await endInOrder(sandbox);
});
