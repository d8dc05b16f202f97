// The bridge connected to a Durable Object in workerd, whose sockets are not Node's: it leaves TCP open after a Close,
// vanishes without one, is put away between two messages, stores events that have a largest size. First the tests of
// other files, on it; then what only it does.

import './support/on-durable-object.mjs';
import './bridge-prompt.test.mjs';
import './bridge-outbox.test.mjs';
import './bridge-connection.test.mjs';

import assert from 'node:assert/strict';
import { once } from 'node:events';
import test, { after, before } from 'node:test';
import { requireInstalled } from '../../playground/paths.mjs';
import { waitUntil } from '../../playground/waiting.mjs';
import { Workerd, workerd } from '../durable-object/workerd.mjs';
import { bridgeBetween, completedUnacknowledged, settle, types } from './support/bridge.mjs';

const { WebSocket } = requireInstalled('ws');

const MIB = 1024 * 1024;
const STORED_MAX_BYTES = 2_199_936; // contract/control-plane.md 0.8
const PUT_AWAY_AFTER_MS = 11_500; // workerd does so after 10 s without a message
const env = { BRIDGE_HEARTBEAT_INTERVAL_MS: '100' };

// A session in which nothing happens while the tests above run, in a workerd that none of them kills.
const quiet = { ends: [] };
before(async () => {
    const runtime = new Workerd();
    const { cp } = await bridgeBetween({ after: (end) => quiet.ends.push(end) }, { controlPlane: { runtime }, env: {
        BRIDGE_PING_INTERVAL_MS: '1000', BRIDGE_PONG_TIMEOUT_MS: '2000', BRIDGE_HEARTBEAT_INTERVAL_MS: '60000' } });
    Object.assign(quiet, { cp, lives: await cp.obeyed(), since: performance.now() });
    quiet.ends.push(() => runtime.stop());
});
after(async () => {
    for (const end of quiet.ends) await end();
});

/** Another sandbox with the same identity, for as long as the test `t` runs. */
async function rival(t, cp) {
    const socket = new WebSocket(`${cp.url.replace('http', 'ws')}/sessions/${cp.sessionId}/ws?type=sandbox`,
        { headers: { authorization: `Bearer ${cp.token}`, 'x-sandbox-id': cp.sandboxId } });
    socket.on('error', () => {});
    t.after(() => socket.terminate());
    await once(socket, 'open');
    return socket;
}

test('a connection that another one replaces is closed, made anew, and replaces that one', async (t) => {
    const { cp, bridge } = await bridgeBetween(t);
    const other = await rival(t, cp);
    await cp.ready(2);
    const { ws_close_code: code } = await bridge.logged('bridge.disconnect');
    assert.equal(code, 1000);
    await waitUntil(() => other.readyState === WebSocket.CLOSING, { what: 'the Close of the other' }); // TCP stays open
    await cp.completionOf(cp.prompt('to whom?'));
    assert.equal(cp.connections.length, 3);
});

for (const [code, reason] of [[1000, 'Sandbox terminated'], [1001, 'going away'], [1011, 'Stop confirmation timed out'],
    [1012, 'service restart'], [4000, 'of its own']]) {
    test(`closed with ${code} in the middle of a prompt: the close is answered, and everything comes once`, async (t) => {
        const { cp, opencode, bridge } = await bridgeBetween(t, { env });
        opencode.onPrompt = (run) => run.begin().tool('bash', { command: 'before' }, 'ok');
        const id = cp.prompt('go');
        const run = await opencode.prompted();
        await cp.waitForEvent(({ type, status }) => type === 'tool_call' && status === 'completed');
        cp.closeSocket(code, reason);
        const { ws_close_code: logged } = await bridge.logged('bridge.disconnect');
        assert.equal(logged, code);
        run.tool('bash', { command: 'after' }, 'ok').text('All done.').finish();
        await cp.completionOf(id);
        await settle(cp);
        assert.deepEqual(types(cp.eventsOf(id)).filter((type) => type !== 'step_start' && type !== 'step_finish'),
            ['tool_call', 'tool_call', 'tool_call', 'tool_call', 'token', 'execution_complete']);
        assert.equal(cp.textOf(id), 'All done.');
        assert.deepEqual([cp.connections[0].code, cp.connections[0].reason, cp.connections[0].wasClean], [code, reason, true]);
    });
}

test('the Durable Object is made anew before it could acknowledge: the same event again, then no more', async (t) => {
    const { cp } = await bridgeBetween(t, { env });
    const id = await completedUnacknowledged(cp);
    cp.acks = true;
    cp.cut();
    await cp.waitFor(() => cp.completionsOf(id).length === 2, { what: 'the second delivery' });
    const [first, second] = cp.completionsOf(id);
    assert.deepEqual(second, first);
    await settle(cp);
    cp.cut();
    await cp.ready(3);
    await settle(cp);
    assert.equal(cp.completionsOf(id).length, 2);
});

test('workerd is killed in the middle of a prompt: what happened meanwhile comes when it is back', async (t) => {
    const { cp, opencode } = await bridgeBetween(t, { env });
    opencode.onPrompt = (run) => run.begin().openText().delta('half');
    const id = cp.prompt('go');
    const run = await opencode.prompted();
    await cp.waitForEvent('token');
    await cp.goAway();
    run.delta(' and half').closeText().finish();
    await cp.comeBack();
    const { success } = await cp.completionOf(id);
    assert.equal(success, true);
    assert.equal(cp.textOf(id), 'half and half');
});

test('an error text larger than what can be stored is cut, stored and acknowledged (control-plane.md 0.8)', async (t) => {
    const { cp, opencode } = await bridgeBetween(t, { env });
    opencode.onPrompt = (run) => run.begin().fail('APIError', 'e'.repeat(3 * MIB));
    const id = cp.prompt('go');
    const { error } = await cp.completionOf(id);
    assert.ok(error.length < STORED_MAX_BYTES);
    await settle(cp);
    cp.cut();
    await cp.ready(2);
    await settle(cp);
    assert.deepEqual(cp.eventsOf(id).filter(({ ackId }) => ackId).map(({ type }) => type), ['error', 'execution_complete'],
        'each was acknowledged, so none is sent again');
});

test('a command of 20 MiB is taken; one above 32 MiB ends the connection with 1009, and the next one works', async (t) => {
    const { cp } = await bridgeBetween(t, { env });
    cp.flood(20 * MIB);
    await cp.completionOf(cp.prompt('after a large one'));
    assert.equal(cp.connections.length, 1);
    cp.flood(32 * MIB);
    await cp.ready(2);
    await cp.waitFor(() => cp.connections[0].closedAt, { what: 'the close' });
    assert.equal(cp.connections[0].code, 1009);
    await cp.completionOf(cp.prompt('small'));
});

test('an answer to a JSON ping that nobody asked for is passed over', async (t) => {
    const { cp } = await bridgeBetween(t);
    cp.send('{"type":"pong","timestamp":1}');
    await cp.completionOf(cp.prompt('still there?'));
    assert.equal(cp.connections.length, 1);
});

test('workerd stops without a word: a ping finds out, and the bridge connects when it goes on', async (t) => {
    const { cp, bridge } = await bridgeBetween(t, { env: { ...env, BRIDGE_PING_INTERVAL_MS: '1000', BRIDGE_PONG_TIMEOUT_MS: '1000',
        BRIDGE_HANDSHAKE_TIMEOUT_MS: '500' } });
    t.after(() => workerd.signal('SIGCONT'));
    workerd.signal('SIGSTOP');
    await bridge.logged('bridge.connect_error'); // the old connection was given up: a new one was tried
    workerd.signal('SIGCONT');
    await cp.ready(2);
    await settle(cp); // attempts that were given up may still have been waiting to be accepted
    await cp.completionOf(cp.prompt('back?'));
});

test('a Durable Object that is put away between messages: pings keep the connection, and a prompt wakes it', async () => {
    const { cp, lives, since } = quiet;
    await new Promise((done) => { setTimeout(done, since + PUT_AWAY_AFTER_MS - performance.now()); });
    await cp.completionOf(cp.prompt('awake?'));
    assert.ok(await cp.obeyed() > lives, 'it was put away');
    assert.equal(cp.connections.length, 1);
});
