// Numbers that look random and are the same for the same seed: a schedule can be played again.

/** `words`: whole numbers that together are the seed. */
export class Random {
    #state;

    constructor(...words) {
        this.#state = 0x9e3779b9;
        for (const word of words) {
            this.#state = (this.#state ^ word) >>> 0;
            this.#state = this.#next(); // mixed, or near seeds would share schedules
        }
    }

    /** 32 bits (splitmix32, public domain). */
    #next() {
        this.#state = (this.#state + 0x9e3779b9) >>> 0;
        let bits = this.#state;
        bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
        bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
        return (bits ^ (bits >>> 15)) >>> 0;
    }

    /** A whole number of `least` to `most`, both included. */
    between(least, most) { return least + this.#next() % (most - least + 1); }
    chance(percent) { return this.#next() % 100 < percent; }

    /** A key of `weights`, { key: weight }, each as often as its weight says. */
    pick(weights) {
        const entries = Object.entries(weights);
        let left = this.#next() % entries.reduce((sum, [, weight]) => sum + weight, 0);
        return entries.find(([, weight]) => (left -= weight) < 0)[0];
    }
}
