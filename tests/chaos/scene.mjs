// One schedule being played: a control plane, a stand-in for OpenCode (script.mjs says why), a wire to each, and the
// real bridge between them, started again in the same run directory whenever it was killed, as the supervisor does.
//
// The control plane behaves as the real one does (contract of today): one prompt after the other, a prompt is not sent
// again after a reconnect, every critical event is acknowledged each time it comes - unless the plan says otherwise. One
// thing is added: a prompt of which the bridge cannot have heard (no journal, log line or event names it) is sent again,
// as a user would.

import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlPlane } from '../../playground/control-plane.mjs';
import { Bridge } from '../system/support/bridge.mjs';
import { FakeOpencode } from '../system/support/fake-opencode.mjs';
import { Random } from './random.mjs';
import { playScript } from './script.mjs';
import { Wire } from '../system/support/wire.mjs';

const ENVIRONMENT = {
    BRIDGE_RECONNECT_FIRST_MS: '20', BRIDGE_RECONNECT_MAX_MS: '100', BRIDGE_STABLE_CONNECTION_MS: '300',
    BRIDGE_HANDSHAKE_TIMEOUT_MS: '500', BRIDGE_PING_INTERVAL_MS: '1000', BRIDGE_PONG_TIMEOUT_MS: '1000',
    BRIDGE_HEARTBEAT_INTERVAL_MS: '100', BRIDGE_DRAIN_TIMEOUT_MS: '500', BRIDGE_SETTLE_MS: '100', BRIDGE_ALIVE_MS: '1000',
    BRIDGE_TOKEN_INTERVAL_MS: '20', BRIDGE_SIGNING_TIMEOUT_MS: '15000',
    ...(process.env.ASAN_OPTIONS && { ASAN_OPTIONS: process.env.ASAN_OPTIONS, UBSAN_OPTIONS: process.env.UBSAN_OPTIONS }),
};
/** A prompt that takes longer, after all that went wrong, is stuck. */
export const STUCK_MS = 30_000;
const OPEN = 1;

export class Scene extends EventEmitter {
    constructor(plan) {
        super();
        this.setMaxListeners(0);
        this.plan = plan;
        this.random = new Random(plan.seed, plan.number, 1); // for what cannot be planned: which acks are lost
        this.prompts = []; // { id, label, script, sentOn, completed, stopped, disturbed, terminated, killed }
        this.pushes = []; // { branch, isCertain }: certain is the answer of one that nothing came across
        this.bridges = [];
        this.generations = []; // of each connection: which bridge made it
        this.complaints = [];
        this.unacknowledged = new Set();
        this.story = []; // what happened, for a person
        this.bornAt = performance.now();
        this.isHealed = false;
        this.given = 0; // how often a prompt was sent
    }

    static async start(plan) {
        const scene = new Scene(plan);
        scene.directory = mkdtempSync(join(tmpdir(), 'oi-chaos-'));
        scene.cp = await ControlPlane.start({ host: '127.0.0.1', acks: false });
        scene.cp.pushRemote = ({ owner, name }) => ({ remoteUrl: `http://127.0.0.1:9/${owner}/${name}.git`,
            redactedRemoteUrl: `http://127.0.0.1:9/${owner}/${name}.git` });
        scene.opencode = await FakeOpencode.start();
        scene.upstream = await Wire.start(scene.cp.port);
        scene.downstream = await Wire.start(scene.opencode.port);
        scene.opencode.onPrompt = (run) => scene.#onPosted(run);
        scene.cp.on('event', (event) => scene.#onEvent(event));
        scene.cp.on('connected', () => {
            scene.generations.push(scene.bridges.length - 1);
            scene.tell('connected');
        });
        scene.startBridge();
        return scene;
    }

    async close() {
        for (const bridge of this.bridges) if (!bridge.exit) bridge.signal('SIGKILL');
        for (const bridge of this.bridges) await bridge.exited();
        await Promise.all([this.upstream.close(), this.downstream.close()]);
        await Promise.all([this.cp.close(), this.opencode.close()]);
        rmSync(this.directory, { recursive: true, force: true });
    }

    tell(text) { this.story.push(`${String(Math.round(performance.now() - this.bornAt)).padStart(6)} ms  ${text}`); }
    complain(text) {
        this.tell(`COMPLAINT: ${text}`);
        this.complaints.push(text);
    }

    // ---- the bridge ----

    get bridge() { return this.bridges.at(-1); }

    startBridge() {
        const environment = { ...this.cp.environment(), CONTROL_PLANE_URL: `http://127.0.0.1:${this.upstream.port}` };
        const bridge = Bridge.start({
            controlPlane: { environment: () => environment, sessionId: this.cp.sessionId },
            opencodePort: this.downstream.port, directory: this.directory, env: ENVIRONMENT });
        bridge.on('change', () => {
            if (!bridge.exit || bridge.isExpectedToEnd) return;
            bridge.isExpectedToEnd = true;
            this.complain(`the bridge ended by itself: ${JSON.stringify(bridge.exit)}\n${bridge.output.slice(-4000)}`);
        });
        this.bridges.push(bridge);
        this.tell(`bridge ${this.bridges.length} started`);
    }

    async endBridge(signal) {
        const { bridge } = this;
        // A program that was not yet ours to ask dies of it, as any does.
        if (signal === 'SIGTERM') await bridge.logged('bridge.run_start', { timeoutMs: STUCK_MS });
        bridge.isExpectedToEnd = true;
        for (const prompt of this.unfinished()) prompt[signal === 'SIGKILL' ? 'killed' : 'terminated'] = true;
        for (const push of this.pushes) push.isCertain = false;
        if (!bridge.exit) bridge.signal(signal);
        const { code } = await bridge.exited();
        this.tell(`bridge ${this.bridges.length} ended by ${signal}`);
        if (signal === 'SIGTERM' && code !== 0) this.complain(`SIGTERM ended the bridge with ${JSON.stringify(bridge.exit)}`);
    }

    /** What the journal says is still owed: { events: [ackId], prompts: [messageId], text }. */
    readJournal() {
        const events = new Set();
        const prompts = new Set();
        let text = '';
        try {
            text = readFileSync(join(this.directory, 'oi-bridge.journal'), 'utf8');
        } catch {
            // not written yet
        }
        for (const line of text.split('\n').slice(0, -1)) {
            const { op, ackId, messageId } = JSON.parse(line.slice(line.indexOf(' ') + 1));
            if (op === 'event') events.add(ackId);
            if (op === 'event') prompts.delete(ackId.replace(/^execution_complete:/, ''));
            if (op === 'gone') events.delete(ackId);
            if (op === 'prompt') prompts.add(messageId);
            if (op === 'ended') prompts.delete(messageId);
        }
        return { events: [...events], prompts: [...prompts], text };
    }

    // ---- the control plane ----

    waitFor(predicate, options) { return this.cp.waitFor(predicate, { timeoutMs: STUCK_MS, ...options }); }
    isConnected() { return this.cp.socket?.readyState === OPEN; }
    unfinished() { return this.prompts.filter(({ completed }) => !completed); }

    #onEvent(event) {
        const { type, messageId, ackId } = event;
        if (type !== 'heartbeat') {
            const about = this.prompts.find(({ id }) => id === messageId)?.label ?? '';
            this.tell(`<- ${type} ${about} ${event.status ?? ''}${event.success ?? ''} ${event.error ?? ''}`.trimEnd());
        }
        if (type === 'execution_complete') {
            const prompt = this.prompts.find(({ id }) => id === messageId);
            if (prompt) prompt.completed = true;
            this.emit('completion');
        }
        if (type === 'token' || type === 'ready') this.emit(type);
        if (ackId) this.#acknowledge(ackId);
        if (type === 'ready') this.#sendAgain();
    }

    #acknowledge(ackId) {
        const { kind, delayMs } = this.plan.acks;
        this.unacknowledged.add(ackId);
        if (!this.isHealed && (kind === 'none' || (kind === 'lossy' && this.random.chance(50)))) return;
        const send = () => {
            if (!this.isConnected()) return;
            this.cp.ack(ackId);
            this.unacknowledged.delete(ackId);
            this.emit('acked');
        };
        if (kind === 'late' && !this.isHealed) setTimeout(send, delayMs).unref();
        else send();
    }

    async sendPrompt({ script, stopAfterMs }) {
        await this.waitFor(() => this.isConnected(), { what: 'a connection for a prompt' });
        const label = `p${this.prompts.length}`;
        const prompt = { id: null, label, script, wantsStop: false };
        this.prompts.push(prompt);
        this.#give(prompt);
        if (stopAfterMs === null) return prompt;
        await sleep(stopAfterMs);
        prompt.wantsStop = true;
        if (!prompt.completed) this.stopPrompt();
        return prompt;
    }

    #give(prompt) {
        prompt.sentOn = this.cp.connections.length;
        prompt.place = ++this.given;
        prompt.terminated ||= this.bridge.isExpectedToEnd; // one that is leaving takes no prompt any more
        prompt.id = this.cp.prompt(prompt.label, prompt.id ? { messageId: prompt.id } : {});
        this.tell(`-> prompt ${prompt.label}`);
    }

    /** Whether the bridge has heard of it. */
    #hasTrace({ id }) {
        return this.readJournal().text.includes(id) || this.cp.events.some(({ messageId }) => messageId === id)
            || this.bridges.some(({ logs }) => logs.some((entry) => entry.event === 'prompt.start' && entry.message_id === id));
    }

    /** On a new connection: what was lost on an earlier one. */
    #sendAgain() {
        for (const prompt of this.unfinished()) {
            if (prompt.sentOn < this.cp.connections.length && !this.#hasTrace(prompt)) this.#give(prompt);
            if (prompt.wantsStop) this.stopPrompt();
        }
    }

    stopPrompt() {
        for (const prompt of this.unfinished()) prompt.stopped = true;
        if (!this.isConnected()) return;
        this.cp.stop();
        this.tell('-> stop');
    }

    push() {
        if (!this.isConnected()) return;
        const branch = `b${this.pushes.length}`;
        this.pushes.push({ branch, isCertain: true });
        this.cp.push(branch);
        this.tell('-> push');
    }

    // ---- OpenCode ----

    #onPosted(run) {
        const prompt = this.prompts.find(({ label }) => label === run.content);
        this.tell(`OpenCode got ${run.content}`);
        this.emit('posted');
        if (!prompt) return void this.complain(`OpenCode got a prompt that nobody sent: ${run.content}`);
        prompt.run = run;
        prompt.timesPosted = (prompt.timesPosted ?? 0) + 1;
        playScript(run, prompt.script, prompt.label, () => {
            this.tell(`OpenCode is done with ${prompt.label}`);
            this.emit('finished');
        }).catch((error) => this.complain(`the script broke: ${error.stack}`));
    }

    /** Something happens to OpenCode that may cost the prompts there are their success. */
    disturbRuns(reason) {
        this.tell(reason);
        for (const prompt of this.unfinished()) prompt.disturbed = true;
    }

    /** Waits for a moment of plan.mjs, but not for ever. */
    moment(name, patienceMs) {
        if (name === 'time') return sleep(patienceMs);
        return new Promise((resolve) => {
            const done = () => {
                clearTimeout(timer);
                this.off(name, done);
                resolve();
            };
            const timer = setTimeout(done, patienceMs);
            this.on(name, done);
        });
    }
}
