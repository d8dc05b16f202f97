#!/usr/bin/env node
// `opencode serve` for tests of the supervisor, as a process: the stand-in of fake-opencode.mjs behind the real command
// line, ready in a moment. STANDIN_OPENCODE in the environment chooses how it misbehaves:
//   never-healthy   listens and never answers          slow-answer  hangs up to the 8th request, like the real one
//   exit            ends with status 3 at once         ignore-term  does not end on SIGTERM
//   no-sessions     never answers POST /session        leaves-heir  its socket is inherited by a daemon
//   moody           says six other things before it says that it is healthy
// On SIGUSR1 it stops answering, on SIGUSR2 it takes two gigabytes of memory.

import { spawn } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { FakeOpencode } from './fake-opencode.mjs';

const HANGING_REQUESTS = 8;
const HOARDED_BYTES = 32 * 1024 * 1024, HOARDED_MOST = 64;
const behaviour = process.env.STANDIN_OPENCODE ?? '';
const option = (name) => process.argv[process.argv.indexOf(name) + 1];
if (process.argv.includes('--version')) {
    console.log('1.18.33');
    process.exit(0);
}
if (behaviour === 'exit') {
    console.error('stand-in: told to exit');
    process.exit(3);
}
if (behaviour === 'ignore-term') process.on('SIGTERM', () => console.log('stand-in: ignoring SIGTERM'));

const fake = await FakeOpencode.start({ port: Number(option('--port')), host: option('--hostname') });
const health = 'GET /global/health';
if (behaviour === 'never-healthy') fake.answers[health] = 'never';
if (behaviour === 'no-sessions') fake.answers['POST /session'] = 'never';
if (behaviour === 'leaves-heir') spawn('sleep', ['1000000'], { detached: true, stdio: ['ignore', 'ignore', 'ignore', fake.server._handle.fd] });
if (behaviour === 'slow-answer') {
    fake.answers[health] = 'never';
    let left = HANGING_REQUESTS;
    fake.on('change', () => {
        if (fake.requests.at(-1) === health && --left === 0) delete fake.answers[health];
    });
}
if (behaviour === 'moody') {
    const moods = [[500, { error: 'starting' }], [401, {}], [200, '<html>"healthy":true</html>'], [200, { healthy: false }], [204]];
    fake.answers[health] = 'never';
    fake.on('change', () => {
        if (fake.pending.length === 0) return;
        fake.pending.pop().response.socket?.resetAndDestroy();
        fake.answers[health] = () => moods.shift();
    });
}
process.on('SIGUSR1', () => { fake.answers[health] = 'never'; });
const hoard = [];
process.on('SIGUSR2', () => setInterval(() => {
    if (hoard.length < HOARDED_MOST) hoard.push(Buffer.alloc(HOARDED_BYTES, 1));
}, 1));
// What the test can look at afterwards: how it was started, and which directories its clients meant. A reader sees it whole.
function report() {
    writeFileSync(`${process.env.STANDIN_REPORT}.new`, JSON.stringify({
        args: process.argv.slice(2), directory: process.cwd(), config: process.env.OPENCODE_CONFIG_CONTENT ?? null,
        client: process.env.OPENCODE_CLIENT ?? null, environment: Object.keys(process.env),
        directoriesMeant: [...fake.directories], healthAsked: fake.requests.filter((name) => name === health).length }));
    renameSync(`${process.env.STANDIN_REPORT}.new`, process.env.STANDIN_REPORT);
}
if (process.env.STANDIN_REPORT) {
    report();
    fake.on('change', report);
}
console.log(`opencode server listening on http://127.0.0.1:${fake.port}`);
