// Images that a user attached: from the control plane to OpenCode, and what happens to those that do not arrive.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import test from 'node:test';
import { residentKib } from '../../playground/processes.mjs';
import { bridgeBetween, types } from './support/bridge.mjs';

const MAX_BYTES = 10 * 1024 * 1024;
const HEADS = {
    'image/png': Buffer.from('89504e470d0a1a0a', 'hex'),
    'image/jpeg': Buffer.from('ffd8ffe0', 'hex'),
    'image/gif': Buffer.from('GIF89a'),
    'image/webp': Buffer.from('RIFF\x10\0\0\0WEBP', 'latin1'),
};

/** An image of `size` bytes, no two alike. */
function image(mimeType, size) {
    const bytes = Buffer.alloc(size, mimeType + size);
    HEADS[mimeType].copy(bytes);
    return bytes;
}

/** Puts an image at the control plane and gives its entry for a prompt. */
function attach(cp, { name = 'shot.png', mimeType = 'image/png', bytes = image(mimeType, 1000), id } = {}) {
    const attachmentId = id ?? `att-${cp.attachments.size + 1}`;
    cp.attachments.set(attachmentId, { mimeType, bytes });
    return { attachmentId, name, mimeType };
}

const dataUrl = (mimeType, bytes) => `data:${mimeType};base64,${bytes.toString('base64')}`;
const warnings = (cp) => cp.eventsOfType('warning').map(({ scope, message }) => `${scope}: ${message}`);

test('images follow the text, in the command\'s order, each with its name and bytes (B-601, B-720)', async (t) => {
    const { cp, opencode, bridge } = await bridgeBetween(t);
    const sizes = { 'image/png': 1, 'image/jpeg': 2, 'image/gif': 3, 'image/webp': 300_001 };
    const images = Object.entries(sizes).map(([mimeType, more]) => ({
        mimeType, name: `"${mimeType}" \u{1f680}`, bytes: image(mimeType, 12 + more) }));
    const attachments = images.map((one) => attach(cp, one));
    const completion = await cp.completionOf(cp.prompt('look at "these"', { attachments }));
    assert.equal(completion.success, true);
    const [{ body }] = opencode.runs;
    assert.deepEqual(body.parts, [
        { type: 'text', text: 'look at "these"' },
        ...images.map(({ mimeType, name, bytes }) => ({
            type: 'file', mime: mimeType, filename: name, url: dataUrl(mimeType, bytes) })),
    ]);
    assert.deepEqual(Object.keys(body), ['parts', 'messageID', 'model']);
    assert.deepEqual(warnings(cp), []);
    const request = cp.requests.find(({ path }) => path.endsWith('/attachments/att-1'));
    assert.equal(request.headers.authorization, `Bearer ${cp.token}`);
    assert.equal((await bridge.logged('attachments.fetched', { count: 4 })).size_bytes, 300_013);
});

test('a text that looks like a file part stays text', async (t) => {
    const { cp, opencode } = await bridgeBetween(t);
    const text = '{"type":"file","url":"data:image/png;base64,"} \\","url":"data:image/png;base64,';
    await cp.completionOf(cp.prompt(text, { attachments: [attach(cp)] }));
    const [{ body }] = opencode.runs;
    assert.equal(body.parts[0].text, text);
    assert.equal(body.parts[1].url, dataUrl('image/png', cp.attachments.get('att-1').bytes));
});

test('six images of the greatest size arrive, and the bridge\'s memory does not grow with them (D-43)', async (t) => {
    const { cp, opencode, bridge } = await bridgeBetween(t);
    await cp.completionOf(cp.prompt('warm up'));
    const before = residentKib(bridge.pid);
    let most = before;
    const watch = setInterval(() => { most = Math.max(most, residentKib(bridge.pid)); }, 5);
    t.after(() => clearInterval(watch));
    const attachments = Array.from({ length: 6 }, () => attach(cp, { bytes: image('image/png', MAX_BYTES) }));
    await cp.completionOf(cp.prompt('look', { attachments }), { timeoutMs: 60_000 });
    clearInterval(watch);
    const { parts } = opencode.runs.at(-1).body;
    assert.deepEqual(parts.slice(1).map(({ url }) => url.length), Array(6).fill(dataUrl('image/png', image('image/png', MAX_BYTES)).length));
    assert.equal(parts[6].url, dataUrl('image/png', cp.attachments.get('att-6').bytes));
    assert.deepEqual(warnings(cp), []);
    if (!process.env.OI_SANITIZED) assert.ok(most - before < 4096, `grew from ${before} to ${most} KiB`);
});

test('at most two are fetched at a time, and each has the whole limit of silence (B-710)', async (t) => {
    const { cp, opencode, bridge } = await bridgeBetween(t, { env: { BRIDGE_ATTACHMENT_TIMEOUT_MS: '600' } });
    cp.answers['GET /sessions/:id/attachments/:id'] = 'never';
    const attachments = Array.from({ length: 4 }, () => attach(cp));
    const id = cp.prompt('look', { attachments });
    assert.equal((await cp.completionOf(id)).success, true);
    assert.equal(cp.requests.filter(({ path }) => path.includes('/attachments/')).length, 4);
    assert.equal(warnings(cp).length, 4, 'one for each');
    assert.equal(opencode.runs[0].body.parts.length, 1);
    const { error_message: why } = await bridge.logged('attachments.download_error', { count: 4 });
    assert.match(why, /nothing came for 0\.6 s: the answer is still missing$/);
});

const failures = {
    'that is not there': (cp) => ({ attachmentId: 'missing', name: 'a.png', mimeType: 'image/png' }),
    'without a byte': (cp) => attach(cp, { name: 'a.png', bytes: Buffer.alloc(0) }),
    'of a byte too many': (cp) => attach(cp, { name: 'a.png', bytes: image('image/png', MAX_BYTES + 1) }),
};
for (const [what, make] of Object.entries(failures)) {
    test(`an attachment ${what} is left out with a warning, and the prompt goes on (B-711, B-712)`, async (t) => {
        const { cp, opencode, bridge } = await bridgeBetween(t);
        const good = attach(cp, { name: 'good.gif', mimeType: 'image/gif' });
        const id = cp.prompt('look', { attachments: [make(cp), good] });
        assert.equal((await cp.completionOf(id)).success, true);
        assert.deepEqual(opencode.runs[0].body.parts.slice(1).map(({ filename }) => filename), ['good.gif']);
        assert.deepEqual(warnings(cp), ['media: Attachment a.png could not be fetched and was skipped.']);
        const { attachment_name: name } = await bridge.logged('attachments.fetch_failed');
        assert.equal(name, 'a.png');
    });
}

test('what is no image is left out, and an image under another type gets its own (D-43)', async (t) => {
    const { cp, opencode } = await bridgeBetween(t);
    const attachments = [
        attach(cp, { name: 'page.png', bytes: Buffer.from('<html>not found</html>') }),
        attach(cp, { name: 'photo.png', bytes: image('image/jpeg', 500) }),
    ];
    await cp.completionOf(cp.prompt('look', { attachments }));
    const { parts } = opencode.runs[0].body;
    assert.deepEqual(parts.slice(1), [{ type: 'file', mime: 'image/jpeg', filename: 'photo.png',
        url: dataUrl('image/jpeg', image('image/jpeg', 500)) }]);
    assert.deepEqual(warnings(cp), ['media: Attachment page.png is no PNG, JPEG, GIF or WebP image and was skipped.']);
});

test('entries that are not valid are counted in one warning, and the rest is fetched (B-701..B-703)', async (t) => {
    const { cp, opencode, bridge } = await bridgeBetween(t);
    const good = attach(cp);
    const attachments = [good, { ...good, attachmentId: '../../etc/passwd' }, 'x', { ...good, mimeType: 'image/svg+xml' }];
    const id = cp.prompt('look', { attachments });
    await cp.completionOf(id);
    assert.equal(opencode.runs[0].body.parts.length, 2);
    assert.deepEqual(warnings(cp), ['media: 3 invalid attachment(s) were skipped.']);
    assert.equal((await bridge.logged('prompt.invalid_attachments')).rejected_count, 3);
    await cp.completionOf(cp.prompt('no list', { attachments: { length: 1 } }));
    assert.equal(warnings(cp).at(-1), 'media: 1 invalid attachment(s) were skipped.');
    await cp.completionOf(cp.prompt('none', { attachments: null }));
    assert.equal(warnings(cp).length, 2);
});

test('a prompt that fails at its identity says nothing of its attachments (B-313)', async (t) => {
    const { cp, bridge } = await bridgeBetween(t);
    const attachments = [{ attachmentId: 'missing', name: 'a.png', mimeType: 'image/png' }, 'no attachment'];
    const ask = async (status) => {
        const fetched = bridge.logged('attachments.fetch_failed', { count: bridge.logsOf('attachments.fetch_failed').length + 1 });
        cp.answers['GET /sessions/:id/commit-signing'] = () => fetched.then(() => [status, { enabled: false }]);
        return cp.completionOf(cp.prompt('look', { attachments }));
    };
    assert.equal((await ask(503)).error, 'Commit signing configuration unavailable');
    assert.deepEqual(warnings(cp), []);
    assert.equal((await ask(200)).success, true);
    assert.deepEqual(warnings(cp), ['media: 1 invalid attachment(s) were skipped.',
        'media: Attachment a.png could not be fetched and was skipped.']);
});

test('stop while images are fetched ends the prompt at once, and nothing is posted', async (t) => {
    const { cp, opencode, directory } = await bridgeBetween(t);
    cp.answers['GET /sessions/:id/attachments/:id'] = 'never';
    const id = cp.prompt('look', { attachments: [attach(cp)] });
    await cp.waitFor(() => cp.requests.some(({ path }) => path.includes('/attachments/')));
    cp.stop();
    const completion = await cp.completionOf(id, { timeoutMs: 2000 });
    assert.equal(completion.error, 'Task was cancelled');
    delete cp.answers['GET /sessions/:id/attachments/:id'];
    const next = cp.prompt('again', { attachments: [attach(cp, { name: 'second.png' })] });
    assert.equal((await cp.completionOf(next)).success, true);
    assert.deepEqual(opencode.runs.map(({ body }) => body.parts.length), [2]);
    assert.equal(opencode.runs[0].body.parts[1].filename, 'second.png');
    assert.deepEqual(readdirSync(directory).filter((name) => name.includes('attachment')), []);
});

test('a prompt whose session is gone goes to a new one with its images (D-29)', async (t) => {
    const { cp, opencode } = await bridgeBetween(t);
    await cp.completionOf(cp.prompt('first'));
    opencode.sessions.clear();
    const id = cp.prompt('look', { attachments: [attach(cp)] });
    assert.equal((await cp.completionOf(id)).success, true);
    assert.equal(opencode.runs.at(-1).body.parts[1].url, dataUrl('image/png', cp.attachments.get('att-1').bytes));
    assert.equal(cp.requests.filter(({ path }) => path.includes('/attachments/')).length, 1, 'fetched once');
    assert.equal(types(cp.eventsOf(id)).at(-1), 'execution_complete');
});

test('a bridge that dies while it fetches leaves nothing, and the next one fetches again', async (t) => {
    const { cp, opencode, bridge, startBridge, directory } = await bridgeBetween(t);
    cp.answers['GET /sessions/:id/attachments/:id'] = 'never';
    const id = cp.prompt('look', { attachments: [attach(cp)] });
    await cp.waitFor(() => cp.requests.some(({ path }) => path.includes('/attachments/')));
    await bridge.stop('SIGKILL');
    delete cp.answers['GET /sessions/:id/attachments/:id'];
    startBridge();
    assert.equal((await cp.completionOf(id)).success, true);
    assert.deepEqual(opencode.runs.map(({ body }) => body.parts.length), [2]);
    assert.deepEqual(readdirSync(directory).filter((name) => name.includes('attachment')), []);
});

test('a redirect is not followed: the credential stays with the control plane', async (t) => {
    const { cp } = await bridgeBetween(t);
    cp.answers['GET /sessions/:id/attachments/:id'] = [302, {}];
    await cp.completionOf(cp.prompt('look', { attachments: [attach(cp)] }));
    assert.equal(warnings(cp).length, 1);
});
