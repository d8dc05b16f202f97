// The playground's control plane double with the other end of its sockets in a Durable Object: the same words for a
// test, another server for the bridge. Orders go to the Durable Object over a WebSocket of our own, in their order;
// what happened there comes back over it, numbered, so that nothing is missed when the object goes away and takes this
// socket along. `runtime`: a Workerd that is not shared with the other tests of this process.

import { once } from 'node:events';
import { ControlPlane } from '../../playground/control-plane.mjs';
import { requireInstalled } from '../../playground/paths.mjs';
import { workerd } from './workerd.mjs';

const { WebSocket } = requireInstalled('ws');

const AGAIN_MS = 20;
const ABNORMAL_CLOSURE = 1006;
/** What a test may set at any time and the Durable Object has to know. */
const SETTINGS = ['token', 'sandboxId', 'sandboxStatus', 'refuseStatus', 'acks', 'era', 'answers'];

export class DurableControlPlane extends ControlPlane {
    #driver = null;
    #orders = []; // not sent yet
    #newest = 0; // number of the last report
    #closing = false;
    #runtime;

    constructor({ runtime = workerd, ...options } = {}) {
        super(options);
        this.#runtime = runtime;
        for (const name of SETTINGS) this.#follow(name);
    }

    /** From now on setting this property tells the Durable Object. */
    #follow(name) {
        let current = this[name];
        const tell = (value) => { this.#order({ order: 'set', [name]: value }); };
        Object.defineProperty(this, name, {
            enumerable: true,
            get: () => current,
            set: (value) => {
                current = value;
                tell(value);
            },
        });
        tell(current);
    }

    async listen() {
        await this.#runtime.start();
        this.port = this.#runtime.port;
        await this.#drive();
        await this.obeyed();
    }

    /** Waits until the Durable Object has done everything that it was told; how often it was made, so far. */
    async obeyed() {
        this.#order({ order: 'mark' });
        const [lives] = await once(this, 'mark');
        return lives;
    }

    async close() {
        this.#closing = true;
        this.#driver?.terminate();
    }

    send(command) {
        this.#order({ order: 'send', text: typeof command === 'string' ? command : JSON.stringify(command) });
    }

    /** Sends a command with a text of that size. */
    flood(bytes) { this.#order({ order: 'flood', bytes }); }

    closeSocket(code, reason) { this.#order({ order: 'close', code, reason }); }

    /** The Durable Object goes away, as at a deployment: no Close frame, and its memory is gone. */
    cut() {
        this.#order({ order: 'vanish' });
        this.#onVanished();
    }

    /** workerd is killed; what was stored stays. */
    async goAway() {
        await this.obeyed();
        await this.#runtime.kill();
        this.#onVanished();
    }

    /** Nobody there can tell. */
    #onVanished() {
        const closed = { closedAt: performance.now(), code: ABNORMAL_CLOSURE, reason: '' };
        for (const connection of this.connections) if (!connection.closedAt) Object.assign(connection, closed);
    }

    // ---- the driver ----

    #order(order) {
        this.#orders.push(order);
        this.#flush();
    }

    #flush() {
        while (this.#orders.length > 0 && this.#driver?.readyState === WebSocket.OPEN) {
            const order = this.#orders.shift();
            this.#driver.send(JSON.stringify(order));
            if (order.order === 'vanish') this.#driver = null; // the next order is for its successor
        }
    }

    /** Connects, and again whenever that ends. */
    async #drive() {
        const driver = new WebSocket(`ws://127.0.0.1:${this.port}/driver/${this.sessionId}?after=${this.#newest}`);
        driver.on('error', () => {}); // 'close' follows
        driver.on('close', () => {
            if (this.#closing) return;
            if (this.#driver === driver) this.#driver = null;
            setTimeout(() => this.#drive().catch(() => {}), AGAIN_MS);
        });
        driver.on('message', (data) => {
            const { id, body } = JSON.parse(String(data));
            if (id <= this.#newest) return;
            this.#newest = id;
            this.#hear(JSON.parse(body));
        });
        await once(driver, 'open');
        this.#driver = driver;
        this.#flush();
    }

    #hear({ kind, number, ...what }) {
        if (kind === 'event') this.keep(what.event);
        else if (kind === 'dropped') this.dropped.push(what);
        else if (kind === 'rejected') this.rejections.push(what);
        else if (kind === 'request') this.requests.push(what);
        else if (kind === 'mark') this.emit('mark', what.lives);
        else if (kind === 'opened') this.connections.push({ ...what, openedAt: performance.now(), closedAt: null });
        else Object.assign(this.connections[number - 1], what, { closedAt: performance.now() });
        this.emit('change');
    }
}
