// `make run` as a stranger sees it: prompts piped in, or Ctrl-C at some moment.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { playgroundDir } from '../../playground/paths.mjs';
import { environmentOf, findProcesses } from '../../playground/processes.mjs';
import { waitUntil } from '../../playground/waiting.mjs';

const RUN_LIMIT_MS = 120_000;

/** Starts run.mjs with a temporary directory of its own; `input` is all that is typed, or null to keep typing open. */
function startRun(t, input) {
    const directory = mkdtempSync(join(tmpdir(), 'oi-run-'));
    const { ANTHROPIC_API_KEY, ...env } = process.env;
    const child = spawn(process.execPath, [join(playgroundDir, 'run.mjs')], {
        env: { ...env, TMPDIR: directory }, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const run = { child, output: '', exit: null, directory };
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { run.output += data; });
    child.on('exit', (code, signal) => { run.exit = { code, signal }; });
    if (input !== null) child.stdin.end(input);
    t.after(() => {
        child.kill('SIGKILL');
        rmSync(directory, { recursive: true, force: true });
    });
    return run;
}

async function ended(run) {
    await waitUntil(() => run.exit, { timeoutMs: RUN_LIMIT_MS, what: 'make run to end' }).catch((error) => {
        throw new Error(`${error.message}\n${run.output}`);
    });
    return run.exit;
}

/** Neither a process nor a file of that run is left. */
function assertNothingLeft(run) {
    const marker = `PLAYGROUND_MARKER=${run.child.pid}-`;
    const left = findProcesses(({ pid }) => environmentOf(pid).some((entry) => entry.startsWith(marker)));
    assert.deepEqual(left, []);
    assert.deepEqual(readdirSync(run.directory), []);
}

test('prompts that are piped in are answered one after the other, the second knows the first, a push arrives', async (t) => {
    const run = startRun(t, [
        'my name is Grace',
        'what is my name?',
        'bash: echo more >> README.md && git -c user.name=a -c user.email=a@b commit -qam "Say more" ;; say: committed',
        '/push feature/more',
        ''].join('\n'));
    const { code } = await ended(run);
    assert.equal(code, 0, run.output);
    for (const expected of [/control plane +https:/, /receiving \d+ of \d+ objects/, /setup: ran in/, /The sandbox is ready/,
        /You wrote: "what is my name\?"\. Before that you wrote: "my name is Grace"/, /^bash echo more/m,
        /^pushed feature\/more$/m, /Say more/]) assert.match(run.output, expected);
    assertNothingLeft(run);
});

for (const [when, what] of [['while certificates are made', 'Starting the playground'],
    ['during the boot', 'git.clone_start'], ['when all is up', 'The sandbox is ready']]) {
    test(`Ctrl-C ${when} leaves no process and no file behind`, async (t) => {
        const run = startRun(t, null);
        await waitUntil(() => run.exit || run.output.includes(what), { timeoutMs: RUN_LIMIT_MS, what });
        process.kill(-run.child.pid, 'SIGINT'); // as a terminal does: to all that it started, too
        const { code } = await ended(run);
        assert.equal(code, 130, run.output);
        assert.doesNotMatch(run.output, /playground:/, 'no error is told');
        assertNothingLeft(run);
    });
}
