// The contract's verification table, row V-1: every launcher's environment and place. That both programs are static and need
// no loader: empty-root.test.mjs. What is planned in each environment: supervisor-plan.test.mjs.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { supervisorProgram } from '../../playground/paths.mjs';
import { Program } from '../../playground/program.mjs';
import { endInOrder, githubIsHere, idleBridge, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const environments = JSON.parse(readFileSync(new URL('data/environments.json', import.meta.url), 'utf8'));

/** The environment of the launcher `name` in data/environments.json, with the addresses and passwords of `playground`. */
function launcherEnvironment(playground, name, callbacks) {
    const { env } = environments.find((one) => one.name === name);
    const { controlPlane, gitServer } = playground;
    const session = JSON.parse(env.SESSION_CONFIG);
    const repository = { repo_owner: 'acme', repo_name: 'app' };
    const told = {
        ...(env.CONTROL_PLANE_URL && controlPlane.environment()),
        REPO_NAME: 'app',
        VCS_HOST: gitServer.vcsHost,
        VCS_CLONE_TOKEN: gitServer.token,
        GITHUB_APP_TOKEN: gitServer.token,
        OI_REPO_IMAGE_CALLBACK_URL: `${callbacks}/complete`,
        OI_REPO_IMAGE_FAILURE_CALLBACK_URL: `${callbacks}/failed`,
        GIT_SSL_CAINFO: undefined, // a file that only that provider has
        SESSION_CONFIG: JSON.stringify({
            ...session, ...(session.session_id && { session_id: controlPlane.sessionId }),
            ...(session.repo_name && repository), mcp_servers: [],
            ...(session.repositories && { repositories: session.repositories.map((one) => ({ ...one, ...repository })) }) }),
    };
    const exact = Object.fromEntries(Object.entries(env).map(([key, value]) => [key, value && key in told ? told[key] : value]));
    // What every launcher sets and what only today's does is not added by the playground.
    const absent = ['SANDBOX_TIMEOUT_SECONDS', 'PYTHONUNBUFFERED', 'REPO_OWNER', 'REPO_NAME', 'VCS_HOST', 'VCS_CLONE_USERNAME',
        'VCS_CLONE_TOKEN', 'SESSION_ID', 'SANDBOX_ID', 'CONTROL_PLANE_URL', 'SANDBOX_AUTH_TOKEN'].map((key) => [key, undefined]);
    return { ...Object.fromEntries(absent), ...exact, ...('SSL_CERT_FILE' in exact && { SSL_CERT_FILE: '/app/certificates.pem' }) };
}

const withHome = (home, user) => ['sh', '-euc',
    `mkdir -p ${home} && chown ${user} ${home} && exec setpriv --reuid=${user} --regid=${user} --clear-groups "$@"`, 'sh'];
const tokenOnInput = ['sh', '-c', `exec "$@" <<.\n${'0123456789abcdef'.repeat(4)}\n.`, 'sh'];
/** As a shell starts it that goes on: not as PID 1, with a file as standard output, which the test reads along. */
const intoFile = (file) => ['sh', '-uc',
    `: >>${file}; nohup "$@" >>${file} 2>&1 & job=$!; tail -n +1 -f ${file} & wait $job; status=$?; kill $!; exit $status`, 'sh'];
const belowShell = ['sh', '-uc', 'cd /workspace; "$@" & wait $!', 'sh'];
// OpenComputer's is in /var/log, which here is this machine's.
const E2B_LOG = '/tmp/oi-supervisor.log';
const OPENCOMPUTER_LOG = '/tmp/openinspect-runtime.log';

/** Section 1.7 of the contract: user, home, PID 1 or not, where standard output goes. */
const launchers = [
    { name: 'Modal: from a repository image' },
    { name: 'Modal: image build, its token on standard input', around: tokenOnInput, ends: 'image_build.complete',
        args: ['--await-modal-image-build-token-stdin-v1'] },
    { name: 'Daytona' },
    { name: 'E2B', user: 1000, around: [...withHome('/home/user', 1000), ...intoFile(E2B_LOG)], first: false, output: E2B_LOG },
    { name: 'OpenComputer: the variables of a build are there and empty', user: 1000, first: false, output: OPENCOMPUTER_LOG,
        around: [...withHome('/home/sandbox', 1000), ...intoFile(OPENCOMPUTER_LOG)] },
    { name: 'Vercel', around: belowShell, first: false },
    { name: 'sample: legacy, Cloudflare', isolated: false, first: false },
];

/** Whether it is the first process of its sandbox, and the file that it prints into, if it is one. */
function placeOf(sandbox) {
    const [numbers] = readFileSync(`/proc/${sandbox.pid}/status`, 'utf8').match(/^NSpid:.*$/m);
    const output = readlinkSync(`/proc/${sandbox.pid}/fd/1`);
    return { first: numbers.endsWith('\t1'), output: output.startsWith('/') ? output : undefined };
}

test('V-1: with the environment of every launcher it boots, as the user and in the place it has there',
    { skip: process.getuid() === 0 ? false : 'needs root, for other users' }, async (t) => {
        const receiver = createServer((request, response) => request.resume().on('end', () => response.end()));
        await new Promise((done) => receiver.listen(0, '127.0.0.1', done));
        t.after(() => receiver.close());
        const playground = await playgroundFor(t);
        for (const { name, ends = 'sandbox.startup', isolated = true, first = true, output, ...options } of launchers) {
            const env = launcherEnvironment(playground, name, `http://127.0.0.1:${receiver.address().port}`);
            const files = { 'root/.gitconfig': githubIsHere(playground) };
            const bridge = options.args ? null : idleBridge;
            const sandbox = await startWithStandIns(playground, { ...options, bridge, env, files, isolated });
            const { outcome = 'success' } = await sandbox.logged(ends);
            assert.equal(outcome, 'success', name);
            assert.ok(existsSync(sandbox.path('workspace/app/README.md')), name);
            assert.deepEqual(placeOf(sandbox), { first, output: output && sandbox.path(output) }, name);
            await endInOrder(sandbox);
        }
        assert.deepEqual(playground.controlPlane.fatalReports, []);
    });

test('V-1: an unknown flag ends it with 2, with the environment of any launcher', () => {
    for (const { name, env } of environments) {
        const { status } = spawnSync(supervisorProgram, ['--no-such-flag'], { env, encoding: 'utf8' });
        assert.equal(status, 2, name);
    }
});

const hasScript = spawnSync('script', ['--version']).status === 0;
test('S-95: with a terminal as standard output it says the same, and its ^C is a signal',
    { skip: hasScript ? false : 'no script(1) to make a terminal with' }, async (t) => {
        const root = mkdtempSync(join(tmpdir(), 'oi-terminal-'));
        t.after(() => rmSync(root, { recursive: true }));
        const terminal = new Program('the supervisor on a terminal');
        terminal.spawn(['script', '-qefc', `exec '${supervisorProgram}' --test-root '${root}'`, '/dev/null'], {
            cwd: root, stdio: ['pipe', 'pipe', 'pipe'],
            env: { ...process.env, HOME: root, OI_SCM_CRED_CACHE_DIR: join(root, 'cache'), IMAGE_BUILD_MODE: 'true' } });
        await terminal.logged('image_build.complete');
        terminal.process.stdin.write('\x03');
        await terminal.logged('supervisor.shutdown_complete');
        assert.equal((await terminal.exited()).code, 0);
        assert.match(terminal.output, /"supervisor\.signal".*"signal_name":"SIGINT"/); // behind the echo of ^C
    });
