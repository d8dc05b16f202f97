// Bringing the repository in: every way in which it fails has an error of its own, in time, and no token is in any.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { issueCertificate, makeAuthority } from '../../playground/certificates.mjs';
import { GitServer } from '../../playground/git-server.mjs';
import { createRepository, git, sampleFiles } from '../../playground/sample-repository.mjs';
import { isPush } from './support/push.mjs';
import { endInOrder, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const REPOSITORY_MISSING = { owner: 'acme', name: 'missing' };
const NEVER_ANSWERS_LIMIT_MS = 100_000;

/** A git server of this playground's repositories with another certificate. */
async function serverWith(t, playground, certificate) {
    const server = await GitServer.start({ root: join(playground.dir, 'repositories'), certificate, token: playground.gitServer.token });
    t.after(() => server.close());
    return server;
}

/** Starts a sandbox whose clone must fail; gives the message of the fatal report. */
async function failedBoot(playground, options) {
    const sandbox = await startWithStandIns(playground, options);
    const { code } = await sandbox.exited({ timeoutMs: NEVER_ANSWERS_LIMIT_MS });
    assert.equal(code, 1, sandbox.output);
    assert.ok(sandbox.logs.some(({ event }) => /^git\.(clone|fetch)_(error|timeout)$/.test(event)), sandbox.output);
    const [report] = playground.controlPlane.fatalReports;
    assert.match(report.error, /acme\//);
    const why = sandbox.logs.find(({ event }) => /^git\.(clone|fetch)_(error|timeout)$/.test(event));
    return JSON.stringify({ ...why, ts: 0, sandbox_id: '', session_id: '' });
}

/** The ways to fail: each prepares a playground and gives the options of its sandbox. */
const failures = {
    'a certificate of another authority': [/authority|issuer|trust|CA\b|certificate/i, async (t, playground) => {
        const other = makeAuthority(playground.dir, 'other');
        return { gitServer: await serverWith(t, playground, issueCertificate(other, 'server', ['localhost'])) };
    }],
    'a certificate for another host': [/name|host/i, async (t, playground) => {
        const certificate = issueCertificate(playground.authority, 'elsewhere', ['elsewhere.example']);
        return { gitServer: await serverWith(t, playground, certificate) };
    }],
    'a wrong password': [/401|authentic|credential|token/i, async (t, playground) => {
        playground.gitServer.token = 'the-server-now-wants-another';
        playground.controlPlane.scmCredentials = { username: 'x-access-token', password: 'wrong-token-2b7d' };
        return { env: { VCS_CLONE_TOKEN: 'wrong-token-2b7d' } };
    }],
    'a missing branch': [/branch.*no-such-branch|no-such-branch/i, async () => ({ branch: 'no-such-branch' })],
    'a missing repository': [/not found|404|exist/i, async (t, playground) => {
        playground.controlPlane.repository = REPOSITORY_MISSING;
        return {};
    }],
    'a server that is not there': [/refused|connect/i, async (t, playground) => {
        const server = await serverWith(t, playground, playground.certificate);
        const { vcsHost, username, token } = server;
        await server.close();
        return { gitServer: { vcsHost, username, token } };
    }],
    'a server that never answers the handshake': [/time|answer|limit|stall/i, async (t, playground) => {
        playground.gitServer.stall = 'connect';
        return {};
    }],
    'a server that never answers the request': [/time|answer|limit|stall/i, async (t, playground) => {
        playground.gitServer.stall = 'answer';
        return {};
    }],
};

test('every way to fail has its own clear error, in time, with the token in none of them', { concurrency: true }, async (t) => {
    const messages = new Map();
    await Promise.all(Object.entries(failures).map(([what, [expected, prepare]]) => t.test(what, async (t) => {
        const playground = await playgroundFor(t);
        const message = await failedBoot(playground, await prepare(t, playground));
        assert.match(message, expected);
        messages.set(what, message);
    })));
    const hanging = (what) => what.includes('never answers');
    const texts = [...messages].filter(([what]) => !hanging(what)).map(([, text]) => text.replace(/:\d{4,5}\b/g, ''));
    assert.equal(new Set(texts).size, texts.length, [...messages].map((pair) => pair.join('\n  ')).join('\n'));
});

test('a clone that stops in the middle is given up, and no half checkout stays', async (t) => {
    const files = { ...sampleFiles, 'big.bin': Array.from({ length: 200_000 }, () => Math.random().toString(36)).join('') };
    const playground = await playgroundFor(t, { repository: { owner: 'acme', name: 'app', files } });
    playground.gitServer.stall = 'pack';
    await failedBoot(playground, {});
    const [sandbox] = playground.sandboxes;
    assert.throws(() => readFileSync(sandbox.path('workspace/app/.git/HEAD')));
});

test('shows progress while it clones', async (t) => {
    const files = { ...sampleFiles };
    for (let index = 0; index < 300; index++) files[`data/${index}.txt`] = Math.random().toString(36).repeat(200);
    const playground = await playgroundFor(t, { repository: { owner: 'acme', name: 'app', files } });
    playground.gitServer.bytesPerSecond = 400_000;
    const sandbox = await startWithStandIns(playground);
    await sandbox.logged('git.progress');
    await sandbox.logged('git.clone_complete');
    await endInOrder(sandbox);
});

test('the clone is shallow, on its branch, with a plain origin', async (t) => {
    const playground = await playgroundFor(t, { repository: { owner: 'acme', name: 'app', branch: 'trunk' } });
    const sandbox = await startWithStandIns(playground, { branch: 'trunk' });
    await sandbox.logged('opencode.ready');
    const checkout = sandbox.path('workspace/app');
    assert.equal(git(checkout, 'rev-parse', '--abbrev-ref', 'HEAD'), 'trunk');
    assert.equal(git(checkout, 'remote', 'get-url', 'origin'), playground.gitServer.url('acme', 'app'));
    assert.equal(git(checkout, 'rev-parse', 'HEAD'), git(playground.bareRepository, 'rev-parse', 'trunk'));
    assert.equal(git(checkout, 'status', '--porcelain'), '');
    await endInOrder(sandbox);
});

test('a branch that nobody chose is the remote\'s own, also in the manifest (S-205)', async (t) => {
    const playground = await playgroundFor(t, { repository: { owner: 'acme', name: 'app', branch: 'trunk' } });
    const sandbox = await startWithStandIns(playground, { env: { SESSION_CONFIG: JSON.stringify({
        session_id: playground.controlPlane.sessionId, provider: 'playground', model: 'scripted' }) } });
    await sandbox.logged('opencode.ready');
    const [{ branch }] = JSON.parse(readFileSync(sandbox.path('tmp/oi-repo-manifest.json'), 'utf8')).repositories;
    assert.equal(branch, 'trunk');
    await endInOrder(sandbox);
});

test('insteadOf in the git configuration of the user is honoured: a github.com session clones from here', async (t) => {
    const playground = await playgroundFor(t, { era: 'older' });
    const { gitServer } = playground;
    const sandbox = await startWithStandIns(playground, { files: {
        'root/.gitconfig': `[url "${gitServer.baseWithToken}"]\n\tinsteadOf = https://github.com/\n` } });
    await sandbox.logged('opencode.ready');
    assert.equal(git(sandbox.path('workspace/app'), 'rev-parse', 'HEAD'), git(playground.bareRepository, 'rev-parse', 'main'));
    await endInOrder(sandbox);
});

test('http.sslCAInfo in the git configuration of the user is honoured', async (t) => {
    const playground = await playgroundFor(t, { secure: false });
    const sandbox = await startWithStandIns(playground, {
        env: { SSL_CERT_FILE: undefined, NODE_EXTRA_CA_CERTS: undefined },
        files: {
            'app/git-authority.pem': readFileSync(playground.bundle, 'utf8'),
            'root/.gitconfig': '[http]\n\tsslCAInfo = ~/../app/git-authority.pem\n' } });
    await sandbox.logged('opencode.ready');
    await endInOrder(sandbox);
});

test('when one of two repositories cannot be cloned, the error names that one', async (t) => {
    const playground = await playgroundFor(t);
    const repositories = [{ repo_owner: 'acme', repo_name: 'app', branch: 'main' }, { repo_owner: 'acme', repo_name: 'nope', branch: 'main' }];
    const session = { session_id: playground.controlPlane.sessionId, provider: 'playground', model: 'scripted', repositories };
    const sandbox = await startWithStandIns(playground, { env: { SESSION_CONFIG: JSON.stringify(session) } });
    const { code } = await sandbox.exited();
    assert.equal(code, 1);
    assert.match(playground.controlPlane.fatalReports[0].error, /acme\/nope/);
    assert.doesNotMatch(playground.controlPlane.fatalReports[0].error, /acme\/app/);
});

/** Answers nothing until `count` repositories have been asked for: clones one after another would wait for ever. */
function holdUntilAllAsk(gitServer, count) {
    const [answer] = gitServer.https.listeners('request');
    const asked = new Set();
    let held = [];
    gitServer.https.removeAllListeners('request');
    gitServer.https.on('request', (request, response) => {
        asked.add(request.url.slice(0, request.url.indexOf('.git/')));
        if (!held) return answer(request, response);
        held.push([request, response]);
        if (asked.size < count) return;
        const all = held;
        held = null;
        for (const exchange of all) answer(...exchange);
    });
}

test('ten repositories are cloned at the same time, with one request for the password, and each can be pushed', async (t) => {
    const playground = await playgroundFor(t);
    const { controlPlane: cp, gitServer } = playground;
    const names = Array.from({ length: 10 }, (_, index) => `part-${index}`);
    const bare = Object.fromEntries(names.map((name) => [name, createRepository(gitServer.root, 'acme', name,
        { files: { 'README.md': `# ${name}\n`, 'src/code.mjs': `export default '${name}';\n` } })]));
    holdUntilAllAsk(gitServer, names.length);
    const session = { session_id: cp.sessionId, provider: 'playground', model: 'scripted',
        repositories: names.map((name) => ({ repo_owner: 'acme', repo_name: name, branch: 'main' })) };
    const sandbox = await startWithStandIns(playground, { bridge: null, env: { SESSION_CONFIG: JSON.stringify(session) } });
    const { repositories } = await sandbox.stillRuns(cp.ready(1, { timeoutMs: 60_000 }));
    const head = (name) => git(bare[name], 'rev-parse', 'main');
    assert.deepEqual(repositories.map(({ position, repoName, baseSha }) => [position, repoName, baseSha]),
        names.map((name, index) => [index, name, head(name)]), 'in the order of the list');
    for (const name of names) {
        assert.equal(git(sandbox.path('workspace', name), 'rev-parse', 'HEAD'), head(name));
        assert.equal(git(sandbox.path('workspace', name), 'status', '--porcelain'), '');
    }
    assert.deepEqual(readdirSync(sandbox.path('workspace')).sort(), ['AGENTS.md', ...names]);
    assert.equal(cp.requests.filter(({ path }) => path.endsWith('/scm-credentials')).length, 1);
    git(sandbox.path('workspace/part-7'), 'commit', '--quiet', '--allow-empty', '--message', 'Work');
    cp.push('work', { name: 'part-7' });
    const { type, repoName, error } = await cp.waitForEvent(isPush, { timeoutMs: 30_000 });
    assert.deepEqual([type, repoName], ['push_complete', 'part-7'], error);
    assert.equal(git(bare['part-7'], 'log', '-1', '--format=%s', 'work'), 'Work');
    assert.throws(() => execFileSync('grep', ['-rq', gitServer.token, sandbox.path('workspace')]), 'no token in a checkout');
    await endInOrder(sandbox);
});

const FROM_IMAGE = { FROM_REPO_IMAGE: 'true' };

/** What a session may leave in its checkout, and how to see that it is still there. */
const sessionWork = {
    'a commit': [(checkout) => git(checkout, 'commit', '--quiet', '--allow-empty', '--message', 'Work'),
        (checkout) => assert.equal(git(checkout, 'log', '-1', '--format=%s', 'main'), 'Work')],
    'a changed file': [(checkout) => appendFileSync(join(checkout, 'README.md'), 'work\n'),
        (checkout) => assert.match(readFileSync(join(checkout, 'README.md'), 'utf8'), /work\n$/)],
};
for (const [mode, env] of Object.entries({ fresh: {}, repo_image: FROM_IMAGE })) {
    test(`a sandbox that is entered again (${mode}) keeps the session's work, and setup.sh does not run again`, async (t) => {
        const playground = await playgroundFor(t);
        const first = await startWithStandIns(playground, { env });
        await first.logged('sandbox.startup');
        const began = git(first.path('workspace/app'), 'rev-parse', 'HEAD');
        await endInOrder(first);
        const other = join(playground.dir, 'other');
        git(playground.dir, 'clone', '--quiet', playground.bareRepository, other);
        git(other, 'commit', '--quiet', '--allow-empty', '--message', 'Meanwhile');
        git(other, 'push', '--quiet', 'origin', 'main');
        for (const [what, [work, assertKept]] of Object.entries(sessionWork)) {
            const snapshot = first.snapshot(join(playground.dir, `left-${what}`));
            work(join(snapshot, 'workspace/app'));
            const before = git(join(snapshot, 'workspace/app'), 'rev-parse', 'HEAD');
            const again = await startWithStandIns(playground, { env, snapshot });
            await again.logged('sandbox.startup');
            const checkout = again.path('workspace/app');
            assertKept(checkout);
            assert.equal(git(checkout, 'rev-parse', 'HEAD'), before, what);
            assert.equal(git(checkout, 'log', '-1', '--format=%s', 'origin/main'), 'Meanwhile', what);
            assert.equal(again.logsOf('setup.start').length, 0, what);
            const [{ baseSha }] = JSON.parse(readFileSync(again.path('tmp/oi-repo-manifest.json'), 'utf8')).repositories;
            assert.equal(baseSha, began, `${what}: the baseline is the one that the control plane pinned at the first boot`);
            await endInOrder(again);
        }
    });
}
