// The session's changes on their way to the control plane: what it gets, when, and what happens when it goes wrong. The
// bridge runs with a /tmp of its own, because the manifest of the repositories has its fixed place there.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { childrenOf, isAlive } from '../../playground/processes.mjs';
import { git } from '../../playground/sample-repository.mjs';
import { waitUntil } from '../../playground/waiting.mjs';
import { bridgeBetween, settle } from './support/bridge.mjs';
import { BOOT_LIMIT_MS, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const skip = process.getuid() === 0 ? false : 'needs a /tmp of its own';
const BRIDGE_MAX_KIB = 6 * 1024; // a bundle has 1.5 MiB and must not pass through it as a whole
// The program may itself lie below the /tmp that goes out of sight.
const ownTmp = (directory) => ['unshare', '--mount', 'sh', '-c',
    'cp --remove-destination "$1" "$0/oi-bridge" && mount --bind "$0" /tmp && shift && exec /tmp/oi-bridge "$@"', directory];

/** A bridge whose session has the repository acme/app in `checkout`, with one commit. */
async function sessionFor(t, { env = {}, manifest = true, ...options } = {}) {
    const session = await bridgeBetween(t, { start: false, prefix: ownTmp, ...options,
        env: { TMPDIR: '/tmp', HOME: '/tmp', BRIDGE_HEARTBEAT_INTERVAL_MS: '100', ...env } });
    const { cp, directory, startBridge } = session;
    const checkout = join(directory, 'app');
    mkdirSync(checkout);
    git(checkout, 'init', '-q', '-b', 'main');
    writeFileSync(join(checkout, 'a.txt'), 'one\ntwo\n');
    git(checkout, 'add', '.');
    git(checkout, 'commit', '-q', '-m', 'base');
    const base = git(checkout, 'rev-parse', 'HEAD');
    const describe = (entries) => writeFileSync(join(directory, 'oi-repo-manifest.json'), JSON.stringify({ repositories: entries }));
    if (manifest) describe([{ owner: 'acme', name: 'app', branch: 'main', path: '/tmp/app', baseSha: base }]);
    const bridge = startBridge();
    await bridge.stillRuns(cp.ready(1));
    const write = (name, text) => writeFileSync(join(checkout, name), text);
    const ask = async () => {
        const id = cp.prompt('work');
        await cp.completionOf(id);
        return id;
    };
    const diff = (count = 1) => cp.waitFor(() => cp.diffs[count - 1], { what: `diff ${count}` });
    const failure = () => cp.waitFor(() => cp.diffFailures[0], { what: 'the report of a failure' });
    t.after(() => assert.deepEqual(cp.diffFaults, [], 'the control plane would refuse the bundle'));
    return { ...session, bridge, checkout, base, describe, write, ask, diff, failure };
}

const uploads = (cp) => cp.requests.filter(({ method, path }) => method === 'PUT' && path.endsWith('/diff'));
const workerOf = (bridge) => childrenOf(bridge.pid).find(({ command }) => command.includes('diff'));

/** Makes the worker wait for as long as the test wants: git's list of ignored files is a pipe without a writer. */
function holdCaptures(checkout) {
    const path = join(checkout, '.git/info/exclude');
    rmSync(path);
    execFileSync('mkfifo', [path]);
    return {
        waiting: (bridge) => waitUntil(() => workerOf(bridge), { what: 'the worker' }),
        /** The pipe becomes an empty file; whoever waits reads its end. */
        release() {
            const end = openSync(path, 'r+');
            rmSync(path);
            writeFileSync(path, '');
            closeSync(end);
        },
    };
}

test('after a prompt the changes come, with the patches of git, in the name of the message', { skip }, async (t) => {
    const { cp, bridge, base, checkout, write, ask, diff } = await sessionFor(t);
    write('a.txt', 'one\n2\n');
    write('caf\u00e9 \u{1f680}.txt', 'new\n');
    const id = await ask();
    const bundle = await diff();
    assert.equal(bundle.triggerMessageId, id);
    const [repository] = bundle.repositories;
    assert.deepEqual([repository.status, repository.baseSha, repository.headSha], ['ready', base, base]);
    assert.deepEqual(repository.files.map(({ path, status, additions, deletions }) => [path, status, additions, deletions]),
        [['a.txt', 'modified', 1, 1], ['caf\u00e9 \u{1f680}.txt', 'added', 1, 0]]);
    assert.equal(repository.files[0].patch.trim(), git(checkout, 'diff', '--full-index', '--unified=1000000', base));
    const [{ headers, bytes }] = uploads(cp);
    assert.equal(headers['content-type'], 'application/json');
    assert.ok(bytes.every((byte) => byte < 0x80), 'ASCII');
    const line = await bridge.logged('session_diff.collection_completed');
    assert.deepEqual([line.repository_count, line.encoded_bytes], [1, bytes.length]);
});

test('refresh_diff asks again, also for what nobody prompted', { skip }, async (t) => {
    const { cp, write, diff } = await sessionFor(t);
    cp.refreshDiff();
    assert.deepEqual((await diff(1)).repositories[0].files, []);
    write('by-hand', 'x\n');
    cp.refreshDiff();
    const bundle = await diff(2);
    assert.equal(bundle.triggerMessageId, null);
    assert.deepEqual(bundle.repositories[0].files.map(({ path }) => path), ['by-hand']);
});

test('a prompt that starts stops the capture; when it is over one comes with the newest state', { skip }, async (t) => {
    const { cp, opencode, bridge, checkout, write, ask, diff } = await sessionFor(t);
    const hold = holdCaptures(checkout);
    await ask();
    const { pid } = await hold.waiting(bridge);
    opencode.onPrompt = (run) => run.begin();
    const second = cp.prompt('go on');
    await waitUntil(() => !isAlive(pid), { what: 'the end of the worker' });
    await bridge.logged('session_diff.refresh_discarded');
    cp.refreshDiff();
    await settle(cp);
    assert.equal(workerOf(bridge), undefined, 'no capture while a prompt runs');
    hold.release();
    write('later', 'x\n');
    (await opencode.prompted(2)).text('done').finish();
    const bundle = await diff();
    assert.equal(bundle.triggerMessageId, second);
    assert.deepEqual(bundle.repositories[0].files.map(({ path }) => path), ['later']);
    await settle(cp);
    assert.equal(cp.diffs.length, 1, 'both requests are answered by one');
    assert.deepEqual(cp.diffFailures, []);
    assert.deepEqual(childrenOf(bridge.pid), [], 'no zombie either');
});

test('a control plane without diffs is asked once and never again', { skip }, async (t) => {
    const { cp, bridge, ask } = await sessionFor(t, { controlPlane: { era: 'older' } });
    await ask();
    await bridge.logged('session_diff.unsupported');
    await ask();
    cp.refreshDiff();
    await settle(cp);
    assert.equal(uploads(cp).length, 1);
    assert.ok(!cp.requests.some(({ path }) => path.endsWith('/diff/failure')));
});

test('an upload that is refused is reported with the reason, and the next one is tried', { skip }, async (t) => {
    const { cp, bridge, ask, failure, diff } = await sessionFor(t);
    cp.answers['PUT /sessions/:id/diff'] = [500, { error: 'storage is down' }];
    await ask();
    assert.match(await failure(), /^Session diff upload failed: HTTP 500: .*storage is down/);
    await bridge.logged('session_diff.refresh_failed');
    delete cp.answers['PUT /sessions/:id/diff'];
    await ask();
    await diff();
});

test('an upload that is never answered is reported after its time', { skip }, async (t) => {
    const { cp, ask, failure } = await sessionFor(t, { env: { BRIDGE_DIFF_UPLOAD_TIMEOUT_MS: '300' } });
    cp.answers['PUT /sessions/:id/diff'] = 'never';
    await ask();
    assert.match(await failure(), /^Session diff upload failed: /);
});

test('a capture that fails is reported: no baseline, no checkout, too late', { skip }, async (t) => {
    const { cp, bridge, base, checkout, describe, ask, failure } = await sessionFor(t, { env: { BRIDGE_DIFF_TIMEOUT_MS: '1000' } });
    const entry = { owner: 'acme', name: 'app', branch: 'main', path: '/tmp/app', baseSha: base };
    const next = async () => {
        cp.diffFailures.length = 0;
        await ask();
        return failure();
    };
    describe([{ ...entry, baseSha: undefined }]);
    assert.equal(await next(), 'Session start baseline is unavailable');
    describe([{ ...entry, path: '/tmp/gone' }]);
    assert.equal(await next(), 'All repositories failed to collect changes');
    describe([entry]);
    holdCaptures(checkout);
    assert.equal(await next(), 'Session diff capture timed out after 1s');
    await waitUntil(() => childrenOf(bridge.pid).length === 0, { what: 'the end of the worker' });
    cp.answers['POST /sessions/:id/diff/failure'] = [500, { error: 'down' }];
    await ask();
    await bridge.logged('session_diff.failure_report_failed');
});

test('a session without repositories captures nothing', { skip }, async (t) => {
    const { cp, ask } = await sessionFor(t, { manifest: false });
    await ask();
    cp.refreshDiff();
    await settle(cp);
    assert.ok(!cp.requests.some(({ path }) => path.includes('/diff')));
});

test('very many changes are cut to the limits, and the bridge stays small', { skip }, async (t) => {
    const { cp, bridge, checkout, write, ask, diff } = await sessionFor(t);
    for (let i = 0; i < 3000; i++) write(`file${String(i).padStart(4, '0')}`, `${'x'.repeat(2000)}\n`);
    write('a.txt', `${'\u00e9'.repeat(80)}\n`.repeat(6000));
    write('b'.repeat(200), '\u{1f680}\n'.repeat(100_000));
    git(checkout, 'add', 'a.txt');
    await ask();
    const [{ files, truncated, omittedFileCount }] = (await diff()).repositories;
    assert.deepEqual([truncated, omittedFileCount], [true, 3002 - files.length]);
    assert.ok(files.length <= 1000 && files.length > 900, `${files.length} files`);
    assert.ok(uploads(cp)[0].bytes.length <= 1_572_864);
    if (process.env.OI_SANITIZED) return;
    const peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${bridge.pid}/status`, 'utf8'))[1]);
    assert.ok(peak < BRIDGE_MAX_KIB, `${peak} KiB`);
});

test('at the end a capture under way is waited for, and delivered (B-236)', { skip }, async (t) => {
    const { cp, bridge, checkout, write, ask, diff } = await sessionFor(t);
    const hold = holdCaptures(checkout);
    write('last', 'x\n');
    await ask();
    await hold.waiting(bridge);
    bridge.signal('SIGTERM');
    await bridge.logged('bridge.signal');
    hold.release();
    assert.deepEqual((await diff()).repositories[0].files.map(({ path }) => path), ['last']);
    assert.equal((await bridge.exited()).code, 0);
});

for (const signal of ['SIGTERM', 'SIGKILL']) {
    test(`a capture that never ends does not outlive the bridge (${signal})`, { skip }, async (t) => {
        const { bridge, checkout, ask } = await sessionFor(t, { env: { BRIDGE_DRAIN_TIMEOUT_MS: '200' } });
        const hold = holdCaptures(checkout);
        await ask();
        const { pid } = await hold.waiting(bridge);
        await bridge.stop(signal);
        await waitUntil(() => !isAlive(pid), { what: 'the end of the worker' });
    });
}

test('in a whole sandbox the baseline is what the supervisor checked out, and its own files are no change', { skip }, async (t) => {
    const playground = await playgroundFor(t);
    const cp = playground.controlPlane;
    const sandbox = await startWithStandIns(playground, { bridge: null });
    await sandbox.stillRuns(cp.ready(1, { timeoutMs: BOOT_LIMIT_MS }));
    const checkout = sandbox.path('workspace/app');
    const base = git(checkout, 'rev-parse', 'HEAD');
    writeFileSync(join(checkout, 'README.md'), '# Changed\n');
    git(checkout, 'commit', '-q', '-a', '-m', 'work');
    writeFileSync(join(checkout, 'new.txt'), 'new\n');
    const id = cp.prompt('hello');
    const bundle = await sandbox.stillRuns(cp.waitFor(() => cp.diffs[0], { what: 'a diff', timeoutMs: 20_000 }));
    assert.equal(bundle.triggerMessageId, id);
    const [{ baseSha, headSha, files }] = bundle.repositories;
    assert.deepEqual([baseSha, headSha], [base, git(checkout, 'rev-parse', 'HEAD')]);
    assert.deepEqual(files.map(({ path, status }) => [path, status]), [['README.md', 'modified'], ['new.txt', 'added']]);
});
