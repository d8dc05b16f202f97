// Whose name is on the agent's commits, and their signature, for control planes of every age: the checkouts'
// configuration after each prompt. The supervisor and the bridge are real, OpenCode is a stand-in, except where a
// commit is made. Where no checkout matters, the bridge is alone.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { CommitSigner } from '../../playground/commit-signer.mjs';
import { git } from '../../playground/sample-repository.mjs';
import { bridgeBetween } from './support/bridge.mjs';
import { playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const isolated = process.getuid() === 0;
const skip = isolated ? false : 'the workspace is /workspace: needs a file system of its own';
const BOOT_LIMIT_MS = 60_000;
const FETCH = '/commit-signing';
const ROUTE = `GET /sessions/:id${FETCH}`;
const INVALID_AUTHOR = 'Invalid prompt Git identity';
const QUICK = { BRIDGE_RECONNECT_FIRST_MS: '50', BRIDGE_HEARTBEAT_INTERVAL_MS: '200' };
const KEYS = ['author.email', 'author.name', 'commit.gpgsign', 'committer.email', 'committer.name', 'gpg.format',
    'gpg.ssh.program', 'user.email', 'user.name', 'user.signingkey'];
const ada = { mode: 'attributed-user', name: ' Ada ', email: 'ada@example.com' };

/** A sandbox with a checkout, without an OpenCode that takes time. `prepare` is called before it starts. */
async function sandboxFor(t, { prepare, env, ...options } = {}) {
    const playground = await playgroundFor(t, options);
    const cp = playground.controlPlane;
    cp.signer = new CommitSigner();
    t.after(() => cp.signer?.remove());
    prepare?.(cp);
    // The older one knows no host but github.com.
    const files = cp.era === 'older' && { 'root/.gitconfig':
        `[url "${playground.gitServer.baseWithToken}"]\n\tinsteadOf = https://github.com/\n` };
    const sandbox = await startWithStandIns(playground, { bridge: null, env: { ...QUICK, ...env }, ...(files && { files }) });
    await sandbox.stillRuns(cp.ready(1, { timeoutMs: BOOT_LIMIT_MS }));
    const checkout = sandbox.path('workspace/app');
    /** What the checkout's own configuration says about identity and signing. */
    const config = () => Object.fromEntries(git(checkout, 'config', '--local', '--list').split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])
        .filter(([key]) => KEYS.includes(key)));
    const ask = (author) => cp.completionOf(cp.prompt('hello', { author }), { timeoutMs: 20_000 });
    return { playground, cp, sandbox, checkout, config, ask };
}

const fetches = (cp) => cp.requests.filter(({ method, path }) => method === 'GET' && path.endsWith(FETCH));
const signed = (cp, name, email) => ({
    'author.email': email, 'author.name': name, 'commit.gpgsign': 'true', 'committer.email': cp.signer.email,
    'committer.name': cp.signer.name, 'gpg.format': 'ssh', 'gpg.ssh.program': '/app/bin/oi-git-sign',
    'user.email': email, 'user.name': name, 'user.signingkey': `key::${cp.signer.publicKey}` });

test('with signing every checkout names committer, author and signer, and each prompt brings its author', { skip }, async (t) => {
    const { cp, checkout, config, ask } = await sandboxFor(t);
    await cp.waitFor(() => fetches(cp).some(({ status }) => status === 200), { what: 'the first fetch' });
    assert.equal((await ask({ gitIdentity: ada })).success, true);
    assert.deepEqual(config(), signed(cp, 'Ada', 'ada@example.com'));
    assert.equal((await ask({ gitIdentity: { mode: 'agent-only' } })).success, true);
    assert.deepEqual(config(), signed(cp, cp.signer.name, cp.signer.email));

    git(checkout, 'config', '--local', '--add', 'user.signingkey', 'drift');
    git(checkout, 'config', '--local', 'commit.gpgsign', 'false');
    assert.equal((await ask({ gitIdentity: ada })).success, true);
    assert.deepEqual(config(), signed(cp, 'Ada', 'ada@example.com'));
    assert.equal(git(checkout, 'config', '--local', '--get-all', 'user.signingkey').split('\n').length, 1, 'drift is repaired');

    cp.signer.remove();
    cp.signer = null;
    assert.equal((await ask({ gitIdentity: ada })).success, true);
    assert.deepEqual(config(), { 'user.email': 'ada@example.com', 'user.name': 'Ada' });
    assert.equal((await ask({ gitIdentity: { mode: 'agent-only' } })).success, true);
    assert.deepEqual(config(), { 'user.email': 'open-inspect@noreply.github.com', 'user.name': 'OpenInspect' });
});

test('an author that is none fails the prompt before anything else happens (B-901, X-03)', { skip }, async (t) => {
    const { cp, ask } = await sandboxFor(t);
    assert.equal((await ask({ gitIdentity: { mode: 'agent-only' } })).success, true);
    const asked = fetches(cp).length;
    for (const author of [{}, null, [], { gitIdentity: {} }, { gitIdentity: 'agent-only' },
        { gitIdentity: { ...ada, name: ' ' } }, { gitIdentity: { ...ada, email: 7 } }]) {
        const { success, error } = await ask(author);
        assert.deepEqual([success, error], [false, INVALID_AUTHOR], JSON.stringify(author));
    }
    assert.equal(fetches(cp).length, asked);
});

test('the WebSocket is there before the signing configuration, and a prompt fails only when that stays away', { skip }, async (t) => {
    const { cp, config, ask } = await sandboxFor(t, { prepare: (plane) => {
        plane.answers[ROUTE] = 'never';
    } });
    const before = config();
    cp.answers[ROUTE] = [503, { error: 'unavailable' }];
    const { success, error } = await ask({ gitIdentity: ada });
    assert.deepEqual([success, error], [false, 'Commit signing configuration unavailable']);
    assert.deepEqual(config(), before);
    cp.answers[ROUTE] = [200, { ...cp.signer.configuration, privateKey: 'x' }];
    assert.equal((await ask({ gitIdentity: ada })).error, 'Invalid commit signing configuration');
    delete cp.answers[ROUTE];
    assert.equal((await ask({ gitIdentity: ada })).success, true);
    assert.deepEqual(config(), signed(cp, 'Ada', 'ada@example.com'));
    cp.answers[ROUTE] = [404, { error: 'Not found' }];
    assert.equal((await ask({ gitIdentity: ada })).error, 'Commit signing configuration unavailable', 'X-04: it had signing');
});

test('stop while the signing configuration is awaited ends the prompt at once', { skip }, async (t) => {
    const { cp, config, ask } = await sandboxFor(t);
    await cp.waitFor(() => fetches(cp).some(({ status }) => status === 200), { what: 'the first fetch' });
    cp.answers[ROUTE] = 'never';
    const before = fetches(cp).length;
    const stopped = ask({ gitIdentity: ada });
    await cp.waitFor(() => fetches(cp).length > before, { what: 'the fetch of the prompt' });
    cp.stop();
    assert.equal((await stopped).error, 'Task was cancelled');
    delete cp.answers[ROUTE];
    assert.equal((await ask({ gitIdentity: ada })).success, true);
    assert.deepEqual(config(), signed(cp, 'Ada', 'ada@example.com'));
});

test('a manifest that is missing or cannot be trusted fails a prompt whose commits must be signed (B-913)', { skip }, async (t) => {
    const { sandbox, ask } = await sandboxFor(t);
    const manifest = sandbox.path('tmp/oi-repo-manifest.json');
    const identity = { gitIdentity: { mode: 'agent-only' } };
    writeFileSync(manifest, '{"repositories":[{"owner":"..","name":"app","branch":"main","path":"/workspace/app"}]}');
    assert.equal((await ask(identity)).error, 'Invalid repository manifest');
    writeFileSync(manifest, '{"repositories":[{"owner":"acme","name":"b","branch":"main","path":"/workspace/gone"}]}');
    assert.equal((await ask(identity)).error, 'Session repository is unavailable for Git configuration');
    writeFileSync(manifest, '{"repositories":[]}');
    assert.equal((await ask(identity)).success, true);
    rmSync(manifest);
    assert.equal((await ask(identity)).error, 'Invalid repository manifest');
});

test('a configuration that cannot be written fails the prompt without a value in the text (B-914)', { skip }, async (t) => {
    const { checkout, config, ask } = await sandboxFor(t);
    writeFileSync(`${checkout}/.git/config.lock`, '');
    const { error } = await ask({ gitIdentity: ada });
    assert.equal(error, 'Git signing configuration failed');
    rmSync(`${checkout}/.git/config.lock`);
    assert.equal((await ask({ gitIdentity: ada })).success, true);
    assert.equal(config()['user.name'], 'Ada');
});

test('a configuration that cannot be read in time fails the prompt, and is written by the next (B-914)', { skip }, async (t) => {
    const { checkout, config, ask } = await sandboxFor(t, { env: { BRIDGE_GIT_CONFIG_TIMEOUT_MS: '5000' } });
    assert.equal((await ask({ gitIdentity: ada })).success, true, 'what the beginning writes is written');
    renameSync(`${checkout}/.git/config`, `${checkout}/.git/config.aside`);
    execFileSync('mkfifo', [`${checkout}/.git/config`]); // whoever opens it waits
    assert.equal((await ask({ gitIdentity: ada })).error, 'Git signing configuration timed out');
    renameSync(`${checkout}/.git/config.aside`, `${checkout}/.git/config`);
    assert.equal((await ask({ gitIdentity: ada })).success, true);
    assert.equal(config()['user.name'], 'Ada');
});

test('a control plane of the middle: scmName and scmEmail, the bot where one is missing (B-951)', { skip }, async (t) => {
    const { cp, config, ask } = await sandboxFor(t, { era: 'older' });
    const asked = fetches(cp).length;
    assert.equal((await ask({ userId: 'u', scmName: 'Grace', scmEmail: 'grace@example.com' })).success, true);
    assert.deepEqual(config(), { 'user.email': 'grace@example.com', 'user.name': 'Grace' });
    assert.equal((await ask({ userId: 'u', scmName: 'Grace', scmEmail: null })).success, true);
    assert.deepEqual(config(), { 'user.email': 'open-inspect@noreply.github.com', 'user.name': 'Grace' });
    assert.ok(asked <= 1 && fetches(cp).length <= 1, 'the 404 was remembered');
});

test('an older control plane: githubName and githubEmail, and nothing without both (B-950)', { skip }, async (t) => {
    const { sandbox, checkout, config, ask } = await sandboxFor(t, { era: 'older' });
    assert.equal((await ask({ userId: 'u', githubName: 'Linus', githubEmail: 'linus@example.com' })).success, true);
    const expected = { 'user.email': 'linus@example.com', 'user.name': 'Linus' };
    assert.deepEqual(config(), expected);
    for (const author of [{ githubName: 'Other', githubEmail: null }, { githubName: '', githubEmail: 'x@y.z' }, {}, null]) {
        assert.equal((await ask(author)).success, true, JSON.stringify(author));
        assert.deepEqual(config(), expected);
    }
    writeFileSync(`${checkout}/.git/config.lock`, '');
    assert.equal((await ask({ githubName: 'Other', githubEmail: 'x@y.z' })).success, true, 'a failing git is ignored');
    await sandbox.logged('git.identity_error');
    assert.deepEqual(config(), expected);
});

test('a current prompt at a control plane without signing has its author all the same (X-04)', { skip }, async (t) => {
    const { cp, config, ask } = await sandboxFor(t, { prepare: (plane) => {
        plane.answers[ROUTE] = [404, { error: 'Not found' }];
    } });
    assert.equal((await ask({ gitIdentity: ada })).success, true);
    assert.deepEqual(config(), { 'user.email': 'ada@example.com', 'user.name': 'Ada' });
    const asked = fetches(cp).length;
    assert.equal((await ask({ gitIdentity: { mode: 'agent-only' } })).success, true);
    assert.equal(fetches(cp).length, asked, 'asked once');
    assert.deepEqual(config(), { 'user.email': 'open-inspect@noreply.github.com', 'user.name': 'OpenInspect' });
});

/** A bridge alone, whose question after the connection is under way and gets no answer. */
async function bridgeThatAsks(t, options = {}) {
    const between = await bridgeBetween(t, { ...options, start: false });
    const { cp } = between;
    cp.answers[ROUTE] = 'never';
    const bridge = between.startBridge();
    await bridge.stillRuns(cp.ready(1));
    await cp.waitFor(() => fetches(cp).length === 1, { what: 'the first fetch' });
    const ask = (author) => cp.completionOf(cp.prompt('hello', { author }));
    return { cp, bridge, ask };
}

test('a slow control plane has the whole limit for its answer, and is asked once (B-910)', async (t) => {
    const { cp, ask } = await bridgeThatAsks(t, { env: { BRIDGE_SIGNING_TIMEOUT_MS: '6000' } });
    cp.answers[ROUTE] = async () => {
        await delay(2200); // more than a third of the limit
        return [200, { enabled: false }];
    };
    assert.equal((await ask({ gitIdentity: ada })).success, true);
    assert.equal(fetches(cp).length, 2);
});

test('a prompt without author asks first whether there is signing, and only then fails or goes on (X-03)', async (t) => {
    const { cp, ask } = await bridgeThatAsks(t);
    cp.answers[ROUTE] = [503, { error: 'unavailable' }];
    assert.equal((await ask({})).success, true, 'still not known');
    cp.answers[ROUTE] = [200, { enabled: false }];
    assert.equal((await ask({})).error, INVALID_AUTHOR);
    assert.equal(fetches(cp).length, 3);
    assert.equal((await ask({})).error, INVALID_AUTHOR);
    assert.equal(fetches(cp).length, 3, 'known by now');
});

test('a prompt without author goes on where there is no signing, and that is remembered (X-03)', async (t) => {
    const { cp, ask } = await bridgeThatAsks(t);
    cp.answers[ROUTE] = [404, { error: 'Not found' }];
    assert.equal((await ask({})).success, true);
    assert.equal((await ask({})).success, true);
    assert.equal(fetches(cp).length, 2);
});

test('a prompt whose author is none does not end the question after the connection (B-901)', async (t) => {
    const { cp, bridge, ask } = await bridgeThatAsks(t, { env: { BRIDGE_SIGNING_TIMEOUT_MS: '1500' } });
    assert.equal((await ask({ gitIdentity: {} })).error, INVALID_AUTHOR);
    const { detail } = await bridge.logged('git.identity_error');
    assert.match(detail, /no whole answer within 1\.5 s/);
    assert.equal(fetches(cp).length, 1);
});
