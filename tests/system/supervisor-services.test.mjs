// What is kept running: OpenCode and the bridge die, and the sandbox goes on, or ends when it should.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { peakResidentKib } from '../../playground/processes.mjs';
import { waitUntil } from '../../playground/waiting.mjs';
import { alone, endInOrder, idleBridge, inBothWays, inBothWaysAtOnce, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const AT_ONCE_MS = 500; // a death is noticed by SIGCHLD and the first restart has no pause
const FLOOD_BYTES = 100_000_000;
const FLOODED_MAX_KIB = 16 * 1024; // of the supervisor, its program included
const LINE_MAX_BYTES = 8 * 1024; // S-314
const RESTARTS_EXHAUSTED_MS = 60_000; // pauses of 0, 2, 4, 8 and 16 s

const MEMORY_BYTES = 512 * 1024 * 1024;
const OUT_OF_MEMORY_MS = 60_000;

const sanitized = Boolean(process.env.OI_SANITIZED);
const opencodeOf = (sandbox) => sandbox.find('opencode-standin.mjs');

inBothWays('S9: OpenCode is killed: it is started again at once, the bridge stays', async (t, isolated) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { isolated });
    await sandbox.logged('sandbox.startup');
    const before = opencodeOf(sandbox);
    const bridge = sandbox.find('stand-in-bridge');
    const tools = sandbox.path('root/.config/opencode/tool');
    rmSync(tools, { recursive: true });
    process.kill(before.pid, 'SIGKILL');
    const killedAt = performance.now();
    const crash = await sandbox.logged('opencode.crash');
    assert.ok(performance.now() - killedAt < AT_ONCE_MS);
    assert.equal(crash.exit_code, -9);
    await sandbox.logged('opencode.ready', { count: 2 });
    assert.notEqual(opencodeOf(sandbox).pid, before.pid);
    assert.ok(readdirSync(tools).includes('create-pull-request.js'), 'what somebody removed is there again (S-272)');
    assert.equal(sandbox.find('stand-in-bridge').pid, bridge.pid);
    await endInOrder(sandbox);
});

test('S-349: a daemon that inherited the port of the OpenCode that died is ended, and OpenCode is started again', async (t) => {
    const playground = await playgroundFor(t, { repository: null });
    const sandbox = await startWithStandIns(playground, { env: { STANDIN_OPENCODE: 'leaves-heir' } });
    await sandbox.logged('sandbox.startup');
    process.kill(opencodeOf(sandbox).pid, 'SIGKILL');
    const { killed_pid: killed } = await sandbox.logged('opencode.port_busy');
    assert.ok(killed > 0);
    await sandbox.logged('opencode.ready', { count: 2 });
    assert.equal(sandbox.logsOf('opencode.crash').length, 1, 'no start was tried in vain');
    await endInOrder(sandbox);
});

test('when memory is short the supervisor is the last to be killed, its children are as others', async (t) => {
    const score = (pid) => readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim();
    const tried = spawnSync('sh', ['-c', 'echo -500 >/proc/self/oom_score_adj && cat /proc/self/oom_score_adj'], { encoding: 'utf8' });
    if (score('self') !== '0' || tried.stdout.trim() !== '-500') return t.skip('lowering the score is not permitted here');
    const playground = await playgroundFor(t, { repository: null });
    const sandbox = await startWithStandIns(playground, { bridge: null });
    await sandbox.stillRuns(playground.controlPlane.ready());
    assert.equal(score(sandbox.pid), '-500');
    for (const name of ['opencode-standin.mjs', 'oi-bridge']) assert.equal(score(sandbox.find(name).pid), '0', name);
    await endInOrder(sandbox);
});

/** The limits of both versions' control groups: on memory, and on memory with swap or on swap alone. */
const GROUP_VERSIONS = [
    { root: '/sys/fs/cgroup/memory', limits: { 'memory.limit_in_bytes': MEMORY_BYTES, 'memory.memsw.limit_in_bytes': MEMORY_BYTES } },
    { root: '/sys/fs/cgroup', limits: { 'memory.max': MEMORY_BYTES, 'memory.swap.max': 0 } },
];

/** What /proc calls a group has to be found below `root`, or the supervisor reads the counters of another. */
const isRootOfGroups = (root) => readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n')
    .some((line) => /^\d+:(memory)?:/.test(line) && existsSync(`${root}${line.split(':')[2]}/cgroup.procs`));

/** A control group of the test's own with little memory and no swap; null where none can be made. */
function memoryGroup() {
    const hasSwap = existsSync('/proc/swaps') && readFileSync('/proc/swaps', 'utf8').trim().includes('\n');
    for (const { root, limits } of GROUP_VERSIONS) {
        const path = `${root}/oi-test-${process.pid}`;
        const [memory, swap] = Object.keys(limits).map((name) => `${path}/${name}`);
        try {
            if (!isRootOfGroups(root)) continue;
            mkdirSync(path);
            if (!existsSync(memory) || (hasSwap && !existsSync(swap))) {
                rmdirSync(path);
                continue;
            }
            for (const [name, bytes] of Object.entries(limits)) {
                if (existsSync(`${path}/${name}`)) writeFileSync(`${path}/${name}`, String(bytes));
            }
            return path;
        } catch {
            // not this version, or not ours to change
        }
    }
    return null;
}

test('OpenCode that the kernel kills because the memory is used up: it is said so, and it is started again', async (t) => {
    const group = memoryGroup();
    if (!group) return t.skip('no control group can be made here');
    const playground = await playgroundFor(t, { repository: null });
    t.after(() => waitUntil(() => {
        try {
            rmdirSync(group);
            return true;
        } catch (error) {
            return error.code === 'ENOENT';
        }
    }, { what: 'the end of the control group' })); // once what was in it is gone
    const sandbox = await startWithStandIns(playground, { isolated: false,
        around: ['sh', '-euc', `echo $$ >${group}/cgroup.procs; exec "$@"`, 'sh'] });
    await sandbox.logged('sandbox.startup');
    process.kill(opencodeOf(sandbox).pid, 'SIGUSR2');
    const killed = await sandbox.logged('opencode.oom_killed', { timeoutMs: OUT_OF_MEMORY_MS });
    assert.match(killed.error_message, /memory of the sandbox.*used up/);
    await sandbox.logged('opencode.ready', { count: 2, timeoutMs: OUT_OF_MEMORY_MS });
    await endInOrder(sandbox);
});

inBothWays('S9: the bridge is killed: it is started again at once, OpenCode stays', async (t, isolated) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { isolated });
    await sandbox.logged('sandbox.startup');
    const opencode = opencodeOf(sandbox);
    process.kill(sandbox.find('stand-in-bridge').pid, 'SIGKILL');
    await sandbox.logged('bridge.restart');
    await sandbox.logged('bridge.started', { count: 2 });
    assert.equal(opencodeOf(sandbox).pid, opencode.pid);
    await endInOrder(sandbox);
});

test('OpenCode waits for its next start: a bridge that dies meanwhile is started at once all the same', async (t) => {
    const playground = await playgroundFor(t, { repository: null });
    const sandbox = await startWithStandIns(playground);
    await sandbox.logged('sandbox.startup');
    process.kill(opencodeOf(sandbox).pid, 'SIGKILL');
    await sandbox.logged('opencode.ready', { count: 2 });
    process.kill(opencodeOf(sandbox).pid, 'SIGKILL');
    const pause = await sandbox.logged('opencode.restart', { count: 2 });
    assert.ok(pause.delay_s >= 1.5, 'the second death is followed by a pause');
    process.kill(sandbox.find('stand-in-bridge').pid, 'SIGKILL');
    await sandbox.logged('bridge.started', { count: 2 });
    assert.equal(sandbox.logsOf('bridge.restart')[0].delay_s, 0, 'its own count of deaths');
    assert.equal(sandbox.logsOf('opencode.ready').length, 2, 'OpenCode still waits');
    await endInOrder(sandbox);
});

inBothWays('E1, P12: the bridge ends with 0: the session is over, and so is the sandbox, with code 0', async (t, isolated) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { isolated, bridge: null });
    await sandbox.stillRuns(playground.controlPlane.ready());
    playground.controlPlane.shutdown();
    const { code } = await sandbox.exited();
    assert.equal(code, 0);
    assert.ok(sandbox.logs.some(({ event }) => event === 'bridge.graceful_exit'));
    assert.deepEqual(playground.controlPlane.fatalReports, []);
});

inBothWaysAtOnce('P3: a bridge that fails six times ends the sandbox with code 1 and a report', async (t, isolated) => {
    const playground = await playgroundFor(t, { repository: null });
    // Only one of the two can have the network of the control plane.
    const reaches = isolated || process.getuid() !== 0;
    const sandbox = await startWithStandIns(playground, {
        bridge: '#!/bin/sh\necho "cannot go on" >&2\nexit 1\n', ...(reaches ? { isolated } : alone(isolated)) });
    const { code } = await sandbox.exited({ timeoutMs: RESTARTS_EXHAUSTED_MS });
    assert.equal(code, 1);
    assert.equal(sandbox.logsOf('bridge.crash').length, 6);
    const pauses = sandbox.logsOf('bridge.restart').map(({ delay_s }) => delay_s);
    [0, 2, 4, 8, 16].forEach((pause, index) => {
        assert.ok(Math.abs(pauses[index] - pause) <= pause * 0.25, `pauses with jitter: ${pauses}`);
    });
    assert.ok(sandbox.logsOf('bridge.startup_crash').some(({ output }) => output.includes('cannot go on')));
    assert.equal(sandbox.logsOf('bridge.max_restarts').length, 1);
    assert.equal(sandbox.logsOf('supervisor.fatal').length, 1);
    if (reaches) assert.equal(playground.controlPlane.fatalReports.length, 1);
});

inBothWays('E1, P12: a bridge that ends with 2, a usage error, is not started again: code 1 and a report of what it said', async (t, isolated) => {
    const playground = await playgroundFor(t);
    const bridge = '#!/bin/sh\necho "oi-bridge: --auth: must be header, query or query-only" >&2\necho usage >&2\nexit 2\n';
    const sandbox = await startWithStandIns(playground, { isolated, bridge });
    const { code } = await sandbox.exited();
    assert.equal(code, 1);
    assert.equal(sandbox.logsOf('bridge.started').length, 1);
    assert.equal(sandbox.logsOf('bridge.restart').length, 0);
    assert.match(playground.controlPlane.fatalReports[0].error, /the bridge does not take .*: oi-bridge: --auth: must be header/);
});

inBothWays('P9: a bridge that floods its output with one endless line costs bounded memory', async (t, isolated) => {
    const playground = await playgroundFor(t);
    const flood = `#!/bin/sh\nhead -c ${FLOOD_BYTES} /dev/zero | tr "\\0" x\necho\necho flood-is-over\n` + idleBridge.slice('#!/bin/sh\n'.length);
    const sandbox = await startWithStandIns(playground, { isolated, bridge: flood });
    await sandbox.waitFor(() => sandbox.lines.includes('flood-is-over'), { what: 'the end of the flood', timeoutMs: 60_000 });
    assert.ok(sandbox.lines.some((line) => line.endsWith(`[${FLOOD_BYTES - LINE_MAX_BYTES} bytes dropped]`)), 'what was dropped is said');
    const longest = Math.max(...sandbox.lines.map((line) => line.length));
    assert.ok(longest < 70_000, `a line of ${longest} characters`);
    const peak = peakResidentKib(sandbox.pid);
    assert.ok(sanitized || peak < FLOODED_MAX_KIB, `${peak} KiB resident`);
    await endInOrder(sandbox);
});
