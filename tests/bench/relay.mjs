// What the bridge adds to an event's way from OpenCode to the control plane, and what it does with very many at once.
// Both ends live in this process, so one clock sees an event leave and arrive; the time that two such ends need without
// the bridge in between is taken off.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireInstalled } from '../../playground/paths.mjs';
import { openPrompt, toolPart } from './ends.mjs';
import { benchmark, percentile, promise, report } from './report.mjs';

const { WebSocket, WebSocketServer } = requireInstalled('ws');

const SAMPLES = 1500;
const WARM_UP = 200;
const PAUSE_MS = 2;
const ADDED_P50_LIMIT_MS = 0.2;
const BURST = 30_000;
const BURST_MEMORY_LIMIT_MIB = 5.7; // 6 MB
const STALL_MS = 1500;
const BURST_DEADLINE_MS = 120_000;

const peakMib = (pid) => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

function sendTool({ opencode, run }, number) {
    opencode.emitEvent('message.part.updated', { sessionID: run.sessionID, part: toolPart(run, number) });
}

/** Milliseconds from OpenCode's write to the control plane's hearing of it, one event at a time. */
async function relayTimes(ends) {
    const times = [];
    for (let number = 0; number < WARM_UP + SAMPLES; number++) {
        const arrived = once(ends.controlPlane, 'event');
        const left = performance.now();
        sendTool(ends, number);
        const [event] = await arrived;
        if (number >= WARM_UP && event.type === 'tool_call') times.push(event.receivedAt - left);
        await sleep(PAUSE_MS);
    }
    return times;
}

/** The same for an event stream and a WebSocket that nothing lies between: each read is written on by this process. */
async function ownTimes() {
    const server = http.createServer((request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        server.emit('stream', response);
    }).listen(0, '127.0.0.1');
    const sockets = new WebSocketServer({ server, perMessageDeflate: false });
    await once(server, 'listening');
    const { port } = server.address();
    const client = new WebSocket(`ws://127.0.0.1:${port}`);
    const [[socket]] = await Promise.all([once(sockets, 'connection'), once(client, 'open')]);
    const times = [];
    const text = JSON.stringify({ type: 'tool_call', callId: 'call_1', tool: 'bash', args: { command: 'echo 1' },
        output: 'line of tool 1\n', status: 'completed', messageId: 'm', sandboxId: 's', timestamp: 1.5 });
    for (let number = 0; number < WARM_UP + SAMPLES; number++) {
        const arrived = once(socket, 'message');
        const left = performance.now();
        client.send(text);
        JSON.parse(String((await arrived)[0]));
        if (number >= WARM_UP) times.push(performance.now() - left);
        await sleep(PAUSE_MS);
    }
    client.terminate();
    sockets.close();
    server.close();
    return times;
}

async function latency() {
    const own = await ownTimes();
    await openPrompt(async (ends) => {
        const times = await relayTimes(ends);
        const added = (share) => percentile(times, share) - percentile(own, share);
        const whole = (share) => `${percentile(times, share).toFixed(3)} ms with the bridge, `
            + `${percentile(own, share).toFixed(3)} ms without`;
        report('added to an event, p50', added(0.5), 'ms', { limit: ADDED_P50_LIMIT_MS, more: whole(0.5) });
        report('added to an event, p99', added(0.99), 'ms', { more: whole(0.99) });
    });
}

/** `stall`: the control plane takes no bytes for a while in the middle. */
async function burst({ stall }) {
    await openPrompt(async (ends) => {
        const { controlPlane, bridge, run, id } = ends;
        const begun = performance.now();
        if (stall) {
            controlPlane.pauseReading();
            setTimeout(() => controlPlane.resumeReading(), STALL_MS);
        }
        for (let number = 0; number < BURST; number++) sendTool(ends, number);
        run.finish();
        await bridge.stillRuns(controlPlane.completionOf(id, { timeoutMs: BURST_DEADLINE_MS }));
        const seconds = (performance.now() - begun) / 1000;
        const calls = controlPlane.eventsOf(id).filter(({ type }) => type === 'tool_call').map(({ callId }) => callId);
        const isWhole = calls.length === BURST && calls.every((call, number) => call === `call_${number}`);
        const what = stall ? `control plane stalled ${STALL_MS} ms` : 'control plane reads';
        promise(`${BURST} tool events, ${what}: all, in order`, isWhole,
            `${calls.length} came in ${seconds.toFixed(1)} s, ${Math.round(calls.length / seconds)} a second`);
        report('   most memory of oi-bridge (VmHWM)', peakMib(bridge.pid), 'MiB', { limit: BURST_MEMORY_LIMIT_MIB });
    });
}

await benchmark('relay', 'relay', async () => {
    await latency();
    await burst({ stall: false });
    await burst({ stall: true });
});
