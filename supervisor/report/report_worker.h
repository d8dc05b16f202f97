/*
 * The worker that tells the control plane of a fatal error (S-132): `oi-supervisor --worker report`.
 * It never runs in PID 1, for it speaks TLS. Input: {"url", "token" (optional), "body" (text)}.
 * Output: one result line, with `status` when there was an answer. Exit status: 0 with ok true.
 */
#ifndef SUPERVISOR_REPORT_REPORT_WORKER_H
#define SUPERVISOR_REPORT_REPORT_WORKER_H

/* S-168: for the whole request. */
#define REPORT_LIMIT_MS 5000

/* The whole life of the worker process; returns its exit status. */
int report_worker_main(void);

#endif
