// A snapshot that the Python supervisor's sandbox left (contract/supervisor.md section 12) is restored, and ours boots on it: nothing
// of before is in the way, nothing of the user's is lost. Its files are made here as the contract describes them.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { git } from '../../playground/sample-repository.mjs';
import { endInOrder, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const RESTORED = { RESTORED_FROM_SNAPSHOT: 'true', OI_SCM_CRED_CACHE_DIR: undefined };
/** Below a root of its own, so that /usr/local/bin is the snapshot's. */
const restore = (playground, snapshot, env = {}) =>
    startWithStandIns(playground, { snapshot, isolated: false, env: { ...RESTORED, ...env } });
const SCRIPT = '#!/usr/bin/env python3\nfrom sandbox_runtime.git_credential_helper import main\nmain()\n';
const MANIFEST = '{"dependencies":{"@opencode-ai/plugin":"1.18.18"}}\n';
const LOCK = '{"packages":{"":{"dependencies":{"@opencode-ai/plugin":"1.18.18"}}}}\n';
/** The tree that is copied where tools lie (S-283), as far as anybody looks. */
const deps = (directory) => ({
    [`${directory}/package.json`]: MANIFEST, [`${directory}/package-lock.json`]: LOCK,
    [`${directory}/node_modules/@opencode-ai/plugin/package.json`]: '{}' });
const TOOLS = ['create-pull-request', 'slack-notify', 'spawn-child', '_bridge-client'].map((name) => `tool/${name}.js`);
const PLUGINS = ['plugins/codex-auth-plugin.js', 'plugins/provider-token-broker.js'];
const staged = (directory) => Object.fromEntries([...TOOLS, ...PLUGINS].map((path) => [
    `${directory}/.opencode/${path}`, "import { tool } from '@opencode-ai/plugin'\n"]));

/** Everything outside of a checkout that a session leaves. */
const leftBehind = {
    ...deps('root/.config/opencode'),
    'app/opencode-deps/package.json': MANIFEST,
    'root/.config/opencode/skills/old/SKILL.md': '---\nname: old\n---\n',
    'root/.config/opencode/.managed-skills-staging/half/SKILL.md': 'half',
    'root/.local/share/opencode/auth.json': JSON.stringify({
        openai: { type: 'oauth', refresh: 'managed-by-control-plane', access: '', expires: 0 }, anthropic: { type: 'api', key: 'mine' } }),
    'root/.gitconfig': '[credential]\n\thelper = /usr/local/bin/oi-git-credentials\n\tuseHttpPath = true\n[user]\n\tname = Ada\n',
    'usr/local/bin/oi-git-credentials': SCRIPT,
    'usr/local/bin/upload-media': '#!/usr/bin/env node\n',
    'run/oi/scm-creds.json': JSON.stringify({ username: 'u', password: 'of-another-time', expires_at_epoch_ms: 9e12 }),
    'tmp/oi-boot-warnings.jsonl': '{"scope":"setup","message":"of another boot"}\n',
    'tmp/oi-repo-manifest.json': '{"repositories":[]}',
    'tmp/opencode-session-id': 'ses_0123456789',
    'workspace/.tunnels.env': 'TUNNEL_SANDBOX_ID=another\n' };

function putFiles(root, files) {
    for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), text);
    }
}

/** A checkout as the Python leaves it while a session works: on its branch, with a commit, a change, and what was staged. */
function pythonCheckout(playground, root, { origin, exclude }) {
    const checkout = join(root, 'workspace/app');
    git(playground.dir, 'clone', '--quiet', playground.bareRepository, checkout);
    git(checkout, 'remote', 'set-url', 'origin', origin);
    git(checkout, 'checkout', '--quiet', '-b', 'open-inspect/s1');
    git(checkout, 'commit', '--quiet', '--allow-empty', '--message', 'Work');
    writeFileSync(join(checkout, 'notes.txt'), 'untracked');
    if (exclude) {
        writeFileSync(join(checkout, '.git/info/exclude'), ['*.log', '# BEGIN Open-Inspect runtime assets', ...exclude,
            '# END Open-Inspect runtime assets', ''].join('\n'));
    }
    return checkout;
}

test('a session with a repository goes on: its work, its id and its git, without a second set of tools and without npm', async (t) => {
    const playground = await playgroundFor(t);
    const snapshot = join(playground.dir, 'snapshot');
    const paths = [...TOOLS, ...PLUGINS, 'package.json', 'package-lock.json', 'node_modules/'].map((path) => `/.opencode/${path}`).sort();
    const before = pythonCheckout(playground, snapshot, { origin: playground.gitServer.url('acme', 'app'), exclude: paths });
    putFiles(snapshot, { ...leftBehind, ...staged('workspace/app'), ...deps('workspace/app/.opencode') });
    const head = git(before, 'rev-parse', 'HEAD');
    const sandbox = await restore(playground, snapshot);
    await sandbox.logged('sandbox.startup');
    const checkout = sandbox.path('workspace/app');
    const read = (path) => readFileSync(sandbox.path(path), 'utf8');
    assert.equal(git(checkout, 'rev-parse', 'HEAD'), head);
    assert.equal(git(checkout, 'status', '--porcelain'), '?? notes.txt', 'what was staged stays out of the user\'s sight');
    for (const path of [...TOOLS, ...PLUGINS]) assert.ok(!existsSync(join(checkout, '.opencode', path)), path);
    // Both are left: with them OpenCode runs no npm, and they are as large as a new copy would be.
    assert.ok(existsSync(join(checkout, '.opencode/node_modules/@opencode-ai/plugin')));
    assert.equal(read('workspace/app/.opencode/package-lock.json'), LOCK);
    assert.equal(sandbox.logsOf('opencode.global_deps_skip')[0].reason, 'already_present');
    assert.ok(existsSync(sandbox.path('root/.config/opencode/tool/spawn-child.js')));
    assert.match(readlinkSync(sandbox.path('usr/local/bin/oi-git-credentials')), /oi-supervisor/);
    assert.match(readlinkSync(sandbox.path('usr/local/bin/upload-media')), /sandbox_runtime/);
    assert.match(read('root/.gitconfig'), /name = Ada/);
    assert.deepEqual(JSON.parse(read('root/.local/share/opencode/auth.json')), { anthropic: { type: 'api', key: 'mine' } });
    assert.equal(read('tmp/opencode-session-id'), 'ses_0123456789');
    for (const path of ['run/oi/scm-creds.json', 'tmp/oi-boot-warnings.jsonl', 'workspace/.tunnels.env',
        'root/.config/opencode/.managed-skills-staging']) assert.ok(!existsSync(sandbox.path(path)), path);
    assert.equal(sandbox.logs.filter(({ level }) => level === 'error').length, 0, sandbox.output);
    await endInOrder(sandbox);
});

test('a session without a repository goes on: what was staged into the workspace is gone, the user\'s files are not', async (t) => {
    const playground = await playgroundFor(t);
    const snapshot = join(playground.dir, 'snapshot');
    putFiles(snapshot, { ...leftBehind, ...staged('workspace'), ...deps('workspace/.opencode'), 'workspace/report.md': 'mine',
        'workspace/.opencode/tool/mine.js': 'export default {}\n' });
    const sandbox = await restore(playground, snapshot, { REPO_OWNER: undefined, REPO_NAME: undefined,
        SESSION_CONFIG: JSON.stringify({ session_id: playground.controlPlane.sessionId, provider: 'playground', model: 'scripted' }) });
    await sandbox.logged('sandbox.startup');
    for (const path of [...TOOLS, ...PLUGINS]) assert.ok(!existsSync(sandbox.path('workspace/.opencode', path)), path);
    for (const path of ['workspace/report.md', 'workspace/.opencode/tool/mine.js', 'workspace/.opencode/node_modules/@opencode-ai/plugin']) {
        assert.ok(existsSync(sandbox.path(path)), path);
    }
    await endInOrder(sandbox);
});

test('a session of the older contract goes on: the token is out of its origin, and npm has nothing to do', async (t) => {
    const playground = await playgroundFor(t);
    const snapshot = join(playground.dir, 'snapshot');
    const origin = playground.gitServer.url('acme', 'app');
    const checkout = pythonCheckout(playground, snapshot, { origin: origin.replace('https://', 'https://x-access-token:ghs_old@') });
    putFiles(snapshot, {
        'workspace/app/.opencode/tool/create-pull-request.js': "import { tool } from '@opencode-ai/plugin'\n",
        'workspace/app/.opencode/package.json': '{"name":"opencode-tools","type":"module"}',
        'root/modules/@opencode-ai/plugin/package.json': '{}' });
    symlinkSync('../../../root/modules', join(checkout, '.opencode/node_modules'));
    const sandbox = await restore(playground, snapshot);
    await sandbox.logged('sandbox.startup');
    assert.equal(git(sandbox.path('workspace/app'), 'remote', 'get-url', 'origin'), origin);
    assert.equal(git(sandbox.path('workspace/app'), 'log', '-1', '--format=%s'), 'Work');
    assert.match(readFileSync(sandbox.path('workspace/app/.opencode/package-lock.json'), 'utf8'), /@opencode-ai\/plugin/);
    await endInOrder(sandbox);
});
