// Holds docs/environment.md against the code: every variable and field that is read stands in a table there, every one
// that stands there is read, and the bridge's limits have the same numbers. Prints a line for each break.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const DOC = 'docs/environment.md';
/** Words in capitals that the code has as a string and that are no variables; the second line are ends of such names. */
const NO_VARIABLES = new Set(['EOF', 'GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'TLS', 'SSHSIG',
    'KEY', 'TOKEN', 'SECRET', 'PASSWORD', 'PASSWD', 'CREDENTIAL', 'CREDENTIALS']);
const isVariable = (word) => !NO_VARIABLES.has(word) && !/^SIG[A-Z0-9]+$/.test(word);

/** What SESSION_CONFIG and the objects in it are called where they are read. */
const SESSION_READ = new RegExp(
    String.raw`\bsession_text\(\s*\w+(?:->\w+)*,\s*"(\w+)"` +
    String.raw`|\b(?:json_get\w*|copy_filled)\(\s*(?:config->session|session|server),\s*"(\w+)"`, 'g');

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'common', 'git', 'net', 'supervisor', 'bridge',
    'plugin'], { encoding: 'utf8' }).split('\n').filter((name) => /\.([ch]|js)$/.test(name));
const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\//g, '');

/** name -> the file that reads it */
const variables = new Map();
const fields = new Map();
for (const file of files) {
    let text;
    try {
        text = withoutComments(readFileSync(file, 'utf8'));
    } catch {
        continue; // deleted, and not committed yet
    }
    const words = file.endsWith('.js') ? text.matchAll(/\benv\.([A-Z][A-Z0-9_]*)/g)
        : text.matchAll(/"([A-Z][A-Z0-9_]{2,}|[a-z]+_proxy)"/g);
    for (const [, word] of words) if (isVariable(word)) variables.set(word.toUpperCase(), file);
    if (file.endsWith('.js')) continue;
    for (const match of text.matchAll(SESSION_READ)) fields.set(match[1] ?? match[2], file);
}

/** The names in the first column of the tables below each heading. */
const documented = { variables: new Set(), fields: new Set() };
const limits = new Map();
let section = '';
readFileSync(DOC, 'utf8').split('\n').forEach((line) => {
    if (line.startsWith('## ')) section = line.slice(3);
    if (!line.startsWith('| `')) return;
    const cells = line.split('|').map((cell) => cell.trim());
    const names = [...cells[1].matchAll(/`(\w+)`/g)].map(([, name]) => name);
    for (const name of names) documented[section === 'SESSION_CONFIG' ? 'fields' : 'variables'].add(name);
    if (section === 'The bridge' && cells.length === 7) limits.set(names[0], cells.slice(2, 5).join(' '));
});

const breaks = [];
for (const [kind, read] of [['variables', variables], ['fields', fields]]) {
    const what = kind.slice(0, -1);
    for (const [name, file] of read) if (!documented[kind].has(name)) breaks.push(`${file}: reads the ${what} ${name}`);
    for (const name of documented[kind]) if (!read.has(name)) breaks.push(`${DOC}: nobody reads the ${what} ${name}`);
}
const product = (text) => text.split('*').reduce((total, factor) => total * Number(factor), 1);
const table = readFileSync('common/bridge_limits.h', 'utf8').matchAll(/X\("(\w+)",\s*\w+,\s*([^,]+),\s*([^,]+),\s*([^)]+)\)/g);
for (const [, name, ...numbers] of table) {
    const inCode = numbers.map(product).join(' ');
    const entry = limits.get(name);
    if (entry && entry !== inCode) breaks.push(`${DOC}: ${name} has ${inCode} in common/bridge_limits.h`);
    limits.delete(name);
}
for (const name of limits.keys()) breaks.push(`${DOC}: ${name} is not in the table of common/bridge_limits.h`);
for (const line of breaks) console.log(line);
