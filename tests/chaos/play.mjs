// Plays one schedule from its plan to its verdict.

import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkProgram } from '../system/support/checks.mjs';
import { waitUntil } from '../../playground/waiting.mjs';
import { FAULTS } from './faults.mjs';
import { Scene, STUCK_MS } from './scene.mjs';
import { verify } from './verify.mjs';

const HANG = { script: { kind: 'hang', words: 2, rounds: 0, pauseMs: 1 }, stopAfterMs: null };

const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;

/** Until the bridge has shown a sign of life over a connection that works both ways. */
async function atRest(scene) {
    const known = scene.cp.eventsOfType('heartbeat').length;
    await scene.waitFor((cp) => cp.eventsOfType('heartbeat').length > known, { what: 'a heartbeat' });
}

async function sendPrompts(scene) {
    let before = null;
    for (const prompt of scene.plan.prompts) {
        if (prompt.waits && before) {
            const { label, id } = before;
            await scene.waitFor((cp) => cp.completionsOf(id).length > 0, { what: `the completion of ${label}: it is stuck` });
        }
        await sleep(prompt.gapMs);
        before = await scene.sendPrompt(prompt);
    }
}

async function happen(scene) {
    for (const fault of scene.plan.faults) {
        await scene.moment(fault.moment, fault.patienceMs);
        await sleep(fault.thenMs);
        scene.tell(`${fault.kind} ${fault.lastsMs} ms`);
        await FAULTS[fault.kind](scene, fault);
    }
}

/** Everything works again: what is owed must come now. */
async function heal(scene) {
    scene.isHealed = true;
    scene.upstream.heal();
    scene.downstream.heal();
    scene.tell('all is well again');
    await waitUntil(() => !scene.upstream.isDeaf, { timeoutMs: STUCK_MS, what: 'the bridge to notice a dead connection' });
    for (const { id, label } of scene.prompts) {
        await scene.waitFor((cp) => cp.completionsOf(id).length > 0, { what: `the completion of ${label}: it is stuck` });
    }
    // What was not acknowledged has to come again. So has what an earlier bridge sent before it knew of acks: not at
    // once, but at the next connection.
    if (scene.unacknowledged.size > 0 || scene.readJournal().events.length > 0) scene.upstream.cut();
    await waitUntil(() => scene.readJournal().events.length === 0 && scene.readJournal().prompts.length === 0, {
        timeoutMs: STUCK_MS, what: 'the journal to owe nothing' });
    await waitUntil(() => scene.unacknowledged.size === 0, {
        timeoutMs: STUCK_MS, what: `what was not acknowledged to come again: ${[...scene.unacknowledged]}` });
    await atRest(scene);
}

async function checkDescriptors(scene, atFirst) {
    const { pid } = scene.bridge;
    await waitUntil(() => descriptors(pid) <= atFirst, {
        what: `the bridge to have no more than the ${atFirst} descriptors of the beginning; it has ${descriptors(pid)}` });
}

/** The last bridge ends in order, so that it can say what leaked; sometimes in the middle of a prompt. */
async function end(scene) {
    const { plan, cp, bridge } = scene;
    bridge.isExpectedToEnd = true;
    if (plan.ending === 'busy') {
        const prompt = await scene.sendPrompt(HANG);
        await scene.waitFor(() => cp.eventsOf(prompt.id).length > 0, { what: 'the last prompt to begin' });
    }
    if (plan.ending === 'shutdown') {
        // A connection may still be one that was cut: what it was told is lost, as a control plane knows.
        let told = null;
        await waitUntil(() => {
            if (scene.isConnected() && told !== cp.socket) {
                told = cp.socket;
                cp.shutdown();
            }
            return bridge.exit;
        }, { timeoutMs: STUCK_MS, what: 'the bridge to end' });
    } else {
        await scene.endBridge('SIGTERM');
    }
    if (bridge.exit.code !== 0) scene.complain(`the last bridge ended with ${JSON.stringify(bridge.exit)}`);
    const prompts = scene.prompts.filter(({ id }) => cp.completionsOf(id).length === 0);
    for (const { label } of prompts) scene.complain(`the end came without the completion of ${label}`);
}

async function perform(scene) {
    await scene.waitFor((cp) => cp.eventsOfType('ready').length > 0, { what: 'the first ready' });
    await scene.opencode.listened(1);
    await atRest(scene);
    const atFirst = descriptors(scene.bridge.pid);
    const sending = sendPrompts(scene);
    sending.catch(() => {}); // it is waited for below
    if (scene.plan.push) scene.push();
    await happen(scene);
    await sending;
    await heal(scene);
    await checkDescriptors(scene, atFirst);
    await end(scene);
    for (const bridge of scene.bridges) checkProgram(bridge, [scene.cp.token]);
}

/** Gives { complaints, story, output }. */
export async function play(plan) {
    const scene = await Scene.start(plan);
    try {
        await perform(scene);
        scene.complaints.push(...verify(scene));
    } catch (error) {
        scene.complain(error.message);
        scene.complaints.push(...verify(scene).filter((text) => !/has no completion/.test(text)));
    } finally {
        await scene.close();
    }
    const output = scene.bridges.map((bridge, at) => `== bridge ${at + 1}\n${bridge.output}\n`).join('');
    return { complaints: scene.complaints, story: scene.story, output };
}
