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
    await endInOrder(sandbox);
});
