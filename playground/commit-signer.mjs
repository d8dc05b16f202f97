// Signs commits as the control plane does: with a real SSH key, by the real ssh-keygen.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class CommitSigner {
    constructor({ name = 'Open Inspect', email = 'open-inspect@example.com' } = {}) {
        this.name = name;
        this.email = email;
        this.directory = mkdtempSync(join(tmpdir(), 'oi-signer-'));
        this.keyFile = join(this.directory, 'key');
        execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', this.keyFile]);
        this.publicKey = readFileSync(`${this.keyFile}.pub`, 'utf8').trim().split(' ').slice(0, 2).join(' ');
        const listing = execFileSync('ssh-keygen', ['-l', '-f', `${this.keyFile}.pub`], { encoding: 'utf8' });
        this.fingerprint = listing.split(' ')[1]; // "SHA256:..."
    }

    /** What GET /commit-signing answers. */
    get configuration() {
        return { enabled: true, committerName: this.name, committerEmail: this.email, publicKey: this.publicKey };
    }

    /** The armoured signature of these bytes. */
    sign(bytes) {
        const file = join(this.directory, 'payload');
        writeFileSync(file, bytes);
        rmSync(`${file}.sig`, { force: true });
        execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-n', 'git', '-f', this.keyFile, file], { stdio: 'ignore' });
        return readFileSync(`${file}.sig`, 'utf8');
    }

    /** The contents of an allowed signers file, for verifying. */
    get allowedSigners() { return `${this.email} namespaces="git" ${this.publicKey}\n`; }

    remove() { rmSync(this.directory, { recursive: true, force: true }); }
}
