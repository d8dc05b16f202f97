/*
 * Access tokens of an account that the control plane keeps (S-524). One request serves all who wait, and a
 * token is used until five minutes before its end. Nothing is written anywhere.
 */
import { callControlPlane, failureText } from "../tools/lib/control-plane.js";

const LIMIT_MS = 30_000;
const DEFAULT_LIFE_S = 3600;
const RENEW_BEFORE_MS = 5 * 60_000;

async function ask(provider, now) {
  const { status, body, problem } = await callControlPlane(`/provider-auth/${provider}/access-token`, {
    env: process.env,
    timeoutMs: LIMIT_MS,
  });
  if (problem) throw new Error(`No access token of ${provider}: ${problem}`);
  if (status < 200 || status > 299) throw new Error(`No access token of ${provider}: HTTP ${status}, ${failureText(body)}`);
  if (typeof body?.accessToken !== "string" || !body.accessToken) {
    throw new Error(`No access token of ${provider}: the control plane's answer has none`);
  }
  const life = body.expiresIn ?? DEFAULT_LIFE_S;
  if (!(typeof life === "number" && life > 0)) {
    throw new Error(`No access token of ${provider}: the control plane's answer says it expires in ${JSON.stringify(life)}`);
  }
  return { accessToken: body.accessToken, expires: now() + life * 1000, metadata: body.providerMetadata ?? {} };
}

/* `get()` gives { accessToken, expires (ms), metadata }; `onRenewed` hears of each new one. */
export function createTokenBroker(provider, { now = Date.now, onRenewed = () => {} } = {}) {
  let token;
  let asking;

  async function renew() {
    token = await ask(provider, now);
    onRenewed(token);
    return token;
  }

  return {
    get() {
      if (token && token.expires - RENEW_BEFORE_MS > now()) return Promise.resolve(token);
      asking ??= renew().finally(() => {
        asking = undefined;
      });
      return asking;
    },
  };
}

/* The headers of a fetch() call as one object that may be changed. */
export function headersOf(input, init) {
  const headers = new Headers(input instanceof Request ? input.headers : undefined);
  new Headers(init?.headers).forEach((value, name) => headers.set(name, value));
  return headers;
}
