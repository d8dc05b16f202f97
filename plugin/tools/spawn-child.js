/*
 * The tool "spawn-child" (S-516): a session of its own, with a sandbox of its own, for a part of the work.
 */
import { neverThrows, text } from "./lib/arguments.js";
import { askAboutChildren, stateOf } from "./lib/children.js";

const PROBLEMS = {
  403: "This session may not start children here",
  429: "No more children may be started now; wait for one to end, or do the work yourself",
};

async function spawnChild(args, context) {
  const title = text(args.title);
  const prompt = text(args.prompt);
  if (!title || !prompt) return "A child session needs a title and a prompt that are not empty.";
  const { body, problem } = await askAboutChildren("/children", {
    body: { title, prompt, model: text(args.model), reasoningEffort: text(args.reasoning) },
    context,
    problems: PROBLEMS,
  });
  if (problem) return `The child session was not started. ${problem}`;
  if (!body.sessionId) return "The control plane answered without a session id. Look with get-child-status before trying again.";
  return `Child session ${body.sessionId} started: ${title}\nState: ${stateOf(body.status ?? "created")}\nLook at it with get-child-status.`;
}

export default {
  description:
    "Only when the user asked for a child session: another agent with its own sandbox and checkout works on the prompt " +
    "while you go on. For a part of your own work use the task tool. " +
    "It sees nothing of this conversation, so the prompt must say everything it needs.",
  args: {
    title: { type: "string", description: "Short title of the work" },
    prompt: { type: "string", description: "The whole task, with all the context it needs" },
    model: { type: "string", description: "provider/model. Empty: the model of this session" },
    reasoning: { type: "string", description: "Reasoning effort, such as low, medium or high. Empty: the default" },
  },
  execute: neverThrows("The child session was not started", spawnChild),
};
