// Everything a sandbox needs around it, on this machine and with no network: a certificate authority, a git server with
// a sample repository, a model server and a control plane.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { issueCertificate, makeAuthority, writeBundle } from './certificates.mjs';
import { ControlPlane } from './control-plane.mjs';
import { GitServer } from './git-server.mjs';
import { ModelServer, PLAYGROUND_MODEL, PLAYGROUND_PROVIDER } from './model-server.mjs';
import { createRepository } from './sample-repository.mjs';
import { Sandbox } from './sandbox.mjs';

const HOSTS = ['localhost', '127.0.0.1'];
const GIT_TOKEN = 'playground-git-token-1f0c';

export class Playground {
    /**
     * `provider`: { provider, name } of a real model, in place of the scripted one. `repository`: { owner, name, files,
     * branch }, or null for none. `withSystemCertificates`: for sandboxes that also reach the internet. Further options
     * go to the control plane.
     */
    static async start({ repository = { owner: 'acme', name: 'app' }, provider = null, withSystemCertificates = false,
        secure = true, ...controlPlaneOptions } = {}) {
        const playground = new Playground();
        playground.dir = mkdtempSync(join(tmpdir(), 'oi-playground-'));
        playground.sandboxes = [];
        try {
            await playground.#startServers(repository, provider, withSystemCertificates, secure, controlPlaneOptions);
        } catch (error) {
            await playground.close();
            throw error;
        }
        return playground;
    }

    async #startServers(repository, provider, withSystemCertificates, secure, controlPlaneOptions) {
        this.authority = makeAuthority(join(this.dir, 'authority'), 'authority');
        this.certificate = issueCertificate(this.authority, 'server', HOSTS);
        this.bundle = writeBundle(join(this.dir, 'bundle.pem'), this.authority, { withSystem: withSystemCertificates });
        if (repository) await this.#startGit(repository);
        if (!provider) this.modelServer = await ModelServer.start();
        this.model = provider ?? { provider: PLAYGROUND_PROVIDER, name: PLAYGROUND_MODEL, url: this.modelServer.url };
        this.controlPlane = await ControlPlane.start({
            ...(secure && { certificate: this.certificate }), ...(repository && { repository }), ...controlPlaneOptions });
        this.#tellControlPlane();
    }

    async #startGit({ owner, name, ...content }) {
        const root = join(this.dir, 'repositories');
        this.bareRepository = createRepository(root, owner, name, content);
        this.gitServer = await GitServer.start({ root, certificate: this.certificate, token: GIT_TOKEN });
    }

    #tellControlPlane() {
        if (!this.gitServer) return;
        const { gitServer } = this;
        this.controlPlane.scmCredentials = { username: gitServer.username, password: gitServer.token };
        this.controlPlane.pushRemote = ({ owner, name }) => ({
            remoteUrl: gitServer.urlWithToken(owner, name), redactedRemoteUrl: gitServer.url(owner, name) });
    }

    /** Starts a sandbox of this playground's session; `options` as for Sandbox. */
    async startSandbox(options = {}) {
        const sandbox = await Sandbox.start({
            controlPlane: this.controlPlane, gitServer: this.gitServer, authority: this.bundle, model: this.model,
            ...options });
        this.sandboxes.push(sandbox);
        return sandbox;
    }

    async close() {
        try {
            for (const sandbox of this.sandboxes) await sandbox.remove();
        } finally {
            await this.controlPlane?.close();
            await this.modelServer?.close();
            await this.gitServer?.close();
            rmSync(this.dir, { recursive: true, force: true });
        }
    }
}
