// The other two protocols by which OpenCode talks to models: Anthropic's messages and OpenAI's responses. Each answers
// one text and no more: what a test wants to see here is the request.

const TEXT = 'ok';
const frame = (type, fields) => `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;

function* messages({ model }) {
    const usage = { input_tokens: 10, output_tokens: 1 };
    yield frame('message_start', { message: { id: 'msg_1', type: 'message', role: 'assistant', model, content: [],
        stop_reason: null, stop_sequence: null, usage } });
    yield frame('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
    yield frame('content_block_delta', { index: 0, delta: { type: 'text_delta', text: TEXT } });
    yield frame('content_block_stop', { index: 0 });
    yield frame('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage });
    yield frame('message_stop', {});
}

function* responses({ model }) {
    const response = { id: 'resp_1', object: 'response', created_at: 0, model, output: [], error: null,
        incomplete_details: null, usage: null, status: 'in_progress' };
    const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'in_progress', content: [] };
    const place = { item_id: item.id, output_index: 0, content_index: 0 };
    const part = { type: 'output_text', text: TEXT, annotations: [] };
    yield frame('response.created', { response });
    yield frame('response.output_item.added', { output_index: 0, item });
    yield frame('response.content_part.added', { ...place, part: { ...part, text: '' } });
    yield frame('response.output_text.delta', { ...place, delta: TEXT, logprobs: [] });
    yield frame('response.output_text.done', { ...place, text: TEXT });
    yield frame('response.content_part.done', { ...place, part });
    const done = { ...item, status: 'completed', content: [part] };
    yield frame('response.output_item.done', { output_index: 0, item: done });
    yield frame('response.completed', { response: { ...response, status: 'completed', output: [done], usage: {
        input_tokens: 10, input_tokens_details: { cached_tokens: 0 }, output_tokens: 1,
        output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 11 } } });
}

/** By the end of the path: what answers a request body, in pieces. */
export const OTHER_PROTOCOLS = { '/messages': messages, '/responses': responses };
