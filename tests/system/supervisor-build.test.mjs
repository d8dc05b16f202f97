// Image builds: clone and setup.sh, no OpenCode and no bridge; whoever ordered the build is told once how it went.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { supervisorProgram } from '../../playground/paths.mjs';
import { Program } from '../../playground/program.mjs';
import { git, sampleFiles } from '../../playground/sample-repository.mjs';
import { waitUntil } from '../../playground/waiting.mjs';
import { endInOrder, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const TOKEN = 'callback-token-77c1';
const runtimeManifest = JSON.parse(readFileSync(new URL('../../plugin/runtime_manifest.json', import.meta.url)));

/** Takes callbacks; `statuses` are answered in order, then 200. */
async function callbackReceiver(t, statuses = []) {
    const calls = [];
    const server = createServer(async (request, response) => {
        const chunks = [];
        for await (const chunk of request) chunks.push(chunk);
        calls.push({ path: request.url, headers: request.headers, body: JSON.parse(Buffer.concat(chunks)) });
        response.writeHead(statuses.shift() ?? 200).end();
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    t.after(() => server.close());
    return { calls, url: `http://127.0.0.1:${server.address().port}` };
}

async function startBuild(t, { setup, statuses, env = {}, ...options }) {
    const playground = await playgroundFor(t, { repository: {
        owner: 'acme', name: 'app', files: { ...sampleFiles, '.openinspect/setup.sh': setup } } });
    const receiver = await callbackReceiver(t, statuses);
    const sandbox = await startWithStandIns(playground, { ...options, env: {
        IMAGE_BUILD_MODE: 'true', CONTROL_PLANE_URL: undefined, SANDBOX_AUTH_TOKEN: undefined,
        SANDBOX_VERSION: 'v61-test', VCS_CLONE_TOKEN: playground.gitServer.token,
        OI_REPO_IMAGE_BUILD_ID: 'imgb-1', OI_REPO_IMAGE_CALLBACK_URL: `${receiver.url}/complete`,
        OI_REPO_IMAGE_FAILURE_CALLBACK_URL: `${receiver.url}/failed`, OI_REPO_IMAGE_CALLBACK_TOKEN: TOKEN,
        OI_REPO_IMAGE_PROVIDER_SESSION_ID: 'provider-1', ...env } });
    return { playground, sandbox, receiver };
}

test('a build that works is told with its HEAD, and the sandbox stays until it is ended', async (t) => {
    // Neither the environment it is given nor the one that /proc shows of its parent has the token.
    const { sandbox, receiver } = await startBuild(t, { statuses: [503],
        setup: `test -z "$OI_REPO_IMAGE_CALLBACK_TOKEN" && grep -q SANDBOX_VERSION /proc/$PPID/environ && ! grep -q ${TOKEN} /proc/$PPID/environ\n` });
    await sandbox.logged('repo_image.callback_success');
    assert.deepEqual(receiver.calls.map(({ path }) => path), ['/complete', '/complete']);
    const { headers, body } = receiver.calls[1];
    assert.equal(headers.authorization, `Bearer ${TOKEN}`);
    assert.equal(headers['user-agent'], 'open-inspect/repo-image-builder');
    assert.equal(body.build_id, 'imgb-1');
    assert.equal(body.runtime_version, 'v61-test');
    assert.equal(body.provider_session_id, 'provider-1');
    assert.deepEqual(Object.keys(body).sort(),
        ['build_duration_seconds', 'build_id', 'provider_session_id', 'repository_shas', 'runtime_version']); // S-425
    assert.equal(body.build_duration_seconds, Number(body.build_duration_seconds.toFixed(3)));
    assert.deepEqual(body.repository_shas.map(({ baseSha, ...rest }) => [/^[0-9a-f]{40}$/.test(baseSha), rest]),
        [[true, { repoOwner: 'acme', repoName: 'app' }]]);
    const [{ attempt, max_retries: most, delay_s: pause, error }] = sandbox.logsOf('repo_image.callback_retry'); // S-428
    assert.deepEqual([attempt, most, pause, error], [1, 3, 2, 'HTTP 503']);
    assert.equal(sandbox.logsOf('opencode.start').length + sandbox.logsOf('bridge.start').length, 0);
    assert.ok(!sandbox.output.includes(TOKEN));
    await endInOrder(sandbox);
});

test('a build whose setup.sh fails is told as failed, without what the script printed, and ends with 1', async (t) => {
    const { sandbox, receiver } = await startBuild(t, { setup: 'echo a-build-secret; exit 3\n' });
    assert.equal((await sandbox.exited()).code, 1);
    assert.deepEqual(receiver.calls.map(({ path }) => path), ['/failed']);
    assert.match(receiver.calls[0].body.error, /setup\.sh of acme\/app failed with status 3/);
    assert.ok(!JSON.stringify(receiver.calls).includes('a-build-secret') && !sandbox.output.includes('a-build-secret'));
});

test('a build over its budget is ended and told as failed', async (t) => {
    const { sandbox, receiver } = await startBuild(t, {
        setup: 'sleep 1000\n', env: { OI_IMAGE_BUILD_EXECUTION_TIMEOUT_SECONDS: '2' } });
    assert.equal((await sandbox.exited()).code, 1);
    assert.match(receiver.calls[0].body.error, /within 2 seconds/);
});

test('a success that is refused for good becomes a failure', async (t) => {
    const { sandbox, receiver } = await startBuild(t, {
        setup: 'true\n', statuses: [409], env: { SANDBOX_VERSION: undefined } });
    assert.equal((await sandbox.exited()).code, 1);
    assert.deepEqual(receiver.calls.map(({ path }) => path), ['/complete', '/failed']);
    const ends = ['image_build.complete', 'supervisor.error', 'supervisor.fatal'];
    const said = sandbox.logs.map(({ event }) => event).filter((event) => ends.includes(event));
    assert.deepEqual(said, ends, 'S-130, S-132');
    // S-439: an image without a version would be refused for ever.
    assert.equal(receiver.calls[0].body.runtime_version, runtimeManifest.runtimeVersion);
    assert.equal(Number(/^v(\d+)-/.exec(runtimeManifest.runtimeVersion)?.[1]), runtimeManifest.generation);
    assert.ok(runtimeManifest.minimumCompatibleGeneration <= runtimeManifest.generation);
    assert.ok(runtimeManifest.minimumRebuildGeneration <= runtimeManifest.generation);
});

test('decision 9: a build tells the HEAD that it built, and a baseline that was given and differs is logged', async (t) => {
    const given = 'c'.repeat(40);
    const { sandbox, receiver, playground } = await startBuild(t, { setup: 'true\n', env: { SESSION_CONFIG: JSON.stringify({
        branch: 'main', repositories: [{ repo_owner: 'acme', repo_name: 'app', branch: 'main', base_sha: given }] }) } });
    await sandbox.logged('repo_image.callback_success');
    const head = git(playground.bareRepository, 'rev-parse', 'main');
    assert.deepEqual(receiver.calls[0].body.repository_shas, [{ repoOwner: 'acme', repoName: 'app', baseSha: head }]);
    const [{ base_sha: base, head_sha: built }] = sandbox.logsOf('git.base_mismatch');
    assert.deepEqual([base, built], [given, head]);
    await endInOrder(sandbox);
});

test('SIGTERM while a success is being told: it is told no more, nor a failure, and the exit status is 0 (S-369, S-431)', async (t) => {
    const { sandbox, receiver } = await startBuild(t, { setup: 'true\n', statuses: [503, 503] });
    await sandbox.logged('repo_image.callback_retry');
    await endInOrder(sandbox);
    assert.equal(sandbox.logsOf('image_build.cancelled')[0].reason, 'shutdown_requested');
    assert.deepEqual(receiver.calls.map(({ path }) => path), ['/complete']);
});

test('SIGTERM during a build: exit 0, and nobody is told anything', async (t) => {
    const { sandbox, receiver } = await startBuild(t, { setup: 'sleep 1000\n' });
    await sandbox.logged('setup.start');
    await endInOrder(sandbox);
    assert.equal(sandbox.logsOf('image_build.cancelled').length, 1);
    await waitUntil(() => sandbox.exit, { what: 'the end' });
    assert.deepEqual(receiver.calls, []);
});

const session = (more) => JSON.stringify({ session_id: 'build-1', repo_owner: 'acme', repo_name: 'app', branch: 'main', ...more });
const twice = ['acme', 'other'].map((owner) => ({ repo_owner: owner, repo_name: 'app', branch: 'main' }));
const badConfigurations = {
    // S-135: characters, not bytes, and none of them halved.
    'a long branch that git does not know': [{ SESSION_CONFIG: session({ branch: `${'é'.repeat(700)}..b` }) },
        /^é{400,}\.\.b" of acme\/app is no valid branch name$/u, 500],
    'a base_sha that is none': [
        { SESSION_CONFIG: session({ repositories: [{ ...twice[0], base_sha: 'main' }] }) }, /base_sha/],
    'two repositories of one name': [{ SESSION_CONFIG: session({ repositories: twice }) }, /app/],
    'a budget that is none': [{ OI_IMAGE_BUILD_EXECUTION_TIMEOUT_SECONDS: 'soon' }, /OI_IMAGE_BUILD_EXECUTION_TIMEOUT_SECONDS/],
};
for (const [what, [env, about, length]] of Object.entries(badConfigurations)) {
    test(`${what}: the build is told as failed before anything is begun, and ends with 1`, async (t) => {
        const { sandbox, receiver } = await startBuild(t, { setup: 'true\n', env });
        assert.equal((await sandbox.exited()).code, 1);
        assert.deepEqual(receiver.calls.map(({ path }) => path), ['/failed']);
        const [{ headers, body }] = receiver.calls;
        assert.equal(headers.authorization, `Bearer ${TOKEN}`);
        assert.match(body.error, about);
        assert.equal(body.error.length, length ?? body.error.length);
        assert.deepEqual([body.build_id, body.provider_session_id], ['imgb-1', 'provider-1']);
        assert.equal(sandbox.logsOf('git.sync_start').length, 0);
    });
}

test('a failure of the configuration is told again when it was not accepted; half a callback is told to nobody', async (t) => {
    const env = { OI_IMAGE_BUILD_EXECUTION_TIMEOUT_SECONDS: 'soon' };
    const retried = await startBuild(t, { setup: 'true\n', statuses: [503], env });
    assert.equal((await retried.sandbox.exited()).code, 1);
    assert.deepEqual(retried.receiver.calls.map(({ path }) => path), ['/failed', '/failed']);
    const half = await startBuild(t, { setup: 'true\n', env: { ...env, OI_REPO_IMAGE_CALLBACK_TOKEN: '' } });
    assert.equal((await half.sandbox.exited()).code, 1);
    assert.deepEqual(half.receiver.calls, []);
});

test('SIGTERM while a bad configuration is being told: it ends at once, and nobody is told again', async (t) => {
    const { sandbox, receiver } = await startBuild(t, {
        setup: 'true\n', statuses: [503, 503], env: { OI_IMAGE_BUILD_EXECUTION_TIMEOUT_SECONDS: 'soon' } });
    await sandbox.logged('repo_image.callback_retry');
    await endInOrder(sandbox, { limitMs: 1500, code: 1 });
    assert.equal(receiver.calls.length, 1);
    assert.deepEqual(sandbox.logs.slice(-3).map(({ event }) => event),
        ['supervisor.signal', 'supervisor.shutdown_start', 'supervisor.shutdown_complete']); // S-367, S-368
});

/** A launch on Modal by itself: it is over before a sandbox would begin. */
function launchOnModal(t, { env = {}, stdin = 'ignore' } = {}) {
    const root = mkdtempSync(join(tmpdir(), 'oi-modal-'));
    const launch = new Program('the launch');
    t.after(() => rmSync(root, { recursive: true }));
    launch.spawn([supervisorProgram, '--test-root', root, '--await-modal-image-build-token-stdin-v1'], {
        cwd: root, stdio: [stdin, 'pipe', 'pipe'], env: { ...process.env, HOME: root, OI_SCM_CRED_CACHE_DIR: join(root, 'cache'),
            IMAGE_BUILD_MODE: 'true', OI_REPO_IMAGE_BUILD_ID: 'imgb-1', OI_REPO_IMAGE_CALLBACK_URL: 'https://cp.example/complete',
            OI_REPO_IMAGE_FAILURE_CALLBACK_URL: 'https://cp.example/failed', MODAL_SANDBOX_ID: 'sb-modal', ...env } });
    return launch;
}

for (const [reason, env] of Object.entries({ 'invalid_build_mode': { IMAGE_BUILD_MODE: 'True' },
    'missing_build_identity': { OI_REPO_IMAGE_BUILD_ID: '' }, 'stdin closed': {} })) {
    test(`S-153, S-432, S-436: a launch on Modal is refused: ${reason}`, async (t) => {
        const launch = launchOnModal(t, { env });
        assert.equal((await launch.exited()).code, 1);
        assert.deepEqual(launch.logsOf('image_build.launch_failed').map((line) => line.reason), [reason]);
        assert.equal(launch.logsOf('supervisor.start').length, 0);
    });
}

test('S-154, S-433: a signal while a launch on Modal waits for its token: cancelled, exit 0', async (t) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']) {
        const launch = launchOnModal(t, { stdin: 'pipe' });
        await launch.logged('image_build.awaiting_start');
        launch.signal(signal);
        assert.equal((await launch.exited()).code, 0, signal);
        assert.equal(launch.logsOf('image_build.launch_cancelled').length, 1);
        assert.deepEqual(launch.logsOf('supervisor.signal').map((line) => line.signal_name), [signal]); // S-368
    }
});

test('a launch on Modal without all of its context is refused, and the reason names what is missing (S-434)', async (t) => {
    const { sandbox } = await startBuild(t, { setup: 'true\n', args: ['--await-modal-image-build-token-stdin-v1'],
        env: { OI_REPO_IMAGE_FAILURE_CALLBACK_URL: '', MODAL_SANDBOX_ID: undefined } });
    assert.equal((await sandbox.exited()).code, 1);
    assert.equal(sandbox.logsOf('image_build.launch_failed')[0].reason, 'missing OI_REPO_IMAGE_FAILURE_CALLBACK_URL, MODAL_SANDBOX_ID');
    assert.equal(sandbox.logsOf('image_build.awaiting_start').length, 0);
});

test('on Modal the token is taken first, then the bad configuration is told with it', async (t) => {
    const token = '0123456789abcdef'.repeat(4);
    const { sandbox, receiver } = await startBuild(t, { setup: 'true\n',
        around: ['sh', '-c', `exec "$@" <<.\n${token}\n.`, 'sh'], args: ['--await-modal-image-build-token-stdin-v1'],
        env: { OI_REPO_IMAGE_CALLBACK_TOKEN: undefined, OI_REPO_IMAGE_PROVIDER_SESSION_ID: undefined,
            MODAL_SANDBOX_ID: 'sb-modal', OI_IMAGE_BUILD_EXECUTION_TIMEOUT_SECONDS: '0' } });
    assert.equal((await sandbox.exited()).code, 1);
    assert.equal(sandbox.logsOf('image_build.launch_accepted').length, 1);
    assert.deepEqual(receiver.calls.map(({ path, headers }) => [path, headers.authorization]), [['/failed', `Bearer ${token}`]]);
    assert.match(receiver.calls[0].body.error, /OI_IMAGE_BUILD_EXECUTION_TIMEOUT_SECONDS/);
    assert.equal(receiver.calls[0].body.provider_session_id, 'sb-modal');
    assert.ok(!sandbox.output.includes(token));
});
