/* The create-pull-request tool against a real HTTP server and a real git repository (S-515, S-521). */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";

import tool from "../../plugin/tools/create-pull-request.js";

const TOKEN = "sandbox-token-1234";
let server;
let scratch;
let requests;
let reply;

before(async () => {
  scratch = mkdtempSync(join(tmpdir(), "oi-pr-tool-"));
  const repo = join(scratch, "repo");
  execFileSync("git", ["init", "-q", "-b", "feature/x", repo]);
  execFileSync("git", ["-C", repo, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "--allow-empty", "-m", "one"]);
  server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    requests.push({ url: request.url, headers: request.headers, body: JSON.parse(Buffer.concat(parts)) });
    if (reply === "cut") return request.socket.destroy();
    response.writeHead(reply.status ?? 200, { "Content-Type": "application/json" });
    response.end(typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});

after(() => {
  server.close();
  rmSync(scratch, { recursive: true, force: true });
});

beforeEach(() => {
  requests = [];
  reply = { body: { prNumber: 7, prUrl: "https://example.test/pr/7", state: "open", headBranch: "feature/x", baseBranch: "main", updated: false } };
  process.env.CONTROL_PLANE_URL = `http://127.0.0.1:${server.address().port}/`;
  process.env.SANDBOX_AUTH_TOKEN = TOKEN;
  process.env.SESSION_CONFIG = JSON.stringify({ session_id: "s 1" });
  manifest([{ owner: "Acme", name: "App", branch: "main", path: join(scratch, "repo") }]);
});

function manifest(repositories) {
  process.env.OI_REPO_MANIFEST = join(scratch, "manifest.json");
  writeFileSync(process.env.OI_REPO_MANIFEST, JSON.stringify({ repositories }));
}

const call = (args) => tool.execute({ title: "T", body: "B", ...args }, { directory: scratch });

test("asks the control plane with branch, repository and token, and says what was created", async () => {
  const answer = await call({});
  assert.equal(requests[0].url, "/sessions/s%201/pr");
  assert.equal(requests[0].headers.authorization, `Bearer ${TOKEN}`);
  const { timestamp, ...body } = requests[0].body;
  assert.ok(Math.abs(Date.now() - timestamp) < 60_000);
  assert.deepEqual(body, { title: "T", body: "B", headBranch: "feature/x", repoOwner: "Acme", repoName: "App" });
  assert.equal(answer, "Pull request #7 created: https://example.test/pr/7\nfeature/x -> main\nIt is ready for review.");
});

test("an optional argument left empty is not sent, for null or empty would be refused", async () => {
  await call({ baseBranch: "", repo: " ", draft: true });
  assert.ok(!("baseBranch" in requests[0].body));
  assert.equal(requests[0].body.draft, true);
  await call({ draft: false });
  assert.ok(!("draft" in requests[1].body), "the repository's setting holds");
});

test("a repository is found without regard to case and sent as the manifest spells it", async () => {
  await call({ repo: "acme/APP" });
  assert.equal(requests[0].body.repoOwner, "Acme");
  assert.equal(requests[0].body.repoName, "App");
});

test("with several repositories the model has to say which", async () => {
  manifest([{ owner: "a", name: "b" }, { owner: "c", name: "d" }]);
  assert.match(await call({}), /Say which one with repo: a\/b, c\/d/);
  assert.match(await call({ repo: "x/y" }), /Valid values of repo: a\/b, c\/d/);
  assert.equal(requests.length, 0);
});

test("without a manifest the repository is split at the last slash", async () => {
  process.env.OI_REPO_MANIFEST = join(scratch, "absent.json");
  await call({ repo: "group/sub/app" });
  assert.equal(requests[0].body.repoOwner, "group/sub");
  assert.equal(requests[0].body.repoName, "app");
  assert.match(await call({ repo: "app" }), /owner\/name/);
});

test("an updated pull request, a draft, and a manual one are told apart", async () => {
  reply = { body: { prNumber: 7, prUrl: "u", state: "draft", updated: true } };
  assert.equal(await call({}), "Pull request #7 updated: u\nIt is a draft.");
  reply = { body: { status: "manual", createPrUrl: "https://example.test/new" } };
  assert.match(await call({}), /create the pull request here: https:\/\/example.test\/new/);
});

test("every refusal becomes a text with its reason", async () => {
  for (const [status, pattern] of [[401, /sign in again/], [404, /does not know/], [409, /right now/], [500, /HTTP 500/]]) {
    reply = { status, body: { error: "because of X" } };
    const answer = await call({});
    assert.match(answer, pattern);
    assert.match(answer, /because of X/);
  }
});

test("an answer that makes no sense is said, not believed", async () => {
  for (const body of ["<html>", "[]", "null", '{"prUrl":""}']) {
    reply = { body };
    assert.match(await call({}), /without a pull request/);
  }
});

test("a control plane that is gone, and missing settings, are texts too", async () => {
  reply = "cut";
  assert.match(await call({}), /could not be reached/);
  delete process.env.SANDBOX_AUTH_TOKEN;
  assert.match(await call({}), /SANDBOX_AUTH_TOKEN is not set/);
  process.env.SESSION_CONFIG = "not json";
  assert.match(await call({}), /no session id/);
});

test("a title or body that is empty is refused before anything is asked", async () => {
  assert.match(await call({ title: " " }), /needs a title/);
  assert.equal(requests.length, 0);
});
