/*
 * Builds the image as README says, with podman and runc in place of a Docker engine, which no test
 * machine has: same Dockerfile, same command lines. Everything but the base image's tarball lives
 * in one temporary directory.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildDir, repositoryDir } from '../../playground/paths.mjs';

const run = promisify(execFile);
const PACKAGES = ['podman', 'runc', 'netavark', 'aardvark-dns', 'iptables', 'nftables', 'mmdebstrap', 'iproute2'];
const BUILD_TIMEOUT_MS = 15 * 60_000;
const OUTPUT_MAX = 64 * 1024 * 1024;
const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;

/** Why the image cannot be built on this machine, or null. */
export function whyNot() {
    if (process.platform !== 'linux') return 'needs Linux';
    if (process.getuid() !== 0) return 'podman without a private store needs root';
    const missing = PACKAGES.filter((name) => !isInstalled(name));
    if (missing.length === 0) return null;
    try {
        execFileSync('apt-get', ['-qq', 'update'], { stdio: 'ignore' });
        execFileSync('apt-get', ['-qq', '-y', '-o', 'DPkg::Lock::Timeout=600', '--no-install-recommends', 'install', ...missing],
            { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
        return null;
    } catch {
        return `apt could not install ${missing.join(' ')}`;
    }
}

function isInstalled(name) {
    try {
        return execFileSync('dpkg-query', ['-W', '-f=${Status}', name], { stdio: ['ignore', 'pipe', 'ignore'] })
            .toString().includes('ok installed');
    } catch {
        return false;
    }
}

/** Build secrets for the machine's own npm configuration and CA bundle; none on an ordinary machine. */
function buildSecrets() {
    const npm = (name) => execFileSync('npm', ['config', 'get', name], { cwd: tmpdir() }).toString().trim();
    const secrets = [];
    const userconfig = npm('userconfig');
    if (existsSync(userconfig)) secrets.push('--secret', `id=npmrc,src=${userconfig}`);
    const cafile = npm('cafile');
    if (cafile !== 'null' && existsSync(cafile)) secrets.push('--secret', `id=ca,src=${cafile}`);
    return secrets;
}

export class Image {
    constructor() {
        // A store that is kept spares whoever works on the image most of the build.
        this.kept = process.env.OI_CONTAINER_STORE;
        this.dir = this.kept || mkdtempSync(join(tmpdir(), 'oi-container-'));
        mkdirSync(this.dir, { recursive: true });
        this.network = `oi-container-${process.pid}`;
        execFileSync('ip', ['netns', 'add', this.network]);
        execFileSync('ip', ['-n', this.network, 'link', 'set', 'lo', 'up']);
    }

    /** A shell line with `docker` being our podman; resolves with its output, rejects when it fails. */
    async shell(line, { cwd = this.dir, timeoutMs = 120_000 } = {}) {
        const { stdout } = await run('bash', ['-c', this.#script(line)],
            { cwd, timeout: timeoutMs, maxBuffer: OUTPUT_MAX, killSignal: 'SIGKILL' });
        return stdout.trim();
    }

    /** The command of a shell line that goes on running, for Program.spawn; in our network namespace. */
    command(line) {
        return [...this.inNetwork(), 'bash', '-c', this.#script(`exec ${line}`)];
    }

    /**
     * Put before a command, runs it in a network of our own, where port 4096 is free although README's line uses the
     * host's network and the machine may run other sandboxes.
     */
    inNetwork() {
        return ['nsenter', `--net=/run/netns/${this.network}`, '--'];
    }

    #script(line) {
        return `. ${join(here, 'podman-env.sh')}; podman_env ${this.dir}; ${line}`;
    }

    /** Builds README's image from a clean checkout of HEAD. */
    async build(line) {
        const cache = join(buildDir, 'container');
        const base = join(cache, 'debian-bookworm-slim.tar');
        const checkout = join(this.dir, 'checkout');
        mkdirSync(cache, { recursive: true });
        await run('bash', [join(here, 'base-image.sh'), base], { timeout: BUILD_TIMEOUT_MS });
        await this.shell(`podman import -q --change 'CMD ["bash"]' ${base} docker.io/library/debian:bookworm-slim`);
        rmSync(checkout, { recursive: true, force: true });
        await this.shell(`git clone -q --no-hardlinks ${repositoryDir} ${checkout}`);
        this.#completeDocker();
        await this.shell(`${line} > ${this.dir}/build.log 2>&1`, { cwd: checkout, timeoutMs: BUILD_TIMEOUT_MS })
            .catch((error) => { throw new Error(`${line}: exit ${error.code}\n${this.#buildLog()}`); });
    }

    /** What every `docker build` and `docker run` line needs on this machine and README need not say. */
    #completeDocker() {
        const secrets = buildSecrets().map((word) => `'${word}'`).join(' ');
        writeFileSync(join(this.dir, 'bin', 'docker'), `#!/bin/sh
command=$1
shift
case $command in
build) exec podman build --pull=never --network=host ${secrets} "$@" ;;
run) exec podman run --pull=never "$@" ;;
*) exec podman "$command" "$@" ;;
esac
`, { mode: 0o755 });
    }

    /** The end of the build's output, with URLs masked: they would name this machine's mirrors. */
    #buildLog() {
        return readFileSync(join(this.dir, 'build.log'), 'utf8').replace(/[a-z+]+:\/\/\S+/g, '<URL>').split('\n').slice(-40).join('\n');
    }

    async remove() {
        execFileSync('ip', ['netns', 'delete', this.network]);
        if (this.kept) return;
        await run('bash', ['-c', `${this.#script(`cd /; podman_env_remove ${this.dir}`)}`]).catch(() => {});
    }
}
