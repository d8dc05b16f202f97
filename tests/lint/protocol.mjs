// Holds docs/protocol.md against the code: every command, event and HTTP request of the bridge stands in a table there
// with its fields, every one that stands there exists, and the critical events are the code's. And docs/debugging.md:
// every log event that it names is written by the code, and not below the level that is printed. Prints a line for each break.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fieldNames } from '../../playground/event-schema.mjs';

const PROTOCOL = 'docs/protocol.md';
const DEBUGGING = 'docs/debugging.md';
const SUBTASK_FIELDS = ['isSubtask', 'childSessionId', 'taskCallId'];

const breaks = [];
const read = (name) => readFileSync(name, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
const sources = (...folders) => execFileSync('git', ['ls-files', '-co', '--exclude-standard', ...folders], { encoding: 'utf8' })
    .split('\n').filter((name) => name.endsWith('.c') && existsSync(name)).map(read).join('\n');
const bridge = sources('bridge');
/** What stands between quotes; a quote as a character is none. */
const strings = (text) => [...text.matchAll(/"((?:[^"\\\n]|\\.)*)"|'(?:[^'\\\n]|\\.)'/g)].flatMap(([, word]) => word ?? []);

/** Says what is in one of two lists and not in the other. */
function compare(what, documented, inCode) {
    for (const name of inCode) if (!documented.includes(name)) breaks.push(`${PROTOCOL}: the ${what} ${name} is missing`);
    for (const name of documented) if (!inCode.includes(name)) breaks.push(`${PROTOCOL}: no code has the ${what} ${name}`);
}

/** The rows of the tables below a heading, as cells. */
function rowsBelow(heading) {
    const section = readFileSync(PROTOCOL, 'utf8').split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
    return section.split('\n').filter((line) => line.startsWith('| `'))
        .map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
}
const wordsOf = (cell) => [...cell.replace(/\([^)]*\)/g, '').matchAll(/`(\w+)`/g)].map(([, word]) => word);

const commands = rowsBelow('Commands').map(([name, fields]) => ({ name: wordsOf(name)[0], fields }));
const typeNames = /TYPE_NAMES\[\] = \{([^}]*)\}/.exec(read('bridge/control_plane/command.c'))[1];
compare('command', commands.map(({ name }) => name), strings(typeNames).filter((name) => name !== 'unknown'));
for (const { name, fields } of commands) {
    const inObjects = [...fields.matchAll(/\{([^}]*)\}/g)].flatMap(([, inner]) => inner.split(/,\s*/));
    for (const field of [...wordsOf(fields), ...inObjects]) {
        if (!bridge.includes(`"${field}"`)) breaks.push(`${PROTOCOL}: nobody reads ${field} of the command ${name}`);
    }
}

const events = rowsBelow('Events').map(([name, fields, critical]) => ({
    name: wordsOf(name)[0],
    fields: [...wordsOf(fields), ...(fields.includes('sub-task fields') ? SUBTASK_FIELDS : [])],
    isCritical: critical === 'yes',
}));
const made = [...bridge.matchAll(/\b(?:emit_new\(t,|json_add_string\((?:event|warning), "type",)([^;]*);/g)]
    .flatMap(([, rest]) => strings(rest)).filter((word) => /^[a-z_]+$/.test(word));
compare('event', events.map(({ name }) => name), [...new Set(made)]);
const critical = /critical\[\] = \{([^}]*)\}/.exec(read('bridge/control_plane/event_envelope.c'))[1];
compare('critical event', events.filter(({ isCritical }) => isCritical).map(({ name }) => name), strings(critical));
for (const { name, fields, isCritical } of events) {
    const known = fieldNames(name);
    if (!known) continue; // the control plane drops it
    compare(`field of ${name}`, fields, isCritical ? [...known, 'ackId'] : known);
}

const requests = rowsBelow('HTTP').map(([name]) => name.replace(/`|\{.*/g, ''));
const asked = [...bridge.matchAll(/struct session_request request = \{([^;]*);/g)].map(([, fields]) =>
    `${/\.method = "(\w+)"/.exec(fields)?.[1] ?? 'GET'} ${/\.path = "([^"]*)"/.exec(fields)?.[1]}`);
compare('HTTP request', requests, asked);

const environment = readFileSync('docs/environment.md', 'utf8');
for (const [, name] of readFileSync(PROTOCOL, 'utf8').matchAll(/`(BRIDGE_[A-Z0-9_]+)/g)) {
    if (!environment.includes(`\`${name}\``)) breaks.push(`${PROTOCOL}: docs/environment.md has no ${name}`);
}

// Events of hooks and services are put together from two words.
const words = new Set(strings(sources('common', 'net', 'git', 'supervisor', 'bridge')));
const isPutTogether = ([first, second]) => ['setup', 'start', 'opencode', 'bridge'].includes(first)
    && (words.has(second) || words.has(`%s.${second}`));
const unseen = new Set([...sources('supervisor', 'bridge').matchAll(/\blog_at\([^;"]*\bLOG_DEBUG,\s*"([^"]+)"/g)].map(([, name]) => name));
for (const [, name] of readFileSync(DEBUGGING, 'utf8').matchAll(/`([a-z_]+\.[a-z_.]*[a-z_])`/g)) {
    if (!words.has(name) && !isPutTogether(name.split('.'))) breaks.push(`${DEBUGGING}: the code logs no ${name}`);
    if (unseen.has(name)) breaks.push(`${DEBUGGING}: ${name} is a debug line, which is not printed`);
}
for (const line of breaks) console.log(line);
