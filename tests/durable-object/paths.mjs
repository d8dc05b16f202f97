// Where install.mjs puts the runtime.

import { join, resolve } from 'node:path';
import { buildDir } from '../../playground/paths.mjs';

export const workerdDir = resolve(process.env.OI_WORKERD_DIR || join(buildDir, 'workerd'));

/** The npm package that holds the runtime's binary for this machine. */
export const workerdPackage = `@cloudflare/workerd-linux-${process.arch === 'arm64' ? 'arm64' : '64'}`;

export const workerdProgram = join(workerdDir, 'node_modules', workerdPackage, 'bin', 'workerd');
