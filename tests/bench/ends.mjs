// A bridge between a control plane and an OpenCode that both live in the benchmark's process, in the middle of a prompt.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlPlane } from '../../playground/control-plane.mjs';
import { Bridge } from '../system/support/bridge.mjs';
import { FakeOpencode } from '../system/support/fake-opencode.mjs';

/** Calls `use` with { controlPlane, opencode, bridge, run, id }. */
export async function openPrompt(use) {
    const directory = mkdtempSync(join(tmpdir(), 'oi-bench-'));
    const controlPlane = await ControlPlane.start();
    const opencode = await FakeOpencode.start();
    const bridge = Bridge.start({ controlPlane, opencodePort: opencode.port, directory });
    try {
        await bridge.stillRuns(controlPlane.ready());
        opencode.onPrompt = (run) => run.begin();
        const id = controlPlane.prompt('measure');
        const run = await bridge.stillRuns(opencode.prompted());
        await bridge.stillRuns(controlPlane.waitForEvent(({ messageId }) => messageId === id));
        await use({ controlPlane, opencode, bridge, run, id });
    } finally {
        await bridge.stop('SIGKILL');
        await controlPlane.close();
        await opencode.close();
        rmSync(directory, { recursive: true, force: true });
    }
}

/** A finished tool call, as a part of the run's answer: 400 bytes with what is around it. */
export function toolPart(run, number) {
    return {
        id: `prt_${number}`, sessionID: run.sessionID, messageID: run.answer.id, type: 'tool', tool: 'bash',
        callID: `call_${number}`,
        state: { status: 'completed', input: { command: `echo ${number}` }, output: `line of tool ${number}\n`,
            title: 'echo', metadata: {}, time: { start: 1, end: 2 } },
    };
}
