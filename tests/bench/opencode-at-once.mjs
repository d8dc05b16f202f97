// The path of the stand-in for OpenCode that starts in no time (opencode_at_once.c, built by tests/bench/run).

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildDir } from '../../playground/paths.mjs';

export function opencodeAtOnce() {
    const path = join(buildDir, 'musl', 'tests', 'opencode_at_once');
    if (!existsSync(path)) throw new Error(`${path} is missing: run tests/bench/run, which builds it`);
    return path;
}
