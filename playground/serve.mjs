#!/usr/bin/env node
// `make playground`: everything around a sandbox, for one that you start yourself, in a container. Writes what it needs
// to build/playground (environment, certificates, OpenCode's provider), says the line that starts it, and then talks to
// it as run.mjs does: prompts typed or piped in. At the end the control plane shuts the sandbox down.

import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { converse, HELP } from './conversation.mjs';
import { Display } from './display.mjs';
import { sandboxEnvironment } from './launch.mjs';
import { writeOpencodeConfig } from './model-server.mjs';
import { buildDir } from './paths.mjs';
import { Playground } from './playground.mjs';
import { runWholeProgram } from './whole-program.mjs';

const READY_TIMEOUT_MS = 3_600_000; // the image may still have to be built
const GOODBYE_TIMEOUT_MS = 20_000;
const MOUNT = '/playground'; // where the container sees our directory

const display = new Display();
const dir = join(buildDir, 'playground');

/** The files by which a container finds this playground. */
function writeLaunchFiles({ controlPlane, gitServer, model, bundle }) {
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    copyFileSync(bundle, join(dir, 'certificates.pem'));
    writeOpencodeConfig(dir, model.url);
    const { PATH, HOME, XDG_CACHE_HOME, ...env } = sandboxEnvironment({
        controlPlane, gitServer, home: '/root', bundle: `${MOUNT}/certificates.pem`, provider: model.provider,
        model: model.name });
    env.OPENCODE_CONFIG = `${MOUNT}/.config/opencode/opencode.json`;
    const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(join(dir, 'sandbox.env'), lines.join(''), { mode: 0o600 });
}

function describe({ controlPlane, gitServer, model }) {
    const { owner, name } = controlPlane.repository;
    const here = relative(process.cwd(), dir);
    display.line(`
  control plane  ${controlPlane.url}  (session ${controlPlane.sessionId})
  git server     ${gitServer.url(owner, name)}
  model          ${model.provider}/${model.name}  at ${model.url}, no key needed

Start the sandbox in another terminal:

  docker run --rm --network=host --env-file ${here}/sandbox.env -v "$PWD/${here}:${MOUNT}:ro" oi-sandbox
`);
}

async function session(playground) {
    const { controlPlane } = playground;
    await controlPlane.ready(1, { timeoutMs: READY_TIMEOUT_MS });
    display.line(`\nThe sandbox is ready. ${HELP}\n`);
    await converse(playground, display);
    if (!controlPlane.socket) return 0; // it was ended from outside
    display.line('Ending the sandbox ...');
    controlPlane.shutdown();
    await controlPlane.waitFor(() => !controlPlane.socket, { timeoutMs: GOODBYE_TIMEOUT_MS, what: 'the sandbox to leave' });
    return 0;
}

async function main(interrupted) {
    const playground = await Playground.start();
    try {
        writeLaunchFiles(playground);
        describe(playground);
        playground.controlPlane.on('event', (event) => display.event(event));
        return await Promise.race([interrupted, session(playground)]);
    } finally {
        await playground.close();
        rmSync(dir, { recursive: true, force: true });
    }
}

await runWholeProgram(display, main);
