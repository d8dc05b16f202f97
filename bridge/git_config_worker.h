/*
 * The worker that changes the configuration of checkouts: `oi-bridge --worker git-config`. Frame as
 * in common/worker.h.
 *
 * Input:
 *
 *   "checkouts"  ["/workspace/app", ...], handled in order
 *   "changes"    [["user.name", "Ada"], ["commit.gpgsign", null], ...]: null removes (B-915)
 *   "optional"   false: the first failure ends it, what was done stays (B-913); true: every checkout
 *                is tried (B-950, B-951)
 *
 * Output: a result line. `error` is B-914's text for users, which names no value; "detail" is what
 * git said, for the log; "path" the checkout that failed. Exit status: 0 with ok true, else 1.
 */
#ifndef BRIDGE_GIT_CONFIG_WORKER_H
#define BRIDGE_GIT_CONFIG_WORKER_H

/* The whole life of the worker process; returns its exit status. */
int git_config_worker_main(void);

#endif
