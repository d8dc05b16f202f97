// Tables 2.2 and 2.4 of the contract as a boot lives them: what surrounds the steps of the plan, in every mode, and that a
// failure means what its row says. unit/supervisor_boot_plan and unit/supervisor_boot_failures have the tables themselves.
// Rows whose failure has a test of its own: S-106, S-107, S-112, S-114, S-127 in supervisor-boot; S-117, S-118, S-121, S-126 in
// supervisor-assets; S-128, S-129 in supervisor-services; S-130, S-131 in supervisor-build; S-111 when fresh in supervisor-git.

import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { supervisorProgram } from '../../playground/paths.mjs';
import { Program } from '../../playground/program.mjs';
import { createRepository, git, sampleFiles } from '../../playground/sample-repository.mjs';
import { after, endInOrder, githubIsHere, idleBridge, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const needsRoot = process.getuid() === 0 ? false : 'needs root, to put something in the way';
const MODES = {
    fresh: { variable: null, line: null },
    repo_image: { variable: 'FROM_REPO_IMAGE', line: 'supervisor.from_repo_image' },
    snapshot_restore: { variable: 'RESTORED_FROM_SNAPSHOT', line: 'supervisor.restored_from_snapshot' },
    build: { variable: 'IMAGE_BUILD_MODE', line: 'supervisor.image_build_mode' },
};
const modeLines = [...Object.values(MODES).map(({ line }) => line), 'supervisor.no_repo_configured'].filter(Boolean);
const modeEnv = (mode) => (MODES[mode].variable ? { [MODES[mode].variable]: 'true' } : {});
/** A directory that is not empty, where a file should be written. */
const inTheWay = (...paths) => Object.fromEntries(paths.map((path) => [`${path}/in-the-way`, '']));
const sessionWith = (playground, more) => JSON.stringify({
    session_id: playground.controlPlane.sessionId, repo_owner: 'acme', repo_name: 'app', provider: 'playground', model: 'scripted',
    branch: 'main', ...more });

const IMAGE_SHA = 'e'.repeat(40);
const leftovers = { 'tmp/oi-boot-warnings.jsonl': '{"scope":"sync","message":"of the last boot"}\n',
    'workspace/.tunnels.env': 'TUNNEL_SANDBOX_ID=another\nTUNNEL_3000=https://old.example\n' };

test('table 2.2 rows 4, 6, 7, 16, 17, 19, 26, 28: what each mode logs, runs and clears away', async (t) => {
    const playground = await playgroundFor(t);
    let snapshot;
    for (const mode of Object.keys(MODES)) {
        const build = mode === 'build';
        const sandbox = await startWithStandIns(playground, { snapshot: build ? undefined : snapshot, files: leftovers,
            env: { ...modeEnv(mode), REPO_IMAGE_SHA: IMAGE_SHA }, ...(build && { bridge: null }) });
        await sandbox.logged(build ? 'image_build.complete' : 'sandbox.startup');
        const times = (event) => sandbox.logsOf(event).length;
        const said = sandbox.logs.map(({ event }) => event).filter((event) => modeLines.includes(event));
        assert.deepEqual(said, MODES[mode].line ? [MODES[mode].line] : [], `row 4, S-102: ${mode}`);
        const sha = said.map((event) => sandbox.logsOf(event)[0].build_sha);
        assert.deepEqual(sha, said.map(() => (mode === 'repo_image' ? IMAGE_SHA : undefined)), `S-19: ${mode}`);
        assert.equal(existsSync(sandbox.path('workspace/.tunnels.env')), mode !== 'snapshot_restore', `row 6: ${mode}`);
        assert.ok(!existsSync(sandbox.path('tmp/oi-boot-warnings.jsonl')), `row 7: ${mode}`);
        assert.equal(times('git.sync_complete'), build ? 1 : 0, `row 16: ${mode}`);
        assert.equal(times('setup.start'), mode === 'fresh' || build ? 1 : 0, `row 17: ${mode}`);
        assert.equal(times('start.start'), build ? 0 : 1, `row 19: ${mode}`);
        assert.deepEqual([times('opencode.start'), times('bridge.start')], build ? [0, 0] : [1, 1], `rows 24, 25: ${mode}`);
        assert.equal(times('sandbox.startup'), build ? 0 : 1, `row 26: ${mode}`);
        snapshot ??= sandbox.snapshot(join(playground.dir, 'snapshot'));
        await endInOrder(sandbox);
    }
    const without = await startWithStandIns(playground, { env: { REPO_OWNER: '', REPO_NAME: '', RESTORED_FROM_SNAPSHOT: 'true',
        SESSION_CONFIG: sessionWith(playground, { repo_owner: null, repo_name: null, branch: null }) } });
    await without.logged('sandbox.startup');
    const said = without.logs.map(({ event }) => event).filter((event) => modeLines.includes(event));
    assert.deepEqual(said, ['supervisor.no_repo_configured'], 'S-102: whatever the mode');
    assert.deepEqual(without.logsOf('git.skip_clone').map(({ level, reason }) => [level, reason]), [['info', 'no_repo_configured']], 'S-198');
    await endInOrder(without);
});

const spoiltRepository = { ...sampleFiles, '.opencode/command/hi.md': 'hi',
    '.openinspect/setup.sh': 'rm -f .git/info/exclude && mkdir -p .git/info/exclude/in-the-way\n' };
const onlyLogged = {
    'S-108': 'supervisor.repo_manifest_write_failed', 'S-109': 'credential_helper.shim_write_failed',
    'S-113': 'tunnel.env_file_wait_timeout', 'S-120': 'managed_oauth.setup_error', 'S-122': 'mcp.packages_install_error',
    'S-124': 'opencode.global_deps_seed_failed', 'S-125': 'opencode.git_excludes_failed' };

test(`table 2.4 ${Object.keys(onlyLogged).join(', ')}: only logged, the boot goes on`, { skip: needsRoot }, async (t) => {
    const playground = await playgroundFor(t, { repository: { owner: 'acme', name: 'app', files: spoiltRepository } });
    // An npm that leads to itself: one that is only absent would be looked for in the rest of PATH. A file system of one page that is full: directories and short links find room in it, a file does not.
    const around = after(`ln -s npm /app/first/npm
        mkdir -p /usr/local/bin/oi-git-credentials/in-the-way
        mount -t tmpfs -o size=4k none /root/.config/opencode && head -c 4096 /dev/zero >/root/.config/opencode/full`);
    const sandbox = await startWithStandIns(playground, { around,
        files: inTheWay('tmp/oi-repo-manifest.json', 'root/.local/bin/oi-git-credentials', 'root/.local/share/opencode/auth.json'),
        env: { OPENAI_OAUTH_MANAGED: '1', EXPECTED_TUNNEL_PORTS: '3000', TUNNEL_WAIT_TIMEOUT_SECONDS: '0.2',
            SESSION_CONFIG: sessionWith(playground, { mcp_servers: [{ name: 'one', command: ['npx', 'one'] }] }) } });
    const { outcome, setup_success: setup } = await sandbox.logged('sandbox.startup');
    assert.deepEqual([outcome, setup], ['success', true], sandbox.output);
    for (const [rule, event] of Object.entries(onlyLogged)) {
        assert.ok(sandbox.logsOf(event).some(({ level }) => level === 'warning'), `${rule}: ${event}\n${sandbox.output}`);
    }
    assert.equal(sandbox.logsOf('supervisor.boot_warning').length, 0);
    assert.deepEqual(playground.controlPlane.fatalReports, []);
    await endInOrder(sandbox);
});

test('table 2.4 S-110: the gh wrapper has no place, although there is a gh: only logged; S-109: so is that git\'s configuration is locked', async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { isolated: false, around: after('chmod +x "$HOME/../usr/bin/gh"'),
        files: { 'usr/bin/gh': '#!/bin/sh\n', 'root/.gitconfig.lock': '', ...inTheWay('usr/local/bin/gh', 'root/.local/bin/gh') } });
    assert.equal((await sandbox.logged('sandbox.startup')).outcome, 'success');
    const [failed] = sandbox.logsOf('gh_wrapper.install_failed');
    assert.deepEqual([failed?.level, failed?.path.endsWith('/gh')], ['warning', true], sandbox.output);
    assert.deepEqual(sandbox.logsOf('credential_helper.config_failed').map(({ config_key: key, stderr }) => [key, /gitconfig/.test(stderr)]),
        [['credential.helper', true], ['credential.useHttpPath', true]], 'S-493');
    await endInOrder(sandbox);
});

test('table 2.4 S-108 of AGENTS.md: only logged; S-115: start.sh of a later repository is a warning', async (t) => {
    const playground = await playgroundFor(t);
    createRepository(join(playground.dir, 'repositories'), 'acme', 'api', { files: {
        'README.md': 'api', '.openinspect/start.sh': 'echo what went wrong; exit 7\n' } });
    const repositories = ['app', 'api'].map((name) => ({ repo_owner: 'acme', repo_name: name, branch: 'main' }));
    const sandbox = await startWithStandIns(playground, { env: { SESSION_CONFIG: sessionWith(playground, { repositories }) },
        files: inTheWay('workspace/AGENTS.md') });
    const { outcome, start_success: start } = await sandbox.logged('sandbox.startup');
    assert.deepEqual([outcome, start], ['success', false]);
    assert.equal(sandbox.logsOf('workspace.manifest_write_failed')[0]?.level, 'warning');
    const [warning] = sandbox.logsOf('supervisor.boot_warning');
    assert.deepEqual([warning.scope, warning.repo_name], ['start', 'api']);
    assert.match(warning.warning_message, /start\.sh of acme\/api failed with status 7; its last line: what went wrong/);
    await endInOrder(sandbox);
});

test('table 2.4 S-111: a repository that cannot be brought up to date is a warning when restored or from an image', async (t) => {
    const playground = await playgroundFor(t);
    const first = await startWithStandIns(playground);
    await first.logged('sandbox.startup');
    const snapshot = first.snapshot(join(playground.dir, 'snapshot'));
    await endInOrder(first);
    const other = join(playground.dir, 'other');
    git(playground.dir, 'clone', '--quiet', playground.bareRepository, other);
    for (const checkout of [other, join(snapshot, 'workspace/app')]) appendFileSync(join(checkout, 'README.md'), `${checkout}\n`);
    git(other, 'commit', '--quiet', '--all', '--message', 'In the way');
    git(other, 'push', '--quiet', 'origin', 'main');
    playground.controlPlane.sandboxId = 'not-the-one-of-the-snapshot';
    const why = { repo_image: ['git.checkout_error', 'warning', 'main'], snapshot_restore: ['git.fetch_error', 'error', undefined] };
    for (const mode of Object.keys(why)) {
        if (mode === 'snapshot_restore') renameSync(playground.bareRepository, `${playground.bareRepository}.gone`);
        const sandbox = await startWithStandIns(playground, { snapshot, env: modeEnv(mode) });
        const { outcome, git_sync_success: synchronised } = await sandbox.logged('sandbox.startup');
        assert.deepEqual([outcome, synchronised], ['success', false], mode);
        const [warning] = sandbox.logsOf('supervisor.boot_warning');
        assert.deepEqual([warning?.scope, warning?.repo_name], ['sync', 'app'], mode);
        const written = JSON.parse(readFileSync(sandbox.path('tmp/oi-boot-warnings.jsonl'), 'utf8'));
        assert.match(written.message, /acme\/app failed; the checkout may be stale/);
        const [event, level, target] = why[mode];
        assert.deepEqual(sandbox.logsOf(event).map((line) => [line.level, line.target_branch]), [[level, target]], `S-489: ${sandbox.output}`);
        await endInOrder(sandbox);
    }
});

test('table 2.4, the older era: S-111 and S-112 are logged, S-114 is a warning', async (t) => {
    const files = { ...sampleFiles, '.openinspect/setup.sh': 'exit 3\n', '.openinspect/start.sh': 'exit 4\n' };
    const playground = await playgroundFor(t, { era: 'older', repository: { owner: 'acme', name: 'app', files } });
    for (const name of ['app', 'missing']) {
        playground.controlPlane.repository = { owner: 'acme', name };
        const sandbox = await startWithStandIns(playground, { bridge: idleBridge, files: { 'root/.gitconfig': githubIsHere(playground) } });
        assert.equal((await sandbox.logged('sandbox.startup')).outcome, 'success', name);
        const scopes = sandbox.logsOf('supervisor.boot_warning').map(({ scope }) => scope);
        assert.deepEqual(scopes, name === 'app' ? ['start'] : [], name);
        assert.equal(sandbox.logsOf('setup.failed').length, name === 'app' ? 1 : 0, name);
        assert.equal(sandbox.logsOf('git.clone_error').length, name === 'app' ? 0 : 1, name);
        await endInOrder(sandbox);
    }
    const { fatalReports, requests } = playground.controlPlane;
    assert.deepEqual(fatalReports, []);
    assert.deepEqual(requests.map(({ path }) => path), [], 'S-105: nothing is asked that it does not have');
});

test('table 2.4 S-123: what cannot be staged is fatal, and the exit status is 1', async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { files: { 'root/.config/opencode/tool': 'a file' } });
    assert.equal((await sandbox.exited()).code, 1);
    assert.match(playground.controlPlane.fatalReports[0].error, /stage OpenCode's tools/);
    const [{ outcome, git_sync_success: synchronised, phase_ms: phases }] = sandbox.logsOf('sandbox.startup');
    assert.deepEqual([outcome, phases.stage >= 0, 'setup' in phases], ['error', true, false], 'S-174: also the step that failed');
    assert.equal(synchronised, false, 'S-474: it was not done yet');
});

test('table 2.4 S-107: an unsafe or doubled repository and a bad base_sha are fatal before anything is begun', async (t) => {
    const playground = await playgroundFor(t);
    const one = { repo_owner: 'acme', repo_name: 'app', branch: 'main' };
    const repositories = [one, { ...one, repo_name: 'APP' }, { ...one, repo_name: '..' }, { ...one, repo_name: 'b', base_sha: 'abc' }];
    const sandbox = await startWithStandIns(playground, { env: { SESSION_CONFIG: sessionWith(playground, { repositories }) } });
    assert.equal((await sandbox.exited()).code, 1);
    const [{ error }] = playground.controlPlane.fatalReports;
    for (const problem of ['repo_name ".."', 'base_sha "abc"', 'share the directory']) assert.ok(error.includes(problem), error);
    assert.equal(sandbox.logsOf('git.sync_start').length + sandbox.logsOf('opencode.start').length, 0);
    // S-6, S-132: told as every boot is, and as every end.
    const said = sandbox.logs.map(({ event }) => event).filter((event) => event !== 'supervisor.config_invalid');
    assert.deepEqual(said, ['supervisor.start', 'supervisor.era', 'supervisor.error', 'supervisor.fatal',
        'supervisor.report_error_rejected', // S-134: no control plane has that route
        'supervisor.shutdown_start', 'supervisor.shutdown_complete']); // S-367
    assert.equal(sandbox.logsOf('supervisor.error')[0].error_type, 'config');
});

test('S-51, S-50, S-168, S-136: a bad SESSION_CONFIG is reported, in the older era too, to one who never ends its answer for five seconds in all', async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'oi-report-'));
    let report = '';
    const dribbling = createServer((socket) => {
        socket.on('data', (bytes) => { report += bytes; }).on('error', () => {});
        socket.write('HTTP/1.1 200 OK\r\nX-Never-Ends: ');
        const dribble = setInterval(() => socket.write('x'), 100);
        socket.on('close', () => clearInterval(dribble));
    });
    await new Promise((done) => dribbling.listen(0, '127.0.0.1', done));
    const program = new Program('the supervisor');
    t.after(() => { dribbling.close(); rmSync(root, { recursive: true }); });
    program.spawn([supervisorProgram, '--test-root', root], { cwd: root, env: { ...process.env, no_proxy: '*', HOME: root,
        OI_SCM_CRED_CACHE_DIR: join(root, 'cache'), SESSION_CONFIG: '[]', SANDBOX_ID: 'sandbox-1', SANDBOX_AUTH_TOKEN: 'token-of-session',
        CONTROL_PLANE_URL: `http://127.0.0.1:${dribbling.address().port}/` } });
    const [told, failed] = [await program.logged('supervisor.fatal'), await program.logged('supervisor.report_error_failed')];
    assert.equal((await program.exited()).code, 1);
    assert.match(program.logsOf('supervisor.config_invalid')[0].error_message, /^SESSION_CONFIG: must be a JSON object/);
    assert.equal(failed.error_type, 'timeout');
    const waited = failed.ts - told.ts;
    assert.ok(waited >= 4900 && waited < 15_000, `${waited} ms`);
    assert.match(report, /^POST \/sandbox\/sandbox-1\/error HTTP\/1\.1\r\n/);
    assert.match(report, /authorization: Bearer token-of-session\r\n/i);
    assert.deepEqual(JSON.parse(report.split('\r\n\r\n')[1]), { error: told.error_message, fatal: true });
});
