// Waiting for a thing itself, with a deadline: the only way in which the playground and the tests wait.

import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 10;
export const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Calls `check` until it gives something truthy and returns that. For things that nobody announces (a process, a
 * file); what announces itself has its own waiting, like ControlPlane.waitFor.
 */
export async function waitUntil(check, { timeoutMs = DEFAULT_TIMEOUT_MS, what = 'a condition' } = {}) {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
        const result = await check();
        if (result) return result;
        if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
        await sleep(POLL_MS);
    }
}

/** Calls `check` at once and whenever `emitter` emits 'change', until it gives something truthy. */
export function waitForChange(emitter, check, { timeoutMs = DEFAULT_TIMEOUT_MS, what = 'a change', details } = {}) {
    return new Promise((resolve, reject) => {
        const finish = (settle, value) => {
            clearTimeout(timer);
            emitter.off('change', look);
            settle(value);
        };
        const look = () => {
            try {
                const result = check();
                if (result) finish(resolve, result);
            } catch (error) {
                finish(reject, error);
            }
        };
        const timer = setTimeout(() => {
            const seen = details ? `\n${details()}` : '';
            finish(reject, new Error(`waited ${timeoutMs} ms in vain for ${what}${seen}`));
        }, timeoutMs);
        emitter.on('change', look);
        look();
    });
}
