// Prompts typed or piped in, a line each, and what the control plane double does with them.

import readline from 'node:readline';
import { MODEL_COMMANDS } from './model-script.mjs';
import { git } from './sample-repository.mjs';

const PROMPT_TIMEOUT_MS = 3_600_000;
const PUSH_TIMEOUT_MS = 60_000;

export const HELP = `Type a prompt. Or:
  /push [BRANCH]  ask the sandbox to push its commits     /stop  stop the running prompt
  /quit           end the sandbox (also Ctrl-D, Ctrl-C)   /help  this text`;

/** One line of input; resolves when it has been dealt with. */
async function handle(line, { controlPlane, model, bareRepository, modelServer }, display) {
    if (line === '/help') {
        display.line(HELP);
        if (modelServer) display.line(`What the scripted model understands, several joined by " ;; ":\n${MODEL_COMMANDS}`);
    } else if (/^\/push\b/.test(line)) {
        const after = controlPlane.events.length;
        const branch = line.split(/\s+/)[1] ?? 'playground';
        controlPlane.push(branch);
        const outcome = await controlPlane.waitForEvent(({ type }) => type.startsWith('push_'),
            { after, timeoutMs: PUSH_TIMEOUT_MS, what: 'the push' });
        if (outcome.type === 'push_complete') display.line(git(bareRepository, 'log', '--oneline', '--stat', '-1', branch));
    } else if (line !== '') {
        const id = controlPlane.prompt(line, { model: `${model.provider}/${model.name}` });
        await controlPlane.completionOf(id, { timeoutMs: PROMPT_TIMEOUT_MS });
    }
}

const attempt = async (action) => action();

/** Reads lines and handles them one after the other, except /stop, which cannot wait. Resolves when they end. */
export function converse(playground, display) {
    const input = readline.createInterface({ input: process.stdin, output: process.stdin.isTTY ? process.stdout : undefined,
        prompt: '> ' });
    input.on('SIGINT', () => process.emit('SIGINT'));
    return new Promise((resolve, reject) => {
        let last = Promise.resolve();
        const prompt = () => process.stdin.isTTY && input.prompt();
        input.on('line', (text) => {
            const line = text.trim();
            if (line === '/quit') return input.close();
            const show = (error) => display.line(error.message);
            if (line === '/stop') return void attempt(() => playground.controlPlane.stop()).catch(show).then(prompt);
            last = last.then(() => {
                if (!process.stdin.isTTY && line) display.line(`> ${line}`);
                return handle(line, playground, display);
            }).catch(show).then(prompt);
        });
        input.on('close', () => last.then(resolve, reject));
        prompt();
    });
}
