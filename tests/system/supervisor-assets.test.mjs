// What a boot brings for OpenCode from elsewhere: managed skills, packages of MCP servers, the .opencode of several
// repositories; and that what OpenCode prints of their secrets is masked.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { createRepository, sampleFiles } from '../../playground/sample-repository.mjs';
import { endInOrder, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const skill = (name, files = {}) => ({ name, files: { 'SKILL.md': `---\nname: ${name}\ndescription: d\n---\nText.\n`, ...files } });
const skillsIn = (sandbox) => readdirSync(sandbox.path('root/.config/opencode/skills')).sort();
const SKILLS_ROUTE = 'GET /sessions/:id/sandbox-skills';
const sessionWith = (playground, more) => JSON.stringify({
    session_id: playground.controlPlane.sessionId, repo_owner: 'acme', repo_name: 'app', provider: 'playground',
    model: 'scripted', branch: 'main', ...more });

test('managed skills are fetched over HTTPS, page by page, and lie where OpenCode looks', async (t) => {
    const playground = await playgroundFor(t);
    playground.controlPlane.skills = Array.from({ length: 51 }, (_, i) => skill(`skill-${i}`));
    playground.controlPlane.skills.push(skill('last', { 'scripts/run.sh': 'echo hi' }));
    const sandbox = await startWithStandIns(playground);
    const { skill_count: count } = await sandbox.logged('managed_skills.materialized');
    assert.equal(count, 52);
    assert.equal(skillsIn(sandbox).length, 52);
    assert.equal(statSync(sandbox.path('root/.config/opencode/skills/last/scripts/run.sh')).mode & 0o777, 0o500);
    const asked = playground.controlPlane.requests.filter(({ path }) => path.endsWith('/sandbox-skills'));
    assert.deepEqual(asked.map(({ query }) => query.get('cursor')), [null, '50']);
    await endInOrder(sandbox);
});

test('a skill that a repository brings along wins over the managed one of that name', async (t) => {
    const files = { ...sampleFiles, '.claude/skills/own/SKILL.md': '---\nname: taken\n---\n' };
    const playground = await playgroundFor(t, { repository: { owner: 'acme', name: 'app', files } });
    playground.controlPlane.skills = [skill('taken'), skill('free')];
    const sandbox = await startWithStandIns(playground);
    const { collisions } = await sandbox.logged('managed_skills.collisions_dropped');
    assert.deepEqual(collisions, [{ name: 'taken', paths: [sandbox.inside('/workspace/app/.claude/skills/own')] }]);
    await sandbox.logged('sandbox.startup');
    assert.deepEqual(skillsIn(sandbox), ['free']);
    await endInOrder(sandbox);
});

test('a control plane without managed skills is no failure, and what was there stays', async (t) => {
    const playground = await playgroundFor(t);
    playground.controlPlane.answers[SKILLS_ROUTE] = [404, { error: 'Not found' }];
    const sandbox = await startWithStandIns(playground, {
        files: { 'root/.config/opencode/skills/mine/SKILL.md': 'mine' } });
    assert.equal((await sandbox.logged('managed_skills.unsupported')).status, 404);
    await sandbox.logged('sandbox.startup');
    assert.deepEqual(skillsIn(sandbox), ['mine']);
    await endInOrder(sandbox);
});

test('a control plane of the older era is not asked for skills', async (t) => {
    const playground = await playgroundFor(t, { era: 'older' });
    const sandbox = await startWithStandIns(playground);
    await sandbox.logged('sandbox.startup');
    assert.ok(!playground.controlPlane.requests.some(({ path }) => path.endsWith('/sandbox-skills')));
    await endInOrder(sandbox);
});

test('an answer that fails once is asked for again', async (t) => {
    const playground = await playgroundFor(t);
    const cp = playground.controlPlane;
    cp.answers[SKILLS_ROUTE] = () => {
        delete cp.answers[SKILLS_ROUTE];
        return [503, { error: 'busy' }];
    };
    cp.skills = [skill('one')];
    const sandbox = await startWithStandIns(playground);
    assert.equal((await sandbox.logged('managed_skills.materialized')).skill_count, 1);
    await endInOrder(sandbox);
});

test('a boot that fails while skills are fetched says why it failed, and not that they did', async (t) => {
    const playground = await playgroundFor(t);
    playground.controlPlane.answers[SKILLS_ROUTE] = 'never';
    const sandbox = await startWithStandIns(playground, { branch: 'no-such-branch' });
    assert.equal((await sandbox.exited()).code, 1);
    assert.match(playground.controlPlane.fatalReports[0].error, /no-such-branch/);
    assert.equal(sandbox.logsOf('managed_skills.failed').length, 0, sandbox.output);
});

const escapes = {
    'a name that leads out of the directory': { name: '../../../tmp/out', files: { 'SKILL.md': '---\nname: out\n---\n' } },
    'a path that leads out of the directory': skill('out', { '../../out': 'x' }),
};
for (const [what, bad] of Object.entries(escapes)) {
    test(`${what} ends the boot, nothing of it is written, the earlier skills stay`, async (t) => {
        const playground = await playgroundFor(t);
        playground.controlPlane.skills = [skill('good'), bad];
        const sandbox = await startWithStandIns(playground, {
            files: { 'root/.config/opencode/skills/mine/SKILL.md': 'mine' } });
        assert.equal((await sandbox.exited()).code, 1);
        assert.match(playground.controlPlane.fatalReports[0].error, /managed skills/);
        assert.deepEqual(skillsIn(sandbox), ['mine']);
        assert.ok(!existsSync(sandbox.path('root/.config/opencode/out')) && !existsSync(sandbox.path('tmp/out')));
        assert.ok(!existsSync(sandbox.path('root/.config/opencode/.managed-skills-staging')));
    });
}

/** npm that notes how it is called; `body` is what its `install` does. */
const npm = (body) => `#!/bin/sh
echo "$@" >>"$HOME/npm-calls"
case $1 in
root) echo "$HOME/packages" ;;
*) ${body} ;;
esac
`;
const TOKEN = 'mcp-secret-token-71c2';
const servers = [
    { name: 'one', type: 'local', command: ['npx', '-y', '@acme/one@1.0.0'], env: { ACME_TOKEN: TOKEN } },
    { name: 'two', command: ['npx', 'two'] }, { name: 'bad', command: ['npx', '../bad'] },
    { name: 'web', type: 'remote', url: 'https://mcp.example/sse', headers: { Authorization: `Bearer ${TOKEN}` } },
];

test('packages of MCP servers are installed before OpenCode starts them, but not those that are there', async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, {
        programs: { npm: npm('echo installed') }, env: { SESSION_CONFIG: sessionWith(playground, { mcp_servers: servers }) },
        files: { 'root/packages/two/package.json': '{"version":"3.0.0"}' } });
    const { packages } = await sandbox.logged('mcp.packages_installed');
    assert.deepEqual(packages, ['@acme/one@1.0.0']);
    assert.equal((await sandbox.logged('mcp.invalid_package_name')).package, '../bad');
    assert.equal((await sandbox.logged('mcp.configured')).count, 4);
    await sandbox.logged('sandbox.startup');
    assert.equal(readFileSync(sandbox.path('root/npm-calls'), 'utf8'), 'root -g\ninstall -g @acme/one@1.0.0\n');
    await endInOrder(sandbox);
});

test('npm that fails is a warning, and the boot goes on', async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { programs: { npm: npm('echo no such package; exit 1') },
        env: { SESSION_CONFIG: sessionWith(playground, { mcp_servers: servers }) } });
    const failed = await sandbox.logged('mcp.packages_install_failed');
    assert.deepEqual([failed.level, failed.stderr], ['warning', 'no such package\n']);
    assert.equal((await sandbox.logged('sandbox.startup')).outcome, 'success');
    await endInOrder(sandbox);
});

test('a sandbox that is ended while npm runs is ended at once, npm with it', async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, {
        programs: { npm: npm('sleep 1000') }, env: { SESSION_CONFIG: sessionWith(playground, { mcp_servers: servers }) } });
    await sandbox.logged('mcp.install_packages');
    await endInOrder(sandbox);
});

test('OpenCode is told of the MCP servers, and what it prints of their tokens and of keys is masked', async (t) => {
    const playground = await playgroundFor(t);
    const key = 'sk-ant-key-5501aa';
    const chatty = '#!/bin/sh\nif [ "$1" = serve ]; then echo "$OPENCODE_CONFIG_CONTENT $ANTHROPIC_API_KEY"; fi\nsleep 1000\n';
    const sandbox = await startWithStandIns(playground, { opencode: chatty, env: {
        ANTHROPIC_API_KEY: key, SESSION_CONFIG: sessionWith(playground, { mcp_servers: servers.slice(3) }) } });
    const line = await sandbox.waitFor(() => sandbox.lines.find((text) => text.includes('mcp.example')), { what: 'its line' });
    assert.match(line, /"mcp":\{"web":\{"type":"remote".*"Authorization":"\*\*\*".* \*\*\*$/);
    assert.ok(!sandbox.output.includes(TOKEN) && !sandbox.output.includes(key));
    await endInOrder(sandbox, { limitMs: 20_000 });
});

test('the .opencode of several repositories becomes one: the later wins, with a warning, and no link leads out', async (t) => {
    const web = { 'README.md': 'web', '.opencode/command/hi.md': 'from web', '.opencode/agent/a.md': 'web', '.opencode/node_modules/x': 'x',
        '.opencode/command/sub/deep.md': 'web', '.opencode/theme': 'web' };
    const api = { 'README.md': 'api', '.opencode/command/hi.md': 'from api', '.opencode/skills/s/SKILL.md': 'api', '.opencode/command/sub': 'a file here',
        '.opencode/theme/t.json': '{}' };
    const playground = await playgroundFor(t, { repository: { owner: 'acme', name: 'web', files: web } });
    createRepository(join(playground.dir, 'repositories'), 'acme', 'api', { files: {
        ...api, '.openinspect/setup.sh': 'ln -s /proc/self/environ .opencode/command/env.md; ln -s hi.md .opencode/command/same.md; chmod 666 .opencode/command/hi.md' } });
    const repositories = ['web', 'api'].map((name) => ({ repo_owner: 'acme', repo_name: name, branch: 'main' }));
    const sandbox = await startWithStandIns(playground, {
        bridge: null, env: { SESSION_CONFIG: sessionWith(playground, { repositories }) },
        files: { 'workspace/.opencode/command/stale.md': 'stale', 'workspace/.opencode/node_modules/kept': 'kept' } });
    const warning = await sandbox.stillRuns(playground.controlPlane.waitForEvent('warning'));
    assert.equal(warning.scope, 'assembly');
    assert.match(warning.message, /\.opencode\/command\/hi\.md of acme\/web.*acme\/api; later repositories win/);
    const { file_count: count, repo_count: repositoryCount } = await sandbox.logged('opencode.workspace_assembled');
    assert.deepEqual([count, repositoryCount], [6, 2], 'what lies there, however often it was written (S-277)');
    const [staged] = sandbox.logsOf('opencode.repo_deps_staged');
    assert.ok(staged.dir.endsWith('/workspace/.opencode') && staged.duration_ms >= 0, JSON.stringify(staged));
    const overridden = sandbox.logsOf('supervisor.boot_warning').map(({ warning_message: text }) => text.split(' ')[0]);
    assert.deepEqual(overridden, ['command/hi.md', 'command/sub/deep.md', 'theme'].map((path) => `.opencode/${path}`));
    const read = (path) => readFileSync(sandbox.path('workspace/.opencode', path), 'utf8');
    assert.equal(read('command/hi.md'), 'from api');
    assert.equal(statSync(sandbox.path('workspace/.opencode/command/hi.md')).mode & 0o777, 0o666, 'with its mode (S-275)');
    assert.equal(read('theme/t.json'), '{}');
    assert.equal(read('command/same.md'), 'from api');
    assert.equal(read('agent/a.md'), 'web');
    assert.equal(read('node_modules/kept'), 'kept');
    assert.deepEqual(readdirSync(sandbox.path('workspace/.opencode/command')).sort(), ['hi.md', 'same.md', 'sub']);
    await endInOrder(sandbox);
});

test('a snapshot of an earlier supervisor loses the tools and plugins that this one staged into the checkout', async (t) => {
    const playground = await playgroundFor(t);
    const old = { 'tool/slack-notify.js': 'old', 'tool/spawn-child.js': 'old', 'plugins/codex-auth-plugin.js': 'old' };
    const paths = Object.keys(old).map((path) => `/.opencode/${path}`).sort();
    const files = { ...Object.fromEntries(Object.entries(old).map(([path, text]) => [`workspace/app/.opencode/${path}`, text])),
        'workspace/app/.opencode/tool/mine.js': 'export default {}' };
    const first = await startWithStandIns(playground);
    await first.logged('sandbox.startup');
    const snapshot = first.snapshot(join(playground.dir, 'snapshot'));
    await endInOrder(first);
    const sandbox = await startWithStandIns(playground, { snapshot, env: { RESTORED_FROM_SNAPSHOT: 'true' }, files: { ...files,
        'workspace/app/.git/info/exclude':
            `# BEGIN Open-Inspect runtime assets\n${paths.join('\n')}\n# END Open-Inspect runtime assets\n` } });
    await sandbox.logged('sandbox.startup');
    assert.deepEqual(readdirSync(sandbox.path('workspace/app/.opencode/tool')), ['mine.js']);
    assert.ok(!existsSync(sandbox.path('workspace/app/.opencode/plugins')));
    const excluded = readFileSync(sandbox.path('workspace/app/.git/info/exclude'), 'utf8');
    assert.ok(!excluded.includes('/.opencode/tool/') && excluded.includes('/.opencode/node_modules'), excluded);
    assert.ok(readdirSync(sandbox.path('root/.config/opencode/tool')).includes('spawn-child.js'));
    await endInOrder(sandbox);
});
