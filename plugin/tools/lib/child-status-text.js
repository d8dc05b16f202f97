/*
 * Child sessions as text for the model (S-517). Pure.
 */
import { stateOf } from "./children.js";

const TEXT_MAX = 20_000;
const VALUE_MAX = 2_000;
const WORDS_MAX = 160;

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

/* Without the data the few words of it that say what happened. */
function trajectoryLine(event, withData) {
  const { tool, args, content, message, error, status } = event?.data ?? {};
  const what = tool ? [tool, args?.command ?? args?.file_path ?? args?.pattern] : [content ?? message ?? error ?? status];
  const words = withData ? "" : what.filter((word) => typeof word === "string" && word).join(" ");
  return eventLine(event, withData) + (words && `: ${cut(words.replaceAll("\n", " "), WORDS_MAX)}`);
}

/* Where it goes on stands at its end, however much of it was cut. */
function describeTrajectory({ events, hasMore, cursor }, withData) {
  const lines = Array.isArray(events) ? events.map((event) => trajectoryLine(event, withData)) : [];
  const end = hasMore && cursor ? `\nThere is more: trajectoryCursor ${cursor}` : "";
  return cut(lines.join("\n") || "(no events)", TEXT_MAX) + end;
}

function describeResponse(response) {
  if (typeof response.textContent !== "string") return shown(response, TEXT_MAX);
  const failure = response.success === false ? `It failed${response.error ? `: ${response.error}` : ""}.\n` : "";
  return `${failure}${cut(response.textContent || "(no text)", TEXT_MAX)}`;
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
  const parts = [cut(lines.join("\n"), TEXT_MAX)];
  if (page.finalResponse !== undefined && page.finalResponse !== null) {
    parts.push(`Final response:\n${describeResponse(page.finalResponse)}`);
  }
  if (page.trajectory) parts.push(`Trajectory:\n${describeTrajectory(page.trajectory, includeEventData)}`);
  if (page.recentEvents?.length) {
    const events = page.recentEvents.map((event) => eventLine(event, includeEventData));
    parts.push(cut(["Recent events:", ...events].join("\n"), TEXT_MAX));
  }
  return parts.join("\n\n");
}
