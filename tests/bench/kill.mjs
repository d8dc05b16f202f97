// kill -9 of OpenCode: how soon the supervisor notices, and how soon the next one is healthy.
//
// The kernel tells the parent of a death when it has given the memory of the dead back (exit_mm() before exit_notify()),
// and the real OpenCode has some hundred MB. No parent can know earlier. So it is killed twice, both times warm: under a
// parent that does nothing but wait for it, and under the supervisor. The difference is ours, and the limit is on it. A
// stand-in without memory to give back shows the same without that wait.

import { residentKib } from '../../playground/processes.mjs';
import { Playground } from '../../playground/playground.mjs';
import { startAlone } from './opencode-alone.mjs';
import { opencodeAtOnce } from './opencode-at-once.mjs';
import { benchmark, median, report } from './report.mjs';

const RUNS = Number(process.env.OI_BENCH_RUNS ?? 7);
const NOTICED_LIMIT_MS = 50;
const RECOVERY_LIMIT_MS = 200;
const WAIT = { timeoutMs: 60_000 };

async function killAlone(playground) {
    const opencode = await startAlone(playground.modelServer.url);
    const kib = residentKib(opencode.pid);
    return { kib, noticed: await opencode.kill() };
}

/** { noticed, healthy } in ms, and how long the new one took from its start to its health by itself. */
async function killInSandbox(playground, command, options = {}) {
    const known = playground.controlPlane.eventsOfType('ready').length;
    const sandbox = await playground.startSandbox({ isolated: false, ...options });
    await sandbox.stillRuns(playground.controlPlane.ready(known + 1, WAIT));
    const { pid } = sandbox.find(command);
    const kib = residentKib(pid);
    const at = performance.now();
    process.kill(pid, 'SIGKILL');
    await sandbox.logged('opencode.crash', WAIT);
    const noticed = performance.now() - at;
    const ready = await sandbox.logged('opencode.ready', { count: 2, ...WAIT });
    const healthy = performance.now() - at;
    await sandbox.stop();
    return { kib, noticed, healthy, ownStart: ready.duration_ms };
}

await benchmark('kill', 'kill -9 of OpenCode', async () => {
    const playground = await Playground.start();
    const middle = (kills, key) => median(kills.map((kill) => kill[key]));
    const mib = (kills) => `${(middle(kills, 'kib') / 1024).toFixed(0)} MiB`;
    try {
        const alone = [], ours = [], small = [];
        for (let run = 0; run < RUNS; run++) {
            alone.push(await killAlone(playground));
            ours.push(await killInSandbox(playground, 'opencode serve'));
            small.push(await killInSandbox(playground, 'opencode_at_once serve', { opencode: opencodeAtOnce() }));
        }
        report('noticed by a parent that only waits', middle(alone, 'noticed'), 'ms', { more: `the real one, ${mib(alone)}; median of ${RUNS}` });
        report('noticed by the supervisor', middle(ours, 'noticed'), 'ms', { more: `the real one, ${mib(ours)}` });
        report('noticed by the supervisor, above the other parent', middle(ours, 'noticed') - middle(alone, 'noticed'), 'ms', { limit: NOTICED_LIMIT_MS });
        report('noticed by the supervisor, of a small stand-in', middle(small, 'noticed'), 'ms', { limit: NOTICED_LIMIT_MS });
        report('healthy again, above its own start', median(ours.map(({ healthy, ownStart }) => healthy - ownStart)), 'ms', {
            limit: RECOVERY_LIMIT_MS, more: `healthy again after ${middle(ours, 'healthy').toFixed(0)} ms` });
    } finally {
        await playground.close();
    }
});
