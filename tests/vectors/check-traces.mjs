#!/usr/bin/env node
// Reads each recording in traces/ a second time, in the simplest way and without our C code, and compares what it says
// with what its .case.json expects: every text whole and in order, every state of every tool once, the titles, one
// completion for each prompt and nothing after it, no success beside an error. Says "N passed, N failed" at the end.

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const folder = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, 'traces');
const PLACEHOLDER = /^new session/i;
const SHOWN_TEXT_MAX = 200; // longer ones stand as <N bytes>

/** What the recording says of the session `session`. */
function readRecording(path, session) {
    const messages = new Map(), texts = new Map(), tools = new Map(), titles = [];
    for (const line of readFileSync(path, 'utf8').trim().split('\n')) {
        const { type, properties = {} } = JSON.parse(line);
        const { part, info } = properties;
        if (type === 'message.updated') messages.set(info.id, info);
        if (type === 'session.updated' && info.id === session && info.title && !PLACEHOLDER.test(info.title)
            && titles.at(-1) !== info.title) titles.push(info.title);
        if (type === 'message.part.updated' && part.type === 'text') {
            const known = texts.get(part.id)?.text ?? '';
            texts.set(part.id, { messageID: part.messageID, text: part.text || known });
        }
        if (type === 'message.part.delta' && properties.field === 'text' && texts.has(properties.partID)) {
            texts.get(properties.partID).text += properties.delta;
        }
        if (type === 'message.part.updated' && part.type === 'tool') {
            const { status, input } = part.state;
            if (status !== 'pending' || Object.keys(input ?? {}).length) tools.set(`${part.messageID} ${part.callID} ${status}`, `${part.callID} ${status}`);
        }
    }
    const isAnswer = ({ messageID }) => {
        const { role, sessionID, summary } = messages.get(messageID) ?? {};
        return role === 'assistant' && sessionID === session && summary !== true;
    };
    return { titles, tools: [...tools.values()].sort(), texts: [...texts.values()].filter(isAnswer).map(({ text }) => text).filter(Boolean) };
}

/** What the case expects: its lines are "type key=value... (message id)". */
function readCase({ expected }) {
    const of = (type) => expected.filter((line) => line.startsWith(`${type} `) || line === type);
    return {
        titles: of('session_title').map((line) => line.slice('session_title title='.length)),
        tokens: of('token').map((line) => /content=(.*) \(/s.exec(line)[1]),
        tools: of('tool_call').map((line) => `${/callId=(\S+)/.exec(line)[1]} ${/status=(\S+)/.exec(line)[1]}`).sort(),
        completions: of('execution_complete').map((line) => /\(([^()]*)\)$/.exec(line)[1]),
    };
}

const shown = (text) => (Buffer.byteLength(text) <= SHOWN_TEXT_MAX ? JSON.stringify(text) : `<${Buffer.byteLength(text)} bytes>`);
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function* complaints(name) {
    const testCase = JSON.parse(readFileSync(join(folder, `${name}.case.json`), 'utf8'));
    const recorded = readRecording(join(folder, `${name}.jsonl`), testCase.session);
    const wanted = readCase(testCase);
    let at = 0;
    for (const text of recorded.texts) {
        const found = wanted.tokens.indexOf(shown(text), at);
        if (found < 0) yield `no token with the whole text ${shown(text)}, or not in its place`;
        else at = found + 1;
    }
    const late = testCase.too_late?.tools ?? [];
    const tools = recorded.tools.filter((tool) => !late.includes(tool));
    if (!same(tools, wanted.tools)) yield `tools: recorded ${tools}; expected ${wanted.tools}`;
    if (!same(recorded.titles, wanted.titles)) yield `titles: recorded ${recorded.titles}; expected ${wanted.titles}`;
    const prompts = testCase.steps.flatMap(({ prompt }) => prompt ?? []);
    if (!same(prompts, wanted.completions)) yield `completions of ${wanted.completions}, prompts ${prompts}`;
    for (const prompt of prompts) {
        const events = testCase.expected.filter((line) => line.endsWith(`(${prompt})`));
        if (!events.at(-1)?.startsWith('execution_complete')) yield `${prompt} does not end with its completion`;
        const failed = events.some((line) => line.startsWith('error ') && !line.includes('childSessionId='));
        if (failed && events.at(-1).includes('success=true')) yield `${prompt} succeeds beside an error`;
    }
}

let failed = 0, passed = 0;
for (const file of readdirSync(folder).filter((name) => name.endsWith('.jsonl')).sort()) {
    const name = basename(file, '.jsonl');
    const found = [...complaints(name)];
    if (found.length) failed++;
    else passed++;
    for (const complaint of found) console.log(`not ok - ${name}: ${complaint}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed || !passed ? 1 : 0;
