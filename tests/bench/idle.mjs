// Memory and wake-ups of a sandbox that waits for a prompt, connected over TLS with the system's whole bundle.

import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Playground } from '../../playground/playground.mjs';
import { residentKib } from '../../playground/processes.mjs';
import { opencodeAtOnce } from './opencode-at-once.mjs';
import { benchmark, report } from './report.mjs';

const SUPERVISOR_LIMIT_KIB = 1024;
const BRIDGE_LIMIT_KIB = 3 * 1024;
const SETTLE_MS = 3000; // after the start
const WATCH_MS = 60_000;
// In a minute the bridge sends two heartbeats and three pings, each of which is answered; libwebsockets looks at its idle
// requests twice.
const BRIDGE_WAKE_UPS_LIMIT = 15;
const SUPERVISOR_WAKE_UPS_LIMIT = 15; // a liveness probe now and then, each with its answer

/** How often the process, all threads together, went to sleep: so often it was woken up. */
function sleeps(pid) {
    return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
        const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
        return sum + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)[1]);
    }, 0);
}

await benchmark('idle', 'idle, connected over TLS', async () => {
    const playground = await Playground.start({ repository: null, withSystemCertificates: true });
    try {
        const sandbox = await playground.startSandbox({ opencode: opencodeAtOnce(), isolated: false });
        await sandbox.stillRuns(playground.controlPlane.ready());
        const bridge = sandbox.find('oi-bridge');
        await sleep(SETTLE_MS);
        report('oi-supervisor resident', residentKib(sandbox.pid), 'KiB', { limit: SUPERVISOR_LIMIT_KIB });
        report('oi-bridge resident', residentKib(bridge.pid), 'KiB', { limit: BRIDGE_LIMIT_KIB });
        const before = [sandbox.pid, bridge.pid].map(sleeps);
        await sleep(WATCH_MS);
        const after = [sandbox.pid, bridge.pid].map(sleeps);
        report('oi-supervisor wake-ups a minute', after[0] - before[0], '', { limit: SUPERVISOR_WAKE_UPS_LIMIT });
        report('oi-bridge wake-ups a minute', after[1] - before[1], '', { limit: BRIDGE_WAKE_UPS_LIMIT });
        report('oi-bridge resident, a minute later', residentKib(bridge.pid), 'KiB', { limit: BRIDGE_LIMIT_KIB });
    } finally {
        await playground.close();
    }
});
