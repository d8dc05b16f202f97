/*
 * The tool "cancel-child" (S-519).
 */
import { neverThrows, text } from "./lib/arguments.js";
import { askAboutChildren, childPath, stateOf } from "./lib/children.js";

const PROBLEMS = {
  404: "This session has no such child; get-child-status lists them",
  409: "It has ended already",
};

async function cancelChild(args, context) {
  const childId = text(args.childId);
  if (!childId) return "Say with childId which child session to cancel.";
  const { body, problem } = await askAboutChildren(childPath(childId, "/cancel"), {
    body: { cancelNested: args.cancelNested !== false },
    context,
    problems: PROBLEMS,
  });
  if (problem) return `The child session was not cancelled. ${problem}`;
  const nested = Array.isArray(body.cancelledDescendantIds) ? body.cancelledDescendantIds.length : 0;
  return `Child ${childId}: ${stateOf(body.status)}. ${nested} of its own children were cancelled with it.`;
}

export default {
  description: "Stop a child session that is not needed any more, with the children it started itself.",
  args: {
    childId: { type: "string", description: "Id of the child session" },
    cancelNested: { type: "boolean", description: "true also cancels its own children, which is usual" },
  },
  execute: neverThrows("The child session was not cancelled", cancelChild),
};
