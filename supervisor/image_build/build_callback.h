/*
 * Tells whoever ordered an image build how it went (contract 11.2), by a worker with three attempts.
 * Embedded; stays in place until build_callback_close() and the loop have run. `config` must outlive
 * it.
 */
#ifndef SUPERVISOR_IMAGE_BUILD_BUILD_CALLBACK_H
#define SUPERVISOR_IMAGE_BUILD_BUILD_CALLBACK_H

#include "supervisor/config/config.h"
#include "supervisor/process/worker.h"

/* S-426, in characters */
#define BUILD_CALLBACK_ERROR_MAX 500

struct build_callback {
    struct worker worker;
    struct log *log;
    const struct config *config;
    const char *url; /* of the callback under way */
    bool cancelled;
    /* Once for each callback; at once when none is configured, as if it was accepted. */
    void (*on_done)(void *user, bool accepted);
    void *user;
};

void build_callback_init(struct build_callback *callback, uv_loop_t *loop, struct reaper *reaper,
                         struct log *log, const struct config *config,
                         void (*on_done)(void *user, bool accepted), void *user);

/* on_done is not called any more (S-431). */
void build_callback_cancel(struct build_callback *callback);
void build_callback_close(struct build_callback *callback);

/* `head_shas[i]` is repository i's HEAD, or "". */
void build_callback_send_success(struct build_callback *callback, uint64_t duration_ms,
                                 const char *const *head_shas);

/* `error` is redacted already; its end is sent. */
void build_callback_send_failure(struct build_callback *callback, const char *error);

#endif
