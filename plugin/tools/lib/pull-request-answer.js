/*
 * The control plane's answer to POST /pr, as a text for the model (S-515). Pure.
 */
import { failureText } from "./control-plane.js";

const FAILURES = {
  401: (reason) =>
    `The control plane did not accept this session's credentials (${reason}). The user has to sign in again; trying again will not help.`,
  404: (reason) => `The control plane does not know this session or repository (${reason}).`,
  409: (reason) =>
    `A pull request cannot be made right now (${reason}). If one is being created, wait for it; if one is open on a fallback branch, continue there.`,
};

function describePullRequest(body) {
  const number = Number.isInteger(body.prNumber) ? ` #${body.prNumber}` : "";
  const done = body.updated ? "updated" : "created";
  const lines = [`Pull request${number} ${done}: ${body.prUrl}`];
  if (body.headBranch && body.baseBranch) lines.push(`${body.headBranch} -> ${body.baseBranch}`);
  lines.push(body.state === "draft" ? "It is a draft." : "It is ready for review.");
  return lines.join("\n");
}

export function describeAnswer({ status, body }) {
  if (status < 200 || status > 299) {
    const reason = failureText(body);
    const known = FAILURES[status];
    return known ? known(reason) : `The pull request was not created: HTTP ${status}, ${reason}.`;
  }
  if (body && typeof body === "object") {
    if (body.status === "manual" && body.createPrUrl) {
      return `The branch is pushed. The user can create the pull request here: ${body.createPrUrl}`;
    }
    if (body.prUrl) return describePullRequest(body);
  }
  return "The control plane answered without a pull request. Ask the user to look whether one exists before trying again.";
}
