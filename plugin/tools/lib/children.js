/*
 * Child sessions of this session: calls, and the words that the tools share (S-516..S-519, S-522).
 */
import { callControlPlane, failureText } from "./control-plane.js";

const LIMIT_MS = 60_000;

const STATES = {
  created: "PENDING",
  active: "RUNNING",
  completed: "DONE",
  archived: "DONE",
  failed: "FAILED",
  cancelled: "CANCELLED",
};

export const stateOf = (status) => STATES[status] ?? String(status ?? "unknown").toUpperCase();

export const childPath = (id, rest = "") => `/children/${encodeURIComponent(id)}${rest}`;

/* { body }, or { problem } with the tool's own words for some statuses. */
export async function askAboutChildren(path, { method, body, context, problems = {} }) {
  const answer = await callControlPlane(path, {
    env: process.env,
    method,
    body,
    timeoutMs: LIMIT_MS,
    abort: context?.abort,
  });
  if (answer.problem) return answer;
  const { status } = answer;
  if (status >= 200 && status <= 299 && answer.body && typeof answer.body === "object") {
    return { body: answer.body };
  }
  const reason = status >= 200 && status <= 299 ? "no JSON object" : failureText(answer.body);
  const known = problems[status];
  return { problem: known ? `${known} (${reason}).` : `HTTP ${status}, ${reason}.` };
}
