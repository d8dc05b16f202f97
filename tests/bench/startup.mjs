// From exec of the supervisor to `ready` at the control plane, with an OpenCode that is there at once and no repository:
// what remains is ours. Without TLS first. With it two processes one after the other (who fetches the managed skills, and
// the bridge) read the system's whole bundle of authorities and shake hands with a control plane in Node.

import { Playground } from '../../playground/playground.mjs';
import { opencodeAtOnce } from './opencode-at-once.mjs';
import { benchmark, least, median, report } from './report.mjs';

const RUNS = 15;
const LIMIT_MS = 20;
const TLS_LIMIT_MS = 80; // 50 without the managed skills, whose handshake comes before the bridge's

async function startOnce(playground) {
    const known = playground.controlPlane.eventsOfType('ready').length;
    const sandbox = await playground.startSandbox({ opencode: opencodeAtOnce(), isolated: false });
    const ready = await sandbox.stillRuns(playground.controlPlane.ready(known + 1));
    await sandbox.stop();
    return ready.receivedAt - sandbox.startedAt;
}

await benchmark('startup', 'start', async () => {
    for (const [what, secure, limit] of [['without TLS', false, LIMIT_MS], ['with TLS', true, TLS_LIMIT_MS]]) {
        const playground = await Playground.start({ repository: null, withSystemCertificates: true, secure });
        try {
            const times = [];
            for (let run = 0; run < RUNS; run++) times.push(await startOnce(playground));
            report(`exec of oi-supervisor to ready, ${what}`, median(times), 'ms',
                { limit, more: `median of ${RUNS}; least ${least(times).toFixed(1)} ms` });
        } finally {
            await playground.close();
        }
    }
});
