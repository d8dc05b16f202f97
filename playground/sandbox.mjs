// One sandbox on this machine: oi-supervisor as PID 1 of its own PID namespace, in a file system of its own, when we
// are root; else as an ordinary process below a test root, with the supervisor's own subreaper. Its log is read, kept
// and given to whoever listens.

import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import readline from 'node:readline';
import { sandboxEnvironment } from './launch.mjs';
import { writeOpencodeConfig } from './model-server.mjs';
import { bridgeProgram, opencodeProgram, playgroundDir, repositoryDir, supervisorProgram } from './paths.mjs';
import { childrenOf, environmentOf, findProcesses, isAlive, pidNamespace } from './processes.mjs';
import { waitForChange, waitUntil } from './waiting.mjs';

const MARKER = 'PLAYGROUND_MARKER'; // in the environment of everything that runs in a sandbox
const STOP_TIMEOUT_MS = 30_000;
let count = 0;

export class Sandbox extends EventEmitter {
    /**
     * Options: controlPlane; gitServer (without one: no repository); authority (path of the CA file to trust);
     * model ({ provider, name, url }; url only for the scripted one); branch; opencode (program or script to use as
     * `opencode`); programs ({ name: path or script text } put first on PATH); args, env (added; undefined removes);
     * isolated (default: when root).
     */
    constructor(options) {
        super();
        this.setMaxListeners(0);
        this.options = options;
        this.isolated = options.isolated ?? process.getuid() === 0;
        this.marker = `${process.pid}-${++count}-${Date.now()}`;
        this.root = mkdtempSync(join(tmpdir(), 'oi-sandbox-'));
        this.lines = []; // everything it printed
        this.logs = []; // the JSON lines among them, parsed
        this.pid = null; // of the supervisor, as this machine sees it
        this.exit = null; // { code, signal }
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

    #prepare() {
        const { authority, model, programs = {}, opencode = opencodeProgram } = this.options;
        for (const dir of ['workspace', 'tmp', 'run', 'root', 'app/bin', 'app/first']) {
            mkdirSync(this.path(dir), { recursive: true });
        }
        copyFileSync(supervisorProgram, this.path('app/bin/oi-supervisor'));
        copyFileSync(bridgeProgram, this.path('app/bin/oi-bridge'));
        if (existsSync(join(repositoryDir, 'plugin'))) {
            cpSync(join(repositoryDir, 'plugin'), this.path('app/plugin'), { recursive: true });
        }
        for (const [name, program] of Object.entries({ opencode, ...programs })) this.#putProgram(name, program);
        if (authority) copyFileSync(authority, this.path('app/certificates.pem'));
        if (model?.url) writeOpencodeConfig(this.path('root'), model.url);
    }

    /** `program`: the path of a program of this machine, or the text of a script. */
    #putProgram(name, program) {
        if (program.startsWith('#!')) return writeFileSync(this.path('app/first', name), program, { mode: 0o755 });
        if (this.isolated) {
            writeFileSync(this.path('app/first', name), '', { mode: 0o755 });
            (this.mounts ??= []).push(program, `/app/first/${name}`);
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
                path: `${this.inside('/app/first')}:${this.inside('/app/bin')}:${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
                provider: model?.provider, model: model?.name,
            }),
            [MARKER]: this.marker,
            ...(!this.isolated && { TMPDIR: this.path('tmp') }),
            ...env,
        };
        return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
    }

    async #launch() {
        const { args = [] } = this.options;
        const program = ['/app/bin/oi-supervisor', ...args];
        const command = this.isolated
            ? ['unshare', '--mount', '--pid', '--fork', '--kill-child', join(playgroundDir, 'enter-root.sh'), this.root,
                ...(this.mounts ?? []), '--', ...program]
            : [this.path('app/bin/oi-supervisor'), '--test-root', this.root, ...args];
        // The sandbox must not outlive us, however we end.
        this.startedAt = performance.now();
        this.process = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
            cwd: this.root, env: this.#environment(), stdio: ['ignore', 'pipe', 'pipe'], detached: true,
        });
        this.#watch();
        if (!this.isolated) {
            this.pid = this.process.pid;
            return;
        }
        const find = () => this.exit || childrenOf(this.process.pid).find(({ name }) => name === 'oi-supervisor');
        const found = await waitUntil(find, { what: 'the supervisor to start' });
        this.pid = found.pid ?? null;
        this.namespace = this.pid && pidNamespace(this.pid);
    }

    #watch() {
        for (const stream of [this.process.stdout, this.process.stderr]) {
            readline.createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => this.#onLine(line));
        }
        this.process.on('error', (error) => this.#onLine(`cannot start: ${error.message}`));
        // 'close' comes when nobody holds the output any more; 'exit' alone decides that the sandbox is over.
        this.process.on('exit', (code, signal) => {
            this.exit = { code, signal, at: performance.now() };
            this.emit('change');
        });
    }

    #onLine(line) {
        this.lines.push(line);
        let entry = null;
        try {
            entry = JSON.parse(line);
        } catch {
            // not one of ours: a line of OpenCode or of a hook
        }
        if (entry && typeof entry === 'object') this.logs.push(entry);
        this.emit('line', line, entry);
        this.emit('change');
    }

    // ---- looking and waiting ----

    get output() { return this.lines.join('\n'); }
    logsOf(event) { return this.logs.filter((entry) => entry.event === event); }

    /** Waits for the `count`-th log line of this event name. */
    logged(event, { count: nth = 1, ...options } = {}) {
        return waitForChange(this, () => {
            const entry = this.logsOf(event)[nth - 1];
            if (!entry && this.exit) throw new Error(`the sandbox ended without ${event}:\n${this.output}`);
            return entry;
        }, { what: `the log line ${event}`, details: () => this.output.slice(-4000), ...options });
    }

    exited(options) {
        return waitForChange(this, () => this.exit, { what: 'the sandbox to end', details: () => this.output.slice(-4000),
            timeoutMs: STOP_TIMEOUT_MS, ...options });
    }

    /** Living processes of the sandbox, the supervisor included. */
    processes() {
        return findProcesses(({ pid, state }) => !['Z', 'X'].includes(state) && pid !== this.process.pid
            && (this.namespace ? pidNamespace(pid) === this.namespace
                : environmentOf(pid).includes(`${MARKER}=${this.marker}`)));
    }

    /** The one process whose command line contains `text`, or undefined. */
    find(text) {
        return this.processes().find(({ command }) => command.join(' ').includes(text));
    }

    // ---- ending ----

    signal(name) { process.kill(this.pid, name); }

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
        rmSync(this.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    }
}
