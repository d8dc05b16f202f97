// Which events the real control plane takes. It drops every other one without a word, so the double must know: an
// event that it would lose is a bug of the bridge. Checked against what the real one did, in
// tests/system/playground.test.mjs.

const isText = (value) => typeof value === 'string';
const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
const isCount = (value) => Number.isInteger(value) && value >= 0;
const isFlag = (value) => typeof value === 'boolean';
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const oneOf = (...words) => (value) => words.includes(value);
const isSha = (value) => isText(value) && /^[0-9a-f]{40,64}$/i.test(value);

function isTokenCount(value) {
    if (isNumber(value)) return true;
    if (!isObject(value)) return false;
    const counts = [value.total, value.input, value.output, value.reasoning];
    if (value.cache !== undefined) {
        if (!isObject(value.cache)) return false;
        counts.push(value.cache.read, value.cache.write);
    }
    const given = counts.filter((count) => count !== undefined);
    return given.length > 0 && given.every(isNumber);
}

function isRepositoryList(value) {
    return Array.isArray(value) && value.every((entry) => isObject(entry) && isCount(entry.position)
        && isText(entry.repoOwner) && isText(entry.repoName) && isSha(entry.baseSha));
}

const optional = (check) => (value) => value === undefined || check(value);
const subtask = { isSubtask: optional(isFlag), childSessionId: optional(isText), taskCallId: optional(isText) };
const push = { branchName: optional(isText), repoOwner: optional(isText), repoName: optional(isText) };
const message = { messageId: isText };

/** Fields of each type beyond sandboxId, timestamp and ackId. */
const fieldsOfType = {
    heartbeat: { status: isText },
    ready: {
        opencodeSessionId: optional((value) => value === null || isText(value)),
        runtimeVersion: optional(isText),
        repositories: optional(isRepositoryList),
    },
    // Only sent by a bridge that connected early, which today's control plane does not ask for.
    boot_progress: {
        bootSeq: isCount, phase: oneOf('starting', 'sync', 'setup', 'start', 'skills', 'harness'),
        status: oneOf('started', 'completed', 'failed'), elapsedMs: optional(isCount), warning: optional(isFlag),
        detail: optional(isText), repoOwner: optional(isText), repoName: optional(isText),
    },
    token: { ...message, content: isText },
    tool_call: {
        ...message, ...subtask, tool: isText, callId: isText, args: isObject,
        status: optional(isText), output: optional(isText),
    },
    tool_result: { ...message, callId: isText, result: isText, error: optional(isText) },
    step_start: { ...message, ...subtask },
    step_finish: {
        ...message, ...subtask, cost: optional(isNumber), tokens: optional(isTokenCount), reason: optional(isText),
    },
    context_compacted: message,
    git_sync: { status: oneOf('pending', 'in_progress', 'completed', 'failed'), sha: optional(isText) },
    error: { ...message, ...subtask, error: isText },
    execution_complete: { ...message, success: isFlag, error: optional(isText) },
    artifact: {
        artifactType: oneOf('pr', 'screenshot', 'video', 'preview', 'branch'), url: isText,
        artifactId: optional(isText), metadata: optional(isObject), messageId: optional(isText),
    },
    push_complete: push,
    push_error: { ...push, error: isText },
    warning: {
        scope: oneOf('sync', 'setup', 'start', 'assembly', 'secrets', 'media'), message: isText,
        repoOwner: optional(isText), repoName: optional(isText),
    },
    session_title: { title: (value) => isText(value) && value.trim() !== '' && value.trim().length <= 200 },
};

/** The fields of a type that it takes, beyond those of every event; nothing for a type that it does not know. */
export const fieldNames = (type) => (Object.hasOwn(fieldsOfType, type) ? Object.keys(fieldsOfType[type]) : null);

const WITHOUT_SANDBOX_ID = ['push_complete', 'push_error', 'warning'];
export const ACKNOWLEDGED_TYPES = ['execution_complete', 'error', 'push_complete', 'push_error'];

/** Null when the control plane takes `event`, else a text that says what is wrong with it. */
export function eventFault(event) {
    if (!isObject(event)) return 'is not an object';
    const fields = Object.hasOwn(fieldsOfType, event.type) ? fieldsOfType[event.type] : null;
    if (!fields) return `has the unknown type ${JSON.stringify(event.type)}`;
    const isIdOptional = WITHOUT_SANDBOX_ID.includes(event.type);
    const all = {
        sandboxId: isIdOptional ? optional(isText) : isText,
        timestamp: isNumber,
        ackId: optional(isText),
        ...fields,
    };
    for (const [name, check] of Object.entries(all)) {
        if (!check(event[name])) return `${event.type}.${name} is ${JSON.stringify(event[name])}`;
    }
    return null;
}
