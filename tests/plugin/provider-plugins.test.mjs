/* The plugins of accounts that the control plane keeps (S-524..S-526), with a real HTTP server for its part. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import * as codexFile from '../../plugin/plugins/codex-auth-plugin.js';
import { codexModels, xaiModels } from '../../plugin/plugins/managed-models.js';
import { createTokenBroker } from '../../plugin/plugins/provider-token-broker.js';
import * as xaiFile from '../../plugin/plugins/xai-auth-plugin.js';
import { startServer } from './support.mjs';

let cp;
const realFetch = globalThis.fetch;
before(async () => {
    cp = await startServer();
    Object.assign(process.env, cp.environment);
});
after(() => cp.close());
beforeEach(() => {
    cp.requests = [];
    cp.reply = { body: { accessToken: 'access-1', expiresIn: 1000, providerMetadata: { accountId: 'acc' } } };
});
afterEach(() => { globalThis.fetch = realFetch; });

/** Everything but the control plane is kept instead of sent. */
function catchRequests() {
    const caught = [];
    globalThis.fetch = (input, init) => {
        const url = String(input instanceof Request ? input.url : input);
        if (url.startsWith(cp.environment.CONTROL_PLANE_URL)) return realFetch(input, init);
        caught.push({ url, headers: Object.fromEntries(new Headers(init?.headers)) });
        return Promise.resolve(new Response('{}'));
    };
    return caught;
}

test('one request serves all who wait, and a token is used until five minutes before its end', async () => {
    let now = 0;
    const broker = createTokenBroker('openai', { now: () => now });
    const tokens = await Promise.all([broker.get(), broker.get(), broker.get()]);
    assert.deepEqual(tokens.map(({ accessToken }) => accessToken), ['access-1', 'access-1', 'access-1']);
    assert.deepEqual(cp.requests.map(({ method, url }) => `${method} ${url}`), ['POST /sessions/s%201/provider-auth/openai/access-token']);
    now = 699_000;
    await broker.get();
    assert.equal(cp.requests.length, 1);
    now = 701_000;
    cp.reply = { body: { accessToken: 'access-2' } };
    assert.equal((await broker.get()).expires, now + 3_600_000);
});

test('a refusal is an error that says why, and the next request asks again', async () => {
    const broker = createTokenBroker('xai');
    for (const [reply, words] of [[{ status: 404, body: { error: 'not configured' } }, /xai: HTTP 404, not configured/],
        [{ body: { accessToken: 7 } }, /has none/], [{ body: { accessToken: 'a', expiresIn: 0 } }, /expires in 0/],
        [{ body: { accessToken: 'a', expiresIn: '60' } }, /expires in "60"/], ['cut', /could not be reached/]]) {
        cp.reply = reply;
        await assert.rejects(broker.get(), words);
    }
    cp.reply = { body: { accessToken: 'a' } };
    assert.equal((await broker.get()).accessToken, 'a');
});

test('a request of an OpenAI model goes to the account\'s endpoint with its token, and no dummy key leaves', async () => {
    const caught = catchRequests();
    const stored = [];
    const client = { auth: { set: async (call) => void stored.push(call) } };
    const plugin = await codexFile.CodexAuth({ client });
    const options = await plugin.auth.loader(async () => ({ type: 'oauth' }));
    await options.fetch('https://api.openai.com/v1/responses', { headers: { Authorization: `Bearer ${options.apiKey}`, 'x-a': '1' } });
    await options.fetch(new URL('https://api.openai.com/v1/models'), {});
    assert.deepEqual(caught.map(({ url }) => url), ['https://chatgpt.com/backend-api/codex/responses', 'https://api.openai.com/v1/models']);
    assert.deepEqual(caught[0].headers, { authorization: 'Bearer access-1', 'chatgpt-account-id': 'acc', 'x-a': '1' });
    assert.deepEqual([stored[0].path.id, stored[0].body.access, stored[0].body.accountId], ['openai', 'access-1', 'acc']);
    const output = { headers: {} };
    await plugin['chat.headers']({ model: { providerID: 'openai' }, sessionID: 'ses_1' }, output);
    assert.deepEqual(output.headers, { originator: 'opencode', session_id: 'ses_1' });
});

test('a store that refuses the token does not stop the request', async () => {
    const caught = catchRequests();
    const plugin = await codexFile.CodexAuth({ client: { auth: { set: async () => { throw new Error('no'); } } } });
    const options = await plugin.auth.loader(async () => ({ type: 'oauth' }));
    await options.fetch('https://api.openai.com/v1/chat/completions', {});
    assert.equal(caught.length, 1);
});

test('a request of an xAI model has the account\'s token', async () => {
    const caught = catchRequests();
    const plugin = await xaiFile.XaiAuth();
    const options = await plugin.auth.loader(async () => ({ type: 'oauth' }));
    await options.fetch('https://api.x.ai/v1/responses', { headers: new Headers({ authorization: 'Bearer x' }) });
    assert.deepEqual(caught, [{ url: 'https://api.x.ai/v1/responses', headers: { authorization: 'Bearer access-1' } }]);
});

test('with an API key of the user neither plugin touches anything', async () => {
    for (const plugin of [await codexFile.CodexAuth({}), await xaiFile.XaiAuth()]) {
        assert.deepEqual(await plugin.auth.loader(async () => ({ type: 'api', key: 'k' })), {});
        const provider = { models: { a: { id: 'a' } } };
        assert.equal(await plugin.provider.models(provider, { auth: { type: 'api' } }), provider.models);
    }
});

test('the account\'s models cost nothing, others are not offered, missing ones are made from a relative', () => {
    const models = codexModels({ 'gpt-5.5': { id: 'gpt-5.5', cost: { input: 9 }, api: { id: 'gpt-5.5', npm: 'n' } }, 'gpt-4o': { id: 'gpt-4o' } });
    assert.deepEqual(Object.keys(models).sort(), ['gpt-5.3-codex', 'gpt-5.3-codex-spark', 'gpt-5.5']);
    assert.deepEqual(models['gpt-5.3-codex'].api, { id: 'gpt-5.3-codex', npm: 'n' });
    assert.equal(models['gpt-5.5'].cost.input, 0);
    assert.deepEqual(xaiModels({ 'grok-4.5': { id: 'grok-4.5', api: { npm: 'n' } } })['grok-build-0.1'].api, { npm: 'n', id: 'grok-build-0.1' });
});

test('a plugin\'s file exports its plugin alone: OpenCode would call everything else', () => {
    for (const file of [codexFile, xaiFile]) assert.equal(Object.values(file).filter((value) => typeof value === 'function').length, 1);
});
