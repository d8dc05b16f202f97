// A boot with the real OpenCode and a real clone: how much longer it takes than the slower of the two alone, and how much
// longer the first prompt waits for its first token than the second.
//
// Definitions. "OpenCode alone": see opencode-alone.mjs; nothing else runs on the machine. "git alone" is
// the same sandbox with an OpenCode that is there at once. "First token" is from the prompt at the control plane to the
// first token event there; the first prompt is sent the moment `ready` comes. All files are in the page cache.

import { Playground } from '../../playground/playground.mjs';
import { startAlone } from './opencode-alone.mjs';
import { opencodeAtOnce } from './opencode-at-once.mjs';
import { benchmark, least, median, report } from './report.mjs';

/** OpenCode's own start differs by half a second from run to run; the least of fewer is not yet near what it can be. */
const RUNS = Number(process.env.OI_BENCH_RUNS ?? 9);
const ABOVE_SLOWER_LIMIT_MS = 50;
const FIRST_TOKEN_LIMIT_MS = 150;
const WAIT = { timeoutMs: 60_000 };

/** What lies on the longest way through the plan, of the steps that take time. */
function criticalPath({ phase_ms: ms }) {
    const ways = [['stage', 'opencode'], ['manifest', 'sync', 'baselines', 'setup', 'start', 'guide'], ['credentials', 'setup', 'start']];
    const length = (steps) => steps.reduce((sum, step) => sum + (ms[step] ?? 0), 0);
    const longest = ways.sort((a, b) => length(b) - length(a))[0];
    return [...longest, 'warm_up'].filter((step) => ms[step] > 0).map((step) => `${step} ${ms[step]}`).join(' > ');
}

async function bootOnce(playground, options) {
    const known = playground.controlPlane.eventsOfType('ready').length;
    const sandbox = await playground.startSandbox({ isolated: false, ...options });
    const ready = await sandbox.stillRuns(playground.controlPlane.ready(known + 1, WAIT));
    const startup = await sandbox.logged('sandbox.startup', WAIT);
    return { sandbox, ms: ready.receivedAt - sandbox.startedAt, startup };
}

async function firstTokenMs(playground, sandbox, text) {
    const cp = playground.controlPlane;
    const sentAt = performance.now();
    const id = cp.prompt(text);
    const token = await sandbox.stillRuns(cp.waitFor(() => cp.eventsOf(id).find(({ type }) => type === 'token'), WAIT));
    await sandbox.stillRuns(cp.completionOf(id, WAIT));
    return token.receivedAt - sentAt;
}

await benchmark('boot', 'a boot with the real OpenCode and a real clone', async () => {
    const playground = await Playground.start();
    try {
        const alone = [], git = [], whole = [], tokens = [];
        let fastest = null;
        for (let run = 0; run < RUNS; run++) {
            const opencode = await startAlone(playground.modelServer.url);
            await opencode.kill();
            alone.push(opencode);
            const quick = await bootOnce(playground, { opencode: opencodeAtOnce() });
            git.push(quick.ms);
            await quick.sandbox.stop();
            const boot = await bootOnce(playground, {});
            whole.push(boot.ms);
            if (boot.ms === least(whole)) fastest = boot;
            const [first, second] = [await firstTokenMs(playground, boot.sandbox, 'hello'), await firstTokenMs(playground, boot.sandbox, 'again')];
            tokens.push({ first, second, more: first - second });
            await boot.sandbox.stop();
        }
        const warm = alone.map((one) => one.warm);
        const slower = Math.max(least(warm), least(git));
        report('OpenCode alone, exec to warm', least(warm), 'ms', { more: `least of ${RUNS}, median ${median(warm).toFixed(0)}; healthy after ${least(alone.map((one) => one.healthy)).toFixed(0)}` });
        report('git alone: exec to ready, OpenCode there at once', least(git), 'ms', { more: `least of ${RUNS}, median ${median(git).toFixed(0)}` });
        report('both: exec to ready', least(whole), 'ms', { more: `least of ${RUNS}, median ${median(whole).toFixed(0)}` });
        report('both, above the slower one', least(whole) - slower, 'ms', { limit: ABOVE_SLOWER_LIMIT_MS, more: `critical path: ${criticalPath(fastest.startup)}` });
        report('first token of the first prompt, above the second', median(tokens.map(({ more }) => more)), 'ms', {
            limit: FIRST_TOKEN_LIMIT_MS, more: `median of ${RUNS}; ${median(tokens.map(({ first }) => first)).toFixed(0)} and ${median(tokens.map(({ second }) => second)).toFixed(0)} ms` });
    } finally {
        await playground.close();
    }
});
