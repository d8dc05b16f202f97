// The real `opencode serve` with the scripted model, alone, for tests of the bridge: reached through a relay whose
// connections the test can cut, so that its event stream breaks while it works on.

import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sandboxEnvironment } from '../../../playground/launch.mjs';
import { ModelServer, writeOpencodeConfig } from '../../../playground/model-server.mjs';
import { opencodeProgram } from '../../../playground/paths.mjs';
import { Program } from '../../../playground/program.mjs';
import { waitUntil } from '../../../playground/waiting.mjs';

const START_LIMIT_MS = 60_000;
const HEALTH_LIMIT_MS = 1000;
const PERMISSIONS = JSON.stringify({ permission: { '*': { '*': 'allow' } }, model: 'playground/scripted' });

export class RealOpencode {
    static async start() {
        const opencode = new RealOpencode();
        opencode.directory = mkdtempSync(join(tmpdir(), 'oi-opencode-'));
        mkdirSync(join(opencode.directory, 'workspace'));
        opencode.model = await ModelServer.start();
        writeOpencodeConfig(opencode.directory, opencode.model.url);
        opencode.serverPort = await freePort();
        await opencode.startServer();
        await opencode.#startRelay();
        return opencode;
    }

    /** Starts `opencode serve`, again when it was ended. */
    async startServer() {
        this.program = new Program('opencode');
        const { directory } = this;
        const everything = sandboxEnvironment({ home: directory, path: process.env.PATH,
            controlPlane: { era: 'current', environment: () => ({}) } });
        this.program.spawn([opencodeProgram, 'serve', '--port', String(this.serverPort)], {
            cwd: join(directory, 'workspace'), env: { ...everything, OPENCODE_CONFIG_CONTENT: PERMISSIONS } });
        // What is asked too early is never answered.
        const answers = () => fetch(`http://127.0.0.1:${this.serverPort}/global/health`,
            { signal: AbortSignal.timeout(HEALTH_LIMIT_MS) }).then(({ ok }) => ok, () => false);
        await this.program.stillRuns(waitUntil(answers, { timeoutMs: START_LIMIT_MS, what: 'OpenCode to start' }));
    }

    /** Sends its process a signal; after SIGKILL waits for its end. */
    async signal(name) {
        this.program.signal(name);
        if (name === 'SIGKILL') await this.program.exited();
    }

    /** Breaks the event stream, and what else is open at this moment. */
    cutConnections() {
        for (const socket of this.sockets) socket.destroy();
    }

    async close() {
        if (!this.program.exit) await this.signal('SIGKILL');
        this.relay.close();
        this.cutConnections();
        await this.model.close();
        rmSync(this.directory, { recursive: true, force: true });
    }

    async #startRelay() {
        this.sockets = new Set();
        this.relay = net.createServer((socket) => {
            const server = net.connect(this.serverPort, '127.0.0.1');
            for (const [one, other] of [[socket, server], [server, socket]]) {
                one.setNoDelay(true);
                one.pipe(other);
                one.on('error', () => other.destroy());
                one.on('close', () => other.destroy());
            }
            this.sockets.add(socket);
            socket.on('close', () => this.sockets.delete(socket));
        }).listen(0, '127.0.0.1');
        await once(this.relay, 'listening');
        this.port = this.relay.address().port;
    }
}

async function freePort() {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    return port;
}
