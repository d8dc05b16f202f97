// Which diff bundles and failure reports the real control plane takes, and what it answers to others. It refuses a
// bundle as a whole, whatever small thing is wrong with it.

const BUNDLE_MAX_BYTES = 1_572_864;
const REPORT_MAX_BYTES = 16_384;
const PATCH_MAX_BYTES = 512 * 1024;
const PATCHES_MAX_BYTES = 1024 * 1024;
const FILES_MAX = 1000;
const REPOSITORIES_MAX = 10;
const STATUSES = ['added', 'modified', 'deleted', 'renamed', 'type_changed', 'unmerged', 'submodule'];
const RENDER_STATES = ['renderable', 'binary', 'too_large', 'metadata_only'];

const isText = (value, least, most) => typeof value === 'string' && value.length >= least && value.length <= most;
const isCount = (value) => Number.isInteger(value) && value >= 0;
const isPath = (value) => isText(value, 1, 4096) && !value.includes('\0');
const isMode = (value) => value === undefined || isText(value, 0, 20);
const isSha = (value) => value === undefined || isText(value, 40, 64);
const bytesOf = (text) => Buffer.byteLength(text);

function fileFault(file) {
    if (!/^[A-Za-z0-9._-]{1,200}$/.test(file.id)) return 'id';
    if (!isPath(file.path)) return 'path';
    if (!STATUSES.includes(file.status)) return 'status';
    if (file.oldPath !== undefined && (file.status !== 'renamed' || !isPath(file.oldPath))) return 'oldPath';
    if (![file.additions, file.deletions].every((count) => count === null || isCount(count))) return 'counts';
    if (!RENDER_STATES.includes(file.renderState)) return 'renderState';
    if ((file.renderState === 'renderable') !== (file.patch !== undefined)) return 'patch without its state';
    if (file.patch !== undefined && (!isText(file.patch, 1, PATCH_MAX_BYTES) || bytesOf(file.patch) > PATCH_MAX_BYTES)) return 'patch';
    if (!isMode(file.oldMode) || !isMode(file.newMode)) return 'mode';
    if (!isSha(file.oldSubmoduleSha) || !isSha(file.newSubmoduleSha)) return 'submodule';
    return null;
}

function repositoryFault(entry) {
    if (!isCount(entry.position) || !isText(entry.repoOwner, 1, 200) || !isText(entry.repoName, 1, 200)) return 'name';
    if (!isText(entry.baseSha, 40, 64) || !Array.isArray(entry.files)) return 'baseSha or files';
    if (entry.status === 'unavailable') return isText(entry.error, 1, 2000) && entry.files.length === 0 ? null : 'error';
    if (entry.status !== 'ready' || !isText(entry.headSha, 40, 64)) return 'status or headSha';
    if (typeof entry.truncated !== 'boolean' || !isCount(entry.omittedFileCount)) return 'truncated';
    for (const file of entry.files) {
        const fault = fileFault(file);
        if (fault) return `${file.path}: ${fault}`;
    }
    return new Set(entry.files.map(({ path }) => path)).size === entry.files.length ? null : 'a path twice';
}

/** Null, or what is wrong with the shape of the bundle. */
export function bundleFault(bundle) {
    if (bundle?.version !== 1 || !Array.isArray(bundle.repositories)) return 'version or repositories';
    if (bundle.triggerMessageId !== null && !isText(bundle.triggerMessageId, 1, 200)) return 'triggerMessageId';
    if (!isCount(bundle.capturedAt)) return 'capturedAt';
    if (bundle.repositories.length < 1 || bundle.repositories.length > REPOSITORIES_MAX) return 'repositories';
    for (const entry of bundle.repositories) {
        const fault = repositoryFault(entry);
        if (fault) return `${entry.repoOwner}/${entry.repoName}: ${fault}`;
    }
    const files = bundle.repositories.flatMap((entry) => entry.files);
    if (files.length > FILES_MAX) return 'too many files';
    if (new Set(files.map(({ id }) => id)).size !== files.length) return 'an id twice';
    const patches = files.reduce((sum, { patch = '' }) => sum + bytesOf(patch), 0);
    return patches <= PATCHES_MAX_BYTES ? null : 'patches too long';
}

/** PUT /diff. What was taken is in `cp.diffs`, what the shape forbids in `cp.diffFaults`. */
export function onDiff(cp, { body, bytes }) {
    if (bytes.length > BUNDLE_MAX_BYTES) return [413, { error: `Session diff bundles must be ${BUNDLE_MAX_BYTES} bytes or smaller` }];
    if (typeof body === 'string') return [400, { error: 'Invalid JSON body' }];
    const fault = bundleFault(body);
    if (fault) {
        cp.diffFaults.push(fault);
        return [400, { error: 'Invalid session diff bundle' }];
    }
    const pinned = cp.eventsOfType('ready').find(({ repositories }) => repositories?.length > 0)?.repositories;
    if (!pinned) return [409, { error: 'Session start baseline is unavailable' }];
    const keyOf = ({ position, repoOwner, repoName }) => `${position} ${repoOwner}/${repoName}`.toLowerCase();
    const baselines = new Map(pinned.map((entry) => [keyOf(entry), entry.baseSha]));
    if (body.repositories.length !== pinned.length || !body.repositories.every((entry) => baselines.has(keyOf(entry)))) {
        return [400, { error: 'Repository set does not match session' }];
    }
    if (!body.repositories.every((entry) => baselines.get(keyOf(entry)) === entry.baseSha)) {
        return [400, { error: 'Repository baseline does not match session' }];
    }
    cp.diffs.push(body);
    return [200, { revisionId: String(cp.diffs.length).padStart(32, '0') }];
}

/** POST /diff/failure. */
export function onDiffFailure(cp, { body, bytes }) {
    if (bytes.length > REPORT_MAX_BYTES) return [413, { error: 'Payload too large' }];
    if (!isText(body?.error?.trim?.(), 1, 2000)) return [400, { error: 'Invalid session diff failure' }];
    cp.diffFailures.push(body.error);
    return [204, Buffer.alloc(0)];
}
