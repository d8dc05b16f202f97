// What goes wrong, by the names of plan.mjs. Each gets the scene and its part of the plan, and returns when it is over.

import { setTimeout as sleep } from 'node:timers/promises';

async function whileWire(wire, change, lastsMs) {
    change(wire);
    await sleep(lastsMs);
    wire.heal();
}

async function refuse({ cp, upstream }, { status, times }) {
    const refused = cp.rejections.length;
    cp.refuse(status);
    upstream.cut();
    await cp.waitFor(() => cp.rejections.length >= refused + times, { what: `${times} refusals with ${status}` });
    cp.refuse(null);
}

export const FAULTS = {
    // the bridge itself
    kill: async (scene, { lastsMs }) => {
        await scene.endBridge('SIGKILL');
        await sleep(lastsMs);
        scene.startBridge();
    },
    terminate: async (scene, { lastsMs }) => {
        await scene.endBridge('SIGTERM');
        await sleep(lastsMs);
        scene.startBridge();
    },
    freeze: async ({ bridge }, { lastsMs }) => {
        bridge.signal('SIGSTOP');
        await sleep(lastsMs);
        bridge.signal('SIGCONT');
    },

    // its connection to the control plane
    cut: async ({ upstream }) => upstream.cut(),
    reset: async ({ upstream }) => upstream.reset(),
    flap: async ({ cp, upstream }, { times }) => {
        for (let cut = 0; cut < times; cut++) {
            const known = cp.eventsOfType('ready').length; // comes behind what is owed
            upstream.cut();
            await cp.waitFor(() => cp.eventsOfType('ready').length > known, { what: `connection ${cut + 1} of a flapping network` });
        }
    },
    close: async ({ cp }, { code }) => cp.closeSocket(code, 'closed by a schedule'),
    refuse,
    blackhole: async ({ upstream }) => upstream.lose('up', 'down'),
    deafUp: async ({ upstream }) => upstream.lose('up'),
    deafDown: async ({ upstream }) => upstream.lose('down'),
    stall: async ({ upstream }, { lastsMs }) => whileWire(upstream, (wire) => wire.hold(), lastsMs),
    trickle: async ({ upstream }, { lastsMs }) => whileWire(upstream, (wire) => {
        wire.trickles = true;
        wire.cut();
    }, lastsMs),
    lateHandshake: async ({ upstream }, { lastsMs }) => whileWire(upstream, (wire) => {
        wire.newcomersLost = true;
        wire.cut();
    }, lastsMs),

    // OpenCode
    streamBreak: async (scene) => {
        scene.disturbRuns('the stream broke');
        scene.opencode.breakStreams();
    },
    streamEnd: async (scene) => {
        scene.disturbRuns('the stream ended');
        scene.opencode.endStreams();
    },
    opencodeStall: async ({ downstream }, { lastsMs }) => whileWire(downstream, (wire) => wire.hold(), lastsMs),
    opencodeCut: async (scene) => {
        scene.disturbRuns('all connections broke');
        scene.downstream.reset();
    },
    opencodeDeath: async (scene, { lastsMs }) => {
        scene.disturbRuns('OpenCode died');
        for (const run of scene.opencode.runs) if (run.state !== 'idle') run.state = 'dead';
        await whileWire(scene.downstream, (wire) => {
            wire.refuses = true;
            wire.reset();
        }, lastsMs);
    },

    // the user
    stop: async (scene) => scene.stopPrompt(),
};
