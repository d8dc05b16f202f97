// What a prompt's model, reasoning effort and images become on the real OpenCode: the request that reaches the model.

import assert from 'node:assert/strict';
import test from 'node:test';
import { playgroundFor } from './support/sandbox.mjs';

const skip = process.getuid() === 0 ? false : 'needs a home directory of its own';
const LIMIT_MS = 60_000;
// The smallest PNG there is: one transparent pixel.
const PIXEL = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64');

/** OpenCode's own providers, at the model server, and a model of an unknown provider that sees and thinks. */
function providers(url) {
    const options = { baseURL: url, apiKey: 'none' };
    const thinking = { reasoning: true, limit: { context: 200000, output: 32000 } };
    const seeing = { ...thinking, attachment: true, modalities: { input: ['text', 'image'], output: ['text'] } };
    return { provider: {
        anthropic: { options }, openai: { options }, xai: { options, models: { thinking } },
        elsewhere: { npm: '@ai-sdk/openai-compatible', options, models: { seeing } },
    } };
}

/** A sandbox, and a function that gives the request which reached the model for a prompt. */
async function sandboxFor(t) {
    const playground = await playgroundFor(t);
    const { controlPlane: cp, modelServer } = playground;
    const sandbox = await playground.startSandbox({
        files: { 'root/providers.json': JSON.stringify(providers(modelServer.url)) },
        env: { OPENCODE_CONFIG: '/root/providers.json' } });
    await sandbox.stillRuns(cp.ready(1, { timeoutMs: LIMIT_MS }));
    let count = 0;
    const askedFor = async (model, reasoningEffort, more = {}) => {
        const content = `say: prompt ${++count}`;
        const id = cp.prompt(content, { model, reasoningEffort, ...more });
        const { success, error } = await sandbox.stillRuns(cp.completionOf(id, { timeoutMs: LIMIT_MS }));
        assert.equal(success, true, `${model}: ${error}`);
        const name = model.slice(model.indexOf('/') + 1);
        // Those for titles have another model or another conversation.
        return [...modelServer.otherRequests, ...modelServer.requests].map(({ body }) => body).findLast((body) =>
            body.model === name && JSON.stringify(body.messages?.at(-1) ?? body.input.at(-1)).includes(content));
    };
    return { cp, askedFor };
}

test('on one sandbox with the providers of OpenCode', { skip }, async (t) => {
    const { cp, askedFor } = await sandboxFor(t);

    await t.test('the effort of a prompt reaches the model of every provider (B-603, B-604, D-25)', async () => {
        const thinkingOf = async (...prompt) => {
            const { thinking, output_config: output } = await askedFor(...prompt);
            return { ...thinking, ...output };
        };
        assert.deepEqual(await thinkingOf('anthropic/claude-sonnet-4-5', 'high'), { type: 'enabled', budget_tokens: 16000 });
        assert.deepEqual(await thinkingOf('claude-sonnet-4-5', 'max'), { type: 'enabled', budget_tokens: 31999 });
        assert.deepEqual(await thinkingOf('anthropic/claude-opus-4-6', 'low'), { type: 'adaptive', effort: 'low' });
        assert.deepEqual(await thinkingOf('anthropic/claude-opus-4-6', 'max'), { type: 'adaptive', effort: 'max' });
        for (const effort of ['low', 'high']) {
            assert.equal((await askedFor('openai/gpt-5', effort)).reasoning.effort, effort);
            assert.equal((await askedFor('xai/thinking', effort)).reasoning_effort, effort);
            assert.equal((await askedFor('elsewhere/seeing', effort)).reasoning_effort, effort);
        }
    });

    await t.test('an effort that a model does not know does no harm', async () => {
        const usual = (await askedFor('openai/gpt-5')).reasoning;
        assert.deepEqual((await askedFor('openai/gpt-5', 'enormous')).reasoning, usual);
        assert.equal((await askedFor('elsewhere/seeing', 'enormous')).reasoning_effort, undefined);
    });

    await t.test('an attached image reaches the model as it was uploaded (B-720)', async () => {
        cp.attachments.set('pixel', { mimeType: 'image/png', bytes: PIXEL });
        const attachments = [{ attachmentId: 'pixel', name: 'pixel.png', mimeType: 'image/png' }];
        const { messages } = await askedFor('elsewhere/seeing', undefined, { attachments });
        const image = messages.at(-1).content.find(({ type }) => type === 'image_url');
        assert.equal(image.image_url.url, `data:image/png;base64,${PIXEL.toString('base64')}`);
        const { messages: said } = await askedFor('anthropic/claude-sonnet-4-5', undefined, { attachments });
        const block = said.at(-1).content.find(({ type }) => type === 'image');
        assert.deepEqual(block.source, { type: 'base64', media_type: 'image/png', data: PIXEL.toString('base64') });
    });
});
