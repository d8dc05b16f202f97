#!/usr/bin/env node
// `make run`: one sandbox, end to end, on this machine. Starts a git server, a control plane and a scripted model, then
// the real supervisor with the real OpenCode and the bridge, and lets you type prompts. Everything lives in temporary
// directories that are removed at the end. With ANTHROPIC_API_KEY set, the real model answers.
//
// Prompts can also be piped in, a line each; each is sent when the one before it is done, and then the sandbox ends.
// With --verbose every log line is shown, also those of the bridge.

import { converse, HELP } from './conversation.mjs';
import { Display } from './display.mjs';
import { opencodeProgram } from './paths.mjs';
import { Playground } from './playground.mjs';
import { runWholeProgram } from './whole-program.mjs';

const ANTHROPIC = { provider: 'anthropic', name: 'claude-sonnet-4-6' };
const READY_TIMEOUT_MS = 120_000;
const LONGEST_SESSION_MS = 86_400_000;

const display = new Display({ verbose: process.argv.includes('--verbose') });
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

async function main(interrupted) {
    display.line('Starting the playground ...');
    const playground = await Playground.start({
        provider: isScripted ? null : ANTHROPIC, withSystemCertificates: !isScripted });
    try {
        const env = isScripted ? {} : { ANTHROPIC_API_KEY: process.env.ANTHROPIC_API_KEY };
        const sandbox = await playground.startSandbox({ env });
        describe(playground, sandbox);
        for (const line of sandbox.lines) display.logLine(line);
        sandbox.on('line', (line) => display.logLine(line));
        playground.controlPlane.on('event', (event) => display.event(event));
        const ended = sandbox.exited({ timeoutMs: LONGEST_SESSION_MS }).then(({ code }) => code ?? 1);
        const session = async () => {
            await playground.controlPlane.ready(1, { timeoutMs: READY_TIMEOUT_MS });
            display.line(`\nThe sandbox is ready. ${HELP}\n`);
            await converse(playground, display);
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

await runWholeProgram(display, main);
