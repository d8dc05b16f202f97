/*
 * What OpenCode is told of an account that the control plane keeps (S-525, S-526): that it is logged in (the
 * supervisor's sentinel), which models there are, and how a request is sent. Plugin API: OpenCode 1.18.
 */

/* OpenCode wants a key; no request leaves with it. */
export const DUMMY_KEY = "managed-by-control-plane";

/* `models` makes the account's models of the provider's; `send` is a fetch() that puts the real token in. */
export function managedAccount(provider, { models, send }) {
  return {
    provider: {
      id: provider,
      models: async (known, { auth } = {}) => (auth?.type === "oauth" ? models(known.models) : known.models),
    },
    auth: {
      provider,
      methods: [],
      loader: async (getAuth) => ((await getAuth())?.type === "oauth" ? { apiKey: DUMMY_KEY, fetch: send } : {}),
    },
  };
}
