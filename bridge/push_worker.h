/*
 * The worker that pushes one branch: `oi-bridge --worker push`. It serves both contracts: the bridge
 * has already chosen the checkout and composed refspec and URL (B-801..B-811, B-843), so that this
 * one only talks to the remote. It reads one JSON object from stdin up to end of file and writes
 * JSON lines to stdout; see common/worker.h for the frame. The parent may kill it at any time
 * (B-814). Neither .git/config nor a ref of the checkout is changed: no token is stored (D-26). What
 * libgit2 cannot push, a pre-push hook for instance, the git program does (docs/push.md).
 *
 * Input (null counts as absent):
 *
 *   "path"        the checkout: "/workspace/app"
 *   "remote_url"  http(s) URL, with credentials in it as the control plane sends them
 *                 ("https://x-access-token:<token>@github.com/acme/app.git"); they are taken out
 *                 before anything else sees the URL
 *   "refspec"     "HEAD:refs/heads/feature/x", also with a leading "+"; one refspec
 *   "force"       optional, false: as a final `-f`
 *   "limits"      optional: {"connect_s": 30, "total_s": 300}. A remote may be silent up to the whole
 *                 limit: its hooks run without a word (B-814)
 *
 * Output lines:
 *
 *   {"type":"progress","phase":"sending","sent_objects":3,"total_objects":9,"sent_bytes":4711,
 *    "percent":33}
 *       phase: "packing", then "sending". At most a few a second.
 *   {"type":"result","ok":true,"up_to_date":false,"commit":"<40 hex>"}
 *       up_to_date: the remote had it already. Instead of both, `git_for`: the git program pushed, and
 *       what for, as "the hook /workspace/app/.git/hooks/pre-push"; also with ok false.
 *   {"type":"result","ok":false,"error_class":"protocol","error":"<text>","rejected":true}
 *       `error` takes the place of git's stderr in B-813 ("Push failed: <error>"): no prefix of its
 *       own, several lines possible, what the remote's hooks said included ("remote: ..."), at most
 *       8 KiB (D-52), no credentials in it. `rejected`: the remote answered and refused the ref
 *       (non-fast-forward, protected branch, hook). A reached limit has error_class "timeout"; the
 *       bridge composes B-814's text from that.
 *
 * Exit status: 0 with ok true, 1 with ok false.
 */
#ifndef BRIDGE_PUSH_WORKER_H
#define BRIDGE_PUSH_WORKER_H

/* The whole life of the worker process; returns its exit status. */
int push_worker_main(void);

#endif
