// A boot with the real OpenCode and a real clone: how much longer it takes than the slower of the two alone, how much
// longer the first prompt waits for its first token than the second, and how long OpenCode is gone when it is killed.
//
// Definitions. "OpenCode alone" is `opencode serve` by hand in an existing checkout, from its exec until its instance of
// that directory is warm: the same requests as the supervisor's warm-up, and nothing else on the machine. "git alone" is
// the same sandbox with an OpenCode that is there at once. "First token" is from the prompt at the control plane to the
// first token event there; the first prompt is sent the moment `ready` comes. All files are in the page cache.

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeOpencodeConfig } from '../../playground/model-server.mjs';
import { opencodeProgram } from '../../playground/paths.mjs';
import { Playground } from '../../playground/playground.mjs';
import { opencodeAtOnce } from './opencode-at-once.mjs';
import { benchmark, least, median, report } from './report.mjs';

const RUNS = Number(process.env.OI_BENCH_RUNS ?? 5);
const ABOVE_SLOWER_LIMIT_MS = 50;
const FIRST_TOKEN_LIMIT_MS = 150;
const NOTICED_LIMIT_MS = 50;
const RECOVERY_LIMIT_MS = 200;
const PORT = 4096;
const WARM_UP = { provider: 'oi-warm-up', model: 'none' };
const LOCK = '{"packages":{"":{"dependencies":{"@opencode-ai/plugin":"*"}}}}\n';
const WAIT = { timeoutMs: 60_000 };

const configContent = {
    model: 'playground/scripted', permission: { '*': { '*': 'allow' } },
    provider: { [WARM_UP.provider]: { npm: '@ai-sdk/openai-compatible',
        options: { baseURL: 'http://127.0.0.1:9/v1', apiKey: 'none' }, models: { [WARM_UP.model]: {} } } },
};

/** A checkout and a home as the supervisor leaves them. */
function prepareAlone(dir, modelUrl) {
    const checkout = join(dir, 'app');
    mkdirSync(checkout);
    writeFileSync(join(checkout, 'README.md'), 'A small repository.\n');
    const git = (...words) => execFileSync('git', ['-C', checkout, ...words], { stdio: 'ignore' });
    git('init', '-q', '-b', 'main');
    git('add', '.');
    git('-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', 'commit', '-qm', 'first');
    writeOpencodeConfig(dir, modelUrl);
    const global = join(dir, '.config', 'opencode');
    mkdirSync(join(global, 'node_modules'));
    writeFileSync(join(global, 'package-lock.json'), LOCK);
    return checkout;
}

async function waitForEvent(response, isWanted) {
    let text = '';
    for await (const chunk of response.body) {
        text += Buffer.from(chunk).toString();
        const frames = text.split('\n\n');
        text = frames.pop();
        if (frames.some((frame) => isWanted(JSON.parse(frame.slice('data: '.length))))) return;
    }
    throw new Error('the event stream ended');
}

/** OpenCode alone: { healthy, warm } in ms from its exec. */
async function startAlone(modelUrl) {
    const dir = mkdtempSync(join(tmpdir(), 'oi-bench-'));
    const checkout = prepareAlone(dir, modelUrl);
    const base = `http://127.0.0.1:${PORT}`;
    const startedAt = performance.now();
    const elapsed = () => performance.now() - startedAt;
    const server = spawn(opencodeProgram, ['serve', '--port', String(PORT), '--hostname', '127.0.0.1', '--print-logs'], {
        cwd: checkout, stdio: ['ignore', 'pipe', 'ignore'],
        env: { PATH: process.env.PATH, HOME: dir, LANG: 'C.UTF-8', OPENCODE_CLIENT: 'serve', OPENCODE_DISABLE_MODELS_FETCH: '1',
            OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_CONFIG_CONTENT: JSON.stringify(configContent) },
    });
    const call = (method, path, body) => fetch(`${base}${path}`, {
        method, headers: { 'content-type': 'application/json', 'x-opencode-directory': encodeURIComponent(checkout) },
        ...(body && { body: JSON.stringify(body) }) });
    try {
        await new Promise((listening) => server.stdout.on('data', (data) => {
            if (String(data).includes('opencode server listening')) listening();
        }));
        await (await call('GET', '/global/health')).json();
        const healthy = elapsed();
        const events = await call('GET', '/event');
        const { id } = await (await call('POST', '/session', {})).json();
        await call('POST', `/session/${id}/prompt_async`, {
            model: { providerID: WARM_UP.provider, modelID: WARM_UP.model }, parts: [{ type: 'text', text: 'warm-up' }] });
        await waitForEvent(events, ({ type, properties }) => type === 'session.status' && properties.status.type === 'retry');
        await call('POST', `/session/${id}/abort`, {});
        await call('DELETE', `/session/${id}`);
        return { healthy, warm: elapsed() };
    } finally {
        const gone = new Promise((exited) => server.on('exit', exited));
        server.kill('SIGKILL');
        await gone;
        rmSync(dir, { recursive: true, force: true });
    }
}

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

/** Kills OpenCode: { noticed, healthy } in ms, and how long the new one took from its start to its health by itself. */
async function killOnce(sandbox, command) {
    const server = sandbox.find(command);
    const at = performance.now();
    process.kill(server.pid, 'SIGKILL');
    await sandbox.logged('opencode.crash', WAIT);
    const noticed = performance.now() - at;
    const ready = await sandbox.logged('opencode.ready', { count: 2, ...WAIT });
    return { noticed, healthy: performance.now() - at, ownStart: ready.duration_ms };
}

await benchmark('boot', 'a boot with the real OpenCode and a real clone', async () => {
    const playground = await Playground.start();
    try {
        const alone = [], git = [], whole = [], tokens = [], kills = [], small = [];
        let fastest = null;
        for (let run = 0; run < RUNS; run++) {
            alone.push(await startAlone(playground.modelServer.url));
            const quick = await bootOnce(playground, { opencode: opencodeAtOnce() });
            git.push(quick.ms);
            small.push(await killOnce(quick.sandbox, 'opencode_at_once serve'));
            await quick.sandbox.stop();
            const boot = await bootOnce(playground, {});
            whole.push(boot.ms);
            if (boot.ms === least(whole)) fastest = boot;
            const [first, second] = [await firstTokenMs(playground, boot.sandbox, 'hello'), await firstTokenMs(playground, boot.sandbox, 'again')];
            tokens.push({ first, second, more: first - second });
            kills.push(await killOnce(boot.sandbox, 'opencode serve'));
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
        // The kernel tells of a death when it has given the memory of the dead back: half a gigabyte in the real one.
        report('kill -9 of a small OpenCode: noticed', median(small.map(({ noticed }) => noticed)), 'ms', {
            limit: NOTICED_LIMIT_MS, more: `of the real one ${median(kills.map(({ noticed }) => noticed)).toFixed(0)} ms, most of it the kernel's` });
        report('healthy again, above its own start', median(kills.map(({ healthy, ownStart }) => healthy - ownStart)), 'ms', {
            limit: RECOVERY_LIMIT_MS, more: `median of ${RUNS}; healthy again after ${median(kills.map(({ healthy }) => healthy)).toFixed(0)} ms` });
    } finally {
        await playground.close();
    }
});
