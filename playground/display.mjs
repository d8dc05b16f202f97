// Prints a session for a human: the supervisor's log lines, and the answer as it streams in.

const STYLES = { dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };
const ENVELOPE = ['level', 'service', 'ts', 'sandbox_id', 'session_id'];
const MAX_OUTPUT_LINES = 12;
const MAX_VALUE_CHARS = 160;
const OPENCODE_CHATTER = /^\[opencode\] timestamp=\S+ level=(INFO|DEBUG) /; // some twenty lines a prompt

export class Display {
    constructor({ out = process.stdout, verbose = false } = {}) {
        this.out = out;
        this.verbose = verbose;
        this.shown = new Map(); // message id -> the text of it that is on the screen
        this.atLineStart = true;
    }

    style(name, text) { return this.out.isTTY ? `\x1b[${STYLES[name]}m${text}\x1b[0m` : text; }

    write(text) {
        if (text === '') return;
        this.out.write(text);
        this.atLineStart = text.endsWith('\n');
    }

    line(text = '') { this.write(`${this.atLineStart ? '' : '\n'}${text}\n`); }

    /** A line that a sandbox printed: JSON of ours, or text of OpenCode. */
    logLine(line) {
        if (!this.verbose && OPENCODE_CHATTER.test(line)) return;
        const entry = parse(line);
        if (!entry?.event) return this.line(this.style('dim', `  | ${line}`));
        const isTrouble = ['error', 'warning'].includes(entry.level);
        // What the bridge does is seen by what arrives.
        if (!isTrouble && !this.verbose && (entry.component === 'bridge' || entry.level === 'debug')) return;
        this.line(this.style(isTrouble ? 'yellow' : 'dim', `  ${describeLog(entry)}`));
    }

    /** An event that came to the control plane. */
    event(event) {
        switch (event.type) {
        case 'token': return this.#token(event);
        case 'tool_call': return this.#toolCall(event);
        case 'error': return this.line(this.style('red', `error: ${event.error}`));
        case 'execution_complete':
            return this.line(event.success ? this.style('green', 'done') : this.style('red', `failed: ${event.error}`));
        case 'push_complete': return this.line(this.style('green', `pushed ${event.branchName}`));
        case 'push_error': return this.line(this.style('red', event.error));
        case 'session_title': return this.line(this.style('dim', `title: ${event.title}`));
        case 'warning': return this.line(this.style('yellow', `warning (${event.scope}): ${event.message}`));
        }
    }

    /** Tokens hold the whole text so far: print what is new. */
    #token({ messageId, content }) {
        const shown = this.shown.get(messageId) ?? '';
        if (content.startsWith(shown)) this.write(content.slice(shown.length));
        else this.write(`${this.atLineStart ? '' : '\n'}${content}`);
        this.shown.set(messageId, content);
    }

    #toolCall({ messageId, tool, args, status, output = '' }) {
        if (status === 'running') {
            this.shown.delete(messageId);
            return this.line(this.style('cyan', `${tool} ${shorten(args.command ?? args.filePath ?? JSON.stringify(args))}`));
        }
        const lines = output.trimEnd().split('\n');
        const cut = lines.length > MAX_OUTPUT_LINES ? [`... ${lines.length - MAX_OUTPUT_LINES} more lines`] : [];
        for (const text of [...lines.slice(0, MAX_OUTPUT_LINES), ...cut]) this.line(this.style('dim', `  ${text}`));
    }
}

function parse(line) {
    try {
        return JSON.parse(line);
    } catch {
        return null;
    }
}

function describeLog({ component, event, ...entry }) {
    if (event === 'git.progress') {
        const counts = entry.phase === 'checkout' ? [entry.done_files, entry.total_files, 'files']
            : [entry.received_objects, entry.total_objects, 'objects'];
        const count = counts[1] === undefined ? '' : ` ${counts[0]} of ${counts[1]} ${counts[2]}`;
        return `${component} git ${entry.repo_owner}/${entry.repo_name}: ${entry.phase}${count}`;
    }
    const fields = Object.entries(entry).filter(([name]) => !ENVELOPE.includes(name))
        .map(([name, value]) => `${name}=${shorten(typeof value === 'string' ? value : JSON.stringify(value))}`);
    return [component, event, ...fields].join(' ');
}

function shorten(value) {
    const line = String(value).replaceAll('\n', ' ');
    return line.length > MAX_VALUE_CHARS ? `${line.slice(0, MAX_VALUE_CHARS)}...` : line;
}
