// oi-git-sign as git uses it: real commits, signed by the control plane's key, verified by the real ssh-keygen.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { CommitSigner } from '../../playground/commit-signer.mjs';
import { ControlPlane } from '../../playground/control-plane.mjs';
import { bridgeProgram } from '../../playground/paths.mjs';

/** A control plane that signs, and a directory with the signer and a repository that uses it. */
async function signerFor(t) {
    const directory = mkdtempSync(join(tmpdir(), 'oi-git-sign-'));
    const signer = new CommitSigner();
    const cp = await ControlPlane.start({ sessionId: 'session/1' });
    cp.signer = signer;
    const program = join(directory, 'oi-git-sign');
    symlinkSync(bridgeProgram, program);
    const allowed = join(directory, 'allowed-signers');
    writeFileSync(allowed, signer.allowedSigners);
    const env = {
        PATH: process.env.PATH, HOME: directory, GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.com',
        GIT_COMMITTER_NAME: signer.name, GIT_COMMITTER_EMAIL: signer.email,
        CONTROL_PLANE_URL: `${cp.url}/`, SANDBOX_AUTH_TOKEN: cp.token, SESSION_CONFIG: '{"session_id":"session/1"}',
    };
    /** Runs a program in the directory: { code, stdout, stderr }. */
    const run = (file, args, more = {}) => new Promise((done) => {
        execFile(file, args, { cwd: directory, env: { ...env, ...more } }, (error, stdout, stderr) => {
            assert.ok(!`${stdout}${stderr}`.includes(cp.token), 'the credential was printed');
            assert.doesNotMatch(stderr, /Sanitizer|runtime error/);
            done({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr });
        });
    });
    const git = (...args) => run('git', args);
    await git('init', '-q', '-b', 'main');
    for (const [key, value] of Object.entries({ 'gpg.format': 'ssh', 'gpg.ssh.program': program, 'commit.gpgsign': 'true',
        'user.signingkey': `key::${signer.publicKey}`, 'gpg.ssh.allowedSignersFile': allowed })) {
        await git('config', '--local', key, value);
    }
    t.after(async () => {
        await cp.close();
        signer.remove();
        rmSync(directory, { recursive: true, force: true });
    });
    /** Signs the file `payload` as git would. */
    const sign = (key, more, ...options) => run(program, ['-Y', 'sign', '-n', 'git', '-f', key, ...options, 'payload'], more);
    return { directory, signer, cp, program, git, run, sign };
}

const commitsOf = (cp) => cp.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/commit-signing'));

test('git commit -S has its commit signed by the control plane, and ssh-keygen finds it good', async (t) => {
    const { git, cp, run, directory, signer } = await signerFor(t);
    const committed = await git('commit', '-S', '--allow-empty', '-m', 'Signed');
    assert.deepEqual([committed.code, committed.stderr], [0, '']);
    const verified = await git('verify-commit', '-v', 'HEAD');
    assert.equal(verified.code, 0, verified.stderr);
    assert.match(verified.stderr, /Good "git" signature for open-inspect@example.com with ED25519 key/);

    const [request] = commitsOf(cp);
    assert.equal(request.path, '/sessions/session%2F1/commit-signing');
    assert.equal(request.headers['content-type'], 'application/octet-stream');
    assert.equal(request.headers['x-open-inspect-signing-fingerprint'], signer.fingerprint);
    // The same without git: the signature as it is in the commit, and the bytes that were sent.
    const commit = (await git('cat-file', 'commit', 'HEAD')).stdout;
    const signature = /^gpgsig ((?:.*\n)(?: .*\n)*)/m.exec(commit)[1].replaceAll('\n ', '\n');
    writeFileSync(join(directory, 'commit.sig'), signature);
    const shell = `ssh-keygen -Y verify -f allowed-signers -I ${signer.email} -n git -s commit.sig < commit`;
    writeFileSync(join(directory, 'commit'), request.bytes);
    assert.equal((await run('sh', ['-c', shell])).code, 0);
    writeFileSync(join(directory, 'commit'), `${request.bytes} `);
    assert.notEqual((await run('sh', ['-c', shell])).code, 0);
    assert.deepEqual(readdirSync(directory).filter((name) => name.includes('.tmp')), []);
});

test('a signed tag, and a key in a file with a comment', async (t) => {
    const { git, directory, signer } = await signerFor(t);
    writeFileSync(join(directory, 'key.pub'), `${signer.publicKey} someone@host\n`);
    await git('config', '--local', 'user.signingkey', join(directory, 'key.pub'));
    await git('commit', '-q', '--allow-empty', '-m', 'Signed');
    const tagged = await git('tag', '-s', '-m', 'One', 'v1');
    assert.deepEqual([tagged.code, tagged.stderr], [0, '']);
    const verified = await git('verify-tag', 'v1');
    assert.match(verified.stderr, /Good "git" signature/);
});

test('everything but signing goes to the stock ssh-keygen', async (t) => {
    const { run, program, signer, directory } = await signerFor(t);
    writeFileSync(join(directory, 'key.pub'), signer.publicKey);
    const listed = await run(program, ['-l', '-f', 'key.pub']);
    assert.equal(listed.code, 0);
    assert.ok(listed.stdout.includes(signer.fingerprint));
    const stock = await run('/usr/bin/ssh-keygen', ['-Y', 'nonsense']);
    const ours = await run(program, ['-Y', 'nonsense']);
    assert.deepEqual(ours, stock);
});

const refusals = {
    'another namespace': ['-Y', 'sign', '-n', 'file', '-f', 'k', 'payload'],
    'no buffer': ['-Y', 'sign', '-n', 'git', '-f', 'k'],
    'one argument too many': ['-Y', 'sign', '-n', 'git', '-f', 'k', 'payload', 'payload'],
    'an unknown option': ['-Y', 'sign', '-n', 'git', '-f', 'k', '-O', 'payload'],
};
test('signing in any other way than git does is refused (B-931)', async (t) => {
    const { run, program, cp } = await signerFor(t);
    for (const [what, args] of Object.entries(refusals)) {
        const { code, stderr } = await run(program, args);
        assert.deepEqual([code, stderr], [1, 'oi-git-sign: Unsupported Git SSH signing invocation\n'], what);
    }
    assert.equal(commitsOf(cp).length, 0);
});

test('failures are one line and status 1, and leave no signature behind (B-932)', async (t) => {
    const { directory, signer, cp, sign } = await signerFor(t);
    const key = `key::${signer.publicKey}`;
    const stale = () => writeFileSync(join(directory, 'payload.sig'), 'old');
    const payload = (bytes) => writeFileSync(join(directory, 'payload'), bytes);
    const fails = async (text, promise) => {
        const { code, stderr } = await promise;
        assert.equal(code, 1);
        assert.match(stderr, /^oi-git-sign: [^\n]+\n$/);
        assert.match(stderr, text);
        assert.ok(!existsSync(join(directory, 'payload.sig')), 'the old signature is gone');
    };
    const unavailable = /: Commit signing session configuration is unavailable$/m;
    payload('bytes');
    for (const missing of ['CONTROL_PLANE_URL', 'SANDBOX_AUTH_TOKEN', 'SESSION_CONFIG']) {
        stale();
        await fails(unavailable, sign(key, { [missing]: '' }));
    }
    await fails(unavailable, sign(key, { SESSION_CONFIG: '{"sessionId":""}' }));
    stale();
    await fails(/no ssh-ed25519 public key/, sign('key::ssh-rsa AAAA'));
    await fails(/No such file/, sign('absent.pub'));
    payload('');
    await fails(/payload is empty/, sign(key));
    payload(Buffer.alloc(1024 * 1024 + 1));
    await fails(/payload cannot be read/, sign(key));
    assert.equal(commitsOf(cp).length, 0, 'nothing of this was sent');
    payload('bytes');
    cp.signer = null;
    await fails(/refused: the control plane answered 409/, sign(key));
    cp.answers['POST /sessions/:id/commit-signing'] = [200, Buffer.from('-----BEGIN SSH SIGNATURE-----\n'), 'text/plain'];
    await fails(/no SSH signature/, sign(key));
    cp.answers['POST /sessions/:id/commit-signing'] = [200, Buffer.alloc(16 * 1024 + 1), 'text/plain'];
    await fails(/longer than 16384 bytes/, sign(key));
    cp.answers['POST /sessions/:id/commit-signing'] = [302, {}];
    await fails(/answered 302/, sign(key));
    await cp.goAway();
    await fails(/refused/, sign(key));
    await cp.comeBack();
});

test('the greatest payload, and git\'s -U, are fine', async (t) => {
    const { directory, signer, cp, sign } = await signerFor(t);
    writeFileSync(join(directory, 'payload'), Buffer.alloc(1024 * 1024, 'x'));
    const { code, stderr } = await sign(`key::${signer.publicKey}`, { SESSION_CONFIG: '{"sessionId":"session/1"}' }, '-U');
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(commitsOf(cp)[0].bytes.length, 1024 * 1024);
    assert.match(readFileSync(join(directory, 'payload.sig'), 'utf8'), /^-----BEGIN SSH SIGNATURE-----\n/);
});
