// Where things are: the repository, what the Makefile builds, and what install.mjs puts under build/node.
// Programs can be replaced by environment variables, so that the tests run on any build flavour.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const playgroundDir = dirname(fileURLToPath(import.meta.url));
export const repositoryDir = dirname(playgroundDir);
export const buildDir = join(repositoryDir, 'build');
export const nodeDir = resolve(process.env.OI_NODE_DIR || join(buildDir, 'node'));

export const supervisorProgram = resolve(process.env.OI_SUPERVISOR || join(buildDir, 'oi-supervisor'));
export const bridgeProgram = resolve(process.env.OI_BRIDGE || join(buildDir, 'oi-bridge'));

/** The npm package that holds OpenCode's binary for this machine. Without AVX2 only the baseline build runs. */
export function opencodePackage() {
    if (process.arch === 'arm64') return 'opencode-linux-arm64';
    const hasAvx2 = /\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
    return hasAvx2 ? 'opencode-linux-x64' : 'opencode-linux-x64-baseline';
}

export const opencodeProgram = resolve(
    process.env.OI_OPENCODE || join(nodeDir, 'node_modules', opencodePackage(), 'bin', 'opencode'),
);

/** Loads a package that install.mjs put under build/node. */
export const requireInstalled = createRequire(join(nodeDir, 'package.json'));
