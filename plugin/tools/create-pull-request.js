/*
 * The tool "create-pull-request" (S-515): the control plane pushes the branch (through the bridge)
 * and opens or updates the pull request with the user's own account.
 *
 * The arguments are plain JSON Schema, which OpenCode takes from 1.18 on. It then lists every one
 * as required, so an optional argument may be left empty and is not sent.
 */
import { neverThrows, text } from "./lib/arguments.js";
import { callControlPlane } from "./lib/control-plane.js";
import { describeAnswer } from "./lib/pull-request-answer.js";
import { chooseRepository, currentBranch, readManifest } from "./lib/repositories.js";

/* The control plane waits up to 360 s for the push; a little longer, so that its answer is heard. */
const LIMIT_MS = 390_000;

async function createPullRequest(args, context) {
  const title = text(args.title);
  const body = text(args.body);
  if (!title || !body) return "A pull request needs a title and a body that are not empty.";

  const chosen = chooseRepository(await readManifest(), text(args.repo));
  if (chosen.problem) return chosen.problem;
  const { repository } = chosen;

  const answer = await callControlPlane("/pr", {
    env: process.env,
    timeoutMs: LIMIT_MS,
    abort: context?.abort,
    body: {
      title,
      body,
      baseBranch: text(args.baseBranch),
      headBranch: await currentBranch(repository?.path ?? context?.directory),
      repoOwner: repository?.owner,
      repoName: repository?.name,
      draft: args.draft === true ? true : undefined, /* a false that nobody chose would overrule the repository's setting */
      timestamp: Date.now(),
    },
  });
  return answer.problem ? `The pull request was not created. ${answer.problem}` : describeAnswer(answer);
}

export default {
  description:
    "Create a pull request for the work on the current branch, or update the one that is open for it. " +
    "Commit first; the branch is pushed for you.",
  args: {
    title: { type: "string", description: "Title of the pull request" },
    body: { type: "string", description: "Description in Markdown: what changed and why" },
    baseBranch: {
      type: "string",
      description: "Branch to merge into. Empty: the repository's base branch of this session",
    },
    repo: {
      type: "string",
      description: "owner/name. Needed only when the session has several repositories, else empty",
    },
    draft: { type: "boolean", description: "true only when the user asked for a draft; false: as the repository is set up" },
  },
  execute: neverThrows("The pull request was not created", createPullRequest),
};
