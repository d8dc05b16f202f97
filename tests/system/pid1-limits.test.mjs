// Little to work with: another user, no HOME, no capabilities, a read-only root, few processes, a full disk, no /proc. A sandbox
// boots all the same and ends in order, or it says what is missing; it never crashes and leaves nothing.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import test from 'node:test';
import { git } from '../../playground/sample-repository.mjs';
import { Sandbox } from '../../playground/sandbox.mjs';
import { after, afterMounting, assertNothingLeft, endInOrder, inBothWays, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const isRoot = process.getuid() === 0;
const skip = isRoot ? false : 'needs root, to take things away';
const sanitized = Boolean(process.env.OI_SANITIZED);
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

inBothWays('as an unprivileged user', { skip }, async (t, isolated) => {
    const { playground, sandbox, caps } = await bootAndEnd(t, { isolated, user: USER, around: asUser });
    assert.match(caps, new RegExp(`^Uid:\\s+${USER}\\s+${USER}`, 'm'));
    assert.equal(statSync(sandbox.path('workspace/app/README.md')).uid, USER);
    assert.deepEqual(playground.controlPlane.fatalReports, []);
});

inBothWays('as root without any capability', { skip }, async (t, isolated) => {
    const { caps } = await bootAndEnd(t, { isolated, around: withoutCapabilities });
    assert.match(caps, /^CapEff:\s+0+$/m);
    assert.match(caps, /^CapBnd:\s+0+$/m);
});

inBothWays('P20: with no process to spare for a restart it tries again', { skip }, async (t, isolated) => {
    const playground = await playgroundFor(t, { repository: null });
    const sandbox = await startWithStandIns(playground, { isolated, user: USER, around: asUser });
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

inBothWays('with a read-only root, where only the workspace, /tmp, /run and the home can be written', { skip }, async (t, isolated) => {
    // A sandbox of its own has no mount at its root yet; on the machine itself all that is the sandbox's is below $HOME/..
    const around = afterMounting(isolated ? `mkdir /read-only
mount --rbind / /read-only
for writable in workspace tmp run root; do mount --bind "/$writable" "/read-only/$writable"; done
mount -o remount,bind,ro /read-only
mount -o remount,bind,ro /read-only/usr/local/bin
exec chroot /read-only "$@"` : `cd "$HOME/.."
for writable in . workspace tmp run root; do mount --bind "$writable" "$writable"; done
cd /
mount -o remount,bind,ro "$HOME/.."
mount -o remount,bind,ro /
if [ -w / ] || [ -w "$HOME/../app" ]; then echo "it can be written"; exit 1; fi`, isolated);
    const { sandbox } = await bootAndEnd(t, { isolated, around });
    assert.equal(git(sandbox.path('workspace/app'), 'status', '--porcelain'), '');
});

test('S-40: without HOME it is that of the user in the password database', { skip }, async (t) => {
    const around = after('mkdir /root/of-passwd && mount --bind /tmp/passwd /etc/passwd');
    const files = { 'tmp/passwd': 'root:x:0:0:root:/root/of-passwd:/bin/sh\n' };
    const { sandbox } = await bootAndEnd(t, { isolated: true, around, files, env: { HOME: undefined } });
    for (const path of ['.gitconfig', '.config/opencode/tool']) {
        assert.ok(existsSync(sandbox.path('root/of-passwd', path)), path);
    }
});

test('decision 8: a workspace that cannot be made is fatal, and directory and user are named', { skip }, async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { isolated: true, around: [...after('chmod 755 / && rmdir /workspace'), ...asUser] });
    assert.equal((await sandbox.exited()).code, 1);
    assert.match(playground.controlPlane.fatalReports[0].error, new RegExp(`user ${USER} .*/workspace: Permission denied`));
});

test('decision 8: so is a file in its place; what never began took no time', { skip }, async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { isolated: true, around: after('rmdir /workspace && touch /workspace') });
    assert.equal((await sandbox.exited()).code, 1);
    assert.match(playground.controlPlane.fatalReports[0].error, /\/workspace: Not a directory/);
    assert.ok(sandbox.logsOf('sandbox.startup')[0].duration_ms < BUSY_MS, sandbox.output);
});

/** A file system of that size at that directory of the sandbox, with no room left in it. */
const full = (name, size, isolated) => afterMounting(`mount -t tmpfs -o size=${size} tmpfs "$HOME/../${name}"
cat /dev/zero > "$HOME/../${name}/all-of-it" 2>/dev/null || true`, isolated);

inBothWays('P18: with a full workspace the clone is fatal and says so, and nothing is left', { skip }, async (t, isolated) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { isolated, around: full('workspace', '64k', isolated) });
    assert.equal((await sandbox.exited({ timeoutMs: BUSY_MS })).code, 1);
    assert.match(playground.controlPlane.fatalReports[0].error, /acme\/app.*No space left on device/s);
    await assertNothingLeft(sandbox);
});

inBothWays('P18: with a full /tmp it boots, or says what it could not write', { skip }, async (t, isolated) => {
    const { sandbox } = await bootAndEnd(t, { isolated, around: full('tmp', '64k', isolated) });
    const [failed] = sandbox.logsOf('supervisor.repo_manifest_write_failed');
    assert.match(failed.error_message, /oi-repo-manifest\.json.*No space left on device/);
});

inBothWays('without /proc', { skip: sanitized ? 'sanitizers need it' : skip }, async (t, isolated) => {
    // Node cannot do without: OpenCode's stand-in gets one of its own.
    const opencode = `#!/bin/sh
exec unshare --mount --propagation unchanged sh -c '
mount -t proc proc /proc
exec node ${Sandbox.ownFile('tests/system/support/opencode-standin.mjs', isolated)} "$@"' sh "$@"
`;
    await bootAndEnd(t, { isolated, around: afterMounting('umount --lazy /proc', isolated), opencode });
});
