// Sizes of the two programs as they go into an image.

import { statSync } from 'node:fs';
import { bridgeProgram, supervisorProgram } from '../../playground/paths.mjs';
import { benchmark, report } from './report.mjs';

const BOTH_LIMIT_BYTES = 2_600_000;

await benchmark('size', 'size', () => {
    const sizes = [supervisorProgram, bridgeProgram].map((path) => statSync(path).size);
    report('oi-supervisor', sizes[0], 'bytes');
    report('oi-bridge', sizes[1], 'bytes');
    report('both', sizes[0] + sizes[1], 'bytes', { limit: BOTH_LIMIT_BYTES });
});
