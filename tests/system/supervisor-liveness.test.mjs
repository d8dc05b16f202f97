// OpenCode that lives but does not answer any more is found out and replaced. In a file of its own because it takes
// four probes, fifteen seconds apart (S-348), and can run beside the others.

import assert from 'node:assert/strict';
import test from 'node:test';
import { endInOrder, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const FOUND_OUT_MS = 110_000;

test('OpenCode that stops answering is ended and started again', async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground);
    await sandbox.logged('sandbox.startup');
    const deaf = sandbox.find('opencode-standin.mjs');
    process.kill(deaf.pid, 'SIGUSR1');
    await sandbox.logged('opencode.ready', { count: 2, timeoutMs: FOUND_OUT_MS });
    assert.notEqual(sandbox.find('opencode-standin.mjs').pid, deaf.pid);
    assert.equal(sandbox.logsOf('opencode.crash').length, 1);
    const [seen] = sandbox.logsOf('opencode.unresponsive');
    assert.equal(seen.pid > 0 && seen.threads > 0 && seen.rss_kib > 0, true, JSON.stringify(seen));
    assert.match(seen.state, /^[RSD] \(/);
    const events = sandbox.logs.map(({ event }) => event);
    assert.ok(events.indexOf('opencode.unresponsive') < events.indexOf('opencode.crash'), 'it was looked at while it lived');
    await endInOrder(sandbox);
});
