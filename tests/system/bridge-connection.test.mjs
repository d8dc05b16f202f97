// The bridge's connection: authentication, TLS, refusals, reconnecting, leaving.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { issueCertificate, makeAuthority } from '../../playground/certificates.mjs';
import { bridgeBetween, testWithNodeServer } from './support/bridge.mjs';

const GONE_AT_ONCE_MS = 3000;

let dir;
let authority;
let otherAuthority;
before(() => {
    dir = mkdtempSync(join(tmpdir(), 'oi-certificates-'));
    authority = makeAuthority(dir, 'authority');
    otherAuthority = makeAuthority(dir, 'other');
});
after(() => rmSync(dir, { recursive: true, force: true }));

const trusting = ({ certificate }) => ({ SSL_CERT_FILE: certificate });
const secure = (hosts = ['localhost']) => ({ certificate: issueCertificate(authority, 'server', hosts) });

test('the credential goes into the headers, and into no URL or command line', async (t) => {
    const { cp, bridge } = await bridgeBetween(t);
    const [{ headers, url }] = cp.connections;
    assert.equal(headers.authorization, `Bearer ${cp.token}`);
    assert.equal(headers['x-sandbox-id'], cp.sandboxId);
    assert.equal(url, `/sessions/${cp.sessionId}/ws?type=sandbox`);
    assert.ok(!readFileSync(`/proc/${bridge.pid}/cmdline`, 'utf8').includes(cp.token));
});

test('with --auth query the credential goes into the query, percent-encoded', async (t) => {
    const { cp } = await bridgeBetween(t, {
        controlPlane: { era: 'older', token: 'a+b/c=&d e', sandboxId: 'sandbox ü?1' }, args: ['--auth', 'query-only'] });
    const [{ headers, url }] = cp.connections;
    assert.equal(headers.authorization, undefined);
    assert.match(url, /\?type=sandbox&token=a%2Bb%2Fc%3D%26d%20e&sandboxId=sandbox%20%C3%BC%3F1$/);
});

test('ready is the first event of a connection and carries the runtime version', async (t) => {
    const { cp } = await bridgeBetween(t, { env: { SANDBOX_VERSION: 'v61-test' } });
    const ready = cp.events[0];
    assert.equal(ready.type, 'ready');
    assert.equal(ready.runtimeVersion, 'v61-test');
    assert.equal(ready.sandboxId, cp.sandboxId);
    assert.deepEqual(ready.repositories, []);
});

test('heartbeats come at their interval, also without a prompt', async (t) => {
    const { cp } = await bridgeBetween(t, { env: { BRIDGE_HEARTBEAT_INTERVAL_MS: '100' } });
    await cp.waitFor(() => cp.eventsOfType('heartbeat').length >= 5, { what: 'five heartbeats' });
    const [first, fifth] = [0, 4].map((index) => cp.eventsOfType('heartbeat')[index]);
    assert.equal(first.status, 'ready');
    assert.ok(fifth.receivedAt - first.receivedAt > 300, 'they are spread over time');
});

testWithNodeServer('connects over TLS with the authority of SSL_CERT_FILE', async (t) => {
    const { cp } = await bridgeBetween(t, { controlPlane: secure(), env: trusting(authority) });
    assert.match(cp.url, /^https:/);
    assert.equal(cp.connections.length, 1);
});

testWithNodeServer('a certificate of another authority, and one for another host, are refused with different errors', async (t) => {
    const details = [];
    for (const [hosts, trusted] of [[['localhost'], otherAuthority], [['elsewhere.example'], authority]]) {
        const { cp, bridge, startBridge } = await bridgeBetween(t, { controlPlane: secure(hosts), start: false });
        const refused = await (bridge ?? startBridge({ env: trusting(trusted) })).logged('bridge.connect_error');
        details.push(refused.detail);
        assert.equal(cp.connections.length + cp.rejections.length, 0, 'nothing was asked over that connection');
    }
    assert.notEqual(details[0], details[1]);
    assert.match(details[0], /authority|CA|trust|issuer|self|verif/i);
    assert.match(details[1], /name|host/i);
});

for (const [status, cause] of [[401, (cp) => { cp.token = 'another'; }], [403, (cp) => { cp.sandboxId = 'another'; }],
    [410, (cp) => { cp.sandboxStatus = 'stopped'; }]]) {
    test(`a handshake answered with ${status} ends the bridge with exit code 0`, async (t) => {
        const { cp, bridge } = await bridgeBetween(t);
        cause(cp);
        cp.cut();
        const { code } = await bridge.exited();
        assert.equal(code, 0);
        await cp.waitFor(() => cp.rejections.length > 0, { what: 'the refusal' });
        assert.deepEqual(cp.rejections.map((rejection) => rejection.status), [status]);
    });
}

test('a reconnect that is refused in the middle of a prompt: OpenCode is told to stop, then exit code 0', async (t) => {
    const { cp, opencode, bridge } = await bridgeBetween(t);
    opencode.onPrompt = (run) => run.begin().openText().delta('half');
    cp.prompt('go');
    await cp.waitForEvent('token');
    cp.sandboxStatus = 'stopped';
    cp.cut();
    const { code, signal } = await bridge.exited();
    assert.deepEqual({ code, signal }, { code: 0, signal: null });
    assert.equal(opencode.aborts.length, 1);
});

test('a 404 at the very first connection is tried again for a while, then ends the bridge with exit code 0', async (t) => {
    const { cp, startBridge } = await bridgeBetween(t, { start: false });
    cp.refuse(404);
    await cp.obeyed();
    const bridge = startBridge({ env: { BRIDGE_FIRST_404_RETRY_MS: '500' } });
    const { code } = await bridge.exited();
    assert.equal(code, 0);
    assert.ok(cp.rejections.length >= 2);
});

test('a server error or a refused TCP connection is tried again until it goes', async (t) => {
    const { cp } = await bridgeBetween(t);
    cp.refuse(503);
    cp.cut();
    await cp.waitFor(() => cp.rejections.length >= 3, { what: 'three attempts' });
    await cp.goAway();
    cp.refuse(null);
    await cp.comeBack();
    await cp.ready(2);
});

testWithNodeServer('a handshake that is never answered is given up and tried again', async (t) => {
    const { cp, startBridge } = await bridgeBetween(t, { start: false });
    cp.stallHandshake = true;
    const bridge = startBridge({ env: { BRIDGE_HANDSHAKE_TIMEOUT_MS: '200' } });
    await bridge.logged('bridge.connect_error');
    cp.stallHandshake = false;
    await cp.ready(1);
});

for (const [what, end] of [['cut', (cp) => cp.cut()], ['closed with 1000', (cp) => cp.closeSocket(1000, 'Inactivity timeout')],
    ['closed with 1011', (cp) => cp.closeSocket(1011, 'Prompt dispatch send failed')]]) {
    test(`a connection that is ${what} is made anew, with its own ready`, async (t) => {
        const { cp } = await bridgeBetween(t);
        end(cp);
        await cp.ready(2);
        assert.equal(cp.connections.length, 2);
    });
}

test('the wait before a reconnect grows, and is short again after a connection that lasted (D-19)', async (t) => {
    const { cp, bridge } = await bridgeBetween(t, {
        env: { BRIDGE_RECONNECT_FIRST_MS: '20', BRIDGE_RECONNECT_MAX_MS: '400', BRIDGE_STABLE_CONNECTION_MS: '300',
            BRIDGE_HEARTBEAT_INTERVAL_MS: '100' } });
    cp.refuse(503);
    cp.cut();
    await bridge.logged('bridge.reconnect', { count: 6 });
    cp.refuse(null);
    await cp.ready(2);
    const before = bridge.logsOf('bridge.reconnect');
    assert.ok(before[5].delay_s > before[0].delay_s * 4, JSON.stringify(before.map(({ delay_s }) => delay_s)));
    const heartbeats = cp.eventsOfType('heartbeat').length;
    await cp.waitFor(() => cp.eventsOfType('heartbeat').length >= heartbeats + 5, { what: 'half a second of connection' });
    cp.cut();
    const next = await bridge.logged('bridge.reconnect', { count: before.length + 1 });
    assert.ok(next.delay_s <= 0.05, `waited ${next.delay_s} s`);
});

test('shutdown ends the bridge at once, with a clean close and exit code 0 (D-18)', async (t) => {
    const { cp, bridge } = await bridgeBetween(t);
    const asked = performance.now();
    cp.shutdown();
    const { code, at } = await bridge.exited();
    assert.equal(code, 0);
    assert.ok(at - asked < GONE_AT_ONCE_MS);
    await cp.waitFor(() => cp.connections[0].closedAt, { what: 'the close' });
    assert.equal(cp.connections[0].code, 1000);
});

test('SIGTERM ends the bridge at once, with a close that says it goes away, and exit code 0 (D-20)', async (t) => {
    const { cp, bridge } = await bridgeBetween(t);
    const asked = performance.now();
    const { code, at } = await bridge.stop('SIGTERM');
    assert.equal(code, 0);
    assert.ok(at - asked < GONE_AT_ONCE_MS);
    await cp.waitFor(() => cp.connections[0].closedAt, { what: 'the close' });
    assert.equal(cp.connections[0].code, 1001);
});

test('SIGTERM ends a bridge that cannot connect', async (t) => {
    const { cp, startBridge } = await bridgeBetween(t, { start: false });
    cp.stallHandshake = true;
    const bridge = startBridge();
    await bridge.logged('bridge.run_start');
    const { code } = await bridge.stop('SIGTERM');
    assert.equal(code, 0);
});

test('commands that are not understood are passed over', async (t) => {
    const { cp } = await bridgeBetween(t);
    for (const text of ['{', '[]', '1', 'null', '{"type":"unheard_of"}', '{}', '{"type":7}', '{"type":"ack"}',
        '{"type":"git_sync_complete"}', '{"type":"prompt","messageId":7,"content":null,"author":[]}']) cp.send(text);
    const id = cp.prompt('still there?');
    await cp.completionOf(id);
    assert.equal(cp.connections.length, 1);
});
