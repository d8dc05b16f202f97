// What must hold of a schedule that was played, whatever went wrong in it. Gives a list of complaints.

import { isDeepStrictEqual } from 'node:util';
import { FAILURE_TEXT } from './script.mjs';

const CRITICAL = ['execution_complete', 'error', 'push_complete', 'push_error'];
const BY_THE_CLOCK = ['heartbeat', 'ready'];

/** Critical events: at least once, the same each time, once a connection, always with an ackId. */
function* checkCritical({ cp }) {
    const first = new Map();
    const seenOn = new Set();
    for (const event of cp.events) {
        if (!CRITICAL.includes(event.type)) continue;
        const { ackId } = event;
        if (!ackId) yield `a critical event without ackId: ${JSON.stringify(event)}`;
        if (!first.has(ackId)) first.set(ackId, event);
        else if (!isDeepStrictEqual({ ...first.get(ackId) }, { ...event })) {
            yield `two events under ${ackId}: ${JSON.stringify(first.get(ackId))} and ${JSON.stringify(event)}`;
        }
        const place = `${event.connection} ${ackId}`;
        if (seenOn.has(place)) yield `${ackId} came twice on one connection`;
        seenOn.add(place);
    }
}

/** Each prompt: one completion, in the order of sending, and nothing new of the prompt behind it. */
function* checkCompletions({ cp, prompts }) {
    const order = [];
    const completed = new Set();
    const seen = new Set();
    for (const event of cp.events) {
        const { type, messageId, ackId } = event;
        if (!messageId || BY_THE_CLOCK.includes(type)) continue;
        const isAgain = ackId && seen.has(ackId);
        if (completed.has(messageId) && !isAgain) yield `${type} of a prompt after its completion: ${JSON.stringify(event)}`;
        if (ackId) seen.add(ackId);
        if (type !== 'execution_complete' || isAgain) continue;
        completed.add(messageId);
        order.push(messageId);
    }
    for (const { id, label } of prompts) if (!completed.has(id)) yield `${label} has no completion`;
    const inOrder = [...prompts].sort((a, b) => a.place - b.place);
    const sent = inOrder.map(({ id }) => id).filter((id) => completed.has(id));
    if (!isDeepStrictEqual(order, sent)) yield `completions in another order than the prompts: ${order} for ${sent}`;
}

/** How a prompt ended is what its script and what came across it allow. */
function* checkOutcome({ cp }, prompt) {
    const { id, label, script, stopped, disturbed, terminated, killed } = prompt;
    const [completion] = cp.completionsOf(id);
    if (!completion) return;
    const { success, error } = completion;
    if (prompt.timesPosted > 1) yield `OpenCode got ${label} ${prompt.timesPosted} times`;
    if (!success && !error) yield `${label} failed without a reason`;
    const mayFail = ['fail', 'silent', 'hang'].includes(script.kind) || stopped || disturbed || terminated;
    if (!success && !mayFail) yield `${label} (${script.kind}) failed: ${error}`;
    if (success && ['fail', 'silent', 'hang'].includes(script.kind)) yield `${label} (${script.kind}) succeeded`;
    const errors = cp.eventsOf(id).filter(({ type }) => type === 'error');
    if (script.kind !== 'fail' || stopped || disturbed || terminated) return;
    if (!error?.includes(FAILURE_TEXT)) yield `${label} failed for another reason than OpenCode's: ${error}`;
    if (!killed && errors.length === 0) yield `the error of ${label} did not come`;
}

/** Every text is a run of the prompt's own words, without a hole, and no tool call of another prompt is in it. */
function* checkTexts({ cp, generations }, { id, label }) {
    const calls = new Set();
    for (const event of cp.eventsOf(id)) {
        if (event.type === 'token') {
            const words = event.content.split(' ').filter(Boolean);
            const start = Number(words[0]?.slice(label.length + 1));
            const bad = words.find((word, at) => word !== `${label}w${start + at}`);
            if (bad) yield `a text of ${label} is not its own, or has a hole at ${bad}: ${event.content.slice(0, 200)}`;
        }
        if (event.type === 'tool_call') {
            if (!event.args.command.startsWith(`${label} `)) yield `${label} has a tool call of another prompt`;
            // A bridge that takes a prompt over tells it anew; the same bridge never does.
            const key = `${generations[event.connection]} ${event.callId} ${event.status}`;
            if (calls.has(key)) yield `a tool call of ${label} came twice: ${event.callId} ${event.status}`;
            calls.add(key);
        }
    }
}

/** With nothing in the way, the whole text arrives. */
function* checkWholeText({ cp, generations, plan }, { id, label, run, stopped, disturbed, terminated, killed }) {
    const events = cp.eventsOf(id);
    if (stopped || disturbed || terminated || killed || !run?.said || generations.length > 1 || plan.faults.length === 0) return;
    if (new Set(events.map(({ connection }) => connection)).size !== 1) return;
    if (!cp.textOf(id).includes(`${label}w${run.said - 1} `)) yield `the end of the text of ${label} did not come`;
}

function* checkPushes({ cp, pushes }) {
    for (const { branch, isCertain } of pushes) {
        const answers = cp.events.filter(({ type, branchName }) => /^push_/.test(type) && branchName === branch);
        const distinct = new Set(answers.map(({ ackId }) => ackId)).size;
        if (distinct > 1) yield `push ${branch} was answered ${distinct} times`;
        if (isCertain && distinct === 0) yield `push ${branch} was not answered`;
    }
}

/** What holds whoever plays OpenCode: delivery, order, completions. `scene`: { cp, prompts: [{ id, label, place }] }. */
export function verifyDelivery(scene) {
    return [...checkCritical(scene), ...checkCompletions(scene)];
}

export function verify(scene) {
    const complaints = [...verifyDelivery(scene), ...checkPushes(scene)];
    for (const prompt of scene.prompts) {
        complaints.push(...checkOutcome(scene, prompt), ...checkTexts(scene, prompt), ...checkWholeText(scene, prompt));
    }
    const { cp } = scene;
    for (const { event, fault } of cp.dropped) complaints.push(`the control plane would drop ${JSON.stringify(event)}: ${fault}`);
    return complaints;
}
