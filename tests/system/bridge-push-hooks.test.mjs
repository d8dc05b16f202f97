// Pushes that libgit2 cannot do, so that the bridge runs git: a pre-push hook, which may be that of git-lfs. The
// limits and the secrecy are those of every push.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { git } from '../../playground/sample-repository.mjs';
import { waitUntil } from '../../playground/waiting.mjs';
import { serveLfs } from './support/lfs-server.mjs';
import { isPush, sandboxWithCommit } from './support/push.mjs';
import { endInOrder, QUICK } from './support/sandbox.mjs';

const hook = (checkout, script) =>
    writeFileSync(`${checkout}/.git/hooks/pre-push`, `#!/bin/bash\n${script}\n`, { mode: 0o755 });
const branches = ({ bareRepository }, name) => git(bareRepository, 'branch', '--list', name);
/** In the hook's group, but deaf to SIGTERM. */
const STUBBORN = 'trap "" TERM\ntouch .git/hook-runs\nwhile :; do sleep 0.1; done';

/** Is there a git-lfs for git on this machine? */
function hasLfs() {
    try {
        execFileSync('git', ['lfs', 'version'], { stdio: 'ignore' });
        return true;
    } catch {
        return false;
    }
}

test('a pre-push hook decides: it sees what is pushed, its words are the error, and no credential is in its reach', async (t) => {
    const { playground, sandbox, cp, push, checkout } = await sandboxWithCommit(t);
    const { token } = playground.gitServer;
    hook(checkout, '(echo "$@"; cat; env | grep -v ^VCS_CLONE_TOKEN=; cat /proc/[0-9]*/cmdline) >.git/seen 2>&1; exit 0');
    assert.equal((await push('hooked/one')).type, 'push_complete');
    assert.equal(git(playground.bareRepository, 'rev-parse', 'hooked/one'), git(checkout, 'rev-parse', 'HEAD'));
    const seen = readFileSync(`${checkout}/.git/seen`, 'latin1');
    assert.match(seen, /^HEAD [0-9a-f]{40} refs\/heads\/hooked\/one 0{40}$/m);
    assert.ok(!seen.includes(token), 'neither in the environment nor in an argv');
    assert.match((await sandbox.logged('git.push_complete')).git_for, /hooks\/pre-push$/);

    hook(checkout, 'echo "3 tests failed" >&2; exit 1');
    const refused = await push('hooked/two');
    assert.equal(refused.type, 'push_error');
    assert.match(refused.error, /^Push failed: 3 tests failed\nerror: failed to push some refs/);
    assert.equal(branches(playground, 'hooked/two'), '');
    assert.throws(() => execFileSync('grep', ['-rqa', token, checkout, sandbox.path('tmp')]), 'no token on disk');
    assert.equal(cp.events.filter(isPush).length, 2);
    await endInOrder(sandbox);
});

test('a hook that never ends and ignores SIGTERM: the limit ends all of it', async (t) => {
    const { playground, sandbox, push, checkout } = await sandboxWithCommit(t,
        { env: { BRIDGE_PUSH_TIMEOUT_MS: '3000', BRIDGE_PUSH_KILL_MS: '300' } });
    hook(checkout, STUBBORN);
    const failed = await push('hooked/three');
    assert.match(failed.error, /^Push failed - git push timed out after 3s$/);
    assert.ok(existsSync(`${checkout}/.git/hook-runs`));
    await waitUntil(() => !sandbox.find('pre-push'), { what: 'the hook to be killed' });
    await sandbox.logged('git.push_kill');
    assert.equal(branches(playground, 'hooked/three'), '');
    await endInOrder(sandbox);
});

test('kill -9 of the bridge while a hook runs: git and the hook end too, and nothing is pushed', async (t) => {
    const { playground, sandbox, cp, checkout } = await sandboxWithCommit(t, { env: QUICK });
    hook(checkout, STUBBORN);
    cp.push('hooked/four');
    await waitUntil(() => existsSync(`${checkout}/.git/hook-runs`), { what: 'the hook' });
    process.kill(sandbox.find('oi-bridge --sandbox-id').pid, 'SIGKILL');
    const { error } = await cp.waitForEvent(isPush, { timeoutMs: 30_000 });
    assert.match(error, /^Push failed - the bridge was restarted/);
    await waitUntil(() => !['pre-push', 'git push', '--worker push'].some((name) => sandbox.find(name)), { what: 'all of it to end' });
    assert.equal(branches(playground, 'hooked/four'), '');
    await endInOrder(sandbox);
});

test('large files of git-lfs are uploaded with the push', { skip: hasLfs() ? false : 'git-lfs is not installed' }, async (t) => {
    const old = Buffer.from('a large file of before, which the clone has as a pointer only');
    const oldOid = createHash('sha256').update(old).digest('hex');
    const files = { '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
        'old.bin': `version https://git-lfs.github.com/spec/v1\noid sha256:${oldOid}\nsize ${old.length}\n` };
    const { playground, sandbox, push, checkout } = await sandboxWithCommit(t, { repository: { owner: 'acme', name: 'app', files } });
    const objects = serveLfs(playground.gitServer);
    objects.set(oldOid, old);
    const bytes = randomBytes(100_000);
    git(checkout, 'lfs', 'install', '--local');
    writeFileSync(`${checkout}/large.bin`, bytes);
    git(checkout, 'add', 'large.bin');
    git(checkout, 'commit', '--quiet', '--message', 'A large file');
    const done = await push('lfs/one');
    assert.equal(done.type, 'push_complete', done.error);
    const oid = createHash('sha256').update(bytes).digest('hex');
    assert.deepEqual(objects.get(oid), bytes);
    assert.match(git(playground.bareRepository, 'show', 'lfs/one:large.bin'), new RegExp(`oid sha256:${oid}`));
    const { token } = playground.gitServer;
    assert.throws(() => execFileSync('grep', ['-rqa', token, checkout, sandbox.path('tmp')]), 'no token on disk');
    await endInOrder(sandbox);
});
