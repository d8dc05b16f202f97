// The repositories' own scripts (section 4 of the contract): what is logged of them, what counts as their end, and what they
// leave running. How they fit into the boot is in supervisor-boot, what their failure means in supervisor-boot-tables.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import test from 'node:test';
import { sampleFiles } from '../../playground/sample-repository.mjs';
import { after, endInOrder, playgroundFor, startWithStandIns } from './support/sandbox.mjs';

const needsRoot = process.getuid() === 0 ? false : 'needs root, to put something in the way of bash';
const hooks = (setup, start = 'exit 0\n') => ({ owner: 'acme', name: 'app', files: {
    ...sampleFiles, '.openinspect/setup.sh': setup, '.openinspect/start.sh': start } });
const VALUE_MAX = 16 * 1024;
const TAIL_LINES = 50;

/** The fields of an event that S-263 names, and those of failures. */
function assertFields(event, names) {
    for (const name of names) assert.ok(event[name] !== undefined, `${name} in ${JSON.stringify(event)}`);
    assert.equal(event.boot_mode, 'fresh');
    assert.match(event.script, /\/workspace\/app\/\.openinspect\/(setup|start)\.sh$/);
}

test('S-257, S-260 to S-265: what a script printed last is told, whatever bytes it prints, and the signal that ended it', async (t) => {
    const playground = await playgroundFor(t, { repository: hooks(String.raw`printf 'a\0b \xff end\n' >&2
pwd
for i in $(seq 60); do printf '%s %0999d\n' "$i" 0; done
echo the last word
kill -9 $$
`) });
    const sandbox = await startWithStandIns(playground);
    const failed = await sandbox.logged('setup.failed');
    assertFields(failed, ['exit_code', 'duration_ms', 'output_tail']);
    assert.deepEqual([failed.level, failed.exit_code], ['error', -9]);
    const tail = failed.output_tail.split('\n');
    assert.equal(tail.at(-1), 'the last word');
    assert.ok(tail.length > 5 && tail.length <= TAIL_LINES && failed.output_tail.length <= VALUE_MAX, `${tail.length} lines`);
    const lines = sandbox.logsOf('setup.stdout').map(({ line }) => line);
    assert.deepEqual(lines.slice(0, 2), ['a b \ufffd end', sandbox.inside('/workspace/app')]);
    assertFields((await sandbox.logged('start.complete')), ['exit_code', 'duration_ms']);
    await sandbox.logged('sandbox.startup');
    await endInOrder(sandbox);
});

test('S-267, SD-1: a server that start.sh leaves behind holds nothing up, lives on, and its words are still heard', async (t) => {
    const playground = await playgroundFor(t, { repository: hooks('exit 0\n', `
bash -c 'until [ -e "$HOME/go-on" ]; do sleep 0.05; done; echo from behind; exec sleep 2000' server-of-start &
echo done
`) });
    const sandbox = await startWithStandIns(playground);
    const { start_success: success } = await sandbox.logged('sandbox.startup');
    assert.equal(success, true);
    assert.ok(sandbox.find('server-of-start'), 'it runs');
    writeFileSync(sandbox.path('root/go-on'), '');
    await sandbox.waitFor(() => sandbox.logsOf('start.stdout').some(({ line }) => line === 'from behind'), { what: 'its words' });
    await endInOrder(sandbox);
});

test('S-266, S-268: too late is a failure also with status 0, and what was printed before is told', async (t) => {
    const playground = await playgroundFor(t, { repository: hooks('trap "exit 0" TERM\nseq 5\nsleep 2000 & wait\n') });
    const sandbox = await startWithStandIns(playground, { env: { SETUP_TIMEOUT_SECONDS: '1' } });
    const late = await sandbox.logged('setup.timeout');
    assertFields(late, ['timeout_seconds', 'duration_ms', 'output_tail']);
    assert.deepEqual([late.level, late.timeout_seconds, late.output_tail], ['error', 1, '1\n2\n3\n4\n5']);
    assert.equal((await sandbox.logged('sandbox.startup')).setup_success, false);
    await endInOrder(sandbox);
});

test('S-263: a script that cannot be run at all', { skip: needsRoot }, async (t) => {
    const playground = await playgroundFor(t, { repository: hooks('exit 0\n') });
    // A bash that leads to itself: one that is only absent would be looked for in the rest of PATH.
    const sandbox = await startWithStandIns(playground, {
        around: after('ln -s bash /app/first/bash') });
    const error = await sandbox.logged('setup.error');
    assertFields(error, ['error_type', 'error_message', 'duration_ms']);
    assert.match(error.error_message, /bash/);
    assert.equal((await sandbox.exited()).code, 1, 'start.sh could not be run either');
});
