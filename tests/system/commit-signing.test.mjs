// The agent of the real OpenCode commits; the commit names the user as author, the platform as committer, and carries
// the platform's signature, although no key is in the sandbox.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { CommitSigner } from '../../playground/commit-signer.mjs';
import { git } from '../../playground/sample-repository.mjs';
import { endInOrder, playgroundFor } from './support/sandbox.mjs';

const skip = process.getuid() === 0 ? false : 'the workspace is /workspace: needs a file system of its own';
const LIMIT_MS = 60_000;
const COMMIT = 'cd /workspace/app && echo more >> README.md && git commit -qam "By the agent"';

test('the agent\'s commit is signed by the control plane and verifies with the real ssh-keygen', { skip }, async (t) => {
    const playground = await playgroundFor(t);
    const { controlPlane: cp, bareRepository } = playground;
    const signer = new CommitSigner();
    const scratch = mkdtempSync(join(tmpdir(), 'oi-verify-'));
    t.after(() => {
        signer.remove();
        rmSync(scratch, { recursive: true, force: true });
    });
    cp.signer = signer;
    const sandbox = await playground.startSandbox();
    await sandbox.stillRuns(cp.ready(1, { timeoutMs: LIMIT_MS }));
    const id = cp.prompt(`bash: ${COMMIT} ;; say: done`, { author: {
        userId: 'user-1', gitIdentity: { mode: 'attributed-user', name: 'Ada', email: 'ada@example.com' } } });
    await sandbox.stillRuns(cp.completionOf(id, { timeoutMs: LIMIT_MS }));
    const call = cp.eventsOf(id).findLast(({ type }) => type === 'tool_call');
    assert.deepEqual([call.status, call.output.trim().replace('(no output)', '')], ['completed', ''], cp.describe());

    const checkout = sandbox.path('workspace/app');
    assert.equal(git(checkout, 'log', '-1', '--format=%s|%an|%ae|%cn|%ce'),
        `By the agent|Ada|ada@example.com|${signer.name}|${signer.email}`);
    const allowed = join(scratch, 'allowed');
    writeFileSync(allowed, signer.allowedSigners);
    const verdict = execFileSync('git', ['-c', `gpg.ssh.allowedSignersFile=${allowed}`, '-c', 'gpg.ssh.program=ssh-keygen',
        '-c', 'safe.directory=*', 'log', '-1', '--format=%G?|%GS'], { cwd: checkout, encoding: 'utf8' });
    assert.equal(verdict.trim(), `G|${signer.email}`);
    cp.push('signed');
    await cp.waitForEvent('push_complete');
    assert.equal(git(bareRepository, 'log', '-1', '--format=%s', 'signed'), 'By the agent');
    await endInOrder(sandbox);
});
