// What the supervisor does from its start to a sandbox that works: order, hooks, configuration, what is fatal.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import test from 'node:test';
import { sampleFiles } from '../../playground/sample-repository.mjs';
import { waitUntil } from '../../playground/waiting.mjs';
import { endInOrder, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const hook = (text) => `#!/bin/bash\n${text}\n`;
const repositoryWith = (files) => ({ owner: 'acme', name: 'app', files: { ...sampleFiles, ...files } });

test('clones, runs the hooks in the checkout, starts OpenCode there, then the bridge, which says ready', async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { bridge: null });
    await sandbox.stillRuns(playground.controlPlane.ready());
    assert.ok(existsSync(sandbox.path('workspace/app/src/hello.mjs')));
    assert.ok(existsSync(sandbox.path('workspace/app/.setup-ran')));
    const startup = await sandbox.logged('sandbox.startup');
    assert.equal(startup.outcome, 'success');
    const order = sandbox.logs.map(({ event }) => event)
        .filter((event) => ['git.clone_complete', 'opencode.start', 'opencode.ready', 'sandbox.startup'].includes(event));
    assert.deepEqual(order, ['git.clone_complete', 'opencode.start', 'opencode.ready', 'sandbox.startup']);
    await endInOrder(sandbox);
});

test('OpenCode gets its configuration, and nothing that is secret to the supervisor goes to a command line', async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { bridge: null, env: { STANDIN_REPORT: '/tmp/opencode-report' } });
    await sandbox.stillRuns(playground.controlPlane.ready());
    const reportPath = sandbox.isolated ? sandbox.path('tmp/opencode-report') : '/tmp/opencode-report';
    const report = JSON.parse(readFileSync(reportPath, 'utf8'));
    const config = JSON.parse(report.config);
    assert.equal(config.model, 'playground/scripted');
    assert.deepEqual(config.permission, { '*': { '*': 'allow' } });
    assert.equal(report.client, 'serve');
    assert.match(report.directory, /\/workspace\/app$/);
    assert.deepEqual(report.args.slice(0, 5), ['serve', '--port', '4096', '--hostname', '127.0.0.1']);
    const commands = sandbox.processes().map(({ command }) => command.join(' ')).join('\n');
    for (const secret of [playground.controlPlane.token, playground.gitServer.token]) {
        assert.ok(!commands.includes(secret), commands);
    }
    const gitConfig = readFileSync(sandbox.path('workspace/app/.git/config'), 'utf8');
    assert.ok(!gitConfig.includes(playground.gitServer.token), 'no token in the checkout');
    await endInOrder(sandbox);
});

test('the checkout stays clean: nothing of ours lies in it', async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground);
    await sandbox.logged('opencode.ready');
    const entries = readdirSync(sandbox.path('workspace/app')).sort();
    assert.deepEqual(entries, ['.git', '.gitignore', '.openinspect', '.setup-ran', 'README.md', 'src']);
    await endInOrder(sandbox);
});

test('a session without a repository works in the empty workspace', async (t) => {
    const playground = await playgroundFor(t, { repository: null });
    const sandbox = await startWithStandIns(playground, { bridge: null });
    await sandbox.stillRuns(playground.controlPlane.ready());
    assert.deepEqual(readdirSync(sandbox.path('workspace')), []);
    await endInOrder(sandbox);
});

test('a failing setup.sh is a warning that the user sees, with no secret in it, and the boot goes on', async (t) => {
    const playground = await playgroundFor(t, {
        repository: repositoryWith({ '.openinspect/setup.sh': hook('echo "no compiler for $SANDBOX_AUTH_TOKEN" >&2; exit 7') }) });
    const sandbox = await startWithStandIns(playground, { bridge: null });
    const warning = await sandbox.stillRuns(playground.controlPlane.waitForEvent('warning'));
    assert.equal(warning.scope, 'setup');
    assert.match(warning.message, /acme\/app.*no compiler for \*\*\*/);
    await endInOrder(sandbox);
});

test('a failing start.sh ends the sandbox with code 1 and is reported to the control plane', async (t) => {
    const playground = await playgroundFor(t, {
        repository: repositoryWith({ '.openinspect/start.sh': hook('echo "no database" >&2; exit 9') }) });
    const sandbox = await startWithStandIns(playground);
    const { code } = await sandbox.exited();
    assert.equal(code, 1);
    const [report] = playground.controlPlane.fatalReports;
    assert.equal(report.fatal, true);
    assert.match(report.error, /start/);
    assert.ok(sandbox.logs.some(({ event }) => event === 'supervisor.fatal'));
});

test('a hook that runs too long is ended with all it started', async (t) => {
    const playground = await playgroundFor(t, {
        repository: repositoryWith({ '.openinspect/setup.sh': hook('sleep 1000 & sleep 1000') }) });
    const sandbox = await startWithStandIns(playground, { env: { SETUP_TIMEOUT_SECONDS: '1' } });
    await sandbox.logged('opencode.ready');
    await waitUntil(() => !sandbox.find('sleep 1000'), { what: 'the end of the hook and its child' });
    await endInOrder(sandbox);
});

test('OpenCode that hangs early requests, as the real one does, is ready as soon as it answers', async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { env: { STANDIN_OPENCODE: 'slow-answer' } });
    await sandbox.logged('opencode.start');
    const startedAt = performance.now();
    await sandbox.logged('opencode.ready');
    assert.ok(performance.now() - startedAt < 4000, `${performance.now() - startedAt} ms`);
    await endInOrder(sandbox);
});

test('OpenCode that cannot be started is fatal, says why, and is reported', async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { opencode: '#!/no/such/interpreter\n' });
    const { code } = await sandbox.exited();
    assert.equal(code, 1);
    assert.match(playground.controlPlane.fatalReports[0].error, /opencode/i);
});

test('OpenCode that ends during the boot is fatal', async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { env: { STANDIN_OPENCODE: 'exit' } });
    const { code } = await sandbox.exited();
    assert.equal(code, 1);
    assert.equal(playground.controlPlane.fatalReports.length, 1);
});

const badEnvironment = {
    'SESSION_CONFIG is no JSON': [{ SESSION_CONFIG: '{"session_id":' }, /SESSION_CONFIG/],
    'SESSION_CONFIG is no object': [{ SESSION_CONFIG: '["s1"]' }, /SESSION_CONFIG/],
    'SESSION_CONFIG is empty': [{ SESSION_CONFIG: '' }, /SESSION_CONFIG/],
    'CONTROL_PLANE_URL has another scheme': [{ CONTROL_PLANE_URL: 'ftp://control.example' }, /CONTROL_PLANE_URL/],
    'VCS_HOST holds a path': [{ VCS_HOST: 'git.example/path' }, /VCS_HOST/],
    'REPO_NAME leaves the workspace': [{ REPO_NAME: '../etc' }, /REPO_NAME|repository/i],
};
for (const [what, [env, expected]] of Object.entries(badEnvironment)) {
    test(`${what}: exit code 1 and one line that names it`, async (t) => {
        const playground = await playgroundFor(t);
        const sandbox = await startWithStandIns(playground, { env });
        const { code } = await sandbox.exited();
        assert.equal(code, 1, sandbox.output);
        const errors = sandbox.logs.filter(({ level }) => level === 'error');
        assert.ok(errors.some((entry) => expected.test(JSON.stringify(entry))), sandbox.output);
    });
}

test('an unknown argument: exit code 2 and the usage', async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { args: ['--frobnicate'] });
    const { code } = await sandbox.exited();
    assert.equal(code, 2);
    assert.match(sandbox.output, /frobnicate/);
    assert.match(sandbox.output, /usage/i);
});
