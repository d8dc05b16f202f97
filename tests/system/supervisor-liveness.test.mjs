// OpenCode that lives but does not answer any more is found out and replaced. In a file of its own because it takes
// four probes, fifteen seconds apart (S-348), and can run beside the others.

import assert from 'node:assert/strict';
import test from 'node:test';
import { endInOrder, inOwnNetwork, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const isRoot = process.getuid() === 0;
const FOUND_OUT_MS = 110_000;

/** What is done to it, and the state in which the kernel then has it. */
const silences = {
    'OpenCode that stops answering is ended and started again': ['SIGUSR1', /^[RSD] \(/],
    'V-6: likewise one that is stopped with SIGSTOP': ['SIGSTOP', /^T \(/],
};

async function findsOut(playground, signal, state) {
    const sandbox = await startWithStandIns(playground, isRoot ? inOwnNetwork() : {});
    await sandbox.logged('sandbox.startup');
    const deaf = sandbox.find('opencode-standin.mjs');
    process.kill(deaf.pid, signal);
    await sandbox.logged('opencode.ready', { count: 2, timeoutMs: FOUND_OUT_MS });
    assert.notEqual(sandbox.find('opencode-standin.mjs').pid, deaf.pid);
    assert.equal(sandbox.logsOf('opencode.crash').length, 1);
    const [seen] = sandbox.logsOf('opencode.unresponsive');
    assert.equal(seen.pid > 0 && seen.threads > 0 && seen.rss_kib > 0, true, JSON.stringify(seen));
    assert.match(seen.state, state);
    const events = sandbox.logs.map(({ event }) => event);
    assert.ok(events.indexOf('opencode.unresponsive') < events.indexOf('opencode.crash'), 'it was looked at while it lived');
    await endInOrder(sandbox);
}

// At the same time, each in a network of its own: the wait is long.
test('OpenCode that lives and is silent', { concurrency: isRoot }, async (t) => {
    const playground = await playgroundFor(t, { repository: null });
    await Promise.all(Object.entries(silences).map(([what, [signal, state]]) =>
        t.test(what, () => findsOut(playground, signal, state))));
});
