// The black-box cases of a supervisor (tests/README.md has the list), each as PID 1 of its namespace and, where that
// makes sense, once as an ordinary process. OpenCode and the bridge are stand-ins; the bridge's makes the trouble.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import test from 'node:test';
import { supervisorProgram } from '../../playground/paths.mjs';
import { childrenOf, isAlive } from '../../playground/processes.mjs';
import { waitUntil } from '../../playground/waiting.mjs';
import { afterMounting, endInOrder, idleBridge, inBothWays, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const isRoot = process.getuid() === 0;
const needsRoot = isRoot ? false : 'needs root, for namespaces';
const sanitized = Boolean(process.env.OI_SANITIZED);
const BUSY_MS = 60_000; // for what takes a second on a machine with nothing else to do
const SWEEP_MS = 8000; // an end in which something has to be killed
const idle = idleBridge.slice('#!/bin/sh\n'.length);

/** A sandbox without repository, with `bridge` as its bridge. */
async function start(t, isolated, bridge, options = {}) {
    const playground = await playgroundFor(t, { repository: null });
    const sandbox = await startWithStandIns(playground, { bridge, isolated, ...options });
    return { playground, sandbox };
}

/** What the bridge's script writes into $HOME/name. */
const wrote = (sandbox, name) => existsSync(sandbox.path('root', name));

async function status(sandbox) {
    const count = sandbox.logsOf('supervisor.status').length + 1;
    sandbox.signal('SIGUSR1');
    return sandbox.logged('supervisor.status', { count });
}

// ---- exit status ----

const notExecutable = {
    'a file that is not there': ['/no/such/program', /\/no\/such\/program.*No such file/],
    'a name that is not on PATH': ['no-such-program', /no-such-program.*not on PATH/],
    'a directory': ['/usr', /\/usr.*Permission denied/],
    'a file that nobody may execute': ['/etc/passwd', /\/etc\/passwd.*Permission denied/],
    // The C library of the sanitized programs gives such a file to a shell.
    ...(!sanitized && { 'a file that is no program': ['no-program', /no-program.*Exec format/] }),
};
inBothWays('E3..E5: what cannot be executed as the bridge is fatal, by name and reason', async (t, isolated) => {
    const around = ['sh', '-c', 'echo hello > "$HOME/no-program"; chmod +x "$HOME/no-program"; PATH=$HOME:$PATH exec "$@"', 'sh'];
    for (const [what, [program, reason]] of Object.entries(notExecutable)) {
        const { playground, sandbox } = await start(t, isolated, null, { args: ['--bridge-cmd', program], around });
        assert.equal((await sandbox.exited()).code, 1, what);
        assert.match(playground.controlPlane.fatalReports[0].error, reason, what);
    }
});

test('E7: --help and --version say so and end with 0, what is unknown ends with 2 and the usage', () => {
    const run = (...args) => spawnSync(supervisorProgram, args, { encoding: 'utf8' });
    for (const [word, text] of [['--help', /^usage: /], ['-h', /^usage: /], ['--version', /^oi-supervisor \d/]]) {
        const { status: code, stdout, stderr } = run(word);
        assert.deepEqual([code, stderr], [0, '']);
        assert.match(stdout, text);
    }
    for (const args of [['--frobnicate'], ['run'], ['--era', 'middle'], ['--worker']]) {
        const { status: code, stdout, stderr } = run(...args);
        assert.deepEqual([code, stdout], [2, ''], args.join(' '));
        assert.match(stderr, /usage: /);
    }
});

inBothWays('E8: the end of a bridge that ends at once is not lost', async (t, isolated) => {
    const { sandbox } = await start(t, isolated, null, { args: ['--bridge-cmd', '/bin/true'] });
    assert.equal((await sandbox.exited()).code, 0);
    assert.equal(sandbox.logsOf('bridge.graceful_exit').length, 1);
});

// ---- reaping ----

/** So many times a thousand orphans that end in the same moment, and then nothing more. */
const orphanMaker = (rounds) => `#!/usr/bin/perl
for (1 .. ${rounds}) {
    pipe(my $in, my $out) or die;
    my $middle = fork // die "fork: $!";
    if (!$middle) {
        close $out;
        for (1 .. 1000) {
            my $orphan = fork // die "fork: $!";
            next if $orphan;
            sysread($in, my $byte, 1);
            exit 0;
        }
        exit 0;
    }
    waitpid($middle, 0);
    print "a round\\n";
    $| = 1;
}
print "all orphans made\\n";
exec 'sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1000 & wait $!; done';
`;

inBothWays('R1..R3: ten thousand orphans (or one), a thousand at once, leave no zombie and disturb nobody', async (t, isolated) => {
    const rounds = isolated ? 10 : 1;
    const { sandbox } = await start(t, isolated, orphanMaker(rounds));
    await sandbox.waitFor(() => sandbox.lines.includes('all orphans made'), { timeoutMs: BUSY_MS, what: 'the orphans' });
    await sandbox.logged('sandbox.startup');
    await waitUntil(async () => (await status(sandbox)).orphans_reaped >= rounds * 1000,
        { timeoutMs: BUSY_MS, what: 'all orphans to be reaped' });
    assert.deepEqual(childrenOf(sandbox.pid).filter(({ state }) => state === 'Z'), []);
    const { bridge_deaths: deaths, opencode_state: opencode } = await status(sandbox);
    assert.deepEqual([deaths, opencode], [0, 'running']);
    await endInOrder(sandbox);
});

inBothWays('R4: orphans that end while the shutdown runs do not delay it', async (t, isolated) => {
    const { sandbox } = await start(t, isolated, orphanMaker(1_000_000));
    await sandbox.waitFor(() => sandbox.lines.includes('a round'), { timeoutMs: BUSY_MS, what: 'the first orphans' });
    await endInOrder(sandbox, { limitMs: SWEEP_MS });
});

test('R5: an orphan with the number of a bridge that died is no second death', { skip: needsRoot }, async (t) => {
    const { sandbox } = await start(t, true, `#!/bin/sh\necho "number $$"\n${idle}`);
    const numbers = () => sandbox.lines.filter((line) => line.startsWith('number ')).map((line) => Number(line.slice(7)));
    await sandbox.logged('sandbox.startup');
    await sandbox.waitFor(() => numbers().length === 1, { what: 'the bridge' });
    process.kill(sandbox.find('stand-in-bridge').pid, 'SIGKILL');
    await sandbox.waitFor(() => numbers().length === 2, { what: 'the next bridge' });
    // Its parent is outside the namespace, so the supervisor inherits it.
    const reuse = `for my $try (1 .. 200) {
        open(my $last, '>', '/proc/sys/kernel/ns_last_pid') or exit 3;
        print $last $ARGV[0] - 1;
        close $last;
        my $pid = fork // die;
        exit 0 if !$pid;
        exit 0 if $pid == $ARGV[0];
        waitpid($pid, 0);
    }
    exit 4;`;
    const before = (await status(sandbox)).orphans_reaped;
    execFileSync('nsenter', ['--target', String(sandbox.pid), '--pid', '--mount', '--root',
        'perl', '-e', reuse, String(numbers()[0])]);
    await waitUntil(async () => (await status(sandbox)).orphans_reaped > before, { what: 'the orphan to be reaped' });
    assert.equal((await status(sandbox)).bridge_deaths, 1);
    await endInOrder(sandbox);
});

// ---- signals ----

const ends = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'];
const faults = ['SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGABRT', 'SIGTRAP', 'SIGSYS']; // a sanitizer handles them
const ordinary = Object.keys(constants.signals).filter((name) => ![...ends, 'SIGKILL', 'SIGSTOP', 'SIGUSR1'].includes(name)
    && !(sanitized && faults.includes(name)));
const alwaysIgnored = ['SIGCHLD', 'SIGCONT', 'SIGURG', 'SIGWINCH', 'SIGPIPE'];

inBothWays('S1, S8, P13: signals that mean nothing to it do nothing and reach no child', async (t, isolated) => {
    const bridge = `#!/bin/bash
for name in ${ordinary.map((name) => name.slice(3)).join(' ')}; do trap "echo got $name" $name 2>/dev/null; done
trap - CHLD
if [ "$(cat /proc/1/comm)" = oi-supervisor ]; then kill -9 1; echo "killed 1"; fi
echo armed
${idle}`;
    const { sandbox } = await start(t, isolated, bridge);
    await sandbox.logged('sandbox.startup');
    await sandbox.waitFor(() => sandbox.lines.includes('armed'), { what: 'the bridge' });
    for (const name of isolated ? ordinary : alwaysIgnored) sandbox.signal(name);
    assert.equal((await status(sandbox)).bridge_state, 'running');
    assert.ok(isAlive(sandbox.pid));
    assert.deepEqual(sandbox.lines.filter((line) => line.startsWith('got ')), []);
    assert.equal(sandbox.lines.includes('killed 1'), isolated);
    await endInOrder(sandbox);
});

inBothWays('S6, T3..T5: no child sees ignored and blocked signals, descriptors or a directory of before', async (t, isolated) => {
    const bridge = `#!/bin/sh
ls /proc/$$/fd > "$HOME/descriptors"
echo "input: $(readlink /proc/$$/fd/0)"
sed -n 's/^\\(SigBlk\\|SigIgn\\):[[:space:]]*/\\1 /p' /proc/self/status
echo "said all"
${idle}`;
    const around = ['bash', '-c', `directory=$(mktemp -d); cd "$directory"; rmdir "$directory"
        exec 0</etc/passwd 5</dev/null 40</dev/null 63</dev/null
        exec env --ignore-signal=INT,TTOU,HUP,CHLD --block-signal=TERM,ILL,USR2,CHLD "$@"`, 'bash'];
    const { sandbox } = await start(t, isolated, bridge, { around });
    await sandbox.logged('sandbox.startup');
    await sandbox.waitFor(() => sandbox.lines.includes('said all'), { what: 'the bridge' });
    const said = (word) => sandbox.lines.find((line) => line.startsWith(word))?.slice(word.length).trim();
    // 3 is the channel to the supervisor; 10 and 11 are the shell's own.
    const descriptors = readFileSync(sandbox.path('root/descriptors'), 'utf8').trim().split('\n');
    assert.deepEqual(descriptors.filter((fd) => !['10', '11'].includes(fd)).sort(), ['0', '1', '2', '3']);
    assert.equal(said('input:'), '/dev/null');
    // The C libraries keep 32 to 34 to themselves; glibc's posix_spawn, so make, starts programs that ignore them.
    const signals = (mask) => BigInt(`0x${mask}`) & ~(0b111n << 31n);
    assert.equal(signals(said('SigBlk')), 0n);
    assert.equal(signals(said('SigIgn')), 0n);
    await endInOrder(sandbox);
});

inBothWays('S10: ten thousand signals in a burst, and the SIGTERM that follows counts', async (t, isolated) => {
    const { sandbox } = await start(t, isolated, idleBridge);
    await sandbox.logged('sandbox.startup');
    for (let count = 0; count < 10_000; count++) sandbox.signal('SIGUSR1');
    await endInOrder(sandbox);
    assert.ok(sandbox.logsOf('supervisor.status').length > 0);
});

inBothWays('R6, S4, S5, P7: a pipeline, what is stopped and what comes late are gone at the end', async (t, isolated) => {
    const bridge = `#!/bin/bash
sleep 1000 | sleep 1000 | sleep 1000 | sleep 1000 &
setsid bash -c 'echo stopping; kill -STOP $$' &
trap 'setsid newcomer </dev/null >/dev/null 2>&1 & exit 0' TERM
while :; do sleep 1000 & wait $!; done
`;
    const newcomer = `#!/bin/bash
trap "" TERM
sleep 1000 &
setsid bash -c 'trap "" TERM; while :; do sleep 1; done' &
while :; do sleep 1; done
`;
    const { sandbox } = await start(t, isolated, bridge, { programs: { newcomer } });
    await sandbox.logged('sandbox.startup');
    await waitUntil(() => sandbox.processes().some(({ state }) => state === 'T'), { what: 'the stopped one' });
    await endInOrder(sandbox, { limitMs: SWEEP_MS });
});

// ---- supervision ----

inBothWays('P5: OpenCode and the bridge wait for their restarts at the same time', async (t, isolated) => {
    const { sandbox } = await start(t, isolated, idleBridge);
    const killBoth = () => {
        for (const text of ['stand-in-bridge', 'opencode-standin']) process.kill(sandbox.find(text).pid, 'SIGKILL');
    };
    const starts = (event, count) => sandbox.logged(event, { count, timeoutMs: BUSY_MS });
    await sandbox.logged('sandbox.startup');
    killBoth();
    await Promise.all([starts('bridge.started', 2), starts('opencode.ready', 2)]);
    killBoth();
    await Promise.all([starts('bridge.started', 3), starts('opencode.ready', 3)]);
    const at = (event, count) => sandbox.logs.indexOf(sandbox.logsOf(event)[count - 1]);
    const lastPause = Math.max(at('bridge.restart', 2), at('opencode.restart', 2));
    assert.ok(lastPause < at('bridge.started', 3) && lastPause < at('opencode.start', 3), sandbox.output);
    await endInOrder(sandbox);
});

inBothWays('P8: who keeps the output of a dead bridge does not delay its restart', async (t, isolated) => {
    const bridge = `#!/bin/sh\nif mkdir "$HOME/once" 2>/dev/null; then setsid sleep 1000 & exit 1; fi\n${idle}`;
    const { sandbox } = await start(t, isolated, bridge);
    await sandbox.logged('bridge.started', { count: 2 });
    await waitUntil(() => sandbox.find('sleep 1000'), { what: 'the one that keeps the output' });
    await sandbox.logged('sandbox.startup');
    await endInOrder(sandbox, { limitMs: SWEEP_MS });
});

inBothWays('P10: a secret in a line of the bridge is hidden, also when it comes in two writes', async (t, isolated) => {
    const bridge = `#!/bin/bash
printf 'the token: %s' "\${SANDBOX_AUTH_TOKEN:0:20}"
until [ -e "$HOME/go-on" ]; do sleep 0.05; done
echo "\${SANDBOX_AUTH_TOKEN:20}!"
${idle}`;
    const { sandbox } = await start(t, isolated, bridge);
    await sandbox.logged('sandbox.startup');
    writeFileSync(sandbox.path('root/go-on'), '');
    await sandbox.waitFor(() => sandbox.lines.includes('the token: ***!'), { what: 'the hidden token' });
    await endInOrder(sandbox);
});

inBothWays('P15: of who was killed because memory was used up, the report names who, why and the limit', {
    skip: needsRoot }, async (t, isolated) => {
    const groups = `mkdir "$HOME/groups"
echo "oom_kill 3" >"$HOME/groups/memory.events"
echo 268435456 >"$HOME/groups/memory.max"
mount --bind "$HOME/groups" /sys/fs/cgroup`;
    const { sandbox } = await start(t, isolated, idleBridge, {
        around: afterMounting(groups, isolated) });
    await sandbox.logged('sandbox.startup');
    const kill = () => process.kill(sandbox.find('stand-in-bridge').pid, 'SIGKILL');
    kill();
    await sandbox.logged('bridge.started', { count: 2 });
    assert.deepEqual(sandbox.logsOf('bridge.oom_killed'), [], 'that was not the kernel');
    writeFileSync(sandbox.path('root/groups/memory.events'), 'oom_kill 4\n');
    kill();
    const crash = await sandbox.logged('bridge.crash', { count: 2 });
    assert.match(crash.error_message, /^bridge was killed because the memory of the sandbox \(256 MiB\) was used up/);
    assert.equal(sandbox.logsOf('bridge.oom_killed').length, 1);
    await endInOrder(sandbox);
});

inBothWays('P16: with nobody reading its log it works on, and says afterwards how many lines were lost', async (t, isolated) => {
    const bridge = `#!/bin/sh
until [ -e "$HOME/go-on" ]; do sleep 0.05; done
head -c 4000000 /dev/zero | tr '\\0' x | fold -w 1000
touch "$HOME/flooded"
${idle}`;
    const { sandbox } = await start(t, isolated, bridge);
    await sandbox.logged('sandbox.startup');
    sandbox.process.stdout.pause();
    writeFileSync(sandbox.path('root/go-on'), '');
    await waitUntil(() => wrote(sandbox, 'flooded'), { timeoutMs: BUSY_MS, what: 'the bridge to have said all' });
    sandbox.process.stdout.resume();
    // The first lines that are asked for may still be lost.
    await waitUntil(() => sandbox.logsOf('log.dropped').length > 0 || void sandbox.signal('SIGUSR1'),
        { timeoutMs: BUSY_MS, what: 'the count of lost lines' });
    await endInOrder(sandbox);
});
