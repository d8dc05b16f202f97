// What the playground's programs have in common: how they end.

const EXIT_INTERRUPTED = 130;

/**
 * Runs `main` as the whole program and exits with what it resolves to. `main` gets a promise of the exit code after
 * Ctrl-C (or SIGTERM, SIGHUP), to race with. Ctrl-C also reaches what we started, such as an openssl that makes a
 * certificate: that it failed then is no error worth a word.
 */
export async function runWholeProgram(display, main) {
    let isInterrupted = false;
    const interrupted = new Promise((resolve) => {
        for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
            process.on(signal, () => {
                isInterrupted = true;
                resolve(EXIT_INTERRUPTED);
            });
        }
    });
    let code = 1;
    try {
        code = await main(interrupted);
    } catch (error) {
        // What we waited for without the loop, so that our own handler had no chance to run yet, died of it.
        const brokenBy = error.signal ?? error.cause?.signal;
        if (isInterrupted || brokenBy === 'SIGINT') code = EXIT_INTERRUPTED;
        else display.line(`playground: ${error.message}`);
    }
    process.exit(code); // what still waits for a sandbox need not be waited for
}
