// The bridge on a bad network, and opposite a peer that does not mean well.
//
// Elsewhere: TCP left open after Close, pings, fragments (tests/unit/net_ws_link_test.c); a peer that stops reading, events
// that are too large (bridge-outbox.test.mjs); the sockets of a real Durable Object (bridge-durable-object.test.mjs); all of
// it at random (tests/chaos). The bridge's limits follow the monotonic clock (`make lint` names the files that may read the
// other one): what a jump of the wall clock may touch (message ids, timestamps) is pure code, tested with times as arguments.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentKib } from '../../playground/processes.mjs';
import { waitUntil } from '../../playground/waiting.mjs';
import { bridgeBetween, settle } from './support/bridge.mjs';
import { Wire } from './support/wire.mjs';

const QUICK_PING = { BRIDGE_PING_INTERVAL_MS: '1000', BRIDGE_PONG_TIMEOUT_MS: '1000', BRIDGE_HEARTBEAT_INTERVAL_MS: '100' };
/** Together far more than the sockets between take. */
const CALLS = 1000;
const OUTPUT_BYTES = 30_000;
const SLOW_CALLS = 85;
/** The least that can be set. */
const INACTIVITY_S = 5;
const BIG_COMMAND_BYTES = 31 * 1024 * 1024;
/** A sanitized program keeps what it has freed for a while. */
const MAX_GROWTH_KIB = process.env.OI_SANITIZED ? Infinity : 4096;

/** A bridge that reaches its control plane through a Wire. */
async function bridgeOverWire(t, options = {}) {
    const ends = await bridgeBetween(t, { start: false, ...options });
    const wire = await Wire.start(ends.cp.port);
    t.after(() => wire.close());
    const bridge = ends.startBridge({ args: ['--control-plane', `http://127.0.0.1:${wire.port}`, ...(options.args ?? [])] });
    await bridge.stillRuns(ends.cp.ready(1));
    return { ...ends, wire, bridge };
}

for (const directions of [['up', 'down'], ['down']]) {
    test(`a connection that carries nothing ${directions.join(' and ')} is noticed by a ping, and nothing is lost`, async (t) => {
        const { cp, opencode, wire, bridge } = await bridgeOverWire(t, { env: QUICK_PING });
        opencode.onPrompt = (run) => run.begin().openText().delta('half');
        const id = cp.prompt('go');
        await cp.waitForEvent('token');
        wire.lose(...directions);
        opencode.runs[0].delta(' and whole').closeText().finish();
        await cp.ready(2);
        assert.equal((await cp.completionOf(id)).success, true);
        await settle(cp);
        const completions = cp.completionsOf(id);
        completions.forEach((completion) => assert.deepEqual(completion, completions[0]));
        assert.match((await bridge.logged('bridge.disconnect')).detail ?? '', /ping|broke/);
    });
}

test('a control plane that stops reading for good: OpenCode is drained, and the ping ends the connection', async (t) => {
    const { cp, opencode, wire, bridge } = await bridgeOverWire(t, { env: QUICK_PING }); // which comes before its patience is over
    opencode.onPrompt = (run) => run.begin();
    const id = cp.prompt('talk');
    const run = await opencode.prompted();
    wire.hold();
    wire.newcomersLost = true; // nor is there another connection
    const output = 'y'.repeat(OUTPUT_BYTES);
    for (let call = 0; call < CALLS; call++) run.tool('bash', { command: `c${call}` }, output);
    run.text('The end.').finish();
    await waitUntil(() => opencode.unread === 0, { what: 'OpenCode\'s stream to be drained', timeoutMs: 30_000 });
    await bridge.logged('prompt.run', { timeoutMs: 30_000 });
    assert.match((await bridge.logged('bridge.disconnect')).detail ?? '', /ping|broke/);
    wire.cut();
    wire.heal();
    assert.equal((await cp.completionOf(id, { timeoutMs: 30_000 })).success, true);
});

test('a control plane that reads slowly, and is behind by more than a ping waits, is not taken for dead: all arrives', async (t) => {
    const { cp, opencode, wire } = await bridgeOverWire(t, { env: { ...QUICK_PING, BRIDGE_PONG_TIMEOUT_MS: '4000' } });
    opencode.onPrompt = (run) => run.begin();
    const id = cp.prompt('talk');
    const run = await opencode.prompted();
    wire.pauseMs = 150;
    const output = 'y'.repeat(OUTPUT_BYTES);
    for (let call = 0; call < SLOW_CALLS; call++) run.tool('bash', { command: `c${call}` }, output);
    run.text('The end.').finish();
    const done = () => cp.eventsOf(id).filter(({ type, status }) => type === 'tool_call' && status === 'completed').length;
    await cp.waitFor(() => done() > SLOW_CALLS - 20, { what: 'most of it', timeoutMs: 60_000 });
    wire.pauseMs = 0;
    assert.equal((await cp.completionOf(id)).success, true);
    assert.equal(done(), SLOW_CALLS);
    assert.equal(cp.connections.length, 1);
});

test('the bridge stands still for longer than its limits, and the connection goes meanwhile: it is back at once, and nothing is lost', async (t) => {
    const { cp, opencode, bridge } = await bridgeBetween(t, { env: { ...QUICK_PING, BRIDGE_SSE_INACTIVITY_TIMEOUT: String(INACTIVITY_S) } });
    opencode.onPrompt = (run) => run.begin().openText().delta('half');
    const id = cp.prompt('go');
    await cp.waitForEvent('token');
    bridge.signal('SIGSTOP');
    await sleep((INACTIVITY_S + 2) * 1000); // this long OpenCode may say nothing, if it is us who wait
    cp.cut();
    bridge.signal('SIGCONT');
    await cp.ready(2);
    await settle(cp);
    assert.deepEqual(cp.completionsOf(id), [], 'OpenCode stood still as well, for all that is known');
    opencode.runs[0].delta(' and whole').closeText().finish();
    assert.equal((await cp.completionOf(id)).success, true);
    assert.equal(cp.textOf(id), 'half and whole');
    assert.equal(cp.completionsOf(id).length, 1);
});

test('a network that carries one byte at a time: handshake, commands and events all pass', async (t) => {
    const { cp, opencode, wire } = await bridgeOverWire(t);
    wire.trickles = true;
    cp.cut();
    await cp.ready(2);
    const content = `long: ${'é0123456789'.repeat(300)}`;
    opencode.onPrompt = (run) => run.say('an answer ', 'of some ', 'length');
    const id = cp.prompt(content);
    assert.equal((await cp.completionOf(id)).success, true);
    assert.equal(opencode.runs[0].content, content);
    assert.equal(cp.textOf(id), 'an answer of some length');
});

test('a command of 31 MiB arrives whole, and its memory is given back', async (t) => {
    const { cp, opencode, bridge } = await bridgeBetween(t);
    await cp.completionOf(cp.prompt('first'));
    const before = residentKib(bridge.pid);
    cp.send(JSON.stringify({ type: 'unheard_of', padding: 'x'.repeat(BIG_COMMAND_BYTES) }));
    const id = cp.prompt('after it');
    await cp.completionOf(id);
    assert.equal(opencode.runs.at(-1).content, 'after it');
    assert.equal(cp.connections.length, 1);
    assert.ok(residentKib(bridge.pid) - before < MAX_GROWTH_KIB, `from ${before} to ${residentKib(bridge.pid)} KiB`);
});

test('the control plane refuses a large event with 1009: that one is dropped and said, all else goes on', async (t) => {
    const { cp, opencode, bridge } = await bridgeBetween(t, { env: QUICK_PING });
    const refused = [];
    cp.on('event', (event) => {
        if (event.output?.length > 100_000) refused.push(event) && cp.closeSocket(1009, 'Message is too large');
    });
    opencode.onPrompt = (run) => run.begin().tool('bash', { command: 'cat big' }, 'z'.repeat(200_000));
    const id = cp.prompt('go');
    await cp.ready(2);
    opencode.runs[0].text('Still there.').finish();
    assert.equal((await cp.completionOf(id)).success, true);
    await settle(cp);
    assert.equal(refused.length, 1, 'it is not sent again');
    assert.equal(cp.textOf(id), 'Still there.');
    assert.match((await bridge.logged('bridge.event_too_big')).detail, /refused an event/);
});

test('nulls, unknown fields and other types where something may be absent change nothing', async (t) => {
    const { cp, opencode } = await bridgeBetween(t);
    const more = { reasoningEffort: null, attachments: null, unheardOf: { of: [null, { deep: true }] },
        author: { userId: null, gitIdentity: { mode: 'agent-only', name: null, more: [] } } };
    assert.equal((await cp.completionOf(cp.prompt('one', more))).success, true);
    assert.equal((await cp.completionOf(cp.prompt('two', { ...more, model: null, attachments: 7, reasoningEffort: {} }))).success, true);
    assert.deepEqual(opencode.runs.map(({ content }) => content), ['one', 'two']);
});

test('invalid UTF-8 in a text frame, binary frames and NULs are passed over, and the connection stays', async (t) => {
    const { cp } = await bridgeBetween(t);
    const send = (bytes, options) => cp.socket.send(Buffer.from(bytes), options);
    send([0xff, 0xfe, 0x80], { binary: false });
    send([0x7b, 0x22, 0x74, 0x79, 0x70, 0x65, 0x22, 0x3a, 0x22, 0xc3, 0x22, 0x7d], { binary: false }); // {"type":"<half>"}
    send([0, 0, 0], { binary: false });
    send([0xde, 0xad], { binary: true });
    send([], { binary: false });
    await cp.completionOf(cp.prompt('still there?'));
    assert.equal(cp.connections.length, 1);
});

test('a handshake refused with any status but 401, 403, 404 and 410 is tried again', async (t) => {
    const { cp, bridge } = await bridgeBetween(t, { env: { BRIDGE_RECONNECT_MAX_MS: '60' } });
    cp.refuse(400);
    cp.cut();
    for (const status of [400, 408, 429, 500, 502, 503, 520]) {
        cp.refuse(status);
        await bridge.stillRuns(cp.waitFor(() => cp.rejections.some((rejection) => rejection.status === status), {
            what: `an attempt that is refused with ${status}` }));
    }
    cp.refuse(null);
    await bridge.stillRuns(cp.ready(2));
});

test('a 404 after there was a connection ends the bridge with exit code 0', async (t) => {
    const { cp, bridge } = await bridgeBetween(t);
    cp.refuse(404);
    cp.cut();
    assert.equal((await bridge.exited()).code, 0);
});

test('a connection is replaced by another: it is closed with 1000, and the bridge connects anew', async (t) => {
    const { cp, bridge } = await bridgeBetween(t);
    cp.closeSocket(1000, 'New sandbox connecting');
    await cp.ready(2);
    const { ws_close_code: code, reason } = await bridge.logged('bridge.disconnect');
    assert.deepEqual([code, reason], [1000, 'connection_closed']);
});

test('the name server dies: a running prompt goes on, and the bridge is back when the name is', {
    skip: process.getuid() !== 0 && 'only root can give a program hosts of its own' }, async (t) => {
    const hosts = (directory) => join(directory, 'hosts');
    const own = (directory) => {
        writeFileSync(hosts(directory), '127.0.0.1 localhost control.test\n');
        writeFileSync(join(directory, 'resolv.conf'), 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n');
        return ['unshare', '--mount', 'sh', '-c', 'd=$1; shift; mount --bind "$d/hosts" /etc/hosts && '
            + 'mount --bind "$d/resolv.conf" /etc/resolv.conf && exec "$@"', 'sh', directory];
    };
    const { cp, opencode, bridge, directory } = await bridgeBetween(t, { controlPlane: { host: 'control.test' }, prefix: own });
    opencode.onPrompt = (run) => run.begin().openText().delta('half');
    const id = cp.prompt('go');
    await cp.waitForEvent('token');
    writeFileSync(hosts(directory), '127.0.0.1 localhost\n');
    cp.cut();
    const { detail } = await bridge.logged('bridge.connect_error');
    assert.match(detail, /control\.test/);
    opencode.runs[0].delta(' and whole').closeText().finish();
    await bridge.logged('prompt.run');
    writeFileSync(hosts(directory), '127.0.0.1 localhost control.test\n');
    await cp.ready(2);
    assert.equal((await cp.completionOf(id)).success, true);
    assert.equal(cp.textOf(id), 'half and whole');
});
