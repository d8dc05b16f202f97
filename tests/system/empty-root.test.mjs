// The programs need nothing of a distribution: they run in a root directory with certificates and nothing else.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { bridgeProgram, supervisorProgram } from '../../playground/paths.mjs';
import { Program } from '../../playground/program.mjs';
import { FakeOpencode } from './support/fake-opencode.mjs';
import { playgroundFor } from './support/sandbox.mjs';

const [ET_DYN, PT_INTERP, SHT_SYMTAB] = [3, 3, 2];
const MAX_BYTES = 2.6e6;
const skip = process.getuid() !== 0 ? 'needs root, for chroot'
    : process.env.OI_SANITIZED ? 'the sanitized programs are not static' : false;

/** A root directory with the two programs and, in it, the file of `certificates` at /certificates.pem. */
function emptyRoot(t, certificates) {
    const root = mkdtempSync(join(tmpdir(), 'oi-empty-root-'));
    t.after(() => rmSync(root, { recursive: true, force: true }));
    for (const program of [bridgeProgram, supervisorProgram]) copyFileSync(program, join(root, program.split('/').at(-1)));
    if (certificates) copyFileSync(certificates, join(root, 'certificates.pem'));
    return root;
}

/** What an ELF file asks of whoever runs it: { type, hasInterpreter, hasSymbols }. */
function readElf(path) {
    const file = readFileSync(path);
    const headers = (offset, entrySize, count) => Array.from({ length: count }, (_, index) => offset + index * entrySize);
    const programHeaders = headers(Number(file.readBigUInt64LE(32)), file.readUInt16LE(54), file.readUInt16LE(56));
    const sections = headers(Number(file.readBigUInt64LE(40)), file.readUInt16LE(58), file.readUInt16LE(60));
    return {
        type: file.readUInt16LE(16),
        hasInterpreter: programHeaders.some((at) => file.readUInt32LE(at) === PT_INTERP),
        hasSymbols: sections.some((at) => file.readUInt32LE(at + 4) === SHT_SYMTAB),
    };
}

test('both are static, position independent and stripped, and small together', { skip }, () => {
    for (const program of [bridgeProgram, supervisorProgram]) {
        assert.deepEqual(readElf(program), { type: ET_DYN, hasInterpreter: false, hasSymbols: false }, program);
    }
    const bytes = statSync(bridgeProgram).size + statSync(supervisorProgram).size;
    assert.ok(bytes < MAX_BYTES, `${bytes} bytes`);
});

test('both say their versions in an empty root', { skip }, (t) => {
    const root = emptyRoot(t);
    for (const name of ['/oi-supervisor', '/oi-bridge']) {
        const output = execFileSync('chroot', [root, name, '--version'], { encoding: 'utf8', env: { PATH: '/usr/sbin' } });
        assert.match(output, new RegExp(`^${name.slice(1)} \\d+\\.\\d+`));
        assert.match(output, /libuv .*Mbed TLS/);
    }
});

test('the bridge works in an empty root, over TLS', { skip }, async (t) => {
    const { controlPlane, bundle } = await playgroundFor(t, { repository: null, host: '127.0.0.1' });
    const opencode = await FakeOpencode.start();
    t.after(() => opencode.close());
    const bridge = new Program('the bridge');
    bridge.spawn(['chroot', emptyRoot(t, bundle), '/oi-bridge', '--sandbox-id', controlPlane.sandboxId, '--session-id',
        controlPlane.sessionId, '--control-plane', controlPlane.url, '--opencode-port', String(opencode.port)],
    { cwd: '/', env: { PATH: '/usr/sbin:/usr/bin:/bin', SANDBOX_AUTH_TOKEN: controlPlane.token, SSL_CERT_FILE: '/certificates.pem' } });
    await bridge.stillRuns(controlPlane.ready());
    const id = controlPlane.prompt('hello');
    assert.equal((await controlPlane.completionOf(id)).success, true);
    bridge.signal('SIGTERM');
    assert.equal((await bridge.exited()).code, 0);
});

test('the supervisor clones in an empty root, over TLS, and says clearly that it has no OpenCode', { skip }, async (t) => {
    const { controlPlane, gitServer, bundle } = await playgroundFor(t, { host: '127.0.0.1' });
    const root = emptyRoot(t, bundle);
    for (const dir of ['tmp', 'workspace', 'root']) mkdirSync(join(root, dir));
    const { repository, sessionId } = controlPlane;
    const supervisor = new Program('the supervisor');
    supervisor.spawn(['chroot', root, '/oi-supervisor'], { cwd: '/', env: {
        PATH: '/usr/sbin:/usr/bin:/bin', HOME: '/root', SSL_CERT_FILE: '/certificates.pem', ...controlPlane.environment(),
        REPO_OWNER: repository.owner, REPO_NAME: repository.name, VCS_HOST: `127.0.0.1:${gitServer.port}`,
        VCS_CLONE_TOKEN: gitServer.token,
        SESSION_CONFIG: JSON.stringify({ session_id: sessionId, provider: 'playground', model: 'scripted', branch: 'main' }) } });
    await supervisor.logged('git.clone_complete');
    assert.equal((await supervisor.exited()).code, 1);
    await controlPlane.waitFor(() => controlPlane.fatalReports.length > 0, { what: 'the report' });
    assert.match(controlPlane.fatalReports[0].error, /bash|opencode|hook|start\.sh/i);
});
