// The channel to the supervisor (docs/supervisor-bridge-channel.md): when the bridge connects, when it asks OpenCode,
// what it tells, how it ends.

import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { waitUntil } from '../../playground/waiting.mjs';
import { bridgeBetween } from './support/bridge.mjs';

const env = { BRIDGE_HEARTBEAT_INTERVAL_MS: '100' };

/** A bridge with a channel; `say` writes a line to it, `heard` has what it said. */
async function bridgeWithChannel(t, options = {}) {
    const all = await bridgeBetween(t, { env, start: false, ...options });
    const bridge = all.startBridge({ channel: true });
    const channel = bridge.process.stdio[3];
    const heard = [];
    createInterface({ input: channel }).on('line', (line) => heard.push(JSON.parse(line)));
    channel.on('error', () => {});
    const say = (line) => channel.write(`${JSON.stringify(line)}\n`);
    const hears = (type) => waitUntil(() => heard.find((line) => line.type === type), { what: `the line ${type}` });
    return { ...all, bridge, channel, say, heard, hears };
}

test('before ready it neither connects nor asks OpenCode; then it does both, and says connected', async (t) => {
    const { cp, opencode, bridge, say, hears } = await bridgeWithChannel(t);
    say({ type: 'boot', phase: 'sync', connect: false });
    await bridge.logged('bridge.boot_phase');
    assert.equal(cp.connections.length, 0);
    assert.equal(opencode.requests.length, 0);
    say({ type: 'ready' });
    await cp.ready(1);
    await hears('connected');
    assert.equal((await cp.completionOf(cp.prompt('hello'))).success, true);
});

const phase = (name, status, seq, more = {}) => ({ type: 'boot', phase: name, status, seq, at: 1000 + seq, connect: true, ...more });
const progressOf = (cp) => cp.eventsOfType('boot_progress').map(({ bootSeq, phase: name, status }) => `${bootSeq} ${name} ${status}`);

test('connected early, it keeps a prompt until OpenCode is ready, and says ready only then', async (t) => {
    const { cp, opencode, say, hears } = await bridgeWithChannel(t);
    say(phase('sync', 'started', 1));
    await cp.waitForEvent('boot_progress');
    await hears('connected');
    const id = cp.prompt('early');
    await cp.waitFor(() => cp.eventsOfType('heartbeat').length >= 3, { what: 'heartbeats' });
    assert.deepEqual([...new Set(cp.eventsOfType('heartbeat').map(({ status }) => status))], ['booting']);
    assert.equal(opencode.requests.length, 0);
    assert.deepEqual(cp.eventsOfType('ready'), []);
    say({ type: 'ready' });
    assert.equal((await cp.completionOf(id)).success, true);
    assert.equal(cp.eventsOfType('ready').length, 1);
});

test('connected early, it tells each phase of the boot as it comes, with what is known of it', async (t) => {
    const { cp, say } = await bridgeWithChannel(t);
    say({ ...phase('starting', 'started', 0) });
    say(phase('sync', 'started', 1, { repoOwner: 'acme', repoName: 'app' }));
    await cp.waitForEvent('boot_progress');
    say(phase('sync', 'completed', 2, { elapsedMs: 712, warning: true }));
    say(phase('tea', 'started', 3));
    say(phase('harness', 'failed', 4, { elapsedMs: 5, detail: 'opencode exited with status 3' }));
    await cp.waitFor(() => cp.eventsOfType('boot_progress').some(({ bootSeq }) => bootSeq === 4));
    assert.deepEqual(progressOf(cp).slice(-2), ['2 sync completed', '4 harness failed'], 'an unknown phase is not told');
    const [completed, failed] = cp.eventsOfType('boot_progress').slice(-2);
    assert.deepEqual([completed.elapsedMs, completed.warning, completed.timestamp], [712, true, 1002]);
    assert.equal(failed.detail, 'opencode exited with status 3');
});

test('a connection made anew while booting begins with the latest phase; after ready, with ready', async (t) => {
    const { cp, say } = await bridgeWithChannel(t, { env: { ...env, BRIDGE_RECONNECT_FIRST_MS: '50' } });
    say(phase('setup', 'started', 3));
    await cp.waitForEvent('boot_progress');
    cp.cut();
    await cp.waitFor(() => progressOf(cp).length === 2, { what: 'the phase once more' });
    assert.deepEqual(progressOf(cp), ['3 setup started', '3 setup started']);
    say({ type: 'ready' });
    await cp.ready(1);
    cp.cut();
    await cp.ready(2);
    assert.equal(progressOf(cp).length, 2);
});

test('while booting a push is answered with an error, snapshot and refresh_diff are dropped', async (t) => {
    const { cp, bridge, say } = await bridgeWithChannel(t);
    say(phase('start', 'started', 5));
    await cp.waitForEvent('boot_progress');
    cp.snapshot();
    cp.refreshDiff();
    cp.send({ type: 'push', pushSpec: { remoteUrl: 'https://git.example/acme/app.git', redactedRemoteUrl: 'https://git.example/acme/app.git',
        refspec: 'HEAD:refs/heads/fix', targetBranch: 'fix', repoOwner: 'acme', repoName: 'app', force: true } });
    const refusal = await cp.waitForEvent('push_error');
    assert.deepEqual([refusal.error, refusal.branchName, refusal.repoOwner], ['Push failed - the sandbox is still booting', 'fix', 'acme']);
    await bridge.logged('bridge.command_refused_while_booting', { count: 2 });
    assert.deepEqual(cp.eventsOfType('snapshot_ready'), []);
});

test('it says when a prompt runs and when it has ended', async (t) => {
    const { cp, opencode, say, heard, hears } = await bridgeWithChannel(t);
    say({ type: 'ready' });
    await cp.ready(1);
    opencode.onPrompt = (run) => run.begin();
    const id = cp.prompt('work');
    const run = await opencode.prompted();
    await hears('prompt');
    run.text('done').finish();
    await cp.completionOf(id);
    await waitUntil(() => heard.filter(({ type }) => type === 'prompt').length === 2, { what: 'the end' });
    assert.deepEqual(heard.filter(({ type }) => type === 'prompt').map(({ running }) => running), [true, false]);
});

test('OpenCode is down: the prompt fails once, the next one waits for ready', async (t) => {
    const { cp, opencode, say } = await bridgeWithChannel(t);
    say({ type: 'ready' });
    await cp.ready(1);
    opencode.onPrompt = (run) => run.begin().openText().delta('half');
    const first = cp.prompt('first');
    await cp.waitForEvent('token');
    await opencode.die();
    say({ type: 'opencode_down' });
    assert.equal((await cp.completionOf(first)).success, false);
    const second = cp.prompt('second');
    opencode.onPrompt = (run) => run.say('back');
    await opencode.restart();
    say({ type: 'ready' });
    assert.equal((await cp.completionOf(second)).success, true);
    assert.equal(cp.completionsOf(first).length, 1);
});

test('a warning of the supervisor reaches the control plane', async (t) => {
    const { cp, say } = await bridgeWithChannel(t);
    say({ type: 'ready' });
    await cp.ready(1);
    say({ type: 'warning', scope: 'setup', message: 'setup.sh failed', repoOwner: 'acme', repoName: 'app' });
    const warning = await cp.waitForEvent('warning');
    assert.deepEqual([warning.scope, warning.message, warning.repoOwner, warning.repoName],
        ['setup', 'setup.sh failed', 'acme', 'app']);
});

test('a fatal error is the text of the running prompt, and the bridge leaves', async (t) => {
    const { cp, opencode, bridge, say, hears } = await bridgeWithChannel(t);
    say({ type: 'ready' });
    await cp.ready(1);
    opencode.onPrompt = (run) => run.begin();
    const id = cp.prompt('work');
    await opencode.prompted();
    say({ type: 'fatal', error: 'OpenCode died six times.' });
    const completion = await cp.completionOf(id);
    assert.equal(completion.success, false);
    assert.equal(completion.error, 'OpenCode died six times.');
    await hears('exiting');
    assert.equal((await bridge.exited()).code, 0);
});

for (const [what, end] of [['shutdown', ({ say }) => say({ type: 'shutdown' })],
    ['the end of the channel', ({ channel }) => channel.end()]]) {
    test(`${what} ends the bridge in good order, before it ever connected too`, async (t) => {
        const early = await bridgeWithChannel(t);
        await early.bridge.logged('bridge.run_start');
        end(early);
        assert.equal((await early.bridge.exited()).code, 0);
        const late = await bridgeWithChannel(t);
        late.say({ type: 'ready' });
        await late.cp.ready(1);
        end(late);
        assert.equal((await late.bridge.exited()).code, 0);
        await late.cp.waitFor(() => late.cp.connections[0].closedAt, { what: 'the close' });
        assert.equal(late.cp.connections[0].code, 1001);
    });
}

test('lines that make no sense are passed over', async (t) => {
    const { cp, channel, say } = await bridgeWithChannel(t);
    channel.write('{\n[]\n\n{"type":7}\n{"type":"unheard_of"}\n');
    channel.write(`${'x'.repeat(100_000)}\n`);
    say({ type: 'ready' });
    await cp.ready(1);
});
