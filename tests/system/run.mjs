#!/usr/bin/env node
// Runs the system tests, each file as a process of its own. As root each gets a network of its own with nothing but
// loopback: so they can run at the same time although every OpenCode listens on port 4096, and nothing can reach out.
//
// usage: node tests/system/run.mjs [--jobs N] [FILE or part of a name]...
// Programs: OI_SUPERVISOR, OI_BRIDGE (default build/oi-supervisor, build/oi-bridge).

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bridgeProgram, opencodeProgram, supervisorProgram } from '../../playground/paths.mjs';
import { childrenOf } from '../../playground/processes.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const LONGEST_FILE = 'supervisor-git.test.mjs';
const FILE_LIMIT_MS = Number(process.env.OI_TEST_FILE_LIMIT_MS ?? 15 * 60_000);

function parseArguments(words) {
    const names = [...words];
    // One more than there are processors: most of a test is waiting.
    let jobs = 1 + Math.min(2, availableParallelism?.() ?? cpus().length);
    const at = names.indexOf('--jobs');
    if (at >= 0) jobs = Number(names.splice(at, 2)[1]);
    const all = readdirSync(here).filter((name) => name.endsWith('.test.mjs')).sort();
    const wanted = all.filter((name) => names.length === 0 || names.some((part) => name.includes(part.split('/').at(-1))));
    // The longest begins first, or the others would be done and it alone would be waited for.
    wanted.sort((a, b) => (b === LONGEST_FILE) - (a === LONGEST_FILE));
    return { jobs, files: wanted.map((name) => join(here, name)) };
}

/** Whether this machine lets us give each file its own network. */
function canIsolate() {
    if (process.getuid() !== 0) return false;
    try {
        execFileSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' });
        return true;
    } catch {
        return false;
    }
}

/** The test below `node --test` holds our pipe: it has to go too. */
function killTree(pid) {
    for (const child of childrenOf(pid)) killTree(child.pid);
    try {
        process.kill(pid, 'SIGKILL');
    } catch {
        // it ended by itself
    }
}

function runFile(file, isolated) {
    const node = [process.execPath, '--test', '--test-reporter=tap', file];
    const command = isolated ? ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...node] : node;
    return new Promise((done) => {
        const child = spawn(command[0], command.slice(1), {
            env: { ...process.env, OI_SUPERVISOR: supervisorProgram, OI_BRIDGE: bridgeProgram },
            stdio: ['ignore', 'pipe', 'pipe'],
        });
        const output = [];
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => output.push(data));
        const timer = setTimeout(() => {
            output.push(Buffer.from(`\n${file}: not done after ${FILE_LIMIT_MS / 1000} s\n`));
            killTree(child.pid);
        }, FILE_LIMIT_MS);
        child.on('close', (code) => {
            clearTimeout(timer);
            done({ passed: code === 0, output: Buffer.concat(output).toString() });
        });
    });
}

for (const program of [supervisorProgram, bridgeProgram, opencodeProgram]) {
    if (existsSync(program)) continue;
    console.error(`${program} is missing: run make first`);
    process.exit(1);
}
const { jobs, files } = parseArguments(process.argv.slice(2));
if (files.length === 0) {
    console.error(`no test file is named like ${process.argv.slice(2).join(' or ')}`);
    process.exit(1);
}
const isolated = canIsolate();
const queue = [...files];
const failed = [];
async function work() {
    for (let file = queue.shift(); file; file = queue.shift()) {
        const startedAt = performance.now();
        const { passed, output } = await runFile(file, isolated);
        const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
        const name = file.slice(resolve(here).length + 1);
        const counts = ['pass', 'fail', 'skipped'].map((word) => `${output.match(`# ${word} (\\d+)`)?.[1] ?? 0} ${word}`);
        console.log(`${passed ? 'ok  ' : 'FAIL'} ${name}  ${counts.join(', ')}, ${seconds} s`);
        if (passed) continue;
        failed.push(name);
        console.log(output);
    }
}
// Without networks of their own, two sandboxes would want the same port.
await Promise.all(Array.from({ length: isolated ? jobs : 1 }, work));
console.log(failed.length ? `${failed.length} of ${files.length} files failed: ${failed.join(', ')}` : `${files.length} files passed`);
process.exitCode = failed.length ? 1 : 0;
