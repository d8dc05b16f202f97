/*
 * Tells the control plane what the session changed: after each prompt and on `refresh_diff`, has a
 * worker (diff_worker.h) capture it, and uploads what it made; a failure is reported (B-1001..B-1003,
 * B-1030..B-1034). A prompt that starts stops the worker at once: OpenCode needs the machine, and the
 * capture would be out of date (D-28). The bundle goes from the worker to the upload through a file in
 * memory and never through our own.
 *
 * Everything in the options must outlive the run. All calls come from the loop's thread.
 */
#ifndef BRIDGE_DIFF_DIFF_RUN_H
#define BRIDGE_DIFF_DIFF_RUN_H

#include "bridge/limits.h"
#include "common/log.h"
#include "net/net_context.h"

#include <stdbool.h>
#include <uv.h>

struct diff_run;

struct diff_run_options {
    uv_loop_t *loop;
    struct net_context *net;
    struct log *log;
    const char *control_plane;
    const char *session_id;
    const char *token;
    const char *manifest_path;
    const struct limits *limits;
    void *user;
    void (*on_quiet)(void *user); /* diff_run_is_quiet() became true */
};

/* NULL when out of memory. */
struct diff_run *diff_run_new(const struct diff_run_options *options);

void diff_run_prompt_started(struct diff_run *run);

/* Also asks for a capture, in the name of that message. */
void diff_run_prompt_ended(struct diff_run *run, const char *message_id);

/* The refresh_diff command. */
void diff_run_refresh(struct diff_run *run);

/* Takes no request any more; what is under way goes on (B-236). */
void diff_run_finish(struct diff_run *run);

/* Nothing is under way. */
bool diff_run_is_quiet(const struct diff_run *run);

/* Kills what runs and frees itself once the loop has closed its timer. NULL is fine. */
void diff_run_close(struct diff_run *run);

#endif
