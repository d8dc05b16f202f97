/*
 * The worker that posts one JSON body to the control plane: `oi-supervisor --worker post`. It never
 * runs in PID 1, for it speaks TLS.
 *
 * Input:  {"url", "body" (text), "token" (optional), "user_agent" (optional), "limit_ms" (of one
 *          attempt), "attempts" (optional, 1)}
 * Output: {"type":"retry","attempt":1,"delay_s":2,"error":"..."} before each further attempt; then a
 *         result: ok true with `status` and `attempt` when there was any answer, else ok false.
 *
 * With one attempt every answer is the result. With several, an answer that is not 2xx is tried
 * again after 2, 4, ... s, but not one that will stay so (S-429). Exit status: 0 with ok true.
 */
#ifndef SUPERVISOR_REPORT_POST_WORKER_H
#define SUPERVISOR_REPORT_POST_WORKER_H

#include <stdbool.h>

#define POST_WORKER_NAME "post"

/* The whole life of the worker process; returns its exit status. */
int post_worker_main(void);

/* Whether a further attempt could help after this status (0: there was no answer). Pure. */
bool post_worker_may_retry(int status);

#endif
