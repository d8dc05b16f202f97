/*
 * The worker that brings one repository into the workspace: `oi-supervisor --worker git-sync`.
 * One process per repository (S-187), so that one may hang, crash or be killed alone. It never
 * runs in PID 1. It reads one JSON object from stdin up to end of file and writes JSON lines to
 * stdout; see common/worker.h for the frame. The parent may kill it at any time: a clone that was
 * not finished never looks like a checkout (S-203).
 *
 * Input (what is not marked "optional" must be there; null counts as absent):
 *
 *   "action"            "sync"                the current era's 3.3: clone when `path` is absent, else
 *                                             set-url, fetch, checkout -B (S-188..S-193, S-201)
 *                       "refresh"             snapshot_restore: fetch only; work tree, index, HEAD and
 *                                             branch stay (S-195)
 *                       "legacy-sync"         3.4 as S-212: clone, or fetch and fast-forward or rebase
 *                       "legacy-quick-fetch"  3.5: fetch, then say how many commits HEAD is behind
 *   "path"              where the checkout goes: "/workspace/app"
 *   "repository"        "acme/app", for error texts
 *   "url"               plain https URL without user or token; becomes origin
 *   "branch"            optional: absent means the remote's HEAD branch
 *   "branch_is_default" optional, false: true when nobody chose the branch ("main" by default); a
 *                       remote without it then gives its HEAD branch (S-205)
 *   "keep_session_work" optional, false: true for boot modes `fresh` and `repo_image`; an existing
 *                       checkout with work of a session in it is only fetched (S-202); the result
 *                       says `kept`
 *   "of_image"          optional, false: true for boot mode `repo_image`. Changed files and another
 *                       branch are then work only when the checkout bears our sandbox's mark
 *   "sandbox_id"        optional: the mark that a sync leaves (sandbox_mark.h)
 *   "session_id"        optional: whose diff baseline the mark remembers
 *   "base_sha"          optional: the baseline that the control plane named
 *   "username"          optional, "x-access-token"
 *   "password"          optional: the token. Kept in memory only, sent only to the host of `url`
 *   "ask_credentials"   optional, false: with no password, ask the control plane for one when the
 *                       server wants one (git_sync_credentials.h)
 *   "identity"          optional: {"name", "email"} for .git/config once the checkout is there
 *                       (S-214)
 *   "limits"            optional: {"connect_s": 30, "stall_s": 60, "clone_s": 300, "fetch_s": 120}.
 *                       `stall_s`: the server sent nothing for so long. The parent kills at its own
 *                       limit plus a grace; checkout has no limit in here but the parent's (S-159).
 *
 * Output lines:
 *
 *   {"type":"event","level":"info","event":"git.clone_start","fields":{...}}
 *       a log line for the parent to write with repo_owner and repo_name added (S-483..S-491, S-512):
 *       git.clone_start, git.clone_complete, git.default_branch, git.checkout_error,
 *       git.rebase_error, git.snapshot_status, git.identity_configured, git.identity_error,
 *       git.rev_parse_error, ...; of our own:
 *       git.lfs_not_fetched (`hint`), git.stale_lock_removed (`files`).
 *       level: "debug", "info", "warning" or "error".
 *   {"type":"progress","phase":"receiving","received_objects":10,"total_objects":99,
 *    "indexed_objects":8,"received_bytes":4711,"percent":10}
 *       at most a few a second. phase: "connecting", "receiving", "resolving" (deltas), "checkout"
 *       (then "done_files" and "total_files" instead of objects and bytes). percent: of the phase.
 *   {"type":"result","ok":true,"branch":"main","head_sha":"<40 hex>","base_sha":"<40 hex>","cloned":true,
 *    "kept":false}
 *       head_sha is left out when the repository has no commit. `base_sha`, of a "sync" alone: the one
 *       given, else what the session's first boot on this disk found, else HEAD. `kept`: S-202 held
 *       the work tree.
 *   {"type":"result","ok":false,"operation":"clone","error_class":"auth","error":"clone acme/app: ...",
 *    "event":"git.clone_error","kept":false,"head_sha":"<40 hex>"}
 *       operation: "clone", "set_url", "fetch", "checkout", "update". `event` is the log event that
 *       the contract has for it (S-486..S-489), git.clone_timeout and git.fetch_timeout included
 *       (those also carry "timeout_seconds"); left out for what the contract did not expect.
 *       head_sha, base_sha: of a checkout that was there (S-218). error_class words are those of
 *       err_class_name().
 *
 * Exit status: 0 with ok true, 1 with ok false.
 */
#ifndef SUPERVISOR_GIT_SYNC_GIT_SYNC_WORKER_H
#define SUPERVISOR_GIT_SYNC_GIT_SYNC_WORKER_H

/* The whole life of the worker process; returns its exit status. */
int git_sync_worker_main(void);

#endif
