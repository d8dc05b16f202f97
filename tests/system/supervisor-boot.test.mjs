// What the supervisor does from its start to a sandbox that works: order, hooks, configuration, what is fatal.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { sampleFiles } from '../../playground/sample-repository.mjs';
import { waitUntil } from '../../playground/waiting.mjs';
import { endInOrder, playgroundFor, standInOpencode, startWithStandIns } from './support/sandbox.mjs';

const hook = (text) => `#!/bin/bash\n${text}\n`;
const repositoryWith = (files) => ({ owner: 'acme', name: 'app', files: { ...sampleFiles, ...files } });

test('clones, runs the hooks in the checkout and starts OpenCode meanwhile; ready comes after all of it', async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { bridge: null });
    await sandbox.stillRuns(playground.controlPlane.ready());
    assert.ok(existsSync(sandbox.path('workspace/app/src/hello.mjs')));
    assert.ok(existsSync(sandbox.path('workspace/app/.setup-ran')));
    const startup = await sandbox.logged('sandbox.startup');
    assert.equal(startup.outcome, 'success');
    const order = sandbox.logs.map(({ event }) => event)
        .filter((event) => ['git.clone_start', 'git.clone_complete', 'opencode.start', 'sandbox.startup'].includes(event));
    assert.equal(order.at(-1), 'sandbox.startup');
    assert.ok(order.indexOf('opencode.start') < order.indexOf('git.clone_complete'), String(order));
    for (const step of ['sync', 'setup', 'start', 'opencode', 'warm_up']) assert.ok(startup.phase_ms[step] >= 0, step);
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
    assert.match(report.directory, /\/workspace$/, 'there was no checkout yet');
    assert.deepEqual(report.directoriesMeant, [sandbox.inside('/workspace/app')]);
    assert.deepEqual(report.args.slice(0, 5), ['serve', '--port', '4096', '--hostname', '127.0.0.1']);
    const commands = sandbox.processes().map(({ command }) => command.join(' ')).join('\n');
    for (const secret of [playground.controlPlane.token, playground.gitServer.token]) {
        assert.ok(!commands.includes(secret), commands);
    }
    const gitConfig = readFileSync(sandbox.path('workspace/app/.git/config'), 'utf8');
    assert.ok(!gitConfig.includes(playground.gitServer.token), 'no token in the checkout');
    await endInOrder(sandbox);
});

test('a foreign bridge names no directory, so OpenCode starts in the checkout, after the hooks', async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { env: { STANDIN_REPORT: '/tmp/opencode-report-foreign' } });
    await sandbox.logged('sandbox.startup');
    const reportPath = sandbox.isolated ? sandbox.path('tmp/opencode-report-foreign') : '/tmp/opencode-report-foreign';
    assert.match(JSON.parse(readFileSync(reportPath, 'utf8')).directory, /\/workspace\/app$/);
    const events = sandbox.logs.map(({ event }) => event);
    assert.ok(events.indexOf('start.complete') < events.indexOf('opencode.start'), String(events));
    await endInOrder(sandbox);
});

test('prompts wait for the end of the hooks, however soon OpenCode was there', async (t) => {
    const playground = await playgroundFor(t, {
        repository: repositoryWith({ '.openinspect/start.sh': hook('until [ -e /tmp/go-on ]; do sleep 0.05; done') }) });
    const sandbox = await startWithStandIns(playground, { bridge: null });
    await sandbox.logged('opencode.ready');
    await sandbox.logged('start.start');
    assert.equal(playground.controlPlane.connections.length, 0);
    assert.equal(sandbox.logsOf('opencode.warmed_up').length, 0, 'the hook may still change what OpenCode reads');
    writeFileSync(sandbox.isolated ? sandbox.path('tmp/go-on') : '/tmp/go-on', '');
    await sandbox.stillRuns(playground.controlPlane.ready());
    await endInOrder(sandbox);
    if (!sandbox.isolated) rmSync('/tmp/go-on');
});

const progressOf = (cp) => cp.eventsOfType('boot_progress').map(({ phase, status }) => `${phase} ${status}`);

test('told to connect early, the control plane sees the phases of the boot, then ready', async (t) => {
    const playground = await playgroundFor(t, {
        repository: repositoryWith({ '.openinspect/setup.sh': hook('until [ -e /tmp/go-on-early ]; do sleep 0.05; done; exit 1') }) });
    const { controlPlane: cp } = playground;
    const sandbox = await startWithStandIns(playground, { bridge: null, args: ['--bridge-early-connect'] });
    await sandbox.stillRuns(cp.waitFor(() => progressOf(cp).includes('setup started'), { what: 'setup started' }));
    assert.deepEqual(cp.eventsOfType('ready'), []);
    writeFileSync(sandbox.isolated ? sandbox.path('tmp/go-on-early') : '/tmp/go-on-early', '');
    await sandbox.stillRuns(cp.ready());
    const told = progressOf(cp).filter((one) => !one.startsWith('skills'));
    assert.deepEqual(told.slice(told.indexOf('setup started')),
        ['setup started', 'setup completed', 'start started', 'start completed', 'harness started', 'harness completed']);
    const setup = cp.eventsOfType('boot_progress').find(({ phase, status }) => phase === 'setup' && status === 'completed');
    assert.deepEqual([setup.warning, setup.repoOwner, setup.repoName], [true, 'acme', 'app']);
    const numbers = cp.eventsOfType('boot_progress').map(({ bootSeq }) => bootSeq);
    assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
    if (!sandbox.isolated) rmSync('/tmp/go-on-early');
    await endInOrder(sandbox);
});

test('told to connect early, the control plane sees the phase that failed, and why', async (t) => {
    const playground = await playgroundFor(t, {
        repository: repositoryWith({ '.openinspect/setup.sh': hook('until [ -e /tmp/go-on-failing ]; do sleep 0.05; done'),
            '.openinspect/start.sh': hook('echo "no database for $SANDBOX_AUTH_TOKEN"; exit 9') }) });
    const { controlPlane: cp } = playground;
    const sandbox = await startWithStandIns(playground, { bridge: null, args: ['--bridge-early-connect'] });
    await sandbox.stillRuns(cp.waitFor(() => progressOf(cp).includes('setup started'), { what: 'setup started' }));
    writeFileSync(sandbox.isolated ? sandbox.path('tmp/go-on-failing') : '/tmp/go-on-failing', '');
    assert.equal((await sandbox.exited()).code, 1);
    const failed = cp.eventsOfType('boot_progress').find(({ status }) => status === 'failed');
    assert.equal(failed.phase, 'start');
    assert.match(failed.detail, /no database for \*\*\*/);
    assert.deepEqual(cp.eventsOfType('ready'), []);
    if (!sandbox.isolated) rmSync('/tmp/go-on-failing');
});

test('an OpenCode that setup.sh installs is started when it is there', async (t) => {
    const playground = await playgroundFor(t, {
        repository: repositoryWith({ '.openinspect/setup.sh': hook('cp "$(command -v late-opencode)" "$(command -v opencode)"') }) });
    const sandbox = await startWithStandIns(playground, {
        bridge: null, opencode: '#!/bin/sh\nexit 4\n', programs: { 'late-opencode': standInOpencode() } });
    const failed = await sandbox.logged('opencode.early_start_failed');
    assert.equal(failed.exit_code, 4);
    await sandbox.stillRuns(playground.controlPlane.ready());
    assert.equal(sandbox.logsOf('opencode.crash').length, 0);
    await endInOrder(sandbox);
});

test('OpenCode that was killed while the hooks run is back before prompts come', async (t) => {
    const playground = await playgroundFor(t, {
        repository: repositoryWith({ '.openinspect/start.sh': hook('sleep 1') }) });
    const sandbox = await startWithStandIns(playground, { bridge: null });
    await sandbox.logged('opencode.ready');
    await sandbox.logged('start.start');
    process.kill(sandbox.find('opencode-standin.mjs').pid, 'SIGKILL');
    await sandbox.logged('opencode.ready', { count: 2 });
    await sandbox.stillRuns(playground.controlPlane.ready());
    await endInOrder(sandbox);
});

test('a warm-up that OpenCode does not answer costs some seconds, not the sandbox', async (t) => {
    const playground = await playgroundFor(t, { repository: null });
    const sandbox = await startWithStandIns(playground, { bridge: null, env: { STANDIN_OPENCODE: 'no-sessions' } });
    await sandbox.stillRuns(playground.controlPlane.ready());
    const failed = await sandbox.logged('opencode.warm_up_failed');
    assert.ok(failed.duration_ms < 9000, `${failed.duration_ms} ms`);
    assert.match(failed.error_message, /not done in time/);
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

test('S-418: without a start.sh nobody waits for the tunnel file', async (t) => {
    const { '.openinspect/start.sh': start, ...files } = sampleFiles;
    assert.ok(start);
    const playground = await playgroundFor(t, { repository: { owner: 'acme', name: 'app', files } });
    const sandbox = await startWithStandIns(playground, { env: { EXPECTED_TUNNEL_PORTS: '3000', TUNNEL_WAIT_TIMEOUT_SECONDS: '1000' } });
    await sandbox.logged('sandbox.startup');
    assert.equal(sandbox.logsOf('tunnel.env_file_wait_timeout').length, 0);
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

test('a hook that runs too long is ended with all it started, also what ignores SIGTERM', async (t) => {
    const stubborn = `bash -c 'trap "" TERM; while :; do sleep 2000; done' stubborn-child`;
    const playground = await playgroundFor(t, {
        repository: repositoryWith({ '.openinspect/setup.sh': hook(`${stubborn} & sleep 2000`) }) });
    const sandbox = await startWithStandIns(playground, { env: { SETUP_TIMEOUT_SECONDS: '1' } });
    await sandbox.logged('opencode.ready');
    await waitUntil(() => !sandbox.find('stubborn-child') && !sandbox.find('sleep 2000'),
        { what: 'the end of the hook and its child' });
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

test('OpenCode that resets, refuses, or says anything but that it is healthy is asked again (S-310, S-312)', async (t) => {
    const playground = await playgroundFor(t, { repository: null });
    const name = `/tmp/opencode-moods-${process.pid}`; // on the machine's own /tmp where the sandbox has no root of its own
    const sandbox = await startWithStandIns(playground, { env: { STANDIN_OPENCODE: 'moody', STANDIN_REPORT: name } });
    const report = sandbox.isolated ? sandbox.path(name) : name;
    t.after(() => rmSync(report, { force: true }));
    await sandbox.logged('opencode.ready');
    await sandbox.logged('sandbox.startup');
    const { healthAsked: asked } = JSON.parse(readFileSync(report, 'utf8'));
    assert.ok(asked >= 7, `asked ${asked} times`);
    assert.deepEqual([sandbox.logsOf('opencode.start').length, sandbox.logsOf('opencode.crash').length], [1, 0]);
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
