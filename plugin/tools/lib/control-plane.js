/*
 * Calls of the control plane from inside OpenCode (S-514): base URL, session and token come from the
 * environment that the supervisor passes on. Never throws: the answer is
 * { status, body } or { problem } with a sentence for the model.
 */

const ANSWER_BYTES_MAX = 1024 * 1024;
const DEFAULT_CONTROL_PLANE = "http://localhost:8787";

/* As the supervisor finds it (S-55): the older era, whose children have no OPENINSPECT_BOOT_MODE, has SESSION_ID too. */
function sessionId(env) {
  const otherwise = env.OPENINSPECT_BOOT_MODE ? "" : (env.SESSION_ID ?? "");
  try {
    const config = JSON.parse(env.SESSION_CONFIG ?? "{}");
    const id = config?.sessionId || config?.session_id;
    return ["string", "number"].includes(typeof id) ? String(id).trim() : otherwise;
  } catch {
    return "";
  }
}

/* Text of a failure: `error` or `message` of a JSON body, else the body (S-514). */
export function failureText(body) {
  const told = body && typeof body === "object" ? (body.error ?? body.message) : body;
  if (typeof told === "string" && told.trim()) return told.trim();
  return "no reason given";
}

async function readBody(response) {
  const parts = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error("the answer is longer than 1 MiB");
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/* `body` goes as JSON, `form` (a FormData) as it is. */
export async function callControlPlane(path, { env, method = "POST", body, form, timeoutMs, abort }) {
  const session = sessionId(env);
  if (!session) {
    return { problem: "SESSION_CONFIG names no session id, so the control plane cannot be asked." };
  }
  if (!env.SANDBOX_AUTH_TOKEN) {
    return { problem: "SANDBOX_AUTH_TOKEN is not set, so the control plane would refuse the call." };
  }
  const base = (env.CONTROL_PLANE_URL || DEFAULT_CONTROL_PLANE).replace(/\/+$/, "");
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(`${base}/sessions/${encodeURIComponent(session)}${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${env.SANDBOX_AUTH_TOKEN}`,
        ...(body !== undefined && { "Content-Type": "application/json" }),
      },
      body: body !== undefined ? JSON.stringify(body) : form,
      signal: abort ? AbortSignal.any([abort, limit]) : limit,
    });
    return { status: response.status, body: await readBody(response) };
  } catch (error) {
    if (abort?.aborted) return { problem: "The call was stopped before the control plane answered." };
    if (limit.aborted) {
      return { problem: `The control plane did not answer within ${timeoutMs / 1000} seconds.` };
    }
    const reason = error?.cause?.message || error?.message || String(error);
    return { problem: `The control plane could not be reached: ${reason}.` };
  }
}
