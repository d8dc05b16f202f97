// How the benchmarks say what they measured: one line a number, with its limit, and a failing exit when one is broken.

const results = [];

/** The value below which `share` (0..1) of `numbers` lie. */
export function percentile(numbers, share) {
    const sorted = [...numbers].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
export const median = (numbers) => percentile(numbers, 0.5);
export const least = (numbers) => Math.min(...numbers);

const digits = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1));

/** `limit`: most that is allowed, or null for a number that only informs. `more` is printed behind. */
export function report(what, value, unit, { limit = null, more = '' } = {}) {
    const isGood = limit === null || value <= limit;
    results.push(isGood);
    const verdict = limit === null ? '' : `limit ${limit} ${unit}: ${isGood ? 'ok' : 'BROKEN'}`;
    console.log(`  ${what.padEnd(52)} ${`${digits(value)} ${unit}`.padStart(12)}   ${verdict.padEnd(24)} ${more}`.trimEnd());
}

/** A promise that was kept or not. */
export function promise(what, isKept, more = '') {
    results.push(isKept);
    console.log(`  ${what.padEnd(52)} ${(isKept ? 'yes' : 'NO').padStart(12)}   ${more}`.trimEnd());
}

/** Runs one benchmark under a title that names the command to repeat it. */
export async function benchmark(name, title, run) {
    console.log(`\n${title}   (tests/bench/run ${name})`);
    await run();
    if (results.includes(false)) process.exitCode = 1;
}
