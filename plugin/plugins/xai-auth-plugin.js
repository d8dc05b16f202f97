/*
 * xAI models through an account that the control plane keeps (S-526). OpenCode believes that it is logged in
 * (the supervisor's sentinel); each request gets a real token here. Plugin API: OpenCode 1.18.
 */
import { xaiModels } from "./managed-models.js";
import { createTokenBroker, headersOf } from "./provider-token-broker.js";

const DUMMY_KEY = "managed-by-control-plane";

export const XaiAuth = async () => {
  const broker = createTokenBroker("xai");

  return {
    provider: {
      id: "xai",
      models: async (provider, { auth } = {}) => (auth?.type === "oauth" ? xaiModels(provider.models) : provider.models),
    },
    auth: {
      provider: "xai",
      methods: [],
      loader: async (getAuth) => {
        if ((await getAuth())?.type !== "oauth") return {};
        return {
          apiKey: DUMMY_KEY,
          fetch: async (input, init) => {
            const headers = headersOf(input, init);
            headers.set("authorization", `Bearer ${(await broker.get()).accessToken}`);
            return fetch(input, { ...init, headers });
          },
        };
      },
    },
  };
};
