// --check and --plan on the environments of every launcher there is, and on some that are not usable: what is said,
// what would be done, and that nothing secret is printed. data/environments.json has them; nothing is started.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { supervisorProgram } from '../../playground/paths.mjs';

const environments = JSON.parse(readFileSync(new URL('data/environments.json', import.meta.url), 'utf8'));
const SECRET = /secret-o/; // so begin all secrets of the data, the 8 characters of a VNC password too

function ask(option, { env, args = [] }) {
    const { status, stdout, stderr } = spawnSync(supervisorProgram, [option, ...args], { env, encoding: 'utf8' });
    assert.doesNotMatch(stdout + stderr, SECRET);
    return { status, stdout, stderr, lines: stdout.split('\n') };
}

/** The table of --plan: step -> { after, limit, failure }; and the steps it says are left out. */
function parsePlan(lines) {
    const head = lines.findIndex((line) => line.startsWith('step '));
    const columns = ['begins after', 'limit', 'when it fails'].map((title) => lines[head].indexOf(title));
    const rows = lines.slice(head + 1, lines.indexOf('', head));
    const steps = new Map(rows.map((row) => [row.split(' ')[0], {
        after: row.slice(columns[0], columns[1]).trim().split(', ').filter((name) => name !== '-'),
        limit: row.slice(columns[1], columns[2]).trim(),
        failure: row.slice(columns[2]),
    }]));
    const rest = lines.find((line) => line.startsWith('not done: '))?.slice('not done: '.length).split(', ') ?? [];
    return { steps, leftOut: rest };
}

const wanted = (lines, kind) => lines.filter((line) => line.startsWith(`${kind}: `)).map((line) => line.slice(kind.length + 2));

/** Each of `facts` begins or stands in one line of its own, and there are no other lines. */
function assertSays(said, facts = []) {
    for (const fact of facts) assert.ok(said.some((line) => line.includes(fact)), `${fact}: not said in\n${said.join('\n')}`);
    assert.equal(said.length, facts.length, said.join('\n'));
}

for (const one of environments) {
    test(`--check: ${one.name}`, () => {
        const { status, lines } = ask('--check', one);
        assertSays(wanted(lines, 'problem'), one.problems);
        assertSays(wanted(lines, 'remark'), one.remarks);
        assert.equal(status, one.problems ? 1 : 0);
        assert.match(lines.at(-2), one.problems ? /^not usable: \d+ problem/ : /^usable: /);
    });
}

for (const one of environments.filter(({ plan }) => plan)) {
    test(`--plan: ${one.name}`, () => {
        const { status, stdout, stderr, lines } = ask('--plan', one);
        assert.equal(status, 0, stderr);
        const { steps, leftOut } = parsePlan(lines);
        assert.match(lines[0], new RegExp(`^contract +${one.plan.contract} `));
        assert.match(lines[1], new RegExp(`^boot mode +${one.plan.mode}$`));
        for (const fact of one.plan.says ?? []) assert.ok(stdout.includes(fact), `${fact}: not in\n${stdout}`);
        for (const name of one.plan.runs) assert.ok(steps.has(name), `${name} is not done:\n${stdout}`);
        for (const name of one.plan.leavesOut) assert.ok(!steps.has(name) && leftOut.includes(name), `${name}:\n${stdout}`);
        for (const [name, failure] of Object.entries(one.plan.failures)) assert.equal(steps.get(name).failure, failure, name);
        // In order: nothing stands above what it begins after.
        const names = [...steps.keys()];
        for (const [name, { after }] of steps) {
            for (const need of after) assert.ok(names.indexOf(need) >= 0 && names.indexOf(need) < names.indexOf(name), stdout);
        }
    });
}

test("--check: a Modal build's flag without a build (S-432)", () => {
    const { status, lines } = ask('--check', { env: {}, args: ['--await-modal-image-build-token-stdin-v1'] });
    assertSays(wanted(lines, 'problem'), ['--await-modal-image-build-token-stdin-v1: needs IMAGE_BUILD_MODE=true']);
    assert.equal(status, 1);
});

test('--plan has the limits of the environment, also of more than a day', () => {
    const env = { ...environments[0].env, SETUP_TIMEOUT_SECONDS: '1234567' };
    assert.equal(parsePlan(ask('--plan', { env }).lines).steps.get('setup').limit, '1234567 s');
});

test('--plan has the limits of the environment for each repository', () => {
    const env = { ...environments[1].env, START_TIMEOUT_SECONDS: '7', TUNNEL_WAIT_TIMEOUT_SECONDS: '2.5' };
    const { steps } = parsePlan(ask('--plan', { env }).lines);
    assert.equal(steps.get('start').limit, '7 s each');
    assert.equal(steps.get('tunnel').limit, '2.5 s');
    assert.equal(steps.get('opencode').limit, '30 s');
});

/** What --plan says of `rule` in the environment `one`. */
const whatItMeans = (one, rule) => ask('--plan', one).lines.filter((line) => line.startsWith(`${rule} `))
    .map((line) => line.trim().split(/\s+/).at(-1));

test('--plan says what else may go wrong, what it means in this mode, and the exit status', () => {
    const [build, fresh] = ['Modal: image build, its token on standard input', 'Daytona'].map((name) =>
        environments.find((one) => one.name === name));
    const expected = { 'S-106': ['fatal', 'fatal'], 'S-110': ['logged', 'logged'], 'S-115': ['warning'], 'S-118': ['logged'],
        'S-126': ['warning'], 'S-129': ['logged'], 'S-130': [undefined, 'fatal'], 'S-131': [undefined, 'fatal'] };
    for (const [rule, [inFresh, inBuild]] of Object.entries(expected)) {
        assert.deepEqual(whatItMeans(fresh, rule), inFresh ? [inFresh] : [], rule);
        assert.deepEqual(whatItMeans(build, rule), inBuild ? [inBuild] : [], rule);
    }
    for (const one of [fresh, build]) assert.match(ask('--plan', one).stdout, /^exit status: 0 after a signal.*, 1 after a fatal failure/m);
});

test('--plan makes none for an environment that is not usable, says why, and ends with 1', () => {
    for (const one of environments.filter(({ problems }) => problems)) {
        const { status, stdout, stderr } = ask('--plan', one);
        assert.equal(status, 1);
        assert.equal(stdout, '');
        assertSays(wanted(stderr.split('\n'), 'problem'), one.problems);
    }
});

const python = ['/usr/bin/python3', '/usr/local/bin/python3'].find((path) => spawnSync(path, ['--version']).status === 0);
test("today's launchers start the Python's module and get oi-supervisor, with their arguments (docs/launchers.md)", {
    skip: !python && 'no Python here',
}, (t) => {
    const app = mkdtempSync(join(tmpdir(), 'oi-app-'));
    t.after(() => rmSync(app, { recursive: true }));
    symlinkSync(fileURLToPath(new URL('../../plugin', import.meta.url)), join(app, 'sandbox_runtime'));
    symlinkSync(supervisorProgram, join(app, 'oi-supervisor'));
    const env = { ...environments[1].env, PYTHONPATH: app, PYTHONDONTWRITEBYTECODE: '1', PATH: `${app}:${dirname(python)}:/usr/bin:/bin` };
    const { status, stdout } = spawnSync(python, ['-m', 'sandbox_runtime.entrypoint', '--plan'], { env, encoding: 'utf8' });
    assert.equal(stdout, ask('--plan', { env }).stdout);
    assert.equal(status, 0);
});
