// Installs the packages that a package.json pins into a folder, with npm as this machine has it configured. The stamp
// `.installed` in that folder names what is there; make compares its time.
//
// Package scripts are not run, and optional packages are left out, because they are the same large binary for other
// machines: the caller names ours (`more`). `program` is what must exist afterwards.

import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export function pinsOf(manifest) {
    return JSON.parse(readFileSync(manifest, 'utf8')).dependencies;
}

export function installPins({ manifest, folder, more, program }) {
    const pins = pinsOf(manifest);
    const stamp = join(folder, '.installed');
    const wanted = `${JSON.stringify(pins)}\n${more}\n`;
    if (existsSync(stamp) && existsSync(program) && readFileSync(stamp, 'utf8') === wanted) {
        const now = new Date();
        utimesSync(stamp, now, now); // it must be younger than package.json
        return;
    }
    const named = Object.entries(pins).map(([name, version]) => `${name}@${version}`);
    console.log(`installing ${[...named, more].join(', ')} into ${folder}`);
    mkdirSync(folder, { recursive: true });
    rmSync(stamp, { force: true });
    copyFileSync(manifest, join(folder, 'package.json'));
    execFileSync(
        'npm',
        ['install', '--ignore-scripts', '--omit=optional', '--no-save', '--no-package-lock', '--no-audit', '--no-fund',
            '--loglevel=error', more],
        { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] },
    );
    if (!existsSync(program)) throw new Error(`npm said nothing, but there is no ${program}`);
    writeFileSync(stamp, wanted);
}
