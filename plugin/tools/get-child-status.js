/*
 * The tool "get-child-status" (S-517): all children of this session, or one of them in detail.
 */
import { neverThrows, text } from "./lib/arguments.js";
import { askAboutChildren, childPath } from "./lib/children.js";
import { describeChild, describeList } from "./lib/child-status-text.js";

const TRAJECTORY_MOST = 1000;

function query(args) {
  const include = [args.includeResponse === true && "result", args.includeTrajectory === true && "trajectory"].filter(Boolean);
  if (include.length === 0) return "";
  const parameters = new URLSearchParams({ include: include.join(",") });
  const limit = Math.trunc(args.trajectoryLimit);
  const cursor = text(args.trajectoryCursor);
  if (args.includeTrajectory === true && limit >= 1) {
    parameters.set("trajectoryLimit", String(Math.min(limit, TRAJECTORY_MOST)));
  }
  if (args.includeTrajectory === true && cursor) parameters.set("trajectoryCursor", cursor);
  return `?${parameters}`;
}

async function getChildStatus(args, context) {
  const childId = text(args.childId);
  const { body, problem } = await askAboutChildren(childId ? childPath(childId, query(args)) : "/children", {
    method: "GET",
    context,
    problems: { 404: "This session has no such child; leave childId empty for a list" },
  });
  if (problem) return `The state of the children is not known. ${problem}`;
  return childId ? describeChild(body, { includeEventData: args.includeEventData === true }) : describeList(body.children);
}

export default {
  description: "See how the child sessions that you started are doing: a list of all, or one in detail.",
  args: {
    childId: { type: "string", description: "Id of one child. Empty: a list of all" },
    includeResponse: { type: "boolean", description: "true for what the child answered at last" },
    includeTrajectory: { type: "boolean", description: "true for everything it did; long" },
    trajectoryLimit: { type: "number", description: "At most so many steps, 1 to 1000. 0: the default" },
    trajectoryCursor: { type: "string", description: "Where an earlier trajectory ended. Empty: from the start" },
    includeEventData: { type: "boolean", description: "true for the data of each event too, whole; long" },
  },
  execute: neverThrows("The state of the children is not known", getChildStatus),
};
