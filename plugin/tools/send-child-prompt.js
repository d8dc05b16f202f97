/*
 * The tool "send-child-prompt" (S-518): a further prompt for a child session.
 */
import { neverThrows, text } from "./lib/arguments.js";
import { askAboutChildren, childPath } from "./lib/children.js";

const PROBLEMS = {
  404: "This session has no such child; get-child-status lists them",
  409: "The child does not take prompts any more",
  429: "Too many prompts wait for this child; try again when it has answered",
};

async function sendChildPrompt(args, context) {
  const childId = text(args.childId);
  const content = text(args.prompt);
  if (!childId || !content) return "A prompt for a child needs childId and a prompt that is not empty.";
  const { body, problem } = await askAboutChildren(childPath(childId, "/prompt"), {
    body: { content },
    context,
    problems: PROBLEMS,
  });
  if (problem) return `The prompt was not sent. ${problem}`;
  return `Prompt queued for child ${childId} as message ${body.messageId ?? "(no id given)"}.`;
}

export default {
  description: "Send a further prompt to a child session that you started.",
  args: {
    childId: { type: "string", description: "Id of the child session" },
    prompt: { type: "string", description: "What it should do next" },
  },
  execute: neverThrows("The prompt was not sent", sendChildPrompt),
};
