/*
 * The tool "slack-notify" (S-520, S-523), staged only when the launcher allows it (S-280). Its answer is a
 * JSON text: the control plane's own, or why there is none.
 */
import { text } from "./lib/arguments.js";
import { callControlPlane } from "./lib/control-plane.js";

const LIMIT_MS = 30_000;

const REASON_OF_STATUS = {
  400: "invalid_input",
  403: "feature_disabled",
  404: "channel_not_found_or_forbidden",
  422: "empty_message_after_sanitization",
  429: "rate_limited",
  503: "feature_unavailable",
};
const KNOWN_REASONS = new Set([...Object.values(REASON_OF_STATUS), "slack_api_error", "delivery_unknown"]);

const failed = (reason, agentMessage, more = {}) => JSON.stringify({ ok: false, reason, agentMessage, ...more });

function describeRefusal({ status, body }) {
  const reason = KNOWN_REASONS.has(body?.error) ? body.error : (REASON_OF_STATUS[status] ?? "slack_api_error");
  const otherwise =
    reason === "delivery_unknown"
      ? "The message may have been posted. Look into the channel before trying again."
      : `The message was not posted (HTTP ${status}).`;
  const message = typeof body?.message === "string" && body.message ? body.message : otherwise;
  const wait = Number(body?.retryAfterSeconds ?? body?.retryAfter);
  return failed(reason, message, wait > 0 ? { retryAfterSeconds: wait } : {});
}

async function notify(args, context) {
  const channel = text(args.channel);
  const message = text(args.text);
  if (!channel || !message) return failed("invalid_input", "A message needs a channel and a text that are not empty.");
  const answer = await callControlPlane("/slack-notify", {
    env: process.env,
    body: { channel, text: message, thread_ts: text(args.thread_ts), reason: text(args.reason) },
    timeoutMs: LIMIT_MS,
    abort: context?.abort,
  });
  if (answer.problem) return failed("bridge_error", answer.problem);
  if (answer.status < 200 || answer.status > 299) return describeRefusal(answer);
  if (answer.body === null || typeof answer.body !== "object") {
    return failed("slack_api_error", "The answer made no sense. Look into the channel before trying again.");
  }
  return JSON.stringify(answer.body);
}

export default {
  description: "Post a message to a Slack channel. Only when the user asked for it, or wants to be told there.",
  args: {
    channel: { type: "string", description: "Channel name or id, such as #releases" },
    text: { type: "string", description: "The message, in Slack's own markup" },
    thread_ts: { type: "string", description: "Timestamp of the thread to answer in. Empty: a new message" },
    reason: { type: "string", description: "Why it is posted, for the audit log. May be empty" },
  },
  async execute(args, context) {
    try {
      return await notify(args ?? {}, context);
    } catch (error) {
      return failed("bridge_error", `The message was not posted: ${error?.message ?? error}.`);
    }
  },
};
