/* The slack-notify tool against a real HTTP server (S-520, S-523). */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import tool from '../../plugin/tools/slack-notify.js';
import { startServer } from './support.mjs';

let cp;
before(async () => {
    cp = await startServer();
    Object.assign(process.env, cp.environment);
});
after(() => cp.close());

const post = async (args = {}) => JSON.parse(await tool.execute({ channel: '#general', text: 'hi', ...args }));

test('a message is posted, and the answer is the control plane\'s own', async () => {
    cp.reply = { body: { ok: true, channelId: 'C1', permalink: '' } };
    assert.deepEqual(await post({ thread_ts: '', reason: 'asked' }), { ok: true, channelId: 'C1', permalink: '' });
    assert.deepEqual([cp.requests[0].url, cp.requests[0].body], ['/sessions/s%201/slack-notify', { channel: '#general', text: 'hi', reason: 'asked' }]);
});

test('each refusal has its reason, from the body or else from the status', async () => {
    const reasons = { 400: 'invalid_input', 403: 'feature_disabled', 404: 'channel_not_found_or_forbidden',
        422: 'empty_message_after_sanitization', 429: 'rate_limited', 500: 'slack_api_error', 503: 'feature_unavailable' };
    for (const [status, reason] of Object.entries(reasons)) {
        cp.reply = { status: Number(status), body: { message: 'no' } };
        assert.deepEqual(await post(), { ok: false, reason, agentMessage: 'no' });
    }
    cp.reply = { status: 502, body: { error: 'delivery_unknown', message: 'maybe' } };
    assert.equal((await post()).reason, 'delivery_unknown');
    cp.reply = { status: 429, body: { error: 'rate_limited', message: 'slow', retryAfter: 7 } };
    assert.equal((await post()).retryAfterSeconds, 7);
    cp.reply = { status: 504, body: { error: 'delivery_unknown' } };
    assert.match((await post()).agentMessage, /may have been posted/);
    for (const body of ['<html>', 'null', '"ok"']) {
        cp.reply = { body };
        assert.deepEqual([(await post()).ok, (await post()).reason], [false, 'slack_api_error'], 'no JSON object is no answer');
    }
});

test('a control plane that is gone, and empty arguments, are JSON texts too', async () => {
    cp.reply = 'cut';
    assert.equal((await post()).reason, 'bridge_error');
    assert.equal((await post({ text: ' ' })).reason, 'invalid_input');
});
