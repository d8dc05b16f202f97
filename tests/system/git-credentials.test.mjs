// git, as the agent calls it, gets its password from the control plane by the credential helper, and nothing keeps it.
// Here the helper and the real git alone; with a whole sandbox around them: git-credentials-sandbox.test.mjs.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { supervisorProgram } from '../../playground/paths.mjs';
import { git } from '../../playground/sample-repository.mjs';
import { playgroundFor } from './support/sandbox.mjs';

// The wrapper prefers the real one; where that is installed, ours could not take its place.
const realGh = existsSync('/usr/bin/gh') && '/usr/bin/gh is installed here';
const ROUTE = 'POST /sessions/:id/scm-credentials';
const SPARE_MS = 300_000; // a cached password must be good for so long
const LONG_MS = 3_600_000;
const SLOW_MS = 1000;
const REQUEST_LIMIT_MS = 15_000;

/** A playground whose session's git is configured as a booted sandbox has it, and the ways to call it. */
async function machineFor(t) {
    const playground = await playgroundFor(t, {});
    const { controlPlane, gitServer, dir } = playground;
    const path = (...parts) => join(dir, 'machine', ...parts);
    const memory = mkdtempSync('/dev/shm/oi-test-'); // nothing is kept on a disk
    t.after(() => rmSync(memory, { recursive: true, force: true }));
    const cachePath = (...parts) => join(memory, 'cache', ...parts);
    const helper = path('bin', 'oi-git-credentials');
    mkdirSync(path('bin'), { recursive: true });
    copyFileSync(supervisorProgram, path('bin', 'oi-supervisor'));
    symlinkSync('oi-supervisor', helper);
    symlinkSync('oi-supervisor', path('bin', 'gh'));
    writeFileSync(path('gitconfig'), `[credential]\n\thelper = ${helper}\n\tuseHttpPath = true\n`);
    const env = {
        PATH: `${path('bin')}:${process.env.PATH}`, HOME: path(), LANG: 'C',
        ASAN_OPTIONS: process.env.ASAN_OPTIONS, UBSAN_OPTIONS: process.env.UBSAN_OPTIONS,
        GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: path('gitconfig'), GIT_TERMINAL_PROMPT: '0',
        GIT_SSL_CAINFO: playground.bundle, SSL_CERT_FILE: playground.bundle,
        OI_SCM_CRED_CACHE_DIR: cachePath(), VCS_HOST: gitServer.vcsHost, ...controlPlane.environment(),
        SESSION_CONFIG: JSON.stringify({ session_id: controlPlane.sessionId }),
    };
    /** Runs a program to its end: { code, out, err, ms }. */
    const run = async (command, args, { input = '', ...changes } = {}) => {
        const startedAt = performance.now();
        const all = Object.entries({ ...env, ...changes }).filter(([, value]) => value !== undefined);
        const child = spawn(command, args, { cwd: path(), env: Object.fromEntries(all) });
        const texts = { out: '', err: '' };
        child.stdout.on('data', (data) => { texts.out += data; });
        child.stderr.on('data', (data) => { texts.err += data; });
        child.stdin.on('error', () => {}); // gh reads nothing
        child.stdin.end(input);
        const [code] = await once(child, 'close');
        return { code, ...texts, ms: performance.now() - startedAt };
    };
    const asked = () => controlPlane.requests.filter((request) => request.path.endsWith('/scm-credentials'));
    /** A new password at the host, and what the control plane says of it. */
    const rotate = (password, lifeMs) => {
        gitServer.token = password;
        controlPlane.answers[ROUTE] = () => [200, { username: 'x-access-token', password, scm_provider: 'github',
            expires_at_epoch_ms: Date.now() + lifeMs }];
    };
    const ask = (host = gitServer.vcsHost, changes = {}) => run(helper, ['get'], { input: `protocol=https\nhost=${host}\n\n`, ...changes });
    const url = gitServer.url('acme', 'app');
    return { playground, controlPlane, gitServer, path, cachePath, helper, run, ask, asked, rotate, url,
        git: (...args) => run('git', args), listRemote: () => run('git', ['ls-remote', url]) };
}

/** Every file below `dir` that holds `secret`. */
function filesWith(dir, secret) {
    return readdirSync(dir, { recursive: true, withFileTypes: true })
        .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
        .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() && readFileSync(file).includes(secret));
}

test('git clones, fetches and pushes with one request, and only the cache knows the password', async (t) => {
    const machine = await machineFor(t);
    machine.rotate('short-lived-password-1', LONG_MS);
    const checkout = machine.path('app');
    const traced = await machine.run('git', ['clone', machine.url, checkout], { GIT_TRACE: '1', GIT_CURL_VERBOSE: undefined });
    assert.equal(traced.code, 0, traced.err);
    git(checkout, 'commit', '--quiet', '--allow-empty', '--message', 'Mine');
    for (const command of [['fetch'], ['push', 'origin', 'HEAD:refs/heads/mine']]) {
        const done = await machine.git('-C', checkout, ...command);
        assert.equal(done.code, 0, done.err);
    }
    assert.equal(machine.asked().length, 1);
    const [{ headers, bytes, path }] = machine.asked();
    assert.equal(path, `/sessions/${machine.controlPlane.sessionId}/scm-credentials`);
    assert.equal(headers.authorization, `Bearer ${machine.controlPlane.token}`);
    assert.equal(bytes.length, 0);
    assert.ok(!traced.err.includes('short-lived-password-1'), 'the trace of commands has the password');
    assert.deepEqual(filesWith(machine.path(), 'short-lived-password-1'), []);
    assert.deepEqual(filesWith(machine.cachePath(), 'short-lived-password-1'), [machine.cachePath('scm-creds.json')]);
    assert.equal(statSync(machine.cachePath('scm-creds.json')).mode & 0o777, 0o600);
    assert.equal(statSync(machine.cachePath()).mode & 0o777, 0o700);
    assert.equal(JSON.parse(readFileSync(machine.cachePath('scm-creds.json'))).scm_provider, 'github');
});

test('a password that is about to expire is not used: the next git asks for a new one', async (t) => {
    const machine = await machineFor(t);
    machine.rotate('expires-too-soon', SPARE_MS - 1000);
    assert.equal((await machine.listRemote()).code, 0);
    machine.rotate('the-next-password', LONG_MS);
    assert.equal((await machine.listRemote()).code, 0);
    assert.equal((await machine.listRemote()).code, 0);
    assert.equal(machine.asked().length, 2);
});

test('a password that the host takes back early costs one failure: git erases it, the next git has a new one', async (t) => {
    const machine = await machineFor(t);
    machine.rotate('first-password', LONG_MS);
    assert.equal((await machine.listRemote()).code, 0);
    machine.rotate('second-password', LONG_MS);
    const refused = await machine.listRemote();
    assert.notEqual(refused.code, 0);
    assert.match(refused.err, /Authentication failed/);
    assert.equal((await machine.listRemote()).code, 0);
    assert.equal(machine.asked().length, 2);
});

test('twenty gits at once share one request', async (t) => {
    const machine = await machineFor(t);
    const { answers, scmCredentials } = machine.controlPlane;
    answers[ROUTE] = () => sleep(SLOW_MS, [200, { ...scmCredentials, expires_at_epoch_ms: Date.now() + LONG_MS }]);
    const all = await Promise.all(Array.from({ length: 20 }, () => machine.listRemote()));
    assert.deepEqual(all.filter(({ code }) => code !== 0), []);
    assert.equal(machine.asked().length, 1);
});

test('twenty at once also share a refusal, and do not ask one after another', async (t) => {
    const machine = await machineFor(t);
    machine.controlPlane.answers[ROUTE] = () => sleep(SLOW_MS, [502, { error: 'GitHub is down' }]);
    const all = await Promise.all(Array.from({ length: 20 }, () => machine.ask()));
    for (const { code, out, err } of all) {
        assert.equal(code, 1);
        assert.equal(out, '');
        assert.match(err, /^\[oi-git-credentials\] .*HTTP 502.*GitHub is down/);
    }
    assert.equal(machine.asked().length, 1);
    machine.rotate('works-again', LONG_MS);
    assert.match((await machine.ask()).out, /password=works-again/);
});

test('a refusal says its status and at most 200 characters, nothing is answered, and no old password is used', async (t) => {
    const machine = await machineFor(t);
    machine.rotate('an-old-password', SPARE_MS - 1000);
    await machine.ask();
    for (const status of [400, 401, 403, 404, 500, 501, 502]) {
        machine.controlPlane.answers[ROUTE] = [status, Buffer.from(`no: ${'x'.repeat(500)}`), 'text/plain'];
        const { code, out, err } = await machine.ask();
        assert.equal(code, 1);
        assert.equal(out, '');
        assert.match(err, new RegExp(`HTTP ${status}\\): no: x{196}\n$`));
    }
    for (const body of [{}, { username: 'u', password: '', expires_at_epoch_ms: 9e12 }, { username: 'u', password: 'p' },
        { username: 'u', password: 'p\nhost=evil', expires_at_epoch_ms: 9e12 }]) {
        machine.controlPlane.answers[ROUTE] = [200, body];
        const { code, out, err } = await machine.ask();
        assert.equal(code, 1);
        assert.equal(out, '');
        assert.match(err, /no credential/);
    }
});

test('a redirect is not followed: the bearer goes to nobody else', async (t) => {
    const machine = await machineFor(t);
    machine.controlPlane.answers[ROUTE] = [302, {}];
    const { code, err } = await machine.ask();
    assert.equal(code, 1);
    assert.match(err, /HTTP 302/);
});

test('a control plane that is gone or never answers is given up in time, and git does not wait at a prompt', { timeout: 60_000 }, async (t) => {
    const machine = await machineFor(t);
    machine.controlPlane.answers[ROUTE] = 'never';
    const silent = await machine.listRemote();
    assert.notEqual(silent.code, 0);
    assert.ok(silent.ms > REQUEST_LIMIT_MS - 100 && silent.ms < REQUEST_LIMIT_MS + 4000, `${silent.ms} ms`);
    assert.match(silent.err, /\[oi-git-credentials\] /);
    const gone = await machine.ask(machine.gitServer.vcsHost, { CONTROL_PLANE_URL: 'https://127.0.0.1:1' });
    assert.equal(gone.code, 1);
    assert.ok(gone.ms < 4000, `${gone.ms} ms`);
    assert.match(gone.err, /refused/);
});

test('a certificate that nobody trusts is refused', async (t) => {
    const machine = await machineFor(t);
    const { code, out, err } = await machine.ask(machine.gitServer.vcsHost, { SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt' });
    assert.equal(code, 1);
    assert.equal(out, '');
    assert.match(err, /certificate|trust/i);
    assert.equal(machine.asked().length, 0);
});

test('only the host of the session is served; for others git asks its next helper', async (t) => {
    const machine = await machineFor(t);
    for (const host of ['github.com', 'evil.example', `${machine.gitServer.vcsHost}.evil.example`]) {
        const { code, out, err } = await machine.ask(host);
        assert.equal(code, 0);
        assert.equal(out, '');
        assert.match(err, /not for /);
    }
    const plain = await machine.run(machine.helper, ['get'], { input: `protocol=http\nhost=${machine.gitServer.vcsHost}\n\n` });
    assert.deepEqual([plain.code, plain.out], [0, '']);
    assert.equal(machine.asked().length, 0);
});

test('a live session that lacks its token is refused, although another token lies around', async (t) => {
    const machine = await machineFor(t);
    const { code, out, err } = await machine.ask(machine.gitServer.vcsHost, { SANDBOX_AUTH_TOKEN: undefined, VCS_CLONE_TOKEN: 'lies-around' });
    assert.equal(code, 1);
    assert.equal(out, '');
    assert.match(err, /SANDBOX_AUTH_TOKEN/);
});

test('without a session the token of the launcher is given and not kept', async (t) => {
    const machine = await machineFor(t);
    const build = { CONTROL_PLANE_URL: undefined, SANDBOX_AUTH_TOKEN: undefined, SESSION_CONFIG: '{}', VCS_CLONE_TOKEN: 'of-the-launcher' };
    assert.equal((await machine.ask(machine.gitServer.vcsHost, build)).out, 'username=x-access-token\npassword=of-the-launcher\n\n');
    assert.ok(!existsSync(machine.cachePath()));
    const refused = await machine.ask(machine.gitServer.vcsHost, { ...build, VCS_CLONE_TOKEN: undefined });
    assert.equal(refused.code, 1);
});

test('without a place for the cache the password is given all the same, and that is said', async (t) => {
    const machine = await machineFor(t);
    const { code, out, err } = await machine.ask(machine.gitServer.vcsHost, { OI_SCM_CRED_CACHE_DIR: '/dev/null/cache' });
    assert.equal(code, 0);
    assert.match(out, /^username=.*\npassword=.*\n\n$/);
    assert.match(err, /\/dev\/null/);
});

test('a place for the cache on a disk is not used: one in memory is, or none, and a snapshot finds nothing', async (t) => {
    const machine = await machineFor(t);
    machine.rotate('not-for-a-disk', LONG_MS);
    const onDisk = { OI_SCM_CRED_CACHE_DIR: machine.path('on-disk') };
    const answers = [];
    for (let i = 0; i < 2; i++) answers.push(await machine.ask(machine.gitServer.vcsHost, onDisk));
    for (const { code, out } of answers) assert.deepEqual([code, out], [0, 'username=x-access-token\npassword=not-for-a-disk\n\n']);
    assert.deepEqual(filesWith(machine.path(), 'not-for-a-disk'), []);
    assert.ok(!existsSync(machine.path('on-disk')));
    if (machine.asked().length > 1) assert.match(answers[0].err, /^\[oi-git-credentials\] .* on a disk/);
    else assert.equal(answers[0].err, '');
    const refusal = `protocol=https\nhost=${machine.gitServer.vcsHost}\npassword=not-for-a-disk\n\n`;
    await machine.run(machine.helper, ['erase'], { input: refusal, ...onDisk });
});

test('store and everything else are read to the end and silent', async (t) => {
    const machine = await machineFor(t);
    for (const word of ['store', 'erase', 'capability']) {
        const { code, out, err } = await machine.run(machine.helper, [word], { input: `x=${'y'.repeat(300_000)}\n` });
        assert.deepEqual([code, out, err], [0, '', '']);
    }
});

test('gh gets the password in its environment only, keeps its own token, and works when nobody gives one', { skip: realGh }, async (t) => {
    const machine = await machineFor(t);
    mkdirSync(machine.path('real'));
    writeFileSync(machine.path('real', 'gh'), '#!/bin/sh\necho "$GH_TOKEN|$*"\nexit 7\n', { mode: 0o755 });
    const PATH = `${machine.path('bin')}:${machine.path('real')}:${process.env.PATH}`;
    const gh = (changes) => machine.run('gh', ['pr', 'list', '--json', 'a b'], { PATH, VCS_HOST: undefined, ...changes });
    machine.rotate('for-gh-too', LONG_MS);
    assert.deepEqual(await gh().then(({ code, out }) => [code, out]), [7, 'for-gh-too|pr list --json a b\n']);
    assert.equal((await gh({ GH_TOKEN: 'own' })).out, 'own|pr list --json a b\n');
    assert.equal((await gh({ GITHUB_TOKEN: 'own' })).out, '|pr list --json a b\n');
    assert.equal((await gh({ GITHUB_TOKEN: 'ours', OI_GITHUB_TOKEN_IS_FALLBACK: '1' })).out, 'for-gh-too|pr list --json a b\n');
    assert.equal((await gh({ VCS_HOST: 'gitlab.com' })).out, '|pr list --json a b\n');
    rmSync(machine.cachePath(), { recursive: true });
    machine.controlPlane.answers[ROUTE] = [500, {}];
    const refused = await gh();
    assert.deepEqual([refused.code, refused.out], [7, '|pr list --json a b\n']);
    assert.match(refused.err, /HTTP 500/);
    const bare = await machine.run(machine.helper, ['gh-token'], { VCS_HOST: undefined });
    assert.deepEqual([bare.code, bare.out], [0, '']);
    rmSync(machine.path('real', 'gh'));
    assert.equal((await gh()).code, 127);
});

test('--help says what it is, without waiting for a question', { timeout: 30_000 }, async () => {
    const child = spawn(supervisorProgram, ['--git-credentials', '--help'], { stdio: ['pipe', 'pipe', 'pipe'] });
    const texts = { out: '', err: '' };
    child.stdout.on('data', (data) => { texts.out += data; });
    child.stderr.on('data', (data) => { texts.err += data; });
    const [code] = await once(child, 'close'); // standard input stays open
    assert.deepEqual([code, texts.out], [0, '']);
    assert.match(texts.err, /credential helper/);
});
