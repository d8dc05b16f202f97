// The control plane's HTTP endpoints that are called from inside a sandbox, as far as the project uses them. A test
// replaces an answer with `cp.answers['POST /sessions/:id/pr'] = [status, body]`, 'never' for none, or a function that
// gives one of these, also later; a body that is a Buffer goes out as it is. What stands in no route is answered so by its whole path.

import { createHash } from 'node:crypto';
import { onDiff, onDiffFailure } from './diff-schema.mjs';

const PUSH_WAIT_MS = 30_000;
const CREDENTIAL_LIFE_MS = 3_600_000;
const SIGNING_MAX_BYTES = 1_048_576;

const routes = [
    ['POST', /^\/sandbox\/([^/]+)\/error$/, '/sandbox/:id/error', onFatalReport],
    ['POST', /^\/sessions\/([^/]+)\/pr$/, '/sessions/:id/pr', onPullRequest],
    ['POST', /^\/sessions\/([^/]+)\/scm-credentials$/, '/sessions/:id/scm-credentials', onScmCredentials],
    ['GET', /^\/sessions\/([^/]+)\/commit-signing$/, '/sessions/:id/commit-signing', onSigningConfiguration],
    ['POST', /^\/sessions\/([^/]+)\/commit-signing$/, '/sessions/:id/commit-signing', onSign],
    ['GET', /^\/sessions\/([^/]+)\/attachments\/([^/]+)$/, '/sessions/:id/attachments/:id', onAttachment],
    ['GET', /^\/sessions\/([^/]+)\/sandbox-skills$/, '/sessions/:id/sandbox-skills', onSkills],
    ['PUT', /^\/sessions\/([^/]+)\/diff$/, '/sessions/:id/diff', onDiff],
    ['POST', /^\/sessions\/([^/]+)\/diff\/failure$/, '/sessions/:id/diff/failure', onDiffFailure],
];
/** What the control plane of early 2026 did not have. */
const NEWER_ROUTES = ['/sessions/:id/scm-credentials', '/sessions/:id/commit-signing', '/sessions/:id/sandbox-skills',
    '/sessions/:id/attachments/:id', '/sessions/:id/diff', '/sessions/:id/diff/failure'];

export async function answerRequest(cp, request, response) {
    const { pathname: path, searchParams: query } = new URL(request.url, 'http://control.invalid');
    const record = { method: request.method, path, query, headers: request.headers, status: 0, ...await readBody(request) };
    cp.requests.push(record);
    cp.emit('change');
    const answer = await route(cp, record);
    if (answer === 'never') return;
    const [status, body, type = 'application/json'] = answer;
    record.status = status;
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
    cp.emit('change');
}

/** `bytes` as they came, and `body`: their JSON, or the text. */
async function readBody(request) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    const text = bytes.toString();
    try {
        return { bytes, body: text === '' ? null : JSON.parse(text) };
    } catch {
        return { bytes, body: text };
    }
}

async function route(cp, record) {
    for (const [method, pattern, name, handler] of routes) {
        if (method !== record.method || !pattern.test(record.path)) continue;
        if (cp.era === 'older' && NEWER_ROUTES.includes(name)) break;
        const authorization = record.headers.authorization ?? '';
        if (!authorization) return [401, { error: 'Unauthorized: Missing sandbox token' }];
        if (authorization !== `Bearer ${cp.token}`) return [401, { error: 'Unauthorized: Invalid sandbox token' }];
        const answer = cp.answers[`${method} ${name}`] ?? handler;
        return typeof answer === 'function' ? answer(cp, record) : answer;
    }
    return cp.answers[`${record.method} ${record.path}`] ?? [404, { error: 'Not found' }];
}

/** The real control plane has no such route and answers 404; the double keeps what it was told all the same. */
function onFatalReport(cp, { body }) {
    cp.fatalReports.push(body);
    return [404, { error: 'Not found' }];
}

function onScmCredentials(cp) {
    if (!cp.scmCredentials) return [400, { error: 'Session has no repository' }];
    return [200, { ...cp.scmCredentials, expires_at_epoch_ms: Date.now() + CREDENTIAL_LIFE_MS }];
}

function onSigningConfiguration(cp) {
    return [200, cp.signer ? cp.signer.configuration : { enabled: false }];
}

function onSign(cp, { headers, bytes }) {
    const fingerprint = headers['x-open-inspect-signing-fingerprint'];
    if (!fingerprint || bytes.length === 0) return [400, { error: 'Invalid signing request' }];
    if (!cp.signer || cp.signer.fingerprint !== fingerprint) return [409, { error: 'Commit signing is disabled' }];
    if (bytes.length > SIGNING_MAX_BYTES) return [413, { error: 'Payload too large' }];
    return [200, Buffer.from(cp.signer.sign(bytes)), 'text/plain'];
}

function onAttachment(cp, { path }) {
    const attachment = cp.attachments.get(path.split('/').at(-1));
    return attachment ? [200, attachment.bytes, attachment.mimeType] : [404, { error: 'Attachment not found' }];
}

const sha256 = (data) => createHash('sha256').update(data).digest('hex');

/** One of `cp.skills` ({ name, files: { path: text } }) as it goes over the wire. */
export function skillOnTheWire({ name, files }) {
    return { name, files: Object.entries(files).map(([path, content]) => ({
        path, content, sha256: sha256(content), sizeBytes: Buffer.byteLength(content),
        executable: path.startsWith('scripts/') })) };
}

function onSkills(cp, { query }) {
    const from = Number(query.get('cursor') ?? 0);
    const to = from + Number(query.get('limit') ?? 50);
    return [200, { schemaVersion: 1, manifestSha256: sha256(JSON.stringify(cp.skills)),
        skills: cp.skills.slice(from, to).map(skillOnTheWire), nextCursor: to < cp.skills.length ? String(to) : null }];
}

/** Asks the sandbox to push, waits for the outcome, and answers as if a pull request had been made of it. */
async function onPullRequest(cp, { body }) {
    const isText = (value) => typeof value === 'string' && value.trim() !== '';
    if (!isText(body?.title) || !isText(body?.body)) return [400, { error: 'title and body are required' }];
    const headBranch = (isText(body.headBranch) && body.headBranch !== 'main'
        ? body.headBranch : `open-inspect/${cp.sessionId}`).toLowerCase();
    const after = cp.events.length;
    cp.push(headBranch, { owner: body.repoOwner, name: body.repoName });
    const outcome = await cp.waitForEvent(({ type }) => type.startsWith('push_'), { after, timeoutMs: PUSH_WAIT_MS });
    if (outcome.type === 'push_error') return [500, { error: `Failed to push branch: Error: ${outcome.error}` }];
    return [200, {
        prNumber: 1, prUrl: `${cp.url}/pull/1`, state: body.draft ? 'draft' : 'open', headBranch,
        baseBranch: body.baseBranch ?? 'main', updated: false,
    }];
}
