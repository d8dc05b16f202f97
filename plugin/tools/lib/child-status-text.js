/*
 * Child sessions as text for the model (S-517). Pure.
 */
import { stateOf } from "./children.js";

const TEXT_MAX = 20_000;
const VALUE_MAX = 2_000;

const cut = (text, most) => (text.length > most ? `${text.slice(0, most)} [${text.length - most} more characters]` : text);
const shown = (value, most) => cut(typeof value === "string" ? value : JSON.stringify(value), most);

function when(value) {
  const date = new Date(value);
  return value && !Number.isNaN(date.getTime()) ? date.toISOString() : undefined;
}

function titled(session) {
  return `${session.id ?? "?"}  ${stateOf(session.status)}  ${session.title ?? "(no title)"}`;
}

export function describeList(children) {
  if (!Array.isArray(children) || children.length === 0) return "This session has no child sessions.";
  const counts = new Map();
  for (const child of children) {
    const state = stateOf(child?.status);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  const summary = [...counts].map(([state, count]) => `${count} ${state}`).join(", ");
  return cut([`${children.length} child sessions: ${summary}`, ...children.map((child) => titled(child ?? {}))].join("\n"), TEXT_MAX);
}

function eventLine(event, withData) {
  const head = [when(event?.createdAt), event?.type ?? "event"].filter(Boolean).join(" ");
  const data = event?.data ?? event?.payload;
  return `- ${head}${withData && data !== undefined ? ` ${shown(data, VALUE_MAX)}` : ""}`;
}

/* `page`: the control plane's answer about one child. */
export function describeChild(page, { includeEventData = false } = {}) {
  const session = page.session ?? {};
  const repository = session.repoOwner && session.repoName ? `${session.repoOwner}/${session.repoName}` : undefined;
  const facts = {
    Model: session.model,
    Repository: repository,
    Branch: session.branchName,
    Started: when(session.createdAt),
    "Last change": when(session.updatedAt),
    Sandbox: page.sandbox?.status,
    "Prompt waiting or running": page.hasUnfinishedPrompt === undefined ? undefined : page.hasUnfinishedPrompt ? "yes" : "no",
  };
  const lines = [titled(session)];
  for (const [name, value] of Object.entries(facts)) if (value) lines.push(`${name}: ${value}`);
  for (const artifact of page.artifacts ?? []) {
    lines.push(`Artifact: ${artifact.type ?? "file"} ${artifact.url ?? artifact.id ?? shown(artifact, VALUE_MAX)}`);
  }
  if (page.finalResponse !== undefined && page.finalResponse !== null) {
    lines.push("", "Final response:", shown(page.finalResponse, TEXT_MAX));
  }
  if (page.trajectory !== undefined && page.trajectory !== null) {
    lines.push("", "Trajectory:", shown(page.trajectory, TEXT_MAX));
  }
  if (page.recentEvents?.length) {
    lines.push("", "Recent events:", ...page.recentEvents.map((event) => eventLine(event, includeEventData)));
  }
  return cut(lines.join("\n"), 2 * TEXT_MAX);
}
