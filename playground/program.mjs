// A running program whose output is kept, parsed and waited for: the supervisor, or the bridge alone.

import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import readline from 'node:readline';
import { waitForChange } from './waiting.mjs';

const END_TIMEOUT_MS = 30_000;
const SHOWN_CHARS = 6000;

export class Program extends EventEmitter {
    constructor(name) {
        super();
        this.setMaxListeners(0);
        this.name = name;
        this.lines = []; // everything it printed
        this.logs = []; // the JSON objects among them
        this.pid = null;
        this.exit = null; // { code, signal, at }
    }

    /** Starts `command`. It must not outlive us, however we end: that is what setpriv is for. */
    spawn([...command], { env, cwd, stdio = ['ignore', 'pipe', 'pipe'] }) {
        this.startedAt = performance.now();
        this.process = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], { env, cwd, stdio, detached: true });
        this.pid = this.process.pid;
        for (const stream of [this.process.stdout, this.process.stderr]) {
            readline.createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => this.#onLine(line));
        }
        this.process.on('error', (error) => {
            this.#onLine(`cannot start: ${error.message}`);
            if (this.process.pid === undefined) this.#onExit(null, null); // there will be no 'exit'
        });
        // 'close' would wait for whoever else holds the output.
        this.process.on('exit', (code, signal) => this.#onExit(code, signal));
    }

    #onExit(code, signal) {
        this.exit = { code, signal, at: performance.now() };
        this.emit('change');
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

    get output() { return this.lines.join('\n'); }
    logsOf(event) { return this.logs.filter((entry) => entry.event === event); }

    /** Waits for the `count`-th log line of this event name. */
    logged(event, { count = 1, ...options } = {}) {
        return this.waitFor(() => this.logsOf(event)[count - 1], { what: `the log line ${event}`, ...options });
    }

    /** Waits for something in the program's life; fails at once when it ends without. */
    waitFor(predicate, options = {}) {
        return waitForChange(this, () => {
            const result = predicate(this);
            if (!result && this.exit) {
                throw new Error(`${this.name} ended (${JSON.stringify(this.exit)}) before ${options.what}:\n${this.output}`);
            }
            return result;
        }, { details: () => this.output.slice(-SHOWN_CHARS), ...options });
    }

    exited(options) {
        return waitForChange(this, () => this.exit, {
            what: `${this.name} to end`, details: () => this.output.slice(-SHOWN_CHARS), timeoutMs: END_TIMEOUT_MS, ...options });
    }

    /** Waits for `promise`, but no longer than the program runs. */
    stillRuns(promise) {
        promise.catch(() => {}); // the program's end is the better explanation
        const ended = this.exited({ timeoutMs: 2 ** 31 - 1 }).then(() => {
            throw new Error(`${this.name} ended: ${JSON.stringify(this.exit)}\n${this.output.slice(-SHOWN_CHARS)}`);
        });
        return Promise.race([promise, ended]);
    }

    signal(name) { process.kill(this.pid, name); }
}
