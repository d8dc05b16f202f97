// Makes bare repositories for the git server, and reads them back.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const README = `# Sample

A repository to play with: ask the agent to change something in it.
`;
const SETUP = `#!/bin/bash
# Runs once, after the clone.
echo "setup: ran in $(pwd)"
date -u > .setup-ran
`;
const START = `#!/bin/bash
# Runs at every start of the sandbox.
echo "start: ran in $(pwd)"
`;

export const sampleFiles = {
    'README.md': README,
    'src/hello.mjs': "export const hello = (name) => `Hello, ${name}!`;\n",
    '.gitignore': '.setup-ran\n',
    '.openinspect/setup.sh': SETUP,
    '.openinspect/start.sh': START,
};

/** Runs git in `dir` without the configuration of whoever runs the playground, and returns its output. */
export function git(dir, ...args) {
    const env = {
        ...process.env,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_AUTHOR_NAME: 'Playground',
        GIT_AUTHOR_EMAIL: 'playground@localhost',
        GIT_COMMITTER_NAME: 'Playground',
        GIT_COMMITTER_EMAIL: 'playground@localhost',
    };
    return execFileSync('git', args, { cwd: dir, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

/** Creates <root>/<owner>/<name>.git with one commit of `files` on `branch`; returns its path. */
export function createRepository(root, owner, name, { files = sampleFiles, branch = 'main' } = {}) {
    const bare = join(root, owner, `${name}.git`);
    const work = mkdtempSync(join(tmpdir(), 'playground-repository-'));
    try {
        for (const [path, content] of Object.entries(files)) {
            mkdirSync(dirname(join(work, path)), { recursive: true });
            writeFileSync(join(work, path), content);
            if (path.endsWith('.sh')) chmodSync(join(work, path), 0o755);
        }
        git(work, 'init', '--quiet', '--initial-branch', branch);
        git(work, 'add', '--all');
        git(work, 'commit', '--quiet', '--message', 'First commit');
        mkdirSync(dirname(bare), { recursive: true });
        git(work, 'clone', '--quiet', '--bare', work, bare);
        git(bare, 'config', 'http.receivepack', 'true');
        git(bare, 'remote', 'remove', 'origin');
    } finally {
        rmSync(work, { recursive: true, force: true });
    }
    return bare;
}
