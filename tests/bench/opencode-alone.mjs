// OpenCode by hand: `opencode serve` in an existing checkout, from its exec until its instance of that directory is warm,
// by the same requests as the supervisor's warm-up.

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeOpencodeConfig } from '../../playground/model-server.mjs';
import { opencodeProgram } from '../../playground/paths.mjs';
import { childrenOf } from '../../playground/processes.mjs';

const PORT = 4096;
const WARM_UP = { provider: 'oi-warm-up', model: 'none' };
const LOCK = '{"packages":{"":{"dependencies":{"@opencode-ai/plugin":"*"}}}}\n';

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

const call = (checkout, method, path, body) => fetch(`http://127.0.0.1:${PORT}${path}`, {
    method, headers: { 'content-type': 'application/json', 'x-opencode-directory': encodeURIComponent(checkout) },
    ...(body && { body: JSON.stringify(body) }) });

async function warmUp(checkout) {
    const events = await call(checkout, 'GET', '/event');
    const { id } = await (await call(checkout, 'POST', '/session', {})).json();
    await call(checkout, 'POST', `/session/${id}/prompt_async`, {
        model: { providerID: WARM_UP.provider, modelID: WARM_UP.model }, parts: [{ type: 'text', text: 'warm-up' }] });
    await waitForEvent(events, ({ type, properties }) => type === 'session.status' && properties.status.type === 'retry');
    await call(checkout, 'POST', `/session/${id}/abort`, {});
    await call(checkout, 'DELETE', `/session/${id}`);
}

/**
 * Starts it: { healthy, warm, pid, kill }. The times are ms from its exec; kill() sends SIGKILL and gives the ms until its
 * parent, which does nothing but wait for it, said that it is gone.
 */
export async function startAlone(modelUrl) {
    const dir = mkdtempSync(join(tmpdir(), 'oi-bench-'));
    const checkout = prepareAlone(dir, modelUrl);
    const startedAt = performance.now();
    const elapsed = () => performance.now() - startedAt;
    const parent = spawn('sh', ['-c', '"$@"; echo gone', 'sh', opencodeProgram, 'serve', '--port', String(PORT), '--hostname', '127.0.0.1', '--print-logs'], {
        cwd: checkout, stdio: ['ignore', 'pipe', 'ignore'],
        env: { PATH: process.env.PATH, HOME: dir, LANG: 'C.UTF-8', OPENCODE_CLIENT: 'serve', OPENCODE_DISABLE_MODELS_FETCH: '1',
            OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_CONFIG_CONTENT: JSON.stringify(configContent) },
    });
    const printed = (words) => new Promise((resolve) => {
        parent.stdout.on('data', (data) => { if (String(data).includes(words)) resolve(); });
    });
    const gone = printed('gone');
    await printed('opencode server listening');
    await (await call(checkout, 'GET', '/global/health')).json();
    const healthy = elapsed();
    await warmUp(checkout);
    const warm = elapsed();
    const [{ pid }] = childrenOf(parent.pid);
    const kill = async () => {
        const at = performance.now();
        process.kill(pid, 'SIGKILL');
        await gone;
        const ms = performance.now() - at;
        rmSync(dir, { recursive: true, force: true });
        return ms;
    };
    return { healthy, warm, pid, kill };
}
