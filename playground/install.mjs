#!/usr/bin/env node
// Installs OpenCode and what else package.json pins into build/node. Run by the Makefile; does nothing when
// build/node/.installed already names the same pins.

import { join } from 'node:path';
import { installPins, pinsOf } from './npm.mjs';
import { nodeDir, opencodePackage, opencodeProgram, playgroundDir } from './paths.mjs';

const manifest = join(playgroundDir, 'package.json');

try {
    installPins({ manifest, folder: nodeDir, more: `${opencodePackage()}@${pinsOf(manifest)['opencode-ai']}`,
        program: opencodeProgram });
} catch (error) {
    console.error(`playground: cannot install OpenCode: ${error.message}\nIs npm installed and its registry reachable?`);
    process.exit(1);
}
