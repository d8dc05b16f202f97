// workerd, by miniflare: it runs worker.mjs, and keeps its port and its storage when it is killed and started again.
// The tests of a process share one of them (`workerd`), because it takes a quarter of a second to start.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryDir } from '../../playground/paths.mjs';
import { childrenOf } from '../../playground/processes.mjs';
import { workerdDir, workerdProgram } from './paths.mjs';

const COMPATIBILITY_DATE = '2024-09-23'; // that of the real control plane
const MODULES = ['tests/durable-object/worker.mjs', 'tests/durable-object/session.mjs', 'playground/event-schema.mjs'];

export class Workerd {
    port = 0;
    #miniflare = null;
    #pid = null;
    #storage = null;

    async start() {
        if (this.#miniflare) return;
        if (!existsSync(workerdProgram)) throw new Error(`no ${workerdProgram}: run make build/workerd/.installed`);
        process.env.MINIFLARE_WORKERD_PATH = workerdProgram;
        const { Miniflare } = createRequire(join(workerdDir, 'package.json'))('miniflare');
        this.#storage ??= mkdtempSync(join(tmpdir(), 'oi-workerd-'));
        this.port ||= await freePort();
        this.#miniflare = new Miniflare({
            host: '127.0.0.1',
            port: this.port,
            cf: false, // else it would ask the network who we are
            modulesRoot: repositoryDir,
            modules: MODULES.map((path) => ({ type: 'ESModule', path: join(repositoryDir, path) })),
            compatibilityDate: COMPATIBILITY_DATE,
            durableObjects: { SESSIONS: { className: 'Session', useSQLite: true } },
            durableObjectsPersist: this.#storage,
            handleRuntimeStdio: (...streams) => { for (const stream of streams) stream.resume(); }, // stack traces only
        });
        const others = new Set(runtimes());
        await this.#miniflare.ready;
        this.#pid = runtimes().find((pid) => !others.has(pid));
    }

    /** To the runtime itself: SIGSTOP makes everything in it fall silent, with its connections open. */
    signal(name) { process.kill(this.#pid, name); }

    async kill() {
        await this.#miniflare?.dispose();
        this.#miniflare = null;
    }

    /** For good. */
    async stop() {
        await this.kill();
        if (this.#storage) rmSync(this.#storage, { recursive: true, force: true });
    }
}

const runtimes = () => childrenOf(process.pid).filter(({ name }) => name === 'workerd').map(({ pid }) => pid);

async function freePort() {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    return port;
}

export const workerd = new Workerd();
