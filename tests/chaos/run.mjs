#!/usr/bin/env node
// Random schedules of kills, cuts and stalls against the real bridge: `make chaos SEED=n [SCHEDULES=1000]`.
//
// usage: node tests/chaos/run.mjs [--seed N] [--schedules N] [--only N] [--jobs N]
// The same seed gives the same schedules; --only plays a single one of them. What processes and the kernel make of a
// schedule can differ from time to time, so one that failed may need a few plays to fail again.
// Each failure is one line, and leaves its whole story in build/chaos/. The last line is "N passed, N failed".
// The bridge: OI_BRIDGE (default build/asan/oi-bridge, so that leaks and overflows are seen too).

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describePlan, makePlan } from './plan.mjs';

const SHOWN_CHARS = 300;
const PROGRESS_EVERY = 100;

const { values } = parseArgs({ options: {
    seed: { type: 'string', default: '1' }, schedules: { type: 'string', default: '1000' },
    only: { type: 'string' }, jobs: { type: 'string', default: '12' } } });
const [seed, schedules, jobs] = [values.seed, values.schedules, values.jobs].map(Number);
if (![seed, schedules, jobs].every(Number.isSafeInteger)) {
    console.error('--seed, --schedules and --jobs are whole numbers');
    process.exit(2);
}

const asan = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'build', 'asan');
process.env.OI_BRIDGE ||= join(asan, 'oi-bridge');
// What reads these variables when it is loaded comes after them.
const { bridgeProgram: program, buildDir } = await import('../../playground/paths.mjs');
if (!existsSync(program)) {
    console.error(`${program} is missing: run make FLAVOUR=asan first`);
    process.exit(1);
}
const { play } = await import('./play.mjs');
const storyDir = join(buildDir, 'chaos');
mkdirSync(storyDir, { recursive: true });

const numbers = values.only ? [Number(values.only)] : Array.from({ length: schedules }, (_, index) => index + 1);
const total = numbers.length;
let passed = 0;
let failed = 0;

function fail(plan, { complaints, story, output }) {
    const path = join(storyDir, `${plan.seed}-${plan.number}.txt`);
    writeFileSync(path, [describePlan(plan), JSON.stringify(plan), '', ...complaints, '', ...story, '', output].join('\n'));
    failed++;
    const text = complaints[0].split('\n')[0].slice(0, SHOWN_CHARS);
    console.log(`not ok - SEED=${plan.seed} ONLY=${plan.number}: ${text} (${describePlan(plan)}; ${path})`);
}

async function work(queue) {
    for (let number = queue.shift(); number !== undefined; number = queue.shift()) {
        const plan = makePlan(seed, number);
        const result = await play(plan);
        if (result.complaints.length > 0) fail(plan, result);
        else passed++;
        if ((passed + failed) % PROGRESS_EVERY === 0) console.log(`${passed + failed} of ${total} schedules`);
    }
}

const startedAt = performance.now();
console.log(`chaos: ${total} schedules of seed ${seed}, ${program}`);
await Promise.all(Array.from({ length: Math.min(jobs, total) }, () => work(numbers)));
console.log(`${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
