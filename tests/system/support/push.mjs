// A sandbox with something to push, and what a push is answered with.

import { writeFileSync } from 'node:fs';
import { git } from '../../../playground/sample-repository.mjs';
import { playgroundFor, startWithStandIns } from './sandbox.mjs';

export const isPush = ({ type }) => type.startsWith('push_');

/** A sandbox with one commit to push; OpenCode is a stand-in, because no push needs it. */
export async function sandboxWithCommit(t, { env, ...options } = {}) {
    const playground = await playgroundFor(t, options);
    // The older control plane knows no host but github.com.
    const files = options.era === 'older' && { 'root/.gitconfig':
        `[url "${playground.gitServer.baseWithToken}"]\n\tinsteadOf = https://github.com/\n` };
    const sandbox = await startWithStandIns(playground, { bridge: null, env, ...(files && { files }) });
    await sandbox.stillRuns(playground.controlPlane.ready());
    const checkout = sandbox.path('workspace/app');
    writeFileSync(`${checkout}/pushed.txt`, 'pushed\n');
    git(checkout, 'add', 'pushed.txt');
    git(checkout, 'commit', '--quiet', '--message', 'To be pushed');
    const { controlPlane: cp } = playground;
    /** Sends a push and gives the event that settles it. */
    const push = async (branch, more) => {
        const after = cp.events.length;
        cp.push(branch, more);
        return sandbox.stillRuns(cp.waitForEvent(isPush, { after, timeoutMs: 30_000, what: 'the end of the push' }));
    };
    return { playground, sandbox, cp, push, checkout };
}
