// Events on their way out: nothing that counts is lost, doubled or out of order, and memory has a bound.

import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { peakResidentKib, residentKib } from '../../playground/processes.mjs';
import { waitUntil } from '../../playground/waiting.mjs';
import { bridgeBetween, completedUnacknowledged, settle, testWithNodeServer, types } from './support/bridge.mjs';

const env = { BRIDGE_HEARTBEAT_INTERVAL_MS: '100' };
/** Three times what the outbox takes at the most. */
const BURST = 30_000;
/** Far more than it may keep, and than the sockets between take; all of it waits while the control plane stalls. */
const STALLED_CALLS = 6000;
const STALLED_OUTPUT_BYTES = 2000;
const STALLED_EVENTS_MAX = 1000;
const STALL_MS = 6500;
const SILENCE_MS = 5000;
const LONG_PATIENCE_MS = 60_000;
const SHORT_PATIENCE_MS = 500;
/** While nobody reads, and the patience is over, OpenCode says 30 MB, of which this much may be kept, and as much again be needed for work and holes. */
const SLOW_LIMIT_BYTES = 2 * 1024 * 1024;
const SLOW_MORE_BYTES = process.env.OI_SANITIZED ? Infinity : SLOW_LIMIT_BYTES;
const SLOW_CALLS = 600;
const SLOW_ERRORS = 20;
// A sanitized program keeps what it has freed for a while.
const MAX_RESIDENT_KIB = process.env.OI_SANITIZED ? Infinity : 64 * 1024;

test('an event that was not acknowledged is sent again after a reconnect, with the same ackId', async (t) => {
    const { cp, bridge } = await bridgeBetween(t, { env, controlPlane: { acks: true } });
    const id = await completedUnacknowledged(cp);
    cp.cut();
    await cp.waitFor(() => cp.completionsOf(id).length === 2, { what: 'the second delivery' });
    const [first, second] = cp.completionsOf(id);
    assert.deepEqual(second, first);
    assert.equal((await bridge.logged('bridge.flush_pending_acks_start')).count, 1);
    assert.equal((await bridge.logged('bridge.flush_pending_acks_complete')).resent, 1);
    cp.ack(first.ackId);
    await settle(cp);
    cp.cut();
    await cp.ready(3);
    await settle(cp);
    assert.equal(cp.completionsOf(id).length, 2, 'once acknowledged it is not sent again');
});

test('a control plane that dies again and again, and acknowledges nothing meanwhile, loses no completion (D-21)', async (t) => {
    const { cp, bridge } = await bridgeBetween(t, { env: { ...env, BRIDGE_RECONNECT_MAX_MS: '60' }, controlPlane: { acks: true } });
    const id = await completedUnacknowledged(cp);
    for (let deliveries = 1; deliveries < 10; deliveries++) {
        await cp.waitFor(() => cp.completionsOf(id).length === deliveries, { what: `delivery ${deliveries}` });
        cp.cut();
    }
    await cp.waitFor(() => cp.completionsOf(id).length === 10, { what: 'the last delivery' });
    assert.ok(!bridge.logs.some(({ event }) => event === 'bridge.event_dropped'));
});

test('events that are lost are said in the log, a flood of them in few lines', async (t) => {
    const kept = 20;
    const { cp, opencode, bridge } = await bridgeBetween(t, { env: { ...env, BRIDGE_OUTBOX_MAX_EVENTS: String(kept) } });
    opencode.onPrompt = (run) => run.begin();
    const id = cp.prompt('many steps');
    const run = await opencode.prompted();
    await cp.goAway();
    for (let step = 0; step < 500; step++) run.tool('bash', { command: `step ${step}` }, 'ok');
    run.finish();
    await bridge.logged('prompt.run');
    await cp.comeBack();
    await cp.completionOf(id);
    const total = () => bridge.logs.filter(({ event }) => event === 'bridge.event_dropped').reduce((sum, { count }) => sum + count, 0);
    await waitUntil(() => total() > 1000 - 2 * kept, { what: 'the sum of the lost events' });
    const lines = bridge.logs.filter(({ event }) => event === 'bridge.event_dropped');
    assert.ok(lines.length <= 10, `${lines.length} lines`);
    assert.match(lines[0].reason, /queue is full/);
    assert.equal(lines[0].level, 'warning');
});

test('a completion outlives a close for a message that was too big (1009): it was something else (D-40)', async (t) => {
    const { cp } = await bridgeBetween(t, { env, controlPlane: { acks: true } });
    const id = await completedUnacknowledged(cp);
    cp.closeSocket(1009, 'message too big');
    await cp.waitFor(() => cp.completionsOf(id).length === 2, { what: 'the second delivery' });
});

test('a control plane that never acknowledges anything gets nothing twice (X-07)', async (t) => {
    const { cp } = await bridgeBetween(t, { env, controlPlane: { era: 'older' } });
    const id = cp.prompt('hello');
    await cp.completionOf(id);
    await settle(cp);
    cp.cut();
    await cp.ready(2);
    await settle(cp);
    assert.equal(cp.completionsOf(id).length, 1);
});

test('the control plane is away in the middle of a prompt: every event comes, in order, when it is back', async (t) => {
    const { cp, opencode } = await bridgeBetween(t, { env });
    opencode.onPrompt = (run) => run.begin().tool('bash', { command: 'step 0' }, 'ok');
    const id = cp.prompt('many steps');
    const run = await opencode.prompted();
    await cp.waitForEvent(({ type, status }) => type === 'tool_call' && status === 'completed');
    await cp.goAway();
    for (let step = 1; step <= 500; step++) run.tool('bash', { command: `step ${step}` }, `output ${step}`);
    run.text('All done.').finish();
    await cp.comeBack();
    const completion = await cp.completionOf(id);
    assert.equal(completion.success, true);
    const calls = cp.eventsOf(id).filter(({ type }) => type === 'tool_call').map(({ args, status }) => `${args.command} ${status}`);
    const expected = Array.from({ length: 501 }, (_, step) => [`step ${step} running`, `step ${step} completed`]).flat();
    assert.deepEqual(calls, expected);
    assert.equal(cp.textOf(id), 'All done.');
    assert.equal(types(cp.eventsOf(id)).at(-1), 'execution_complete');
    await settle(cp);
    assert.equal(cp.completionsOf(id).length, 1);
});

test('an error and its completion keep their order over a reconnect (D-22)', async (t) => {
    const { cp, opencode } = await bridgeBetween(t, { env });
    await cp.completionOf(cp.prompt('acknowledged'));
    opencode.onPrompt = (run) => run.begin();
    const id = cp.prompt('fail');
    const run = await opencode.prompted(2);
    await cp.goAway();
    run.fail('APIError', 'out of credit');
    await cp.comeBack();
    await cp.completionOf(id);
    assert.deepEqual(types(cp.eventsOf(id)).slice(-2), ['error', 'execution_complete']);
});

testWithNodeServer(`a burst of ${BURST} tool events: all delivered, in order, in bounded memory`, async (t) => {
    const { cp, opencode, bridge } = await bridgeBetween(t, { env: {
        ...env, BRIDGE_OPENCODE_TIMEOUT_MS: '120000' } }); // the stand-in answers the post after the burst
    opencode.onPrompt = (run) => {
        run.begin();
        for (let call = 0; call < BURST / 2; call++) run.tool('bash', { command: `c${call}` }, 'x'.repeat(100));
        run.text('Done.').finish();
    };
    const id = cp.prompt('hurry', {});
    await cp.completionOf(id, { timeoutMs: 120_000 });
    const calls = cp.eventsOf(id).filter(({ type }) => type === 'tool_call');
    assert.equal(calls.length, BURST);
    calls.forEach(({ args, status }, index) => {
        assert.equal(args.command, `c${index >> 1}`);
        assert.equal(status, index % 2 ? 'completed' : 'running');
    });
    assert.ok(residentKib(bridge.pid) < MAX_RESIDENT_KIB, `${residentKib(bridge.pid)} KiB`);
});

testWithNodeServer('a control plane that stalls in a burst gets all of it, in order: OpenCode\'s stream rests, and that is not its silence', async (t) => {
    const { cp, opencode, bridge } = await bridgeBetween(t, { env: { BRIDGE_OUTBOX_MAX_EVENTS: String(STALLED_EVENTS_MAX),
        BRIDGE_OUTBOX_PATIENCE_MS: String(LONG_PATIENCE_MS), BRIDGE_SESSION_INACTIVITY_MS: String(SILENCE_MS) } });
    opencode.onPrompt = (run) => run.begin();
    const id = cp.prompt('hurry');
    const run = await opencode.prompted();
    cp.pauseReading();
    const output = 'x'.repeat(STALLED_OUTPUT_BYTES);
    for (let call = 0; call < STALLED_CALLS; call++) {
        run.tool('bash', { command: `c${call}` }, output);
        if (call % 100 === 0) await nextTurn();
    }
    run.text('Done.').finish();
    await sleep(STALL_MS);
    cp.resumeReading();
    assert.equal((await cp.completionOf(id, { timeoutMs: 120_000 })).success, true);
    const calls = cp.eventsOf(id).filter(({ type }) => type === 'tool_call').map(({ args, status }) => `${args.command} ${status}`);
    assert.deepEqual(calls, Array.from({ length: STALLED_CALLS }, (_, call) => [`c${call} running`, `c${call} completed`]).flat());
    assert.ok(!bridge.logs.some(({ event }) => event === 'bridge.event_dropped'));
    assert.equal(cp.connections.length, 1);
});

testWithNodeServer('a stop is heeded at once while OpenCode\'s stream rests for a control plane that does not read', async (t) => {
    const { cp, opencode } = await bridgeBetween(t, { env: { BRIDGE_OUTBOX_PATIENCE_MS: String(LONG_PATIENCE_MS) } });
    opencode.onPrompt = (run) => run.begin();
    const id = cp.prompt('hurry');
    const run = await opencode.prompted();
    cp.pauseReading();
    const output = 'y'.repeat(50_000);
    for (let call = 0; call < SLOW_CALLS; call++) run.tool('bash', { command: `c${call}` }, output);
    let before;
    await waitUntil(() => before === (before = opencode.unread), { what: 'the stream to rest' });
    cp.stop();
    await waitUntil(() => opencode.aborts.length > 0, { what: 'the abort' });
    assert.ok(opencode.unread > 0, 'the stream rests');
    cp.resumeReading();
    assert.equal((await cp.completionOf(id)).success, false);
});

for (const era of ['current', 'older']) {
    testWithNodeServer(`a control plane (${era}) that stops reading in mid-prompt: OpenCode is drained, memory is bounded, what counts arrives`, async (t) => {
        const { cp, opencode, bridge } = await bridgeBetween(t, { controlPlane: { era }, env: {
            BRIDGE_OUTBOX_MAX_BYTES: String(SLOW_LIMIT_BYTES), BRIDGE_OUTBOX_PATIENCE_MS: String(SHORT_PATIENCE_MS) } });
        opencode.onPrompt = (run) => run.begin().text('First I look around.');
        const id = cp.prompt('talk');
        const run = await opencode.prompted();
        await cp.waitForEvent('token');
        const before = peakResidentKib(bridge.pid);
        cp.pauseReading();
        const child = 'ses_of_a_task';
        opencode.emitEvent('session.created', { info: { id: child, parentID: run.sessionID } });
        run.task('look', child);
        const output = 'y'.repeat(50_000);
        for (let call = 0; call < SLOW_CALLS; call++) {
            run.tool('bash', { command: `c${call}` }, output);
            if (call % (SLOW_CALLS / SLOW_ERRORS) === 0) {
                opencode.emitEvent('session.error', { sessionID: child, error: { name: 'APIError', data: { message: `error of call ${call}` } } });
            }
        }
        await waitUntil(() => opencode.unread === 0, { what: 'OpenCode\'s stream to be drained', timeoutMs: 60_000 });
        run.text('The end, ', 'as it should be.');
        const grown = peakResidentKib(bridge.pid) - before;
        assert.ok(grown * 1024 < SLOW_LIMIT_BYTES + SLOW_MORE_BYTES, `${grown} KiB more at the peak`);
        run.finish();
        await bridge.logged('prompt.run', { timeoutMs: 60_000 }); // all while nobody reads
        assert.equal(cp.completionsOf(id).length, 0);
        assert.match((await bridge.logged('bridge.event_dropped')).reason, /queue is full/);
        assert.ok((await bridge.logged('bridge.control_plane_slow')).waiting_bytes > 0);
        cp.resumeReading();
        const completion = await cp.completionOf(id, { timeoutMs: 30_000 });
        assert.equal(completion.success, true);
        const errors = cp.eventsOf(id).filter(({ type }) => type === 'error').map(({ error }) => error);
        assert.deepEqual(errors, Array.from({ length: SLOW_ERRORS }, (_, index) => `error of call ${index * SLOW_CALLS / SLOW_ERRORS}`));
        assert.equal(cp.textOf(id), 'The end, as it should be.');
        assert.equal(cp.eventsOf(id).at(-1).type, 'execution_complete');
        assert.equal(cp.completionsOf(id).length, 1);
        assert.equal(cp.connections.length, 1);
    });
}

test('an output of many megabytes arrives cut, with a mark, and takes nothing else with it (D-40)', async (t) => {
    const { cp, opencode } = await bridgeBetween(t);
    opencode.onPrompt = (run) => run.begin().tool('bash', { command: 'cat big' }, 'z'.repeat(5_000_000)).text('That was big.').finish();
    const id = cp.prompt('show me');
    await cp.completionOf(id);
    const { output } = cp.eventsOf(id).find(({ status }) => status === 'completed');
    assert.ok(output.length > 10_000 && output.length < 1_000_000, `${output.length} characters`);
    assert.notEqual(output.at(-1), 'z', 'a mark shows the cut');
    assert.equal(cp.textOf(id), 'That was big.');
});
