// From exec of the supervisor to `ready` at the control plane, with an OpenCode that is there at once and no repository:
// what remains is ours. With TLS two processes shake hands with a control plane in Node, which needs its time too: who
// fetches the managed skills, and the bridge. One after the other when the bridge connects at the end (control planes
// that take a connected sandbox for a ready one), at the same time when it connects early. The sandbox's files are in
// memory (/dev/shm), so that no disk decides: a busy one takes 0.2 ms for each of the two dozen links and files
// that are staged.

import { existsSync } from 'node:fs';
import { Playground } from '../../playground/playground.mjs';
import { opencodeAtOnce } from './opencode-at-once.mjs';
import { benchmark, least, median, report } from './report.mjs';

const RUNS = 15;
const WAYS = [
    { what: 'plain', secure: false, args: [], limit: 20 },
    { what: 'plain, connecting early', secure: false, args: ['--bridge-early-connect'], limit: 20 },
    { what: 'TLS', secure: true, args: [], limit: 60 },
    { what: 'TLS, connecting early', secure: true, args: ['--bridge-early-connect'], limit: 50 },
];

/** { ms, path }: how long it took, and of what the longest way through the boot consisted. */
async function startOnce(playground, args) {
    const known = playground.controlPlane.eventsOfType('ready').length;
    const sandbox = await playground.startSandbox({ opencode: opencodeAtOnce(), isolated: false, args });
    const ready = await sandbox.stillRuns(playground.controlPlane.ready(known + 1));
    const { phase_ms: phases, duration_ms: boot } = await sandbox.logged('sandbox.startup');
    await sandbox.stop();
    const ms = ready.receivedAt - sandbox.startedAt;
    const openCode = phases.stage + phases.opencode;
    const longest = openCode > phases.skills_fetch ? `stage ${phases.stage} > opencode ${phases.opencode}` : `skills_fetch ${phases.skills_fetch}`;
    return { ms, path: `${longest} > warm_up ${phases.warm_up} (boot ${boot}) > exec, bridge and control plane ${(ms - boot).toFixed(0)}` };
}

if (existsSync('/dev/shm')) process.env.TMPDIR = '/dev/shm'; // playgrounds are made there
await benchmark('startup', 'start: exec of oi-supervisor to ready', async () => {
    for (const { what, secure, args, limit } of WAYS) {
        const playground = await Playground.start({ repository: null, withSystemCertificates: true, secure });
        try {
            const starts = [];
            for (let run = 0; run < RUNS; run++) starts.push(await startOnce(playground, args));
            const times = starts.map(({ ms }) => ms);
            report(what, median(times), 'ms', { limit, more: `median of ${RUNS}; least ${least(times).toFixed(1)} ms` });
            console.log(`      critical path: ${starts.find(({ ms }) => ms === median(times)).path}`);
        } finally {
            await playground.close();
        }
    }
});
