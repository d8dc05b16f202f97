// What must hold for every program of ours that a test ran, whatever the test was about.

import assert from 'node:assert/strict';
import { checkLogLines } from './log-lines.mjs';

const CRASH_SIGNALS = ['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP'];
const SANITIZER = /ERROR: (Address|Leak|Undefined)\w*Sanitizer|runtime error:|SUMMARY: \w*Sanitizer/;

/** It did not crash, no sanitizer complained, none of `secrets` is in what it printed, and its log is as the contract has it. */
export function checkProgram(program, secrets = []) {
    assert.ok(!CRASH_SIGNALS.includes(program.exit?.signal), `${program.name} crashed:\n${program.output}`);
    const complaint = program.lines.findIndex((line) => SANITIZER.test(line));
    assert.ok(complaint < 0, `${program.name}: ${program.lines.slice(Math.max(0, complaint), complaint + 40).join('\n')}`);
    for (const secret of secrets) {
        const line = program.lines.find((text) => text.includes(secret));
        assert.equal(line, undefined, `${program.name} printed a secret`);
    }
    checkLogLines(program.logs);
}
