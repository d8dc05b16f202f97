#!/usr/bin/env node
// `make run`: one sandbox, end to end, on this machine. Starts a git server, a control plane and a scripted model, then
// the real supervisor with the real OpenCode and the bridge, and lets you type prompts. Everything lives in temporary
// directories that are removed at the end. With ANTHROPIC_API_KEY set, the real model answers.
//
// Prompts can also be piped in, a line each; each is sent when the one before it is done, and then the sandbox ends.

import readline from 'node:readline';
import { Display } from './display.mjs';
import { MODEL_COMMANDS } from './model-script.mjs';
import { Playground } from './playground.mjs';
import { opencodeProgram } from './paths.mjs';

const ANTHROPIC = { provider: 'anthropic', name: 'claude-sonnet-4-6' };
const READY_TIMEOUT_MS = 120_000;
const PROMPT_TIMEOUT_MS = 3_600_000;
const PUSH_TIMEOUT_MS = 60_000;
const EXIT_INTERRUPTED = 130;

const HELP = `Type a prompt. Or:
  /push [BRANCH]  ask the sandbox to push its commits     /stop  stop the running prompt
  /quit           end the sandbox (also Ctrl-D, Ctrl-C)   /help  this text`;

const display = new Display();
const isScripted = !process.env.ANTHROPIC_API_KEY;

function describe({ controlPlane, gitServer, model }, sandbox) {
    const { owner, name } = controlPlane.repository;
    display.line(`
  control plane  ${controlPlane.url}  (session ${controlPlane.sessionId})
  git server     ${gitServer.url(owner, name)}
  model          ${model.provider}/${model.name}${model.url ? `  at ${model.url}, no key needed` : ''}
  opencode       ${opencodeProgram}
  sandbox        ${sandbox.root}, ${sandbox.isolated ? 'in its own PID namespace' : 'as an ordinary process (not root)'}
`);
}

/** One line of input; resolves when it has been dealt with. */
async function handle(line, { controlPlane, model, bareRepository }) {
    if (line === '/help') {
        display.line(HELP);
        if (isScripted) display.line(`What the scripted model understands, several joined by " ;; ":\n${MODEL_COMMANDS}`);
    } else if (/^\/push\b/.test(line)) {
        const after = controlPlane.events.length;
        const branch = line.split(/\s+/)[1] ?? 'playground';
        controlPlane.push(branch);
        const outcome = await controlPlane.waitForEvent(({ type }) => type.startsWith('push_'),
            { after, timeoutMs: PUSH_TIMEOUT_MS, what: 'the push' });
        if (outcome.type === 'push_complete') display.line(`look at it: git -C ${bareRepository} log ${branch}`);
    } else if (line !== '') {
        const id = controlPlane.prompt(line, { model: `${model.provider}/${model.name}` });
        await controlPlane.completionOf(id, { timeoutMs: PROMPT_TIMEOUT_MS });
    }
}

/** Reads lines and handles them one after the other, except /stop, which cannot wait. */
function converse(playground) {
    const input = readline.createInterface({ input: process.stdin, output: process.stdin.isTTY ? process.stdout : undefined,
        prompt: '> ' });
    input.on('SIGINT', () => process.emit('SIGINT'));
    return new Promise((resolve, reject) => {
        let last = Promise.resolve();
        const prompt = () => process.stdin.isTTY && input.prompt();
        input.on('line', (text) => {
            const line = text.trim();
            if (line === '/quit') return input.close();
            if (line === '/stop') return playground.controlPlane.stop();
            last = last.then(() => {
                if (!process.stdin.isTTY && line) display.line(`> ${line}`);
                return handle(line, playground);
            }).catch((error) => display.line(String(error.message))).then(prompt);
        });
        input.on('close', () => last.then(resolve, reject));
        prompt();
    });
}

async function main() {
    const interrupted = new Promise((resolve) => {
        for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve(EXIT_INTERRUPTED));
    });
    display.line('Starting the playground ...');
    const playground = await Playground.start({
        provider: isScripted ? null : ANTHROPIC, withSystemCertificates: !isScripted });
    try {
        const env = isScripted ? {} : { ANTHROPIC_API_KEY: process.env.ANTHROPIC_API_KEY };
        const sandbox = await playground.startSandbox({ env });
        describe(playground, sandbox);
        sandbox.on('line', (line, entry) => display.logLine(line, entry));
        playground.controlPlane.on('event', (event) => display.event(event));
        const ended = sandbox.exited({ timeoutMs: PROMPT_TIMEOUT_MS * 24 }).then(({ code }) => code ?? 1);
        const session = async () => {
            await playground.controlPlane.ready(1, { timeoutMs: READY_TIMEOUT_MS });
            display.line(`\nThe sandbox is ready. ${HELP}\n`);
            await converse(playground);
            return 0;
        };
        const code = await Promise.race([interrupted, ended, session()]);
        display.line('Ending the sandbox ...');
        await sandbox.stop();
        return code;
    } finally {
        await playground.close();
    }
}

try {
    process.exitCode = await main();
} catch (error) {
    display.line(`playground: ${error.message}`);
    process.exitCode = 1;
}
process.stdin.unref?.();
process.stdin.destroy();
