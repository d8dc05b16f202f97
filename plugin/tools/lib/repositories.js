/*
 * Which repository a tool call is about (S-521), from the manifest that the supervisor writes
 * (S-220), and the branch that is checked out there.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";

const MANIFEST_PATH = "/tmp/oi-repo-manifest.json";
const GIT_LIMIT_MS = 5000;

/* The manifest's repositories; null when there is no usable manifest. */
export async function readManifest(path = process.env.OI_REPO_MANIFEST || MANIFEST_PATH) {
  try {
    const { repositories } = JSON.parse(await readFile(path, "utf8"));
    if (!Array.isArray(repositories)) return null;
    return repositories.filter((entry) => entry?.owner && entry?.name);
  } catch {
    return null;
  }
}

const fullName = (repository) => `${repository.owner}/${repository.name}`;

/* { repository } (which may be undefined: the session's own), or { problem }. */
export function chooseRepository(repositories, wanted) {
  if (!repositories) {
    if (!wanted) return {};
    const slash = wanted.lastIndexOf("/");
    if (slash <= 0 || slash === wanted.length - 1) {
      return { problem: `repo must look like owner/name, not "${wanted}".` };
    }
    return { repository: { owner: wanted.slice(0, slash), name: wanted.slice(slash + 1) } };
  }
  const known = repositories.map(fullName).join(", ");
  if (wanted) {
    const repository = repositories.find(
      (entry) => fullName(entry).toLowerCase() === wanted.toLowerCase(),
    );
    if (repository) return { repository };
    return { problem: `"${wanted}" is not a repository of this session. Valid values of repo: ${known || "none"}.` };
  }
  if (repositories.length > 1) {
    return { problem: `This session has several repositories. Say which one with repo: ${known}.` };
  }
  return { repository: repositories[0] };
}

/* The branch checked out at `path`; undefined when detached or when git fails. */
export function currentBranch(path) {
  return new Promise((resolve) => {
    const args = [...(path ? ["-C", path] : []), "rev-parse", "--abbrev-ref", "HEAD"];
    execFile("git", args, { timeout: GIT_LIMIT_MS }, (error, stdout) => {
      const branch = error ? "" : stdout.trim();
      resolve(branch && branch !== "HEAD" ? branch : undefined);
    });
  });
}
