// The bridge alone, between a control plane double and a stand-in for OpenCode.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { ControlPlane } from '../../../playground/control-plane.mjs';
import { bridgeProgram } from '../../../playground/paths.mjs';
import { isAlive } from '../../../playground/processes.mjs';
import { Program } from '../../../playground/program.mjs';
import { FakeOpencode } from './fake-opencode.mjs';
import { DurableControlPlane } from '../../durable-object/control-plane.mjs';
import { checkProgram } from './checks.mjs';

/** Short waits, so that tests of reconnecting take no minute. Everything else keeps its default. */
const QUICK = { BRIDGE_RECONNECT_FIRST_MS: '30', BRIDGE_RECONNECT_MAX_MS: '200' };

export class Bridge extends Program {
    /**
     * `channel`: descriptor 3 is a channel to a supervisor, which the test plays: `bridge.process.stdio[3]`.
     * `prefix`: a command that the bridge is started through.
     */
    static start({ controlPlane, opencodePort, directory, args = [], env = {}, channel = false, prefix = () => [] }) {
        const bridge = new Bridge('the bridge');
        const { CONTROL_PLANE_URL, SANDBOX_ID, SANDBOX_AUTH_TOKEN } = controlPlane.environment();
        const all = { PATH: process.env.PATH, HOME: directory, TMPDIR: directory, SANDBOX_AUTH_TOKEN, ...QUICK, ...env };
        bridge.spawn(
            [...prefix(directory), bridgeProgram, '--sandbox-id', SANDBOX_ID, '--session-id', controlPlane.sessionId,
                '--control-plane', CONTROL_PLANE_URL, '--opencode-port', String(opencodePort), ...args],
            { cwd: directory, stdio: ['ignore', 'pipe', 'pipe', ...(channel ? ['pipe'] : [])],
                env: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) },
        );
        return bridge;
    }

    /** Ends as the supervisor would ask it to. */
    async stop(signal = 'SIGTERM') {
        if (!this.exit && isAlive(this.pid)) this.signal(signal);
        return this.exited();
    }
}

let controlPlaneClass = ControlPlane;

/** From now on the bridges of this process connect to a Durable Object (tests/durable-object/). */
export function useDurableObject() { controlPlaneClass = DurableControlPlane; }

/** A test that needs what only the server in Node can do: TLS, not reading, not answering; or that takes long. */
export const testWithNodeServer = (...of) => { if (controlPlaneClass === ControlPlane) test(...of); };

/**
 * Starts a control plane, a stand-in for OpenCode and a bridge between them for the test `t`, which ends them and
 * checks that the control plane could take every event (allow those of `allowDropped`) and that nothing crashed.
 * `start: false` leaves the bridge to startBridge(). `controlPlane`: options of ControlPlane. `openOpencode` gives
 * something else in OpenCode's place (real-opencode.mjs).
 */
export async function bridgeBetween(t, { controlPlane = {}, env, args, prefix, start = true, allowDropped = [],
    openOpencode = () => FakeOpencode.start() } = {}) {
    const directory = mkdtempSync(join(tmpdir(), 'oi-bridge-'));
    const cp = await controlPlaneClass.start(controlPlane);
    const opencode = await openOpencode();
    const bridges = [];
    const startBridge = (more = {}) => {
        const bridge = Bridge.start({ controlPlane: cp, opencodePort: opencode.port, directory, args, prefix, ...more,
            env: { ...env, ...more.env } });
        bridges.push(bridge);
        return bridge;
    };
    t.after(async () => {
        for (const bridge of bridges) await bridge.stop('SIGKILL');
        await cp.close();
        await opencode.close();
        rmSync(directory, { recursive: true, force: true });
        for (const bridge of bridges) checkProgram(bridge, [cp.token]);
        assert.deepEqual(cp.dropped.filter(({ event }) => !allowDropped.includes(event.type)), [],
            'the control plane would drop these events');
    });
    const bridge = start ? startBridge() : null;
    if (start) await bridge.stillRuns(cp.ready(1));
    return { cp, opencode, bridge, startBridge, directory };
}

/** Events without those that come by the clock or once a connection. */
export function conversation(events) {
    return events.filter(({ type }) => !['heartbeat', 'ready'].includes(type));
}
export const types = (events) => conversation(events).map(({ type }) => type);

/** Waits for some heartbeats (BRIDGE_HEARTBEAT_INTERVAL_MS must be short): what was in doubt has been sent by then. */
export async function settle(cp, heartbeats = 3) {
    const wanted = cp.eventsOfType('heartbeat').length + heartbeats;
    await cp.waitFor(() => cp.eventsOfType('heartbeat').length >= wanted, { what: 'heartbeats' });
}

/** The id of a prompt whose completion was sent and not acknowledged, by a control plane that is known to acknowledge. */
export async function completedUnacknowledged(cp) {
    await cp.completionOf(cp.prompt('one that is acknowledged')); // shows the bridge that this control plane does so
    cp.acks = false;
    const id = cp.prompt('one that is not');
    await cp.completionOf(id);
    return id;
}
