/* The command upload-media as a process, against a real HTTP server (S-527). */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';

import { startServer, TOKEN } from './support.mjs';

let cp, dir, command;
before(async () => {
    cp = await startServer();
    dir = mkdtempSync(join(tmpdir(), 'oi-upload-'));
    command = join(dir, 'upload-media'); // as the supervisor links it
    symlinkSync(resolve('plugin/bin/upload-media.js'), command);
    for (const name of ['shot.png', 'run.mp4', 'notes.txt']) writeFileSync(join(dir, name), `bytes of ${name}`);
});
after(() => {
    cp.close();
    rmSync(dir, { recursive: true, force: true });
});
beforeEach(() => {
    cp.requests = [];
    cp.reply = { status: 201, body: { artifactId: 'a1', objectKey: 'k' } };
});

function run(...args) {
    const child = spawn(command, args, { cwd: dir, env: { ...process.env, ...cp.environment } });
    const result = { out: '', err: '' };
    child.stdout.on('data', (data) => { result.out += data; });
    child.stderr.on('data', (data) => { result.err += data; });
    return new Promise((done) => child.on('close', (code) => done({ code, ...result })));
}

/** The form's fields as the server got them. */
async function form() {
    const [{ headers, bytes }] = cp.requests;
    const parsed = await new Response(bytes, { headers: { 'content-type': headers['content-type'] } }).formData();
    const { file, ...fields } = Object.fromEntries(parsed);
    return { file: `${file.type} ${file.name} ${await file.text()}`, fields };
}

test('a screenshot goes as a form with its flags, and the answer is printed', async () => {
    const { code, out, err } = await run('shot.png', '--caption', 'A page', '--full-page', '--sourceUrl', 'http://x/', '--viewport={"width":1}');
    assert.deepEqual([code, out, err], [0, '{"artifactId":"a1","objectKey":"k"}\n', '']);
    assert.equal(cp.requests[0].url, '/sessions/s%201/media');
    assert.equal(cp.requests[0].headers.authorization, `Bearer ${TOKEN}`);
    assert.deepEqual(await form(), { file: 'image/png shot.png bytes of shot.png', fields: {
        artifactType: 'screenshot', caption: 'A page', fullPage: 'true', sourceUrl: 'http://x/', viewport: '{"width":1}' } });
});

test('a video needs its six fields, and says that it has no sound', async () => {
    const few = await run('run.mp4', '--artifact-type', 'video', '--caption', 'c');
    assert.equal(few.code, 1);
    assert.match(few.err, /--duration-ms, --recording-started-at, --recording-ended-at, --dimensions, --truncated/);
    const { code } = await run('run.mp4', '--artifact-type', 'video', '--caption', 'c', '--duration-ms', '1000',
        '--recording-started-at', '1', '--recording-ended-at', '2', '--dimensions', '{}', '--truncated', 'false');
    assert.equal(code, 0);
    assert.equal((await form()).fields.hasAudio, 'false');
});

test('what cannot be uploaded is said on stderr, with exit status 1 and nothing on stdout', async () => {
    for (const [args, words] of [[['notes.txt'], /only .png/], [['run.mp4'], /no screenshot/], [['absent.png'], /ENOENT/],
        [['shot.png', 'run.mp4'], /exactly one/], [['shot.png', '--colour'], /colour/]]) {
        const { code, out, err } = await run(...args);
        assert.deepEqual([code, out], [1, '']);
        assert.match(err, words);
    }
    assert.equal(cp.requests.length, 0);
    cp.reply = { status: 409, body: { error: 'No active prompt' } };
    assert.match((await run('shot.png')).err, /HTTP 409: No active prompt/);
});

test('without arguments, and with --help, it prints its usage', async () => {
    for (const args of [[], ['--help']]) {
        const { code, out } = await run(...args);
        assert.equal(code, 0);
        assert.match(out, /^usage: upload-media FILE/);
    }
});
