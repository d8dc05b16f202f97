// What the stand-in for OpenCode does with a prompt. A stand-in, because a schedule has to know what it is owed: the
// words that were said, whether the turn failed, the moment it ended. The real OpenCode is in real.mjs.
//
// Every word names its prompt and its place ("p2w7 "), so that a text shows by itself where it is from and whether
// something is missing in it.

import { setTimeout as sleep } from 'node:timers/promises';

export const FAILURE_TEXT = 'the model is out of credit';

/** Plays `script` for `run` (fake-opencode.mjs) until it ends or the run does: abort, death. */
export async function playScript(run, script, label, onFinished) {
    let words = 0;
    const goesOn = async () => {
        await sleep(script.pauseMs);
        return run.state === 'busy';
    };
    const say = async (count) => {
        run.openText();
        for (let i = 0; i < count; i++) {
            if (!await goesOn()) return false;
            run.delta(`${label}w${words++} `);
        }
        run.closeText();
        return true;
    };
    const useTool = async () => {
        run.tool('bash', { command: `${label} step ${words}` }, `${label} output`);
        return goesOn();
    };
    const rounds = { tools: 1, rounds: script.rounds }[script.kind] ?? 0;

    run.begin();
    for (let round = 0; round < rounds; round++) {
        if (!await say(script.words) || !await useTool()) return;
        run.endStep().assistant();
    }
    if (script.kind !== 'silent' && !await say(script.words)) return;
    if (script.kind === 'hang' || !await goesOn()) return;
    run.said = words;
    if (script.kind === 'fail') run.fail('APIError', FAILURE_TEXT);
    else if (script.kind === 'silent') run.closeMessage().idle();
    else run.finish();
    onFinished();
}
