#!/usr/bin/env node
// Installs workerd and miniflare into build/workerd. Run by the Makefile; does nothing when build/workerd/.installed
// already names the same pins.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installPins, pinsOf } from '../../playground/npm.mjs';
import { workerdDir, workerdPackage, workerdProgram } from './paths.mjs';

const manifest = join(dirname(fileURLToPath(import.meta.url)), 'package.json');

try {
    installPins({ manifest, folder: workerdDir, more: `${workerdPackage}@${pinsOf(manifest).workerd}`,
        program: workerdProgram });
} catch (error) {
    console.error(`tests: cannot install workerd: ${error.message}\nIs npm installed and its registry reachable?`);
    process.exit(1);
}
