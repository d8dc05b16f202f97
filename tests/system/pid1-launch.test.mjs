// How a careless launcher starts a supervisor, and how it ends: standard descriptors closed, limits, signals, a terminal.
// Each as PID 1 of a namespace and as an ordinary process, where both can be.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { arch } from 'node:os';
import test from 'node:test';
import { waitUntil } from '../../playground/waiting.mjs';
import { assertNothingLeft, endInOrder, idleBridge, inBothWays, playgroundFor, standInOpencode,
    startWithStandIns } from './support/sandbox.mjs';

const needsRoot = process.getuid() === 0 ? false : 'needs root';
const sanitized = Boolean(process.env.OI_SANITIZED);
const SYSCALL_FIELDS = 9; // of /proc/PID/syscall: number, six arguments, stack and instruction pointer
const inBash = (script) => ['bash', '-c', `${script}\nexec "$@"`, 'bash'];

async function start(t, isolated, { withRepository = false, ...options } = {}) {
    const playground = await playgroundFor(t, withRepository ? {} : { repository: null });
    const sandbox = await startWithStandIns(playground, { isolated, ...options });
    return { playground, sandbox };
}

for (const [what, redirections] of Object.entries({ 'input and error': '0<&- 2>&-', 'input, output and error': '0<&- 1>&- 2>&-' })) {
    inBothWays(`standard ${what} are closed: it runs and ends in order`, async (t, isolated) => {
        const { sandbox } = await start(t, isolated, { around: inBash(`exec ${redirections}`) });
        await waitUntil(() => sandbox.find('stand-in-bridge'), { what: 'the bridge' });
        await endInOrder(sandbox);
    });
}

inBothWays('few descriptors are enough for a boot with a clone', { skip: sanitized }, async (t, isolated) => {
    const { sandbox } = await start(t, isolated, {
        withRepository: true, around: inBash('ulimit -Sn 40'),
        opencode: `#!/bin/sh\nulimit -Sn hard\nexec opencode-with-descriptors "$@"\n`,
        programs: { 'opencode-with-descriptors': standInOpencode(isolated) } });
    assert.equal((await sandbox.logged('sandbox.startup')).outcome, 'success', sandbox.output);
    await endInOrder(sandbox);
});

inBothWays('files may not grow: what cannot be written is said, nobody is killed', async (t, isolated) => {
    const { playground, sandbox } = await start(t, isolated, { withRepository: true, around: inBash('ulimit -f 0') });
    assert.equal((await sandbox.exited()).code, 1);
    assert.match(playground.controlPlane.fatalReports[0].error, /acme\/app.*File too large/s);
    await assertNothingLeft(sandbox);
});

inBothWays('S7: a launcher that dies takes its sandbox with it, in order, when it asked for that', async (t, isolated) => {
    // As PID 1 its parent is unshare, else the shell.
    const around = isolated ? [] : ['sh', '-c', '"$@" & wait', 'sh'];
    const { sandbox } = await start(t, isolated, { around: [...around, 'setpriv', '--pdeathsig', 'TERM', '--'] });
    await sandbox.logged('sandbox.startup');
    sandbox.process.kill('SIGKILL');
    await assertNothingLeft(sandbox, { timeoutMs: 10_000 });
    await waitUntil(() => sandbox.logsOf('supervisor.shutdown_complete').length === 1, { what: 'the last line' });
});

// Sanitizers have a handler of their own for it.
inBothWays('S11: a fault in the supervisor itself ends it and its services, once', { skip: needsRoot || sanitized }, async (t, isolated) => {
    const { sandbox } = await start(t, isolated);
    await sandbox.logged('sandbox.startup');
    // It waits in a system call: zeros where that returns to are no instruction, or one that writes to address 1.
    const call = () => readFileSync(`/proc/${sandbox.pid}/syscall`, 'utf8').trim().split(' ');
    const next = await waitUntil(() => call().length === SYSCALL_FIELDS && call().at(-1), { what: 'the supervisor to wait' });
    const memory = openSync(`/proc/${sandbox.pid}/mem`, 'r+');
    writeSync(memory, Buffer.alloc(16), 0, 16, Number(next));
    closeSync(memory);
    sandbox.signal('SIGUSR1');
    const { signal, code } = await sandbox.exited();
    assert.ok(['SIGSEGV', 'SIGILL'].includes(signal), `ended with ${code} ${signal}`);
    await waitUntil(() => !sandbox.find('opencode-standin') && !sandbox.find('stand-in-bridge'), { what: 'the services to end' });
    sandbox.exit.signal = null; // or the check at the end would take it for a crash that nobody wanted
});

/** A command that starts another with prctl(PR_SET_CHILD_SUBREAPER) refused, by a seccomp filter. */
const noSubreaper = () => {
    const [prctl, seccompMode] = [{ x64: 157, arm64: 167 }[arch()], 22];
    return ['perl', '-e', `my @filter = ([0x20, 0, 0, 0], [0x15, 0, 3, ${prctl}],   # the number of the call
        [0x20, 0, 0, 16], [0x15, 0, 1, 36], [0x06, 0, 0, 0x50001],                  # its first argument; EPERM
        [0x06, 0, 0, 0x7fff0000]);
        my $program = join '', map { pack 'SCCL', @$_ } @filter;
        my $fprog = pack 'Sx6P', scalar @filter, $program;
        syscall(${prctl}, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!";
        syscall(${prctl}, ${seccompMode}, 2, $fprog, 0, 0) == 0 or die "seccomp: $!";
        exec @ARGV`];
};

test('R2: a subreaper that it may not be costs one warning, and it goes on', async (t) => {
    const { sandbox } = await start(t, false, { around: noSubreaper() });
    await sandbox.logged('sandbox.startup');
    const [warning, ...more] = sandbox.logsOf('supervisor.subreaper_failed');
    assert.match(warning.error_message, /orphans will not be reaped.*Operation not permitted/);
    assert.equal(warning.level, 'warning');
    assert.deepEqual(more, []);
    await endInOrder(sandbox);
});

test('T2: Ctrl-C on a terminal ends it in order; the services, in sessions of their own, do not get it', {
    skip: spawnSync('script', ['--version']).error ? 'script(1) is not here' : false }, async (t) => {
    const bridge = `#!/bin/bash\ntrap 'echo "bridge: got INT"' INT\n${idleBridge.slice('#!/bin/sh\n'.length)}`;
    // script's own standard input is what is typed.
    const typed = 'until [ -e "$HOME/type-it" ]; do sleep 0.05; done; printf "\\003"; exec sleep 1000';
    const around = ['sh', '-c', `(${typed}) | exec script --quiet --return --flush --command "stty -echo; exec $*" /dev/null`, 'sh'];
    const { sandbox } = await start(t, false, { around, bridge });
    await sandbox.logged('sandbox.startup');
    writeFileSync(sandbox.path('root/type-it'), '');
    const { signal_name: signal } = await sandbox.logged('supervisor.signal');
    assert.equal(signal, 'SIGINT');
    await sandbox.logged('supervisor.shutdown_complete');
    assert.equal(sandbox.logsOf('supervisor.signal').length, 1);
    assert.ok(!sandbox.output.includes('bridge: got INT'));
    await waitUntil(() => !sandbox.find('oi-supervisor'), { what: 'the supervisor to end' });
});
