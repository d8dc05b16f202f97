// Pushes by a real bridge from a real checkout; OpenCode is a stand-in, because no push needs it.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { isAlive } from '../../playground/processes.mjs';
import { git } from '../../playground/sample-repository.mjs';
import { waitUntil } from '../../playground/waiting.mjs';
import { settle } from './support/bridge.mjs';
import { isPush, sandboxWithCommit } from './support/push.mjs';
import { endInOrder, QUICK } from './support/sandbox.mjs';

const skip = process.getuid() === 0 ? false : 'the older contract needs a home directory of its own';

test('a push arrives in the repository and is told once, with the repository it was for', async (t) => {
    const { playground, sandbox, cp, push, checkout } = await sandboxWithCommit(t);
    const done = await push('feature/one');
    assert.deepEqual([done.type, done.branchName, done.repoOwner, done.repoName], ['push_complete', 'feature/one', 'acme', 'app']);
    assert.ok(done.ackId);
    assert.equal(git(playground.bareRepository, 'rev-parse', 'feature/one'), git(checkout, 'rev-parse', 'HEAD'));
    assert.equal(cp.events.filter(isPush).length, 1);
    assert.ok(!git(checkout, 'config', '--list', '--local').includes(playground.gitServer.token));
    await endInOrder(sandbox);
});

test('a forced push replaces another history, one without force does not', async (t) => {
    const { playground, sandbox, push, checkout } = await sandboxWithCommit(t);
    assert.equal((await push('feature/two')).type, 'push_complete');
    git(checkout, 'commit', '--quiet', '--amend', '--message', 'Another history');
    const refused = await push('feature/two', { force: false });
    assert.equal(refused.type, 'push_error');
    assert.match(refused.error, /^Push failed/);
    assert.equal((await push('feature/two')).type, 'push_complete');
    assert.equal(git(playground.bareRepository, 'log', '-1', '--format=%s', 'feature/two'), 'Another history');
    await endInOrder(sandbox);
});

test('a wrong token, a refusal and a missing repository are different errors, without the token', async (t) => {
    const { playground, sandbox, cp, push } = await sandboxWithCommit(t);
    const { gitServer } = playground;
    const errors = [];
    const remote = ({ owner, name }, token) => ({
        remoteUrl: `https://x-access-token:${token}@${gitServer.vcsHost}/${owner}/${name}.git`, redactedRemoteUrl: gitServer.url(owner, name) });
    cp.pushRemote = (repository) => remote(repository, 'wrong-token-77aa');
    errors.push((await push('feature/three')).error);
    cp.pushRemote = () => remote({ owner: 'acme', name: 'nowhere' }, gitServer.token);
    errors.push((await push('feature/three')).error);
    cp.pushRemote = (repository) => remote(repository, gitServer.token);
    gitServer.refusePush = true;
    errors.push((await push('feature/three')).error);
    assert.equal(new Set(errors).size, 3, errors.join('\n'));
    for (const error of errors) assert.match(error, /^Push failed/);
    const everything = JSON.stringify(cp.events) + sandbox.output;
    assert.ok(!everything.includes(gitServer.token) && !everything.includes('wrong-token-77aa'));
    await endInOrder(sandbox);
});

test('a push to a server that never answers ends at its limit; prompts and heartbeats go on meanwhile', async (t) => {
    const { playground, sandbox, cp, push } = await sandboxWithCommit(t, { env: { BRIDGE_PUSH_TIMEOUT_MS: '2000' } });
    playground.gitServer.stall = 'answer';
    const pushing = push('feature/four');
    const id = cp.prompt('hello');
    const completion = await cp.completionOf(id);
    assert.equal(completion.success, true);
    assert.equal(cp.events.filter(isPush).length, 0, 'the prompt did not wait for the push');
    const failed = await pushing;
    assert.equal(failed.type, 'push_error');
    assert.match(failed.error, /timed out|limit|answer/);
    await endInOrder(sandbox);
});

test('a push specification that makes no sense is refused with its own text', async (t) => {
    const { sandbox, cp, push } = await sandboxWithCommit(t);
    const cases = [
        [{ pushSpec: undefined }, /missing push specification/],
        [{ repoName: '' }, /must carry both repoOwner and repoName/],
        [{ targetBranch: '' }, /missing target branch/],
        [{ remoteUrl: '' }, /invalid push specification/],
        [{ repoName: 'other' }, /acme\/other is not part of this session/],
    ];
    for (const [change, expected] of cases) {
        const after = cp.events.length;
        if ('pushSpec' in change) cp.send({ type: 'push' });
        else cp.push('feature/five', change);
        const failed = await cp.waitForEvent(isPush, { after });
        assert.equal(failed.type, 'push_error');
        assert.match(failed.error, expected);
    }
    assert.equal((await push('feature/five')).type, 'push_complete');
    await endInOrder(sandbox);
});

test('the older contract: always forced, to github.com, and one text for every failure (B-840..B-844)', { skip }, async (t) => {
    const { playground, sandbox, cp, push, checkout } = await sandboxWithCommit(t, { era: 'older' });
    const { token } = playground.gitServer;
    const fields = ({ type, error, branchName, repoOwner, repoName }) => [type, error, branchName, repoOwner, repoName];
    assert.deepEqual(fields(await push('older/one', { githubToken: token })),
        ['push_complete', undefined, 'older/one', undefined, undefined]);
    git(checkout, 'commit', '--quiet', '--amend', '--message', 'Another history');
    assert.equal((await push('older/one', { githubToken: token })).type, 'push_complete');
    assert.equal(git(playground.bareRepository, 'log', '-1', '--format=%s', 'older/one'), 'Another history');
    playground.gitServer.refusePush = true;
    assert.deepEqual(fields(await push('older/two', { githubToken: token })),
        ['push_error', 'Push failed - authentication may be required', 'older/two', undefined, undefined]);
    const { stderr } = await sandbox.logged('git.push_failed');
    assert.match(stderr, /403/, 'the log has the reason');
    playground.gitServer.refusePush = false;
    assert.equal((await push('older/three')).type, 'push_complete', 'with the token of the environment');
    await sandbox.logged('git.push_start', { count: 4 });
    const sources = sandbox.logsOf('git.push_start').map(({ token_source: source }) => source);
    assert.deepEqual(sources, [...Array(3).fill('fresh from command'), 'from env']);
    assert.ok(!JSON.stringify(cp.events).includes(token));
    await endInOrder(sandbox);
});

test('kill -9 of the bridge in mid-push: the next one answers it, once, and nothing of the push goes on', async (t) => {
    const { playground, sandbox, cp, push } = await sandboxWithCommit(t, { env: QUICK });
    const { gitServer } = playground;
    gitServer.stall = 'answer';
    const asked = gitServer.requests.length;
    cp.push('feature/lost');
    cp.push('feature/waiting');
    await waitUntil(() => gitServer.requests.length > asked, { what: 'the push to begin' });
    const worker = sandbox.find('--worker push');
    assert.ok(!readFileSync(sandbox.path('tmp/oi-bridge.journal'), 'utf8').includes(gitServer.token), 'no credentials on disk');
    process.kill(sandbox.find('oi-bridge --sandbox-id').pid, 'SIGKILL');
    await cp.waitFor(() => cp.events.filter(isPush).length === 2, { what: 'the answers', timeoutMs: 30_000 });
    assert.ok(!isAlive(worker.pid), 'the push of the dead bridge has ended');
    gitServer.stall = null;
    for (const [index, branch] of ['feature/lost', 'feature/waiting'].entries()) {
        const { type, error, branchName, repoOwner, repoName, ackId } = cp.events.filter(isPush)[index];
        assert.deepEqual([type, branchName, repoOwner, repoName], ['push_error', branch, 'acme', 'app']);
        assert.match(error, /^Push failed - the bridge was restarted during the push/);
        assert.match(ackId, /^push_error:[0-9a-f]{16}$/);
        assert.equal(git(playground.bareRepository, 'branch', '--list', branch), '');
    }
    await settle(cp); // the acks are with the bridge
    cp.cut();
    await cp.ready(3);
    assert.equal((await push('feature/lost')).type, 'push_complete', 'pushing again works');
    assert.equal(cp.events.filter(isPush).length, 3, 'each was answered once');
    await endInOrder(sandbox);
});

test('SIGTERM in the middle of a push: answered, gone within the budget, nothing left', async (t) => {
    const { playground, sandbox, cp } = await sandboxWithCommit(t);
    playground.gitServer.stall = 'answer';
    const asked = playground.gitServer.requests.length;
    cp.push('feature/six');
    await waitUntil(() => playground.gitServer.requests.length > asked, { what: 'the push to begin' });
    await endInOrder(sandbox, { limitMs: 10_000 });
    const [{ type, error, branchName }] = cp.events.filter(isPush);
    assert.deepEqual([type, error, branchName], ['push_error', 'Push failed - the sandbox is shutting down', 'feature/six']);
});
