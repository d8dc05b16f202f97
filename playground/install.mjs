#!/usr/bin/env node
// Installs the packages pinned in package.json into build/node, with npm as this machine has it configured.
// Run by the Makefile; does nothing when build/node/.installed already names the same pins.
//
// Package scripts are not run: opencode-ai's would only link the binary that we call directly. Optional
// packages are left out, because they are the same 180 MB binary for other machines; ours is asked for by name.

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeDir, opencodePackage, opencodeProgram, playgroundDir } from './paths.mjs';

const manifest = join(playgroundDir, 'package.json');
const pins = JSON.parse(readFileSync(manifest, 'utf8')).dependencies;
const binaryPackage = `${opencodePackage()}@${pins['opencode-ai']}`;
const stamp = join(nodeDir, '.installed');
const wanted = `${JSON.stringify(pins)}\n${binaryPackage}\n`;

function isInstalled() {
    return existsSync(stamp) && existsSync(opencodeProgram) && readFileSync(stamp, 'utf8') === wanted;
}

function install() {
    console.log(`installing ${binaryPackage} and ws ${pins.ws} into ${nodeDir}`);
    mkdirSync(nodeDir, { recursive: true });
    rmSync(stamp, { force: true });
    copyFileSync(manifest, join(nodeDir, 'package.json'));
    execFileSync(
        'npm',
        ['install', '--ignore-scripts', '--omit=optional', '--no-save', '--no-package-lock', '--no-audit',
            '--no-fund', '--loglevel=error', binaryPackage],
        { cwd: nodeDir, stdio: ['ignore', 'inherit', 'inherit'] },
    );
    writeFileSync(stamp, wanted);
}

try {
    if (isInstalled()) {
        const now = new Date();
        utimesSync(stamp, now, now); // make compares times: the stamp must be younger than package.json
    } else {
        install();
    }
} catch (error) {
    console.error(`playground: cannot install OpenCode: ${error.message}\nIs npm installed and its registry reachable?`);
    process.exit(1);
}
