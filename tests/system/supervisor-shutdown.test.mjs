// SIGTERM at any moment: the sandbox is gone within its budget, with the right exit code, and nothing of it is left,
// not even what daemonised itself and takes no SIGTERM.

import assert from 'node:assert/strict';
import test from 'node:test';
import { sampleFiles } from '../../playground/sample-repository.mjs';
import { waitUntil } from '../../playground/waiting.mjs';
import { alone, assertNothingLeft, daemonise, endInOrder, inBothWays, inBothWaysAtOnce, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const BUDGET_MS = 18_000; // S-365: 16 s and the sweep
const BUSY_MS = 4000; // its timers run late on a busy machine
const PAUSE_S = 3.5; // the fourth start's, 4 s, less its jitter
const BOOT_END_MS = 8000; // with nothing in the way that ignores SIGTERM but the daemon

const setup = (text) => ({ owner: 'acme', name: 'app', files: { ...sampleFiles, '.openinspect/setup.sh': `#!/bin/bash\n${text}\n` } });
const start = (text) => ({ owner: 'acme', name: 'app', files: { ...sampleFiles, '.openinspect/start.sh': `#!/bin/bash\n${text}\n` } });
const daemon = daemonise('stubborn-daemon');
const seesDaemon = (sandbox) => waitUntil(() => sandbox.find('stubborn-daemon'), { what: 'the daemon' });

/** Moments of a sandbox's life: the playground it needs, its options, and how to see that the moment has come. */
const moments = {
    // Earlier the kernel would drop the signal: PID 1 has no default action.
    'after its first line': { reached: (sandbox) => sandbox.logged('supervisor.start') },
    'while the git server does not answer': {
        prepare: (playground) => { playground.gitServer.stall = 'answer'; },
        reached: (sandbox, playground) => waitUntil(() => playground.gitServer.requests.length > 0, { what: 'git to ask' }),
    },
    'in setup.sh, which has a stubborn daemon': {
        repository: setup(`${daemon}\nsleep 1000`),
        reached: seesDaemon,
    },
    'in start.sh': {
        repository: start('echo in-start\nsleep 1000'),
        reached: (sandbox) => waitUntil(() => sandbox.find('sleep 1000'), { what: 'start.sh' }),
    },
    'while managed skills do not come': {
        prepare: (playground) => { playground.controlPlane.answers['GET /sessions/:id/sandbox-skills'] = 'never'; },
        reached: (sandbox) => waitUntil(() => sandbox.find('--worker skills'), { what: 'the worker that fetches them' }),
    },
    'while start.sh waits for the tunnel file': {
        repository: start('true'),
        options: { env: { EXPECTED_TUNNEL_PORTS: '3000', TUNNEL_WAIT_TIMEOUT_SECONDS: '1000' } },
        reached: (sandbox) => sandbox.logged('setup.complete'),
    },
    'while OpenCode starts': {
        options: { env: { STANDIN_OPENCODE: 'never-healthy' } },
        reached: (sandbox) => sandbox.logged('opencode.start'),
    },
    'while OpenCode starts early and git waits': {
        prepare: (playground) => { playground.gitServer.stall = 'answer'; },
        options: { bridge: null, env: { STANDIN_OPENCODE: 'never-healthy' } },
        reached: async (sandbox, playground) => {
            await sandbox.logged('opencode.start');
            await waitUntil(() => playground.gitServer.requests.length > 0, { what: 'git to ask' });
        },
    },
    'in the warm-up of OpenCode': {
        options: { bridge: null, env: { STANDIN_OPENCODE: 'no-sessions' } },
        reached: (sandbox) => waitUntil(() => sandbox.find('--worker opencode-warm-up'), { what: 'the warm-up' }),
    },
    'when all is up, with a stubborn daemon from start.sh': {
        repository: start(daemon),
        options: { bridge: null },
        reached: async (sandbox, playground) => {
            await sandbox.stillRuns(playground.controlPlane.ready());
            await seesDaemon(sandbox);
        },
    },
    'in the pause before a restart of the bridge': {
        options: { bridge: '#!/bin/sh\nexit 1\n' },
        reached: (sandbox) => sandbox.waitFor(() => sandbox.logsOf('bridge.restart').some(({ delay_s }) => delay_s >= PAUSE_S),
            { what: 'a pause' }),
        limitMs: PAUSE_S * 1000 - 100, // it does not wait for its end
    },
    'while the bridge is stopped': {
        options: { bridge: `#!/bin/bash\ntrap 'echo "bridge: ends"; exit 0' TERM\nkill -STOP $$\nwhile :; do sleep 1000 & wait $!; done\n` },
        reached: (sandbox) => waitUntil(() => sandbox.find('stand-in-bridge')?.state === 'T', { what: 'the bridge to stop' }),
        ended: (sandbox) => assert.ok(sandbox.lines.includes('bridge: ends'), 'it went on and heard the SIGTERM'),
    },
};

for (const [when, moment] of Object.entries(moments)) {
    for (const isolated of process.getuid() === 0 ? [true, false] : [false]) {
        const { repository, options = {}, prepare = () => {}, reached, limitMs = BOOT_END_MS, ended = () => {} } = moment;
        test(`SIGTERM ${when}, ${isolated ? 'as PID 1' : 'not as PID 1'}: exit 0 and nothing left`, async (t) => {
            const playground = await playgroundFor(t, repository ? { repository } : {});
            await prepare(playground);
            const sandbox = await startWithStandIns(playground, { ...options, isolated });
            await reached(sandbox, playground);
            await endInOrder(sandbox, { limitMs });
            ended(sandbox);
            assert.deepEqual(playground.controlPlane.fatalReports, [], 'an orderly end is no fatal error');
            assert.ok(!sandbox.output.includes('killed by signal 9'), `what was not needed any more did not fail:\n${sandbox.output}`);
        });
    }
}

const stubborn = '#!/bin/bash\ntrap "" TERM\nwhile :; do sleep 1; done\n';

inBothWaysAtOnce('P6: everything in a sandbox ignores SIGTERM: killed, each when its time is over, within the budget', async (t, isolated) => {
    const playground = await playgroundFor(t, { repository: null });
    const sandbox = await startWithStandIns(playground, {
        bridge: stubborn.replace('\n', `\n${daemon}`), ...alone(isolated, { STANDIN_OPENCODE: 'ignore-term' }) });
    await sandbox.logged('sandbox.startup');
    await seesDaemon(sandbox);
    await endInOrder(sandbox, { limitMs: 2 * BUDGET_MS }); // what we see of it on a busy machine
    assert.ok(sandbox.logsOf('supervisor.shutdown_complete')[0].duration_ms < BUDGET_MS + BUSY_MS, sandbox.output);
    for (const service of ['bridge', 'opencode']) assert.equal(sandbox.logsOf(`${service}.stop_timeout`).length, 1, service);
});

inBothWays('S13: a second SIGTERM cuts every wait short', async (t, isolated) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { isolated, bridge: stubborn, env: { STANDIN_OPENCODE: 'ignore-term' } });
    await sandbox.logged('sandbox.startup');
    sandbox.signal('SIGTERM');
    await sandbox.logged('supervisor.shutdown_start');
    await endInOrder(sandbox, { limitMs: 3000 });
});

for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT']) {
    test(`${signal} ends the sandbox as SIGTERM does`, async (t) => {
        const playground = await playgroundFor(t);
        const sandbox = await startWithStandIns(playground);
        await sandbox.logged('sandbox.startup');
        const { code } = await sandbox.stop(signal);
        assert.equal(code, 0);
        await assertNothingLeft(sandbox);
    });
}

test('the supervisor itself is killed: its services end with it', async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { isolated: false });
    await sandbox.logged('sandbox.startup');
    await sandbox.stop('SIGKILL');
    await waitUntil(() => !sandbox.find('opencode-standin') && !sandbox.find('stand-in-bridge'), { what: 'the services to end' });
});
