// Certificates for the playground's servers and for the tests of certificate errors, made with the openssl
// command at start and thrown away at the end: nothing that is valid anywhere else, nothing kept in the repository.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DAYS = '2';
const SYSTEM_BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];

function openssl(...args) {
    try {
        execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    } catch (error) {
        const why = error.code === 'ENOENT' ? 'install the package openssl' : String(error.stderr);
        throw new Error(`openssl ${args[0]}: ${why}`, { cause: error });
    }
}

const newKey = (path) => openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', path);

/** A certificate authority in `dir`; `certificate` is the path of its PEM file. */
export function makeAuthority(dir, name) {
    mkdirSync(dir, { recursive: true });
    const key = join(dir, `${name}.key`);
    const certificate = join(dir, `${name}.pem`);
    newKey(key);
    openssl('req', '-x509', '-new', '-key', key, '-sha256', '-days', DAYS, '-subj', `/CN=playground ${name}`,
        '-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign',
        '-out', certificate);
    return { dir, name, key, certificate };
}

/** A server certificate for `hosts` (names or IPv4 addresses): { key, cert } as https.createServer takes them. */
export function issueCertificate(authority, name, hosts) {
    const path = (suffix) => join(authority.dir, `${authority.name}-${name}.${suffix}`);
    const alternatives = hosts.map((host) => (/^[\d.]+$/.test(host) ? `IP:${host}` : `DNS:${host}`)).join(',');
    newKey(path('key'));
    openssl('req', '-new', '-key', path('key'), '-subj', `/CN=${hosts[0]}`, '-out', path('csr'));
    writeFileSync(path('ext'),
        `basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=${alternatives}\n`);
    openssl('x509', '-req', '-in', path('csr'), '-CA', authority.certificate, '-CAkey', authority.key,
        '-CAcreateserial', '-sha256', '-days', DAYS, '-extfile', path('ext'), '-out', path('pem'));
    return { key: readFileSync(path('key')), cert: readFileSync(path('pem')) };
}

/**
 * A file with our authority and, when `withSystem`, the system's: what SSL_CERT_FILE of a sandbox names when it
 * must reach both our servers and the internet.
 */
export function writeBundle(path, authority, { withSystem = false } = {}) {
    const system = withSystem ? SYSTEM_BUNDLES.find((bundle) => existsSync(bundle)) : undefined;
    const parts = [readFileSync(authority.certificate)];
    if (system) parts.push(readFileSync(system));
    writeFileSync(path, Buffer.concat(parts));
    return path;
}
