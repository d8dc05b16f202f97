// The doubles themselves: what they promise is what the other tests rest on.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { eventFault } from '../../playground/event-schema.mjs';

const matrix = JSON.parse(readFileSync(new URL('./data/control-plane-events.json', import.meta.url), 'utf8'));

test('the control plane double takes and drops the events that the real one takes and drops', () => {
    for (const [name, { event, taken }] of Object.entries(matrix)) {
        assert.equal(eventFault(event) === null, taken, `${name}: ${eventFault(event)}`);
    }
});
