// The contract's verification table, rows V-2, V-3 and V-5: what a sandbox brings in and what it finds again after a
// snapshot, in both eras (S-536), with stand-ins for OpenCode. V-5 with the real one is in verification-session.test.mjs;
// refused passwords, silent servers, several repositories (V-3) are in supervisor-git.test.mjs.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { repositoryDir } from '../../playground/paths.mjs';
import { git, sampleFiles } from '../../playground/sample-repository.mjs';
import { endInOrder, githubIsHere, playgroundFor, QUICK, startWithStandIns } from './support/sandbox.mjs';

const sanitized = Boolean(process.env.OI_SANITIZED);
const OLDER = { BRIDGE_WS_AUTH: 'query' };
const eras = { current: {}, older: OLDER };
const RESTORED = { RESTORED_FROM_SNAPSHOT: 'true' };
const FROM_IMAGE = { FROM_REPO_IMAGE: 'true' };
let sandboxes = 0;

/** Starts a sandbox of `playground` with an id of its own, as a provider gives it at every start. */
function startAnother(playground, { env = {}, ...options }) {
    playground.controlPlane.sandboxId = `sandbox-acme-app-${++sandboxes}`;
    const older = playground.controlPlane.era === 'older' ? OLDER : {};
    return startWithStandIns(playground, { env: { ...QUICK, ...older, ...env },
        ...(playground.gitServer && { files: { 'root/.gitconfig': githubIsHere(playground) } }), ...options });
}

/** Adds a commit to the branch main of the server's repository; returns its id. */
function commitOnServer(playground, text, ...more) {
    const clone = join(playground.dir, `clone-${++sandboxes}`);
    git(playground.dir, 'clone', '--quiet', playground.bareRepository, clone);
    appendFileSync(join(clone, 'README.md'), `${text}\n`);
    git(clone, 'commit', '--quiet', '--all', '--message', text, ...more);
    git(clone, 'push', '--quiet', '--force', 'origin', 'main');
    rmSync(clone, { recursive: true });
    return git(playground.bareRepository, 'rev-parse', 'main');
}

const revision = (sandbox, name, repository = 'app') => git(sandbox.path('workspace', repository), 'rev-parse', name);

// ---- V-2 ----

const SETUP_S = 5;
const PYTHON_MS = 1070; // its least on a cached boot (S-100): it is not here to be measured
const PYTHON_SLEEPS_MS = 1000; // what of that are sleeps of a fixed length
const MANY = Number(process.env.OI_RESTORES ?? (sanitized ? 3 : 20));
const SOME = Math.min(MANY, 3);
const slowSetup = { ...sampleFiles, '.openinspect/setup.sh': `sleep ${SETUP_S}\n` };

/** A program that is there at once: what is left of a start is the supervisor's and the bridge's. */
function opencodeAtOnce(playground) {
    const program = join(playground.dir, 'opencode');
    execFileSync('cc', ['-o', program, join(repositoryDir, 'tests/bench/opencode_at_once.c')]);
    return program;
}

const ways = {
    current: { restored: [MANY, RESTORED], 'from an image': [SOME, FROM_IMAGE] },
    older: { restored: [SOME, RESTORED] },
};
for (const era of Object.keys(eras)) {
    test(`V-2: sandboxes start from what another left: no clone, no setup.sh, one start.sh (${era} era)`, async (t) => {
        const playground = await playgroundFor(t, { era, repository: { owner: 'acme', name: 'app', files: slowSetup } });
        const options = { bridge: null, opencode: opencodeAtOnce(playground) };
        const first = await startAnother(playground, options);
        const freshReady = await first.stillRuns(playground.controlPlane.ready(1, { timeoutMs: 60_000 }));
        const freshMs = freshReady.receivedAt - first.startedAt;
        const snapshot = first.snapshot(join(playground.dir, 'snapshot'));
        await endInOrder(first);
        for (const [way, [howMany, env]] of Object.entries(ways[era])) {
            const times = [];
            for (let index = 0; index < howMany; index++) {
                const known = playground.controlPlane.eventsOfType('ready').length;
                const sandbox = await startAnother(playground, { ...options, snapshot, env });
                const ready = await sandbox.stillRuns(playground.controlPlane.ready(known + 1));
                times.push(ready.receivedAt - sandbox.startedAt);
                const counts = ['git.clone_start', 'setup.start', 'start.start'].map((event) => sandbox.logsOf(event).length);
                assert.deepEqual(counts, [0, 0, 1]);
                await endInOrder(sandbox);
                await sandbox.remove();
            }
            times.sort((a, b) => a - b);
            const [least, median, most] = [0, Math.floor(howMany / 2), -1].map((at) => Math.round(times.at(at)));
            t.diagnostic(`${howMany} ${way}: ready ${median} ms after exec (${least} to ${most}), ${PYTHON_MS - median} ms before the Python`);
            // On a quiet machine 0.9 s before the Python; on any, however busy, sooner than setup.sh alone takes, and the quickest
            // sooner than what the Python sleeps, or than a fresh boot without setup.sh takes here.
            assert.ok(median < SETUP_S * 1000 && median < freshMs, `${median} ms; fresh ${freshMs} ms`);
            assert.ok(sanitized || least < Math.max(PYTHON_SLEEPS_MS, freshMs - SETUP_S * 1000), `${least} ms`);
        }
    });
}

// ---- V-3 ----

/** The files below the sandbox's own directories in which `secret` stands. */
function filesWith(sandbox, secret) {
    const directories = ['workspace', 'tmp', 'root', 'run'].map((name) => sandbox.path(name));
    try {
        return execFileSync('grep', ['-rlF', '--', secret, ...directories], { encoding: 'utf8' }).trim().split('\n');
    } catch (error) {
        assert.equal(error.status, 1, 'grep found nothing');
        return [];
    }
}

/** Each boot finds a new commit on the server; `follows`: HEAD goes there too. */
const boots = {
    current: [['fresh', {}, true], ['from an image', FROM_IMAGE, true], ['restored', RESTORED, false]],
    older: [['fresh', {}, true], ['started again', {}, true], ['restored', RESTORED, false]],
};
for (const era of Object.keys(eras)) {
    test(`V-3: HEAD is the server's, or as it was when restored, and the password stands in no file (${era} era)`, async (t) => {
        const playground = await playgroundFor(t, { era });
        const { token } = playground.gitServer;
        // The older era has no credential broker: insteadOf has the password, in the user's own file, which is not ours.
        const own = era === 'older' ? {} : { files: {} };
        const foundIn = (sandbox) => filesWith(sandbox, token).filter((file) => file !== sandbox.path('root/.gitconfig'));
        let snapshot, cloned;
        for (const [how, env, follows] of boots[era]) {
            const head = commitOnServer(playground, how);
            const sandbox = await startAnother(playground, { ...own, env, snapshot });
            await sandbox.logged('sandbox.startup');
            assert.equal(revision(sandbox, 'HEAD'), follows ? head : cloned, how);
            assert.equal(revision(sandbox, 'origin/main'), head, how);
            assert.deepEqual(foundIn(sandbox), [], how);
            cloned ??= head;
            snapshot ??= sandbox.snapshot(join(playground.dir, 'snapshot'));
            await endInOrder(sandbox);
            assert.deepEqual(foundIn(sandbox), []);
            if (how === 'restored' && era === 'older') assert.equal(sandbox.logsOf('git.snapshot_status')[0].commits_behind, 2);
        }
    });
}

test('V-3: an owner with a subgroup, a default branch that is not main, one request for the password, a branch that was moved', async (t) => {
    const repository = { owner: 'group/subgroup', name: 'app', branch: 'master' };
    const playground = await playgroundFor(t, { repository });
    const { controlPlane: cp, bareRepository } = playground;
    const session = { session_id: cp.sessionId, repo_owner: repository.owner, repo_name: 'app', provider: 'playground', model: 'scripted' };
    const env = { SESSION_CONFIG: JSON.stringify(session), VCS_CLONE_TOKEN: undefined };
    const asked = () => cp.requests.filter(({ path }) => path.endsWith('/scm-credentials')).length;
    let snapshot;
    for (const mode of [{}, FROM_IMAGE]) {
        const before = asked();
        const sandbox = await startAnother(playground, { files: {}, env: { ...env, ...mode }, snapshot });
        await sandbox.logged('sandbox.startup');
        assert.equal(revision(sandbox, 'HEAD'), git(bareRepository, 'rev-parse', 'master'));
        assert.equal(asked() - before, 1);
        snapshot ??= sandbox.snapshot(join(playground.dir, 'snapshot'));
        await endInOrder(sandbox);
        const clone = join(playground.dir, 'elsewhere'); // what was on the server is there no more
        git(playground.dir, 'clone', '--quiet', bareRepository, clone);
        git(clone, 'commit', '--quiet', '--amend', '--allow-empty', '--message', 'Another first commit');
        git(clone, 'push', '--quiet', '--force', 'origin', 'master');
        rmSync(clone, { recursive: true });
    }
});

// ---- V-5 ----

const WORK = `export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@localhost GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@localhost
git checkout -qb side && echo side > side.txt && git add side.txt && git commit -qm side
echo stashed >> README.md && git stash -q
echo staged > staged.txt && git add staged.txt && echo modified >> README.md && echo untracked > untracked.txt
echo ignored > .setup-ran && echo kept > ../../root/kept.txt
mkdir -p ../../root/.local/share/opencode && echo database > ../../root/.local/share/opencode/opencode.db
echo ses_kept > ../../tmp/opencode-session-id`;

/** What a boot may change: section 12 of the contract, what the fetch brings, and our own mark. */
const CHANGES = [
    /^tmp\/oi-(repo-manifest\.json|boot-warnings\.jsonl)$/, /^root\/\.gitconfig$/, /^root\/\.config\/opencode\//, /^workspace\/AGENTS\.md$/,
    /^workspace\/app\/\.git\/(objects\/|refs\/remotes\/origin\/|logs\/refs\/remotes\/origin\/|FETCH_HEAD$|shallow$|oi-session$|config$|info\/exclude$)/,
    /^workspace\/app\/\.git\/packed-refs$/,
];

/** path -> hash, or the target of a link, of everything below what a snapshot keeps. */
function treeOf(root) {
    const script = `find workspace tmp root -type f -print0 | sort -z | xargs -0 sha256sum; find workspace tmp root -type l -printf '%l  %p\n'`;
    const lines = execFileSync('sh', ['-c', script], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 }).trim().split('\n');
    return new Map(lines.map((line) => [line.slice(line.indexOf('  ') + 2), line.slice(0, line.indexOf('  '))]));
}

/** Paths that are not the same in both, but for those that a boot may change. */
function differences(before, after) {
    const paths = new Set([...before.keys(), ...after.keys()]);
    return [...paths].filter((path) => before.get(path) !== after.get(path) && !CHANGES.some((change) => change.test(path)));
}

const stateOf = (checkout) => [['status', '--porcelain', '--ignored'], ['stash', 'list'], ['for-each-ref', 'refs/heads', 'refs/stash'],
    ['log', '--branches', '--format=%H %s']].map((words) => git(checkout, '--no-optional-locks', ...words));

for (const era of Object.keys(eras)) {
    test(`V-5: a snapshot of a running session keeps every state of every file, also while git holds its lock (${era} era)`, async (t) => {
        const playground = await playgroundFor(t, { era });
        const first = await startAnother(playground, {});
        await first.logged('sandbox.startup');
        execFileSync('bash', ['-euc', WORK], { cwd: first.path('workspace/app') });
        const snapshot = first.snapshot(join(playground.dir, 'snapshot'));
        await endInOrder(first);
        for (const locked of [false, true]) {
            if (locked) writeFileSync(join(snapshot, 'workspace/app/.git/index.lock'), '');
            const before = { tree: treeOf(snapshot), state: stateOf(join(snapshot, 'workspace/app')) };
            const head = commitOnServer(playground, `locked: ${locked}`);
            const sandbox = await startAnother(playground, { env: RESTORED, snapshot });
            assert.equal((await sandbox.logged('sandbox.startup')).git_sync_success, true);
            assert.equal(revision(sandbox, 'origin/main'), head);
            assert.deepEqual(differences(before.tree, treeOf(sandbox.root)), []);
            assert.deepEqual(stateOf(sandbox.path('workspace/app')), before.state);
            // The lock stays, as everything does (S-195); who reads the log is told of it.
            assert.equal(sandbox.logsOf('git.stale_lock').length, locked ? 1 : 0);
            await endInOrder(sandbox);
        }
    });
}

const skill = (name, text) => ({ name, files: { 'SKILL.md': `---\nname: ${name}\ndescription: d\n---\n${text}\n` } });
const OLD = [skill('both', 'old'), skill('only-old', 'old')];
const NEW = [skill('both', 'new'), skill('only-new', 'new')];
const SWAP = '.managed-skills-swap', BACKUP = '.managed-skills-backup', STAGING = '.managed-skills-staging';

/** Where the directories of the old and the new skills are, between the steps of an exchange (S-409, S-410). */
const moments = {
    'the new ones are being written': { skills: 'old', [STAGING]: 'new' },
    'it is noted that they change places': { skills: 'old', [STAGING]: 'new', [SWAP]: null },
    'the old ones are away and the new ones not there yet': { [BACKUP]: 'old', [STAGING]: 'new', [SWAP]: null },
    'the new ones are there, the old ones not removed': { skills: 'new', [BACKUP]: 'old', [SWAP]: null },
    'only the note is left': { skills: 'new', [SWAP]: null },
};

test('V-5: a snapshot while managed skills are exchanged: after the restore they are the old or the new ones, never mixed', async (t) => {
    const playground = await playgroundFor(t, { repository: null });
    const { controlPlane: cp } = playground;
    const kept = { old: join(playground.dir, 'old'), new: join(playground.dir, 'new') };
    let snapshot;
    for (const [which, skills] of [['old', OLD], ['new', NEW]]) {
        cp.skills = skills;
        const sandbox = await startAnother(playground, { snapshot });
        await sandbox.logged('sandbox.startup');
        cpSync(sandbox.path('root/.config/opencode/skills'), kept[which], { recursive: true });
        snapshot ??= sandbox.snapshot(join(playground.dir, 'snapshot'));
        await endInOrder(sandbox);
    }
    const contents = (directory) => execFileSync('sh', ['-c', 'find . -type f | sort | xargs sha256sum'], { cwd: directory, encoding: 'utf8' });
    // A control plane that has none to give (404): what is found must be right by itself.
    cp.answers['GET /sessions/:id/sandbox-skills'] = [404, { error: 'Not found' }];
    for (const [when, places] of Object.entries(moments)) {
        const home = join(snapshot, 'root/.config/opencode');
        for (const name of ['skills', BACKUP, STAGING, SWAP]) rmSync(join(home, name), { recursive: true, force: true });
        for (const [name, which] of Object.entries(places)) {
            if (which) cpSync(kept[which], join(home, name), { recursive: true });
            else writeFileSync(join(home, name), '');
        }
        const sandbox = await startAnother(playground, { env: RESTORED, snapshot });
        await sandbox.logged('sandbox.startup');
        const found = contents(sandbox.path('root/.config/opencode/skills'));
        assert.ok([contents(kept.old), contents(kept.new)].includes(found), `${when}:\n${found}`);
        const left = readdirSync(sandbox.path('root/.config/opencode')).filter((name) => name.startsWith('.managed-skills'));
        assert.deepEqual(left, [], when);
        await endInOrder(sandbox);
    }
});
