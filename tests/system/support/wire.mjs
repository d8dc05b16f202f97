// A TCP connection with a person at its plug: everything passes through here, until it is held, lost, slowed or cut.
//
//     const wire = await Wire.start(port);      // leads to 127.0.0.1:port
//     wire.cut(); wire.reset(); wire.lose('up'); wire.hold(); wire.heal(); wire.refuses = true

import { once } from 'node:events';
import net from 'node:net';

const TRICKLED_BYTES = 1;
const TRICKLE_MOST_BYTES = 400; // of each chunk; the rest follows at once, or a schedule would take for ever

class Pair {
    constructor(wire, near) {
        this.wire = wire;
        this.near = near; // towards the bridge
        this.far = net.connect(wire.target, '127.0.0.1'); // towards the server
        this.lost = { up: wire.newcomersLost, down: wire.newcomersLost };
        this.#pump(this.near, this.far, 'up');
        this.#pump(this.far, this.near, 'down');
    }

    #pump(from, to, direction) {
        from.setNoDelay(true);
        from.on('data', (data) => {
            if (this.lost[direction]) return;
            if (direction === 'up' && this.wire.pauseMs) {
                from.pause();
                setTimeout(() => from.resume(), this.wire.pauseMs).unref();
            }
            if (this.wire.trickles) this.#trickle(to, data);
            else to.write(data);
        });
        from.on('error', () => {}); // 'close' follows
        from.on('end', () => this.lost[direction] || to.end());
        from.on('close', () => {
            if (!this.lost[direction]) to.destroy();
            if (this.near.destroyed && this.far.destroyed) this.wire.pairs.delete(this);
        });
    }

    #trickle(to, data) {
        const single = Math.min(data.length, TRICKLE_MOST_BYTES);
        for (let at = 0; at < single; at += TRICKLED_BYTES) to.write(data.subarray(at, at + TRICKLED_BYTES));
        if (single < data.length) to.write(data.subarray(single));
    }

    each(action) { [this.near, this.far].forEach(action); }
}

export class Wire {
    constructor(target) {
        this.target = target;
        this.pairs = new Set();
        this.refuses = false; // new connections are reset
        this.newcomersLost = false; // what new connections send goes nowhere
        this.trickles = false; // one byte a packet
        this.pauseMs = 0; // after each piece from the bridge, of at most 64 KiB: a reader that is slow
        this.isHeld = false;
    }

    static async start(target) {
        const wire = new Wire(target);
        wire.server = net.createServer((socket) => {
            socket.on('error', () => {});
            if (wire.refuses) return void socket.resetAndDestroy();
            const pair = new Pair(wire, socket);
            wire.pairs.add(pair);
            if (wire.isHeld) pair.each((end) => end.pause());
        });
        wire.server.listen(0, '127.0.0.1');
        await once(wire.server, 'listening');
        wire.port = wire.server.address().port;
        return wire;
    }

    cut() { this.#all((end) => end.destroy()); }
    reset() { this.#all((end) => (end.connecting ? end.destroy() : end.resetAndDestroy())); }

    /** From now on the connections there are carry nothing: 'up' to the server, 'down' to the bridge, or both. */
    lose(...directions) {
        for (const { lost } of this.pairs) for (const direction of directions) lost[direction] = true;
    }

    /** Nothing moves, nothing is lost, until heal(). */
    hold() {
        this.isHeld = true;
        this.#all((end) => end.pause());
    }

    /** New connections are whole again, and held ones move on; what is lost or cut stays so. */
    heal() {
        Object.assign(this, { refuses: false, newcomersLost: false, trickles: false, pauseMs: 0, isHeld: false });
        this.#all((end) => end.resume());
    }

    /** Whether the bridge still holds on to a connection that carries nothing. */
    get isDeaf() { return [...this.pairs].some(({ near, lost }) => !near.destroyed && (lost.up || lost.down)); }

    async close() {
        this.cut();
        this.server.close();
        await once(this.server, 'close');
    }

    #all(action) {
        for (const pair of [...this.pairs]) pair.each(action);
    }
}
