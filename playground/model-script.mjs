// What the scripted model answers. The last user message of a conversation is its script: commands separated by
// new lines or " ;; ". Each round trip of the model consumes one command, so "bash: ls ;; say: done" is a tool call
// followed by a text. A message without a command is answered with what was said, now and before: that is how one
// sees that a second prompt knows the first.

export const MODEL_COMMANDS = `
say: TEXT                   stream TEXT, word by word
say N words [at R/s]        stream N words, R a second (default: as fast as possible)
bash: COMMAND               call the bash tool
write PATH: TEXT            call the write tool
read PATH                   call the read tool
pull request TITLE: BODY    call the create-pull-request tool
task: PROMPT                start a sub-agent; in PROMPT " ,, " stands for " ;; "
call NAME: JSON             call any tool
tools                       name the tools that OpenCode offers
hang N                      send the head of an answer, then nothing for N seconds
fail CODE [xN]              answer with that HTTP status, N times (default: always)
cut after N words           break the connection in the middle of the text
`.trim();

const numbered = (count) => Array.from({ length: count }, (_, index) => `w${index + 1} `);
const pieces = (text) => text.match(/\s*\S+\s*/g) ?? [];
const gap = (perSecond) => (perSecond ? 1000 / Number(perSecond) : 0);
const call = (name, args) => ({ calls: [{ name, args }] });

/** Each: a pattern, and what it makes of its groups: { text, gapMs, calls, fail, times, hangMs, cut }. */
const commands = [
    [/^say (\d+) words?(?: at (\d+)\/s)?$/i, ([, count, rate]) => ({ text: numbered(Number(count)), gapMs: gap(rate) })],
    [/^say: ?([^]+)$/i, ([, text]) => ({ text: pieces(text) })],
    [/^bash: ?([^]+)$/i, ([, command]) => call('bash', { command, description: command.slice(0, 60) })],
    [/^write (\S+?): ?([^]*)$/i, ([, filePath, text]) => call('write', { filePath, content: `${text}\n` })],
    [/^read (\S+)$/i, ([, filePath]) => call('read', { filePath })],
    [/^pull request ([^:]+): ?([^]+)$/i, ([, title, body]) => call('create-pull-request', { title, body })],
    [/^task: ?([^]+)$/i, ([, prompt]) => call('task', {
        description: prompt.slice(0, 30), prompt: prompt.replaceAll(' ,, ', ' ;; '), subagent_type: 'general' })],
    [/^call ([\w.-]+): ?(\{[^]*\})$/i, ([, name, json]) => call(name, JSON.parse(json))],
    [/^tools$/i, (_, conversation) => ({ text: pieces(`tools: ${[...conversation.tools].sort().join(' ')}`) })],
    [/^hang (\d+)$/i, ([, seconds]) => ({ hangMs: Number(seconds) * 1000, text: ['late.'] })],
    [/^fail (\d{3})(?: x(\d+))?$/i, ([, status, times]) => ({ fail: Number(status), times: Number(times ?? Infinity) })],
    [/^cut after (\d+) words?$/i, ([, count]) => ({ text: numbered(Number(count)), cut: true })],
];

function textOf(content) {
    if (typeof content === 'string') return content;
    return (content ?? []).filter((part) => part.type === 'text').map((part) => part.text).join('\n');
}

/** The body of a chat completion request as { system, users, turn, tools }. */
export function readConversation(body) {
    const messages = body.messages ?? [];
    const isSystem = ({ role }) => role === 'system' || role === 'developer';
    const users = messages.filter(({ role }) => role === 'user').map(({ content }) => textOf(content));
    const lastUser = messages.findLastIndex(({ role }) => role === 'user');
    return {
        system: messages.filter(isSystem).map(({ content }) => textOf(content)).join('\n'),
        users,
        turn: messages.slice(lastUser + 1).filter(({ role }) => role === 'assistant').length,
        tools: (body.tools ?? []).map((tool) => tool.function?.name),
    };
}

function parseCommand(line, conversation) {
    for (const [pattern, build] of commands) {
        const match = pattern.exec(line);
        if (match) return { ...build(match, conversation), command: line };
    }
    return null;
}

function freeAnswer({ users, turn }) {
    if (turn > 0) return { text: ['Done.'] };
    const quoted = users.map((text) => `"${text.split('\n')[0].slice(0, 80)}"`);
    const before = quoted.length > 1 ? ` Before that you wrote: ${quoted.slice(0, -1).join(', ')}.` : '';
    return { text: pieces(`I am the playground's scripted model. You wrote: ${quoted.at(-1)}.${before}`) };
}

const isTitleRequest = ({ system }) => /title generator|thread title|generate a .*title/i.test(system);

/** Remembers how often a "fail CODE xN" has failed: the only state between requests. */
export class ModelScript {
    #failuresLeft = new Map();

    /** What to answer to this conversation: { text, gapMs, calls, fail, hangMs, cut, command }. */
    answer(conversation) {
        const empty = { text: [], gapMs: 0, calls: [], hangMs: 0, cut: false, fail: 0, command: null };
        if (isTitleRequest(conversation)) return { ...empty, text: ['A playground session'], command: '(title)' };
        const script = (conversation.users.at(-1) ?? '').split(/\n| ;; /).map((line) => line.trim());
        const steps = script.map((line) => parseCommand(line, conversation)).filter(Boolean);
        if (steps.length === 0) return { ...empty, ...freeAnswer(conversation) };
        // A failed request leaves no assistant turn behind: exhausted failures are skipped, not counted.
        const live = steps.filter((step, index) => !step.fail || this.#takeFailure(conversation, step, index));
        const step = live[conversation.turn] ?? { text: ['Done.'], command: '(end)' };
        return { ...empty, ...step };
    }

    #takeFailure({ users, turn }, step, index) {
        if (index !== turn) return index > turn;
        const key = `${users.length} ${index} ${users.at(-1)}`;
        const left = this.#failuresLeft.get(key) ?? step.times;
        this.#failuresLeft.set(key, left - 1);
        return left > 0;
    }
}
