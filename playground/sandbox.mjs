// One sandbox on this machine: oi-supervisor as PID 1 of its own PID namespace, in a file system of its own, when we
// are root; else as an ordinary process below a test root, with the supervisor's own subreaper. Its log is read, kept
// and given to whoever listens.

import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { sandboxEnvironment } from './launch.mjs';
import { writeOpencodeConfig } from './model-server.mjs';
import { bridgeProgram, opencodeProgram, playgroundDir, repositoryDir, supervisorProgram } from './paths.mjs';
import { environmentOf, findProcesses, isAlive, pidNamespace, processInfo } from './processes.mjs';
import { Program } from './program.mjs';
import { waitUntil } from './waiting.mjs';

const MARKER = 'PLAYGROUND_MARKER'; // in the environment of everything that runs in a sandbox
const START_LIMIT_MS = 60_000; // on a busy machine
const SYSTEM_PATH = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'];
let count = 0;

const isOurs = (info) => info?.name === 'oi-supervisor';

function supervisorBelow(top) {
    const all = new Map(findProcesses(() => true).map((info) => [info.pid, info]));
    const isBelow = ({ parent }) => parent === top || (all.has(parent) && isBelow(all.get(parent)));
    const found = [...all.values()].find((info) => isOurs(info) && isBelow(info));
    // What was somebody else when we looked at it may be the supervisor by now, and what was found its worker.
    const parent = found && processInfo(found.parent);
    return isOurs(parent) ? parent : found;
}

export class Sandbox extends Program {
    /**
     * Options: controlPlane; gitServer (without one: no repository); authority (path of the CA file to trust);
     * model ({ provider, name, url }; url only for the scripted one); branch; opencode (program or script to use as
     * `opencode`); programs ({ name: path or script text } put first on PATH); files ({ path in the sandbox: text }, put
     * there before the start); args, env (added; undefined removes); isolated (default: when root); around (words of a
     * command that execs the supervisor, or starts it and ends with it, in the sandbox); user (number of the user who owns the sandbox's own directories);
     * snapshot (what snapshot() of another sandbox gave: its files are there at the start).
     */
    constructor(options) {
        super('the sandbox');
        this.options = options;
        this.isolated = options.isolated ?? process.getuid() === 0;
        this.marker = `${process.pid}-${++count}-${Date.now()}`;
        this.root = mkdtempSync(join(tmpdir(), 'oi-sandbox-'));
        // Without a /dev/shm of its own: git's password is kept in memory alone.
        this.memory = join('/dev/shm', basename(this.root));
    }

    static async start(options) {
        const sandbox = new Sandbox(options);
        try {
            sandbox.#prepare();
            await sandbox.#launch();
        } catch (error) {
            await sandbox.remove();
            throw error;
        }
        return sandbox;
    }

    /** A path of the sandbox as this machine sees it. */
    path(...parts) { return join(this.root, ...parts); }
    /** A path of the sandbox as its programs see it. */
    inside(path) { return this.isolated ? path : this.path(path); }
    /** A file of this repository as the sandbox's programs see it. */
    static ownFile(path, isolated = process.getuid() === 0) {
        return join(isolated ? '/app/repository' : repositoryDir, path);
    }

    #prepare() {
        const { authority, model, programs = {}, files = {}, opencode = opencodeProgram, user, snapshot } = this.options;
        if (snapshot) execFileSync('cp', ['-a', `${snapshot}/.`, this.root]);
        for (const dir of ['workspace', 'tmp', 'run', 'root', 'app/bin', 'app/first', 'app/repository']) {
            mkdirSync(this.path(dir), { recursive: true });
        }
        copyFileSync(supervisorProgram, this.path('app/bin/oi-supervisor'));
        copyFileSync(bridgeProgram, this.path('app/bin/oi-bridge'));
        symlinkSync('oi-bridge', this.path('app/bin/oi-git-sign'));
        if (existsSync(join(repositoryDir, 'plugin'))) {
            cpSync(join(repositoryDir, 'plugin'), this.path('app/sandbox_runtime'), { recursive: true });
        }
        // The root of the sandbox has no /home, /root and /tmp of this machine, where Node and the repository may be.
        const node = process.execPath;
        this.mounts = [repositoryDir, '/app/repository'];
        for (const [name, program] of Object.entries({ node, opencode, ...programs })) this.#putProgram(name, program);
        for (const [path, text] of Object.entries(files)) {
            mkdirSync(dirname(this.path(path)), { recursive: true });
            writeFileSync(this.path(path), text);
        }
        if (authority) copyFileSync(authority, this.path('app/certificates.pem'));
        if (model?.url) writeOpencodeConfig(this.path('root'), model.url);
        if (user !== undefined) execFileSync('chown', ['-R', String(user), this.root]);
    }

    /** `program`: the path of a program of this machine, or the text of a script. */
    #putProgram(name, program) {
        if (program.startsWith('#!')) return writeFileSync(this.path('app/first', name), program, { mode: 0o755 });
        if (this.isolated) {
            writeFileSync(this.path('app/first', name), '', { mode: 0o755 });
            this.mounts.push(program, `/app/first/${name}`);
            return;
        }
        const script = `#!/bin/sh\nexec '${program}' "$@"\n`;
        writeFileSync(this.path('app/first', name), script, { mode: 0o755 });
    }

    #environment() {
        const { controlPlane, gitServer, model, branch, authority, env = {} } = this.options;
        const all = {
            ...sandboxEnvironment({
                controlPlane, gitServer, branch, home: this.inside('/root'),
                bundle: authority && this.inside('/app/certificates.pem'),
                path: [this.inside('/app/first'), this.inside('/app/bin'), ...SYSTEM_PATH].join(':'),
                provider: model?.provider, model: model?.name,
            }),
            [MARKER]: this.marker,
            ...(!this.isolated && { TMPDIR: this.path('tmp'), OI_SCM_CRED_CACHE_DIR: this.memory }),
            ...env,
        };
        return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    }

    async #launch() {
        const { args = [], around = [] } = this.options;
        const program = [...around, '/app/bin/oi-supervisor', ...args];
        const command = this.isolated
            ? ['unshare', '--mount', '--pid', '--fork', '--kill-child', join(playgroundDir, 'enter-root.sh'), this.root,
                ...this.mounts, '--', ...program]
            : [...around, this.path('app/bin/oi-supervisor'), '--test-root', this.root, ...args];
        this.spawn(command, { cwd: this.root, env: this.#environment() });
        if (!this.isolated) return;
        // `pid` is the supervisor's as this machine sees it, not that of unshare around it, or of a shell in between.
        const find = () => this.exit || supervisorBelow(this.process.pid);
        const found = await waitUntil(find, { what: 'the supervisor to start', timeoutMs: START_LIMIT_MS });
        this.pid = found.pid ?? null;
        this.namespace = this.pid && pidNamespace(this.pid);
    }

    /** Copies what a provider's snapshot would keep into the directory `to`, which must not exist, and returns it. */
    snapshot(to) {
        mkdirSync(to);
        execFileSync('cp', ['-a', ...['workspace', 'tmp', 'root'].map((name) => this.path(name)), to]);
        return to;
    }

    /** Living processes of the sandbox, the supervisor included. */
    processes() {
        return findProcesses(({ pid, state }) => !['Z', 'X'].includes(state) && pid !== this.process.pid && this.#owns(pid));
    }

    /** A namespace's number may be another's as soon as this one is gone; the marker is ours alone. */
    #owns(pid) {
        if (this.namespace && !this.exit) return pidNamespace(pid) === this.namespace;
        return environmentOf(pid).includes(`${MARKER}=${this.marker}`);
    }

    /** The first process but the supervisor whose command line contains `text`, or undefined. */
    find(text) {
        return this.processes().find(({ pid, command }) => pid !== this.pid && command.join(' ').includes(text));
    }

    // ---- ending ----

    /** Asks the sandbox to end and waits until it has. */
    async stop(signal = 'SIGTERM') {
        if (!this.exit && this.pid && isAlive(this.pid)) this.signal(signal);
        return this.exited();
    }

    /** Ends what is left, by force if need be, and removes the files. For the end of a test, whatever happened. */
    async remove() {
        if (this.process && !this.exit) {
            this.process.kill('SIGKILL');
            await this.exited();
        }
        for (const { pid } of this.process ? this.processes() : []) {
            try {
                process.kill(pid, 'SIGKILL');
            } catch {
                // it ended by itself
            }
        }
        rmSync(this.memory, { recursive: true, force: true });
        rmSync(this.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    }
}
