// Little to work with: another user, no HOME, no capabilities, a read-only root, few processes, a full disk, no /proc. A sandbox
// boots all the same and ends in order, or it says what is missing; it never crashes and leaves nothing.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import test from 'node:test';
import { git } from '../../playground/sample-repository.mjs';
import { Sandbox } from '../../playground/sandbox.mjs';
import { after, assertNothingLeft, endInOrder, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const isRoot = process.getuid() === 0;
const needsRoot = isRoot ? false : 'needs root, to take things away';
const sanitized = Boolean(process.env.OI_SANITIZED); // slow: as PID 1 only
const ways = !isRoot ? [false] : sanitized ? [true] : [true, false];
const USER = 54_321; // nobody else on this machine, because a limit of processes counts for all of a user
const BUSY_MS = 60_000;

const asUser = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups', '--'];
const withoutCapabilities = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all', '--no-new-privs', '--'];

/** Boots with a repository, checks that all of it is there, and ends in order. */
async function bootAndEnd(t, options) {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, options);
    const startup = await sandbox.logged('sandbox.startup', { timeoutMs: BUSY_MS });
    assert.equal(startup.outcome, 'success', sandbox.output);
    assert.equal(startup.git_sync_success && startup.setup_success && startup.start_success, true);
    const caps = readFileSync(`/proc/${sandbox.pid}/status`, 'utf8');
    await endInOrder(sandbox, { limitMs: 8000 });
    return { playground, sandbox, caps };
}

for (const isolated of ways) {
    const way = isolated ? 'as PID 1' : 'not as PID 1';

    test(`as an unprivileged user, ${way}`, { skip: needsRoot }, async (t) => {
        const { playground, sandbox, caps } = await bootAndEnd(t, { isolated, user: USER, around: asUser });
        assert.match(caps, new RegExp(`^Uid:\\s+${USER}\\s+${USER}`, 'm'));
        assert.equal(statSync(sandbox.path('workspace/app/README.md')).uid, USER);
        assert.deepEqual(playground.controlPlane.fatalReports, []);
    });

    test(`as root without any capability, ${way}`, { skip: needsRoot }, async (t) => {
        const { caps } = await bootAndEnd(t, { isolated, around: withoutCapabilities });
        assert.match(caps, /^CapEff:\s+0+$/m);
        assert.match(caps, /^CapBnd:\s+0+$/m);
    });
}

test('P20: with no process to spare for a restart it tries again', { skip: needsRoot }, async (t) => {
    const playground = await playgroundFor(t, { repository: null });
    const sandbox = await startWithStandIns(playground, { isolated: true, user: USER, around: asUser });
    await sandbox.logged('sandbox.startup');
    const [setpriv, ...user] = asUser; // the limits of another user are nobody's
    const limit = (count) => execFileSync(setpriv, [...user, 'prlimit', '--pid', String(sandbox.pid), `--nproc=${count}:`]);
    limit(1);
    process.kill(sandbox.find('stand-in-bridge').pid, 'SIGKILL');
    const failed = await sandbox.waitFor(() => sandbox.logsOf('bridge.crash')[1], { what: 'the start that fails' });
    assert.match(failed.error_message, /fork: Resource temporarily unavailable/);
    limit(1000);
    await sandbox.logged('bridge.started', { count: 2 });
    await endInOrder(sandbox);
});

test('with a read-only root, where only the workspace, /tmp, /run and the home can be written', { skip: needsRoot }, async (t) => {
    const around = after(`mkdir /read-only
mount --rbind / /read-only
for writable in workspace tmp run root; do mount --bind "/$writable" "/read-only/$writable"; done
mount -o remount,bind,ro /read-only
mount -o remount,bind,ro /read-only/usr/local/bin
exec chroot /read-only "$@"`);
    const { sandbox } = await bootAndEnd(t, { isolated: true, around });
    assert.equal(git(sandbox.path('workspace/app'), 'status', '--porcelain'), '');
});

test('S-40: without HOME it is that of the user in the password database', { skip: needsRoot }, async (t) => {
    const around = after('mkdir /root/of-passwd && mount --bind /tmp/passwd /etc/passwd');
    const files = { 'tmp/passwd': 'root:x:0:0:root:/root/of-passwd:/bin/sh\n' };
    const { sandbox } = await bootAndEnd(t, { isolated: true, around, files, env: { HOME: undefined } });
    for (const path of ['.gitconfig', '.config/opencode/tool']) {
        assert.ok(existsSync(sandbox.path('root/of-passwd', path)), path);
    }
});

/** A file system of that size at `path`, with no room left in it. */
const full = (path, size) => `mount -t tmpfs -o size=${size} tmpfs ${path}
cat /dev/zero > ${path}/all-of-it 2>/dev/null || true`;

test('P18: with a full workspace the clone is fatal and says so, and nothing is left', { skip: needsRoot }, async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { isolated: true, around: after(full('/workspace', '64k')) });
    assert.equal((await sandbox.exited({ timeoutMs: BUSY_MS })).code, 1);
    assert.match(playground.controlPlane.fatalReports[0].error, /acme\/app.*No space left on device/s);
    await assertNothingLeft(sandbox);
});

test('P18: with a full /tmp it boots, or says what it could not write', { skip: needsRoot }, async (t) => {
    const { sandbox } = await bootAndEnd(t, { isolated: true, around: after(full('/tmp', '64k')) });
    const [failed] = sandbox.logsOf('supervisor.repo_manifest_write_failed');
    assert.match(failed.error_message, /oi-repo-manifest\.json.*No space left on device/);
});

test('without /proc', { skip: sanitized ? 'sanitizers need it' : needsRoot }, async (t) => {
    // Node cannot do without: OpenCode's stand-in gets one of its own.
    const opencode = `#!/bin/sh
exec unshare --mount --propagation unchanged sh -c '
mount -t proc proc /proc
exec node ${Sandbox.ownFile('tests/system/support/opencode-standin.mjs', true)} "$@"' sh "$@"
`;
    await bootAndEnd(t, { isolated: true, around: after('umount /proc'), opencode });
});
