// The credential helper in a whole sandbox: the boot installs it, hooks and the agent use git without a thought, and no
// password is in any file of the sandbox, before or after its end.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { createRepository, git, sampleFiles } from '../../playground/sample-repository.mjs';
import { after, endInOrder, githubIsHere, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const LAUNCHER_GIVES_NONE = { VCS_CLONE_TOKEN: undefined };

/** A setup.sh that works as an agent does. */
const SETUP = `#!/bin/bash
set -e
export GIT_SSL_CAINFO=$SSL_CERT_FILE
git config --global --get credential.useHttpPath >../use-http-path
git fetch origin
git -c user.name=A -c user.email=a@b commit --quiet --allow-empty --message 'By the agent'
git push origin HEAD:refs/heads/by-the-agent
git clone --quiet "$(git remote get-url origin | sed s/app.git/sibling.git/)" ../sibling-by-hook
`;

function filesWith(dir, secret) {
    return readdirSync(dir, { recursive: true, withFileTypes: true })
        .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
        .filter((file) => lstatSync(file).isFile() && readFileSync(file).includes(secret));
}

function requestsFor(playground) {
    return playground.controlPlane.requests.filter(({ path }) => path.endsWith('/scm-credentials'));
}

test('a session without any token in its environment clones, and its hooks use git, with one request', async (t) => {
    const files = { ...sampleFiles, '.openinspect/setup.sh': SETUP };
    const playground = await playgroundFor(t, { repository: { owner: 'acme', name: 'app', files } });
    createRepository(join(playground.dir, 'repositories'), 'acme', 'sibling');
    const sandbox = await startWithStandIns(playground, { env: LAUNCHER_GIVES_NONE });
    await sandbox.logged('opencode.ready');
    assert.ok(!sandbox.logs.some(({ event }) => event === 'setup.failed'), sandbox.output);
    assert.equal(git(playground.bareRepository, 'log', '-1', '--format=%s', 'by-the-agent'), 'By the agent');
    assert.ok(existsSync(sandbox.path('workspace/sibling-by-hook/README.md')));
    assert.equal(readFileSync(sandbox.path('workspace/use-http-path'), 'utf8'), 'true\n');
    assert.equal(requestsFor(playground).length, 1);
    const allowed = (file) => /scm-creds\.json$/.test(file);
    const { token } = playground.gitServer;
    assert.deepEqual(filesWith(sandbox.root, token).filter((file) => !allowed(file)), []);
    for (const { command } of sandbox.processes()) assert.ok(!command.join(' ').includes(token));
    await endInOrder(sandbox);
    assert.deepEqual(filesWith(sandbox.root, token), []);
});

test('two repositories share one request', async (t) => {
    const playground = await playgroundFor(t);
    createRepository(join(playground.dir, 'repositories'), 'acme', 'other');
    const repositories = ['app', 'other'].map((name) => ({ repo_owner: 'acme', repo_name: name, branch: 'main' }));
    const session = { session_id: playground.controlPlane.sessionId, provider: 'playground', model: 'scripted', repositories };
    const sandbox = await startWithStandIns(playground, { env: { ...LAUNCHER_GIVES_NONE, SESSION_CONFIG: JSON.stringify(session) } });
    await sandbox.logged('opencode.ready');
    assert.ok(existsSync(sandbox.path('workspace/other/README.md')));
    assert.equal(requestsFor(playground).length, 1);
    await endInOrder(sandbox);
});

test('the user\'s own git configuration stays, but for the two keys', async (t) => {
    const playground = await playgroundFor(t);
    const sandbox = await startWithStandIns(playground, { files: {
        'root/.gitconfig': '# mine\n[user]\n\tname = Ada\n[credential]\n\thelper = store\n\thelper = cache\n' } });
    await sandbox.logged('opencode.ready');
    const text = readFileSync(sandbox.path('root/.gitconfig'), 'utf8');
    assert.match(text, /# mine\n\[user\]\n\tname = Ada\n/);
    assert.deepEqual(text.match(/helper = .*/g), [`helper = ${sandbox.inside('/usr/local/bin/oi-git-credentials')}`]);
    assert.match(text, /useHttpPath = true/);
    await endInOrder(sandbox);
});

test('what a snapshot or an image has in its cache is forgotten before anything uses it', async (t) => {
    for (const mode of ['RESTORED_FROM_SNAPSHOT', 'FROM_REPO_IMAGE']) {
        const playground = await playgroundFor(t);
        const sandbox = await startWithStandIns(playground, {
            files: { 'run/oi/scm-creds.json': JSON.stringify({
                username: 'x-access-token', password: 'of-another-session', expires_at_epoch_ms: 9e12 }) },
            env: { ...LAUNCHER_GIVES_NONE, [mode]: 'true', OI_SCM_CRED_CACHE_DIR: process.getuid() === 0 ? '/run/oi' : undefined },
        });
        await sandbox.logged('opencode.ready');
        assert.deepEqual(filesWith(sandbox.root, 'of-another-session'), [], mode);
        await endInOrder(sandbox);
    }
});

test('a control plane that refuses ends the boot of a fresh session, with its words', async (t) => {
    const playground = await playgroundFor(t);
    playground.controlPlane.answers['POST /sessions/:id/scm-credentials'] = [502, { error: 'GitHub is down' }];
    const sandbox = await startWithStandIns(playground, { env: LAUNCHER_GIVES_NONE });
    const { code } = await sandbox.exited();
    assert.equal(code, 1);
    assert.match(playground.controlPlane.fatalReports[0].error, /acme\/app.*HTTP 502.*GitHub is down/);
});

test('a session of the older contract: its token serves github.com, by the helper alone, and no control plane is asked', async (t) => {
    const files = { ...sampleFiles, '.openinspect/setup.sh': `#!/bin/bash
printf "protocol=https\\nhost=github.com\\n\\n" | git credential fill | sha256sum >../answer
env --unset=GITHUB_APP_TOKEN ~/../usr/local/bin/oi-git-credentials --legacy-env gh-token >../for-gh 2>&1
` };
    const playground = await playgroundFor(t, { era: 'older', repository: { owner: 'acme', name: 'app', files } });
    const { gitServer } = playground;
    // As in our image, where git knows the helper in every session; and there is a gh.
    const sandbox = await startWithStandIns(playground, {
        isolated: false, around: after('chmod +x "$HOME/../usr/bin/gh"; export GIT_CONFIG_SYSTEM="$HOME/system-gitconfig"'),
        files: {
            'root/.gitconfig': githubIsHere(playground), 'usr/bin/gh': '#!/bin/sh\n',
            'root/system-gitconfig': '[credential]\n\thelper = !$HOME/../usr/local/bin/oi-git-credentials\n' } });
    await sandbox.logged('opencode.ready');
    assert.match(readFileSync(sandbox.path('root/.gitconfig'), 'utf8'), /helper = .*oi-git-credentials --legacy-env\n/);
    const expected = `protocol=https\nhost=github.com\nusername=x-access-token\npassword=${gitServer.token}\n`;
    assert.equal(readFileSync(sandbox.path('workspace/answer'), 'utf8').split(' ')[0], createHash('sha256').update(expected).digest('hex'));
    assert.equal(readFileSync(sandbox.path('workspace/for-gh'), 'utf8'), '');
    assert.ok(!existsSync(sandbox.path('usr/local/bin/gh')), 'nor by a wrapper of gh (S-104, S-105)');
    assert.equal(requestsFor(playground).length, 0);
    await endInOrder(sandbox);
});
