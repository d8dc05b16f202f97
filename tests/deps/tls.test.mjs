// What our patches of the C libraries repair (deps/patches): each of these tests fails without its patch. And that
// both libraries refuse a server they cannot trust, with the reason. TLS_PROBE is the program of tls_probe.c.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createServer as createHttpsServer } from 'node:https';

const probe = process.env.TLS_PROBE;
const PROBE_LIMIT_MS = 30_000;
const OF_BOTH = ['git', 'https'];
const isStatic = !readFileSync(probe).includes('/lib64/ld-linux');
const rootSkip = !isStatic ? 'needs the static flavour' : process.getuid() !== 0 ? 'needs root' : false;
let dir;
let trusted;
let other;

/** A self-signed certificate for localhost: its own authority. */
function makeIdentity(name, keyArguments, host = 'localhost') {
    const key = join(dir, `${name}.key`);
    const cert = join(dir, `${name}.pem`);
    const options = ['-x509', '-nodes', '-days', '2', '-sha256', '-subj', `/CN=${name}`];
    execFileSync('openssl', ['req', ...options, '-addext', `subjectAltName=DNS:${host}`, '-newkey', ...keyArguments,
        '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { caFile: cert, key: readFileSync(key), cert: readFileSync(cert) };
}

/** Starts the server on a free port, runs the probe against it, returns what the probe printed. */
async function askServer(server, library, caFile, command = [probe]) {
    await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
    const { port } = server.address();
    const words = library === 'git' ? ['git', `https://localhost:${port}/x.git`] : ['https', 'localhost', `${port}`];
    try {
        return await new Promise((done, failed) => {
            execFile(command[0], [...command.slice(1), ...words, caFile], { timeout: PROBE_LIMIT_MS }, (error, stdout, stderr) => {
                if (error) failed(new Error(`${error.message}\n${stderr}`));
                else done(stdout.trim());
            });
        });
    } finally {
        server.closeAllConnections?.();
        server.close();
    }
}

function httpsServer(identity, options = {}) {
    return createHttpsServer({ key: identity.key, cert: identity.cert, ...options }, (request, response) => response.end('x'));
}

before(() => {
    dir = mkdtempSync(join(tmpdir(), 'oi-deps-'));
    trusted = makeIdentity('trusted', ['rsa:2048']);
    other = makeIdentity('other', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']);
});
after(() => rmSync(dir, { recursive: true, force: true }));

for (const library of OF_BOTH) {
    describe(`${library === 'git' ? 'libgit2' : 'libwebsockets'} over mbedTLS`, () => {
        test('reaches a server that speaks only TLS 1.2, with an RSA key', async () => {
            const server = httpsServer(trusted, { maxVersion: 'TLSv1.2' });
            assert.match(await askServer(server, library, trusted.caFile), /^answer: /);
        });

        test('reaches a server that speaks only TLS 1.3', async () => {
            const server = httpsServer(trusted, { minVersion: 'TLSv1.3' });
            assert.match(await askServer(server, library, trusted.caFile), /^answer: /);
        });

        test('reaches a server with an elliptic curve key', async () => {
            assert.match(await askServer(httpsServer(other), library, other.caFile), /^answer: /);
        });

        for (const version of ['TLSv1.2', 'TLSv1.3']) {
            test(`refuses an unknown authority over ${version}, and gives the reason`, async () => {
                const server = httpsServer(other, { minVersion: version, maxVersion: version });
                const said = await askServer(server, library, trusted.caFile);
                assert.match(said, /^error: .*(rejected|invalid).*not correctly signed by the trusted CA/);
            });
        }

        test('refuses a certificate for another host, and gives the reason', async () => {
            const elsewhere = makeIdentity('elsewhere', ['rsa:2048'], 'elsewhere.example');
            const said = await askServer(httpsServer(elsewhere), library, elsewhere.caFile);
            assert.match(said, /^error: .*(rejected|invalid).*does not match/);
        });

        test('works in a root without /dev', { skip: rootSkip }, async () => {
            const root = join(dir, `root-${library}`);
            mkdirSync(join(root, 'etc'), { recursive: true });
            copyFileSync(probe, join(root, 'probe'));
            copyFileSync(trusted.caFile, join(root, 'ca.pem'));
            writeFileSync(join(root, 'etc', 'hosts'), '127.0.0.1 localhost\n');
            const command = ['chroot', root, '/probe'];
            assert.match(await askServer(httpsServer(trusted), library, '/ca.pem', command), /^answer: /);
        });

        test('gives the reason when the server speaks no TLS', async () => {
            const server = createTcpServer((socket) => {
                socket.on('error', () => {});
                socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
            });
            const said = await askServer(server, library, trusted.caFile);
            assert.match(said, /^error: /);
            assert.doesNotMatch(said, /CA is not trusted|invalidca/);
            assert.match(said, /SSL/);
        });
    });
}
