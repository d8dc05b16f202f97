// Sandboxes for tests: a playground of the test's own, and what must hold at the end of every test.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Playground } from '../../../playground/playground.mjs';
import { Sandbox } from '../../../playground/sandbox.mjs';
import { waitUntil } from '../../../playground/waiting.mjs';
import { checkProgram } from './checks.mjs';

/** The real OpenCode on a busy machine takes its time. */
export const BOOT_LIMIT_MS = 60_000;
export const PROMPT_LIMIT_MS = 120_000;
/** Short waits for tests of reconnecting and of what comes by the clock. */
export const QUICK = { BRIDGE_HEARTBEAT_INTERVAL_MS: '200', BRIDGE_RECONNECT_FIRST_MS: '50' };

const isRoot = process.getuid() === 0;
/** In which ways a test of the supervisor runs it: as PID 1 of a namespace (true), which needs root, and as an ordinary
 * process. Sanitized programs are slow: they run as PID 1 only, where there is more of our own code to run. */
export const ways = !isRoot ? [false] : process.env.OI_SANITIZED ? [true] : [true, false];
const nameOfWay = (isolated) => (isolated ? 'as PID 1' : 'not as PID 1');

/** The test `name(t, isolated)` in all ways. */
export function inBothWays(name, options, body = options) {
    for (const isolated of ways) {
        test(`${name}, ${nameOfWay(isolated)}`, body === options ? {} : options, (t) => body(t, isolated));
    }
}

/** Likewise, both at the same time, for what has long waits: each has OpenCode's port to itself. `body` gives
 * `alone(isolated)` to the sandbox, whose control plane knows of no skills to fetch and cannot be reached. */
export function inBothWaysAtOnce(name, body) {
    test(name, { concurrency: isRoot }, async (t) => {
        await Promise.all(ways.map((isolated) => t.test(nameOfWay(isolated), (one) => body(one, isolated))));
    });
}

export const alone = (isolated, env = {}) => ({
    isolated, args: ['--era', 'legacy'], env: { ...env, CONTROL_PLANE_URL: 'http://127.0.0.1:9' },
    ...(isRoot && { around: ['unshare', '--net', ...after('ip link set lo up')] }),
});

/** A script that runs the stand-in for OpenCode (opencode-standin.mjs) in place of the real one. */
export const standInOpencode = (isolated = process.getuid() === 0) => `#!/bin/sh
exec node ${Sandbox.ownFile('tests/system/support/opencode-standin.mjs', isolated)} "$@"
`;

/** A bridge that does nothing until it is told to end: for tests that are not about the bridge. */
export const idleBridge = `#!/bin/sh
trap 'exit 0' TERM
while :; do sleep 1000 & wait $!; done
`;

/** git's configuration of a user: what is on github.com is on the playground's server. The older era knows no other host. */
export const githubIsHere = ({ gitServer }) => `[url "${gitServer.baseWithToken}"]\n\tinsteadOf = https://github.com/\n`;

/** A command around the supervisor that runs `script` in the sandbox first. */
export const after = (script) => ['sh', '-euc', `${script}\nexec "$@"`, 'sh'];

/** Likewise for a script that mounts: an ordinary process needs mounts of its own for that. */
export const afterMounting = (script, isolated) => [...(isolated ? [] : ['unshare', '--mount']), ...after(script)];

/** Options for a sandbox with a network of its own (root): several can run at once although OpenCode's port is always
 * the same. It reaches no control plane. */
export const inOwnNetwork = (script = '') => ({
    isolated: true, env: { CONTROL_PLANE_URL: undefined },
    around: ['unshare', '--net', ...after(`ip link set lo up\n${script}`)],
});

/** A program that leaves the process group, the session and its parent, and ends on SIGKILL alone. */
export const daemonise = (name) => `
setsid bash -c 'trap "" TERM HUP INT; exec -a ${name} bash -c "trap \\"\\" TERM HUP INT; while :; do sleep 1; done"' \\
    </dev/null >/dev/null 2>&1 &
disown
`;

/** A playground for the test `t`; at its end no process may be left and no secret may have been printed. */
export async function playgroundFor(t, options = {}) {
    const playground = await Playground.start(options);
    t.after(async () => {
        await playground.close();
        const { token } = playground.controlPlane;
        for (const sandbox of playground.sandboxes) {
            checkProgram(sandbox, [token, ...(playground.gitServer ? [playground.gitServer.token] : [])]);
        }
        assert.deepEqual(playground.controlPlane.dropped.filter(({ event }) => event.type !== 'snapshot_ready'), [],
            'the control plane would drop these events');
    });
    return playground;
}

/** Starts a sandbox with stand-ins in place of OpenCode and, unless `bridge` is null, of the bridge. */
export function startWithStandIns(playground, { bridge = idleBridge, args = [], programs = {}, ...options } = {}) {
    const isolated = options.isolated ?? process.getuid() === 0;
    const extra = bridge ? { 'stand-in-bridge': bridge } : {};
    const sandboxArgs = bridge ? ['--bridge-cmd', 'stand-in-bridge', ...args] : args;
    return playground.startSandbox({
        opencode: standInOpencode(isolated), programs: { ...extra, ...programs }, args: sandboxArgs, isolated, ...options });
}

/** A playground with all parts real, and its sandbox, ready for prompts; `sandbox` are the options of that, or a function
 * of the playground that gives them. */
export async function readySandbox(t, { sandbox: sandboxOptions = {}, ...options } = {}) {
    const playground = await playgroundFor(t, options);
    const wanted = typeof sandboxOptions === 'function' ? sandboxOptions(playground) : sandboxOptions;
    const sandbox = await playground.startSandbox({ ...wanted, env: { ...QUICK, ...wanted.env } });
    const cp = playground.controlPlane;
    await sandbox.stillRuns(cp.ready(1, { timeoutMs: BOOT_LIMIT_MS }));
    /** Sends a prompt and waits for its completion. */
    const ask = async (text) => {
        const id = cp.prompt(text);
        return { id, completion: await sandbox.stillRuns(cp.completionOf(id, { timeoutMs: PROMPT_LIMIT_MS })) };
    };
    return { playground, sandbox, cp, ask };
}

/** The sandbox has ended and nothing of it is left, not even what left its process group. */
export async function assertNothingLeft(sandbox, { timeoutMs = 1000 } = {}) {
    const left = () => sandbox.processes();
    await waitUntil(() => left().length === 0, { timeoutMs, what: 'the last processes to go' }).catch(() => {
        assert.deepEqual(left(), [], 'processes are left');
    });
}

/** Ends the sandbox with SIGTERM, which must succeed, within `limitMs`, leaving nothing. */
export async function endInOrder(sandbox, { limitMs = 5000, code = 0 } = {}) {
    const asked = performance.now();
    const exit = await sandbox.stop('SIGTERM');
    assert.equal(exit.code, code, `exit code ${exit.code}:\n${sandbox.output}`);
    assert.ok(exit.at - asked < limitMs, `took ${Math.round(exit.at - asked)} ms`);
    await assertNothingLeft(sandbox);
}
