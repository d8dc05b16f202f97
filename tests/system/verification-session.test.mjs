// The contract's verification table, rows V-4 to V-7 with the real OpenCode and a scripted model, in both eras (S-536): one
// conversation each, because its start is what takes time.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { git, sampleFiles } from '../../playground/sample-repository.mjs';
import { BOOT_LIMIT_MS, endInOrder, githubIsHere, playgroundFor, PROMPT_LIMIT_MS, QUICK } from './support/sandbox.mjs';

/** Where somebody listens on OpenCode's port, as the kernel says it: "0100007F:1000" is 127.0.0.1. */
const listenersOfOpencode = (sandbox) => ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${sandbox.pid}/net/${table}`, 'utf8').split('\n').map((line) => line.trim().split(/\s+/))
        .filter(([, local, , state]) => local?.endsWith(':1000') && state === '0A').map(([, local]) => local));

/** Answers of OpenCode, asked with curl inside the sandbox. */
function curlInside(sandbox, path) {
    const inside = sandbox.isolated ? ['nsenter', `--mount=/proc/${sandbox.pid}/ns/mnt`, `--root=/proc/${sandbox.pid}/root`] : [];
    const words = [...inside, 'curl', '--silent', '--show-error', '--fail', '--noproxy', '*', `http://localhost:4096${path}`];
    const { status, stdout, stderr } = spawnSync(words[0], words.slice(1), { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
}

const WORK = `export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@localhost GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@localhost
git checkout -qb side && echo side > side.txt && git add side.txt && git commit -qm side
echo stashed >> README.md && git stash -q
echo staged > staged.txt && git add staged.txt && echo modified >> README.md && echo untracked > untracked.txt
echo ignored > ignored.txt && echo kept > ../../root/kept.txt`;

/** Hashes of every file of the checkout but git's own, and what git knows of it. */
function stateOf(sandbox) {
    const app = sandbox.path('workspace/app');
    const files = execFileSync('sh', ['-c', 'find . -path ./.git -prune -o -type f -print | sort | xargs sha256sum'],
        { cwd: app, encoding: 'utf8' });
    const known = [['status', '--porcelain', '--ignored'], ['stash', 'list'], ['branch', '-vv'],
        ['log', '--branches', '--format=%H %s']];
    return { files, known: known.map((words) => git(app, ...words)), kept: readFileSync(sandbox.path('root/kept.txt'), 'utf8') };
}

// 50 ms to notice it, and 200 ms above its own start, are the promise (make bench); a probe would come after 15 s.
const AT_ONCE_MS = 3000;
const SHUTDOWN_LIMIT_MS = 16_000; // S-534
const NOWHERE = 'http://127.0.0.1:9';
const eras = {
    current: { env: { OPENCODE_SERVER_PASSWORD: 'a password of the user' }, tools: ['create-pull-request', 'spawn-child', 'send-child-prompt',
        'get-child-status', 'cancel-child'] },
    older: { env: { BRIDGE_WS_AUTH: 'query', HTTP_PROXY: NOWHERE, http_proxy: NOWHERE, NO_PROXY: 'localhost,127.0.0.1' },
        tools: ['create-pull-request'] },
};

for (const [era, { env: eraEnv, tools: wantedTools }] of Object.entries(eras)) {
    // The sanitized programs have met the real OpenCode in end-to-end.test.mjs.
    test(`V-4 to V-7 with the real OpenCode (${era} era)`, { skip: process.env.OI_SANITIZED ? 'takes long' : false }, async (t) => {
        const repositoryFiles = { ...sampleFiles, '.gitignore': '.setup-ran\nignored.txt\n' };
        const playground = await playgroundFor(t, { era, repository: { owner: 'acme', name: 'app', files: repositoryFiles } });
        const { controlPlane: cp, modelServer } = playground;
        const options = { env: { ...QUICK, ...eraEnv }, files: { 'root/.gitconfig': githubIsHere(playground) } };
        let sandbox = await playground.startSandbox(options);
        await sandbox.stillRuns(cp.ready(1, { timeoutMs: BOOT_LIMIT_MS }));
        const ask = async (text) => {
            const id = cp.prompt(text);
            const completion = await sandbox.stillRuns(cp.completionOf(id, { timeoutMs: PROMPT_LIMIT_MS }));
            assert.equal(completion.success, true, completion.error);
            return cp.textOf(id);
        };
        const sessionOf = () => readFileSync(sandbox.path('tmp/opencode-session-id'), 'utf8').trim();
        const lastRequest = () => JSON.stringify(modelServer.requests.at(-1).body);
        let session;

        await t.test(`V-4: OpenCode answers as healthy, on loopback only, with the tools of the era (${era} era)`, async () => {
            assert.equal(curlInside(sandbox, '/global/health').healthy, true);
            assert.deepEqual(listenersOfOpencode(sandbox), ['0100007F:1000']);
            const tools = curlInside(sandbox, `/experimental/tool/ids?directory=${encodeURIComponent(sandbox.inside('/workspace/app'))}`);
            for (const name of wantedTools) assert.ok(tools.includes(name), `${name}: ${JSON.stringify(tools)}`);
            if (era === 'older') assert.ok(!tools.some((name) => name.includes('child')), JSON.stringify(tools));
        });

        await t.test(`V-7: the second prompt knows the first, in the same session of OpenCode (${era} era)`, async () => {
            await ask('my favourite number is 4711');
            session = sessionOf();
            assert.match(session, /^ses_/);
            assert.match(await ask('what did I say?'), /my favourite number is 4711/);
            assert.equal(sessionOf(), session);
        });

        await t.test(`V-6, V-7: likewise when OpenCode was killed between them, which was noticed at once (${era} era)`, async () => {
            const { duration_ms: ownStartMs } = sandbox.logsOf('opencode.ready')[0];
            const killedAt = Date.now();
            process.kill(sandbox.find('opencode serve').pid, 'SIGKILL');
            const crash = await sandbox.logged('opencode.crash');
            const ready = await sandbox.logged('opencode.ready', { count: 2, timeoutMs: BOOT_LIMIT_MS });
            t.diagnostic(`noticed after ${crash.ts - killedAt} ms, ready after ${ready.ts - killedAt} ms; its own start took ${ownStartMs} ms`);
            assert.ok(crash.ts - killedAt < AT_ONCE_MS, `noticed after ${crash.ts - killedAt} ms`);
            assert.ok(ready.ts - killedAt < AT_ONCE_MS + 5 * ownStartMs, `ready after ${ready.ts - killedAt} ms, own start ${ownStartMs} ms`);
            await ask('what did I say?');
            assert.match(lastRequest(), /favourite number is 4711/);
            assert.equal(sessionOf(), session);
        });

        await t.test(`V-5, V-7: a snapshot keeps every state of every file, and the session, over a restore (${era} era)`, async () => {
            execFileSync('bash', ['-euc', WORK], { cwd: sandbox.path('workspace/app') });
            const before = stateOf(sandbox);
            const snapshot = sandbox.snapshot(join(playground.dir, 'snapshot'));
            await endInOrder(sandbox, { limitMs: SHUTDOWN_LIMIT_MS });
            await cp.waitFor(() => cp.socket === null, { what: 'the end of the old connection' });
            const known = cp.eventsOfType('ready').length; // while we copied nobody answered its pings: there may be more than one
            sandbox = await playground.startSandbox({ ...options, env: { ...options.env, RESTORED_FROM_SNAPSHOT: 'true' }, snapshot });
            const { opencodeSessionId } = await sandbox.stillRuns(cp.ready(known + 1, { timeoutMs: BOOT_LIMIT_MS }));
            assert.deepEqual(stateOf(sandbox), before);
            if (era === 'current') assert.equal(opencodeSessionId, session, 'ready says so');
            await ask('what did I say?');
            assert.match(lastRequest(), /favourite number is 4711/);
            assert.equal(sessionOf(), session);
            await endInOrder(sandbox, { limitMs: SHUTDOWN_LIMIT_MS });
        });
    });
}
