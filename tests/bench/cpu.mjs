// The processor time that the bridge itself needs for OpenCode's events, in bursts: from the bytes of the event stream
// to the WebSocket frame that is handed to the socket. That is its user time (with its libraries: SSE, JSON, WebSocket);
// what the kernel does for it (reading, writing, the mask's random bytes) is shown beside it. And how many bytes a text
// costs on its way to the control plane, each token having the whole text so far.

import { readFileSync } from 'node:fs';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { openPrompt, toolPart } from './ends.mjs';
import { benchmark, least, promise, report } from './report.mjs';

const ROUNDS = 3;
const TOOL_EVENTS = 20_000;
const TOOL_EVENT_LIMIT_US = 10;
const DELTAS = 8000;
const DELTAS_LIMIT_MS = 100;
const DELTAS_A_TURN = 8;
const TURN_MS = 4;
const TWICE_LIMIT = 3; // linear: 2, quadratic: 4
const MEMORY_LIMIT_MIB = 6;
const DEADLINE_MS = 120_000;

/** Milliseconds of processor time: { user, kernel }. The kernel counts in ticks of 10 ms. */
function processorTime(pid) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return { user: Number(fields[11]) * 10, kernel: Number(fields[12]) * 10 };
}

async function measured({ bridge, controlPlane, id }, work) {
    const before = processorTime(bridge.pid);
    await work();
    await bridge.stillRuns(controlPlane.completionOf(id, { timeoutMs: DEADLINE_MS }));
    const after = processorTime(bridge.pid);
    return { user: after.user - before.user, kernel: after.kernel - before.kernel };
}

async function toolEvents() {
    const rounds = [];
    let bytes = 0;
    for (let round = 0; round < ROUNDS; round++) {
        await openPrompt(async (ends) => {
            const { opencode, run } = ends;
            rounds.push(await measured(ends, async () => {
                for (let number = 0; number < TOOL_EVENTS; number++) {
                    const properties = { sessionID: run.sessionID, part: toolPart(run, number) };
                    bytes = JSON.stringify({ id: run.sessionID, type: 'message.part.updated', properties }).length;
                    opencode.emitEvent('message.part.updated', properties);
                    if (number % 100 === 0) await nextTurn();
                }
                run.finish();
            }));
        });
    }
    const perEvent = (which) => least(rounds.map((round) => round[which])) * 1000 / TOOL_EVENTS;
    report(`processor time per tool event of ${bytes} bytes, ours`, perEvent('user'), 'us',
        { limit: TOOL_EVENT_LIMIT_US, more: `and the kernel's ${perEvent('kernel').toFixed(1)} us` });
}

/** One answer in `count` deltas at a steady pace: { user, kernel, text, wire, memory }. */
async function answer(count) {
    let result;
    await openPrompt(async (ends) => {
        const { bridge, controlPlane, run, id } = ends;
        const times = await measured(ends, async () => {
            run.openText();
            for (let number = 0; number < count; number++) {
                run.delta('word, ');
                if (number % DELTAS_A_TURN === 0) await sleep(TURN_MS);
            }
            run.closeText().finish();
        });
        const tokens = controlPlane.eventsOf(id).filter(({ type }) => type === 'token');
        const status = readFileSync(`/proc/${bridge.pid}/status`, 'utf8');
        result = { ...times, text: tokens.at(-1).content.length, tokens: tokens.length,
            wire: tokens.reduce((sum, { content }) => sum + content.length, 0),
            memory: Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) / 1024 };
    });
    return result;
}

async function texts() {
    const half = await answer(DELTAS / 2);
    const whole = await answer(DELTAS);
    promise(`${DELTAS} text deltas of one answer: all of it`, whole.text === DELTAS * 'word, '.length,
        `${whole.tokens} tokens`);
    report('   processor time, ours and the kernel\'s', whole.user + whole.kernel, 'ms', { limit: DELTAS_LIMIT_MS });
    report('   bytes of tokens per byte of text', whole.wire / whole.text, 'x');
    report('   bytes of tokens, against half the text', whole.wire / half.wire, 'x', { limit: TWICE_LIMIT });
    report('   memory of oi-bridge after it (VmRSS)', whole.memory, 'MiB', { limit: MEMORY_LIMIT_MIB });
}

await benchmark('cpu', 'processor time and bytes', async () => {
    await toolEvents();
    await texts();
});
