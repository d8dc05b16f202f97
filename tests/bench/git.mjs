// Bringing a repository in: our git-sync worker against `git clone --depth 100` of the same branch from the same server,
// over HTTPS with a password. Both in turns, into memory (/dev/shm) so that no disk decides; the least time of each counts, because whatever else
// the machine does only adds. Wall time has the server in it, which works on the same processors.
//
// usage: tests/bench/run git        (GIT_BENCH_RUNS: how often each, default 7)

import { execFileSync, spawn } from 'node:child_process';
import { createCipheriv, createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { issueCertificate, makeAuthority } from '../../playground/certificates.mjs';
import { GitServer } from '../../playground/git-server.mjs';
import { supervisorProgram } from '../../playground/paths.mjs';
import { findProcesses, peakResidentKib } from '../../playground/processes.mjs';
import { benchmark, least, median, report } from './report.mjs';

const RUNS = Number(process.env.GIT_BENCH_RUNS ?? 7);
const DEPTH = 100;
const RATIO_LIMIT = 1.0;
const MEMORY_LOOK_MS = 5;
const TOKEN = 'bench-password';

/** Bytes that compress badly and are the same at every run. */
const randomBytes = (seed, size) => createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(size));
const words = ['return', 'const', 'value', 'error', 'buffer', 'length', 'if', 'for', 'static', 'struct', 'result', '=', '(', ')'];
/** Something like source text, of about `size` bytes. */
function sourceText(seed, size) {
    const lines = [];
    for (let at = 0, count = 0; at < size; count++) {
        const picks = createHash('sha256').update(`${seed} ${count}`).digest();
        const line = `${' '.repeat(picks[0] % 8)}${[...picks.subarray(1, 9)].map((byte) => words[byte % words.length]).join(' ')}`;
        lines.push(line);
        at += line.length + 1;
    }
    return `${lines.join('\n')}\n`;
}

/** What git fast-import reads: commits of { path: content }, each on top of the one before, then further refs. */
class Import {
    constructor(bare) {
        execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', bare]);
        // In one pack, as servers have it: of loose objects every clone would make the server look for deltas, which takes
        // it seconds for large files.
        this.process = spawn('git', ['-c', 'fastimport.unpackLimit=1', 'fast-import', '--quiet'], { cwd: bare, stdio: ['pipe', 'inherit', 'inherit'] });
        this.commits = 0;
    }

    async write(...parts) {
        for (const part of parts) if (!this.process.stdin.write(part)) await once(this.process.stdin, 'drain');
    }

    async commit(files) {
        this.commits++;
        const message = `Commit ${this.commits}`;
        await this.write(`commit refs/heads/main\nmark :${this.commits}\n`,
            `committer B <b@localhost> ${1_700_000_000 + this.commits} +0000\ndata ${message.length}\n${message}\n`);
        for (const [path, content] of files) {
            await this.write(`M 100644 inline ${path}\ndata ${Buffer.byteLength(content)}\n`, content, '\n');
        }
    }

    async end(refs = 0) {
        for (let index = 0; index < refs; index++) {
            await this.write(`reset refs/heads/topic/${index}\nfrom :${1 + (index % this.commits)}\n\n`);
        }
        this.process.stdin.end();
        await once(this.process, 'close');
    }
}

const filePath = (index) => `src/module${index % 40}/part${index % 400}/file${index}.c`;

const repositories = {
    'many files (12,000 in 400 folders)': async (bare) => {
        const repository = new Import(bare);
        await repository.commit(Array.from({ length: 12_000 }, (_, index) => [filePath(index), sourceText(index, 2500)]));
        await repository.end();
    },
    'deep history (4,000 commits, 800 files, 2,000 branches)': async (bare) => {
        const repository = new Import(bare);
        await repository.commit(Array.from({ length: 800 }, (_, index) => [filePath(index), sourceText(index, 8000)]));
        for (let index = 1; index < 4000; index++) {
            const files = [index % 800, (index * 7) % 800].map((file) => [filePath(file), sourceText(`${file}`, 8000) + `// ${index}\n`]);
            await repository.commit(new Map(files));
        }
        await repository.end(2000);
        execFileSync('git', ['-C', bare, 'repack', '-adq', '--depth=50', '--window=10']);
    },
    'large files (3 of 10 MB, 1 text of 8 MB)': async (bare) => {
        const repository = new Import(bare);
        const files = [1, 2, 3].map((index) => [`data/large${index}.bin`, randomBytes(index, 10_000_000)]);
        await repository.commit([...files, ['data/words.txt', sourceText('words', 8_000_000)], ['README', 'large\n']]);
        await repository.end();
    },
};

/** The peak of memory of the largest process below `root`, in KiB, looked at until `ended`. */
async function largestPeak(root, ended) {
    let peak = 0, hasEnded = false;
    ended.then(() => { hasEnded = true; });
    while (!hasEnded) {
        const family = new Set([root]);
        // Children have higher numbers than their parents, but for a wrap-around of all numbers.
        for (const { pid, parent } of findProcesses(({ pid }) => pid > root)) if (family.has(parent)) family.add(pid);
        for (const pid of family) peak = Math.max(peak, peakResidentKib(pid) ?? 0);
        await sleep(MEMORY_LOOK_MS);
    }
    return peak;
}

/** Runs a program: { wall, cpu } in ms; cpu is of all its processes. With `looks`, { peak } of its memory in KiB. */
async function timed(command, args, { input = '', env, cwd, looks = false }) {
    const startedAt = performance.now();
    const child = spawn('bash', ['-c', 'TIMEFORMAT="%U %S"; time "$@"', 'bash', command, ...args], { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { text += data; });
    child.stdin.end(input);
    const closed = once(child, 'close');
    const peak = looks ? await largestPeak(child.pid, closed) : undefined;
    const [code] = await closed;
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${text}`);
    const [user, system] = text.trim().split('\n').at(-1).split(' ').map(Number);
    return { wall: performance.now() - startedAt, cpu: (user + system) * 1000, peak };
}

/** The two ways, each into a directory of its own: the time in ms. */
function waysFor({ server, bundle, dir }) {
    const target = join(dir, 'checkout');
    const env = { PATH: process.env.PATH, HOME: dir, GIT_CONFIG_NOSYSTEM: '1', GIT_SSL_CAINFO: bundle, SSL_CERT_FILE: bundle, LANG: 'C' };
    const limits = { connect_s: 30, stall_s: 60, clone_s: 600 };
    return {
        git: async (name, looks) => {
            rmSync(target, { recursive: true, force: true });
            return timed('git', ['clone', '--quiet', '--depth', String(DEPTH), '--branch', 'main',
                server.urlWithToken('bench', name), target], { env, cwd: dir, looks });
        },
        ours: async (name, looks) => {
            rmSync(target, { recursive: true, force: true });
            const input = JSON.stringify({ action: 'sync', path: target, repository: `bench/${name}`,
                url: server.url('bench', name), branch: 'main', password: TOKEN, limits });
            return timed(supervisorProgram, ['--worker', 'git-sync'], { env, cwd: dir, input, looks });
        },
        /** What git itself says of our checkout. */
        check: () => {
            const status = execFileSync('git', ['-C', target, 'status', '--porcelain'], { env, encoding: 'utf8' });
            if (status !== '') throw new Error(`git sees changes in our checkout:\n${status.slice(0, 500)}`);
        },
    };
}

await benchmark('git', 'clone and checkout against git clone --depth, HTTPS', async () => {
    const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'oi-bench-git-'));
    const root = join(dir, 'repositories');
    const authority = makeAuthority(join(dir, 'authority'), 'authority');
    const server = await GitServer.start({
        root, certificate: issueCertificate(authority, 'server', ['localhost']), token: TOKEN });
    try {
        const ways = waysFor({ server, bundle: authority.certificate, dir });
        for (const [index, [what, make]] of Object.entries(repositories).entries()) {
            const name = `repository${index}`;
            mkdirSync(join(root, 'bench'), { recursive: true });
            await make(join(root, 'bench', `${name}.git`));
            const times = { git: [], ours: [] };
            await ways.git(name); // the server's files are in memory then
            for (let run = 0; run < RUNS; run++) {
                times.git.push(await ways.git(name));
                times.ours.push(await ways.ours(name));
            }
            ways.check();
            for (const [kind, limit] of [['wall', RATIO_LIMIT], ['cpu', null]]) {
                const [theirs, ours] = [times.git, times.ours].map((all) => all.map((one) => one[kind]));
                report(`${what}${kind === 'cpu' ? ', processor' : ''}`, least(ours) / least(theirs), '', { limit,
                    more: `ours ${Math.round(least(ours))} ms (median ${Math.round(median(ours))}), `
                        + `git ${Math.round(least(theirs))} ms (median ${Math.round(median(theirs))})` });
            }
            // Apart from the times, for looking takes some of it.
            const [theirs, ours] = [(await ways.git(name, true)).peak / 1024, (await ways.ours(name, true)).peak / 1024];
            report(`${what}, memory`, ours / theirs, '', { more: `ours ${ours.toFixed(1)} MiB, git's largest process ${theirs.toFixed(1)} MiB` });
            rmSync(join(root, 'bench', `${name}.git`), { recursive: true });
        }
    } finally {
        await server.close();
        rmSync(dir, { recursive: true, force: true });
    }
});
