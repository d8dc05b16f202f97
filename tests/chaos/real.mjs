#!/usr/bin/env node
// Random kills, cuts and stalls with everything real: oi-supervisor starts the bridge again, and OpenCode with a scripted
// model does the work. It takes a hundred times as long as a schedule of run.mjs and knows less of what is owed: it
// shows that the stand-in there behaves as OpenCode does. `make chaos-real SEED=n [SCHEDULES=5]`
//
// usage: node tests/chaos/real.mjs [--seed N] [--schedules N] [--only N]     the last line is "N passed, N failed"
// The story of a failure is left in build/chaos/. OpenCode wants port 4096.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildDir } from '../../playground/paths.mjs';
import { Playground } from '../../playground/playground.mjs';
import { checkProgram } from '../system/support/checks.mjs';
import { QUICK } from '../system/support/sandbox.mjs';
import { Random } from './random.mjs';
import { verifyDelivery } from './verify.mjs';

const PROMPTS = 4;
const LIMIT_MS = 90_000;
const CLOSE_CODES = [1000, 1001, 1009, 1011];

/** Prompts for the scripted model. */
const SCRIPTS = {
    'say 60 words at 40/s': { weight: 3 },
    'bash: sleep 0.5; echo one ;; bash: echo two ;; say: both done': { weight: 3 },
    'write notes.txt: hello ;; read notes.txt ;; say: written': { weight: 2 },
    'say: short': { weight: 2 },
};

async function freeze({ pid }, ms) {
    process.kill(pid, 'SIGSTOP');
    await sleep(ms);
    process.kill(pid, 'SIGCONT');
}

/** `ends`: it may cost the prompt its success, or the next one, when it came after the prompt's end. */
const FAULTS = {
    nothing: { weight: 1, happen: async () => {} },
    killBridge: { weight: 3, happen: async ({ sandbox }) => process.kill(sandbox.find('oi-bridge').pid, 'SIGKILL') },
    freezeBridge: { weight: 2, happen: async ({ sandbox }, ms) => freeze(sandbox.find('oi-bridge'), ms) },
    cut: { weight: 3, happen: async ({ cp }) => cp.cut() },
    close: { weight: 2, happen: async ({ cp }, ms) => cp.closeSocket(CLOSE_CODES[ms % CLOSE_CODES.length], 'by a schedule') },
    refuse: { weight: 2, happen: async ({ cp }, ms) => {
        cp.refuse(503);
        cp.cut();
        await sleep(ms);
        cp.refuse(null);
    } },
    freezeOpencode: { weight: 2, happen: async ({ sandbox }, ms) => freeze(sandbox.find('opencode serve'), ms) },
    killOpencode: { weight: 1, ends: true, happen: async ({ sandbox }) => {
        process.kill(sandbox.find('opencode serve').pid, 'SIGKILL');
    } },
};
const weightsOf = (table) => Object.fromEntries(Object.entries(table).map(([name, { weight }]) => [name, weight]));

/** One prompt with one fault in it. Gives what there is to complain of. */
async function ask(ends, random, place) {
    const { cp, sandbox } = ends;
    const content = random.pick(weightsOf(SCRIPTS));
    const fault = random.pick(weightsOf(FAULTS));
    const [waitMs, lastsMs] = [random.between(0, 900), random.between(20, 900)];
    // A heartbeat over this connection: it works, and the bridge has said ready.
    const known = cp.eventsOfType('heartbeat').length;
    await sandbox.stillRuns(cp.waitFor(() => cp.socket && cp.eventsOfType('heartbeat').length > known, {
        what: 'a connection', timeoutMs: LIMIT_MS }));
    const id = cp.prompt(content);
    ends.prompts.push({ id, label: `p${place} (${content}) with ${fault}`, place });
    // Something of it: the prompt was taken.
    await sandbox.stillRuns(cp.waitFor(() => cp.eventsOf(id).length > 0, { what: 'the prompt to begin', timeoutMs: LIMIT_MS }));
    await sleep(waitMs);
    await FAULTS[fault].happen(ends, lastsMs);
    const { success, error } = await sandbox.stillRuns(cp.completionOf(id, { timeoutMs: LIMIT_MS }));
    const mayFail = ends.isDeadly || FAULTS[fault].ends;
    ends.isDeadly = FAULTS[fault].ends;
    if (!success && !mayFail) return [`p${place} (${content}) with ${fault} failed: ${error}`];
    if (!success && !error) return [`p${place} (${content}) with ${fault} failed without a reason`];
    return [];
}

/** All that was said, for a person. */
function tellStory(path, { cp, sandbox, prompts }, complaints) {
    mkdirSync(join(buildDir, 'chaos'), { recursive: true });
    const events = cp.events.filter(({ type }) => type !== 'heartbeat').map((event) => JSON.stringify(event).slice(0, 1000));
    writeFileSync(path, [...complaints, '', ...prompts.map(({ id, label }) => `${id} ${label}`), '', ...events, '', sandbox.output].join('\n'));
}

async function play(seed, number) {
    const random = new Random(seed, number, 2);
    const playground = await Playground.start();
    const complaints = [];
    const ends = { cp: playground.controlPlane, sandbox: null, prompts: [] };
    try {
        const sandbox = await playground.startSandbox({ env: QUICK });
        ends.sandbox = sandbox;
        await sandbox.stillRuns(ends.cp.ready(1, { timeoutMs: LIMIT_MS }));
        for (let place = 0; place < PROMPTS; place++) complaints.push(...await ask(ends, random, place));
        const { code } = await sandbox.stop();
        if (code !== 0) complaints.push(`the sandbox ended with ${code}`);
        complaints.push(...verifyDelivery(ends));
        checkProgram(sandbox, [ends.cp.token]);
    } catch (error) {
        complaints.push(error.message);
    } finally {
        await playground.close();
    }
    const path = join(buildDir, 'chaos', `real-${seed}-${number}.txt`);
    if (complaints.length > 0 && ends.sandbox) tellStory(path, ends, [...complaints]);
    if (complaints.length > 0) complaints.push(path);
    return complaints;
}

const { values } = parseArgs({ options: {
    seed: { type: 'string', default: '1' }, only: { type: 'string' }, schedules: { type: 'string', default: '5' } } });
const numbers = values.only ? [Number(values.only)] : Array.from({ length: Number(values.schedules) }, (_, index) => index + 1);
let passed = 0;
let failed = 0;
for (const number of numbers) {
    const startedAt = performance.now();
    const complaints = await play(Number(values.seed), number);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    if (complaints.length === 0) passed++;
    else failed++;
    console.log(`${complaints.length === 0 ? 'ok' : 'not ok'} - SEED=${values.seed}, real schedule ${number}, ${seconds} s`
        + complaints.map((text) => `\n    ${text}`).join(''));
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
