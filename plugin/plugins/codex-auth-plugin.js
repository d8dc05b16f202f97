/*
 * OpenAI models through a ChatGPT account that the control plane keeps (S-525): each request gets a real token here.
 */
import { DUMMY_KEY, managedAccount } from "./managed-account.js";
import { codexModels } from "./managed-models.js";
import { createTokenBroker, headersOf } from "./provider-token-broker.js";

const ENDPOINT = "https://chatgpt.com/backend-api/codex/responses";

function endpointOf(input) {
  const url = new URL(input instanceof Request ? input.url : input);
  return url.pathname.includes("/v1/responses") || url.pathname.includes("/chat/completions") ? ENDPOINT : url;
}

export const CodexAuth = async ({ client }) => {
  /* OpenCode shows in its own store that the account works; nobody depends on it. */
  const store = async ({ accessToken, expires, metadata }) => {
    const account = metadata.accountId ? { accountId: metadata.accountId } : {};
    await client?.auth?.set({
      path: { id: "openai" },
      body: { type: "oauth", refresh: DUMMY_KEY, access: accessToken, expires, ...account },
    });
  };
  const broker = createTokenBroker("openai", { onRenewed: (token) => void store(token).catch(() => {}) });

  const send = async (input, init) => {
    const { accessToken, metadata } = await broker.get();
    const headers = headersOf(input, init);
    headers.set("authorization", `Bearer ${accessToken}`);
    if (metadata.accountId) headers.set("ChatGPT-Account-Id", metadata.accountId);
    return fetch(endpointOf(input), { ...init, headers });
  };

  return {
    ...managedAccount("openai", { models: codexModels, send }),
    "chat.headers": async ({ model, sessionID }, output) => {
      if (model?.providerID !== "openai") return;
      output.headers.originator = "opencode";
      output.headers.session_id = sessionID;
    },
  };
};
