// What a schedule does: made from a seed and a number alone, before anything runs. Pure.
//
// A plan is data: { prompts, faults, acks, push, ending }. Times are milliseconds. A fault waits for its moment (or for
// as long as its patience lasts), a little longer, and then happens; faults follow one another, prompts run beside them.

import { Random } from './random.mjs';

const PROMPTS_MOST = 3;
const FAULTS_MOST = 5;
const PATIENCE_MS = 250;
/** One schedule in so many loses its connection more often in a row than an event is sent at the least (outbox.h). */
const FLAPPING_PERCENT = 8;
const FLAPS_LEAST = 7;
const FLAPS_MOST = 10;

/** What OpenCode does with a prompt (script.mjs). */
const SCRIPTS = { say: 6, tools: 4, rounds: 3, long: 1, fail: 3, silent: 1, hang: 2 };

/** When a fault happens. `time`: after a while; the others when the thing itself happens (scene.mjs). */
const MOMENTS = { time: 6, ready: 1, posted: 2, token: 2, finished: 4, completion: 2, acked: 1 };

/** What goes wrong (faults.mjs), and how often. */
const FAULTS = {
    kill: 8, terminate: 1, freeze: 3,
    cut: 4, reset: 2, close: 4, refuse: 3, blackhole: 1, deafUp: 1, deafDown: 1, stall: 2, trickle: 1, lateHandshake: 1,
    streamBreak: 2, streamEnd: 1, opencodeStall: 2, opencodeCut: 1, opencodeDeath: 2,
    stop: 2,
};
const CLOSE_CODES = [1000, 1001, 1008, 1009, 1011, 1012, 4000];
/** Refusals after which it is tried again; the others end the sandbox (bridge-connection.test.mjs). */
const REFUSALS = [400, 429, 500, 502, 503, 504];

function planPrompt(random) {
    const kind = random.pick(SCRIPTS);
    return {
        script: { kind, words: kind === 'long' ? random.between(50, 200) : random.between(1, 12), rounds: random.between(2, 4),
            pauseMs: random.chance(30) ? 0 : random.between(1, 25) },
        /** false: it is sent although the one before may still run. The real control plane waits. */
        waits: random.chance(75),
        gapMs: random.between(0, 30),
        /** For one that would never end. */
        stopAfterMs: kind === 'hang' ? random.between(20, 200) : null,
    };
}

function planFault(random) {
    const kind = random.pick(FAULTS);
    const moment = random.pick(MOMENTS);
    return {
        kind, moment,
        patienceMs: moment === 'time' ? random.between(0, 120) : PATIENCE_MS,
        thenMs: random.chance(50) ? 0 : random.between(0, 8),
        lastsMs: random.chance(20) ? random.between(200, 900) : random.between(0, 120),
        code: CLOSE_CODES[random.between(0, CLOSE_CODES.length - 1)],
        status: REFUSALS[random.between(0, REFUSALS.length - 1)],
        times: random.between(1, 3),
    };
}

/** The control plane takes a completion and dies, again and again, before it can acknowledge. */
const planFlapping = (random) => ({
    kind: 'flap', moment: 'completion', patienceMs: 4 * PATIENCE_MS, thenMs: 0, lastsMs: 0,
    times: random.between(FLAPS_LEAST, FLAPS_MOST),
});

export function makePlan(seed, number) {
    const random = new Random(seed, number);
    const plan = {
        seed, number,
        prompts: Array.from({ length: random.between(1, PROMPTS_MOST) }, () => planPrompt(random)),
        faults: Array.from({ length: random.between(1, FAULTS_MOST) }, () => planFault(random)),
        acks: { kind: random.pick({ atOnce: 5, late: 3, lossy: 2, none: 1 }), delayMs: random.between(1, 80) },
        push: random.chance(20),
        ending: random.pick({ idle: 3, busy: 1, shutdown: 1 }),
    };
    if (random.chance(FLAPPING_PERCENT)) {
        plan.faults.unshift(planFlapping(random));
        plan.acks.kind = 'none';
    }
    return plan;
}

/** One line that says what a plan does. */
export function describePlan({ prompts, faults, acks, push, ending }) {
    const prompt = ({ script, waits }) => `${waits ? '' : '+'}${script.kind}`;
    const fault = ({ kind, moment }) => (moment === 'time' ? kind : `${kind}@${moment}`);
    return `prompts ${prompts.map(prompt).join(' ')}; ${faults.map(fault).join(' ')}; acks ${acks.kind}`
        + `${push ? '; push' : ''}; end ${ending}`;
}
