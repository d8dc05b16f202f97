/*
 * README's container lines, as written: the image is built from a clean checkout, run, talked to
 * through the playground, and ended in both ways. The programs inside are the musl ones.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { playgroundDir, repositoryDir } from '../../playground/paths.mjs';
import { Program } from '../../playground/program.mjs';
import { Image, whyNot } from './image.mjs';

const READY_TIMEOUT_MS = 60_000;
const ANSWER_TIMEOUT_MS = 60_000;
const STOP_BUDGET_MS = 16_000; // S-350..: one budget for an orderly end

/** The one line of README that begins with `words`. */
function readmeLine(words) {
    const lines = readFileSync(join(repositoryDir, 'README.md'), 'utf8').split('\n').map((line) => line.trim());
    const found = lines.filter((line) => line.startsWith(words));
    assert.equal(found.length, 1, `README has ${found.length} lines that begin with "${words}"`);
    return found[0];
}

const reason = whyNot();
const skip = reason ? `no image can be built here: ${reason}` : false;
const image = skip ? null : new Image();

before(async () => {
    if (image) await image.build(readmeLine('docker build '));
});
after(() => image?.remove());

/** The playground that `make playground` starts, with its standard input for prompts. */
class Serve extends Program {
    static async start() {
        const serve = new Serve('the playground');
        serve.spawn([...image.inNetwork(), process.execPath, join(playgroundDir, 'serve.mjs')],
            { cwd: repositoryDir, env: process.env, stdio: ['pipe', 'pipe', 'pipe'] });
        await serve.printed('docker run', READY_TIMEOUT_MS);
        return serve;
    }

    printed(text, timeoutMs = ANSWER_TIMEOUT_MS) {
        return this.waitFor(() => this.output.includes(text), { what: JSON.stringify(text), timeoutMs });
    }

    type(line) { this.process.stdin.write(`${line}\n`); }
}

class Container extends Program {
    constructor() {
        super('the container');
        // A name, to find it again; the rest is README's.
        const line = readmeLine('docker run ').replace('docker run', 'docker run --name oi-test');
        this.spawn(image.command(line), { cwd: repositoryDir, env: process.env });
    }
}

/** Waits for the first `ready`; a container that ends without it says why. */
async function isReady(serve, container) {
    const ended = container.exited({ timeoutMs: READY_TIMEOUT_MS }).catch(() => {}).then(() => {
        throw new Error(`the container ended, or did not become ready:\n${container.output}`);
    });
    await Promise.race([serve.printed('The sandbox is ready', READY_TIMEOUT_MS * 2), ended]);
    ended.catch(() => {});
}

async function inside(command) {
    return image.shell(`podman exec oi-test ${command}`);
}

test('the image has the two programs, git, Node and OpenCode at the pinned version', { skip }, async () => {
    const run = (words) => image.shell(`docker run --rm --network=none --entrypoint '' oi-sandbox ${words}`);
    assert.match(await run('oi-supervisor --version'), /^oi-supervisor \d/);
    assert.match(await run('oi-bridge --version'), /^oi-bridge \d/);
    assert.match(await run('git --version'), /^git version/);
    assert.match(await run('node --version'), /^v\d/);
    const pinned = JSON.parse(readFileSync(join(playgroundDir, 'package.json'))).dependencies['opencode-ai'];
    assert.equal(await run('opencode --version'), pinned);
});

test('README: the container answers two prompts, the second knows the first, and shutdown ends it with 0', { skip }, async () => {
    const serve = await Serve.start();
    const container = new Container();
    try {
        await isReady(serve, container);
        assert.equal(await inside('cat /proc/1/comm'), 'oi-supervisor');
        serve.type('bash: echo "PID 1 is $(cat /proc/1/comm), $(git -C /workspace/app log --oneline | wc -l) commits"');
        await serve.printed('PID 1 is oi-supervisor, 1 commits');
        await serve.printed('\ndone');
        serve.type('what did I say?');
        await serve.printed('Before that you wrote: "bash: echo');
        serve.process.stdin.end();
        assert.equal((await serve.exited({ timeoutMs: STOP_BUDGET_MS })).code, 0);
        assert.equal((await container.exited({ timeoutMs: STOP_BUDGET_MS })).code, 0);
    } finally {
        serve.process.kill('SIGKILL');
        await image.shell('podman rm -f -t 0 -i oi-test');
    }
});

test('docker stop ends the container in order, inside its budget', { skip }, async () => {
    const serve = await Serve.start();
    const container = new Container();
    try {
        await isReady(serve, container);
        serve.type('bash: sleep 300');
        await serve.printed('sleep 300');
        const begun = performance.now();
        await image.shell('docker stop -t 20 oi-test');
        assert.ok(performance.now() - begun < STOP_BUDGET_MS, 'took longer than its budget');
        assert.equal((await container.exited()).code, 0);
        await serve.printed('Task was cancelled');
    } finally {
        serve.process.kill('SIGKILL');
        await image.shell('podman rm -f -t 0 -i oi-test');
    }
});
