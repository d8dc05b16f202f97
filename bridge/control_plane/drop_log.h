/*
 * Says in the log that events were lost (D-21, D-41): the first at once, those that follow within a
 * second as one line with their number, so that a flood of them does not become a flood of lines.
 *
 * Lives in its owner, which keeps it until the loop has ended. One thread.
 */
#ifndef BRIDGE_CONTROL_PLANE_DROP_LOG_H
#define BRIDGE_CONTROL_PLANE_DROP_LOG_H

#include "common/log.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define DROP_LOG_WHAT_MAX 256 /* a longer name is cut in the log */

struct drop_log {
    uv_timer_t timer; /* runs: the last line is less than a second old */
    struct log *log;
    uint64_t count; /* not said yet */
    char what[DROP_LOG_WHAT_MAX];
    const char *reason;
};

void drop_log_open(struct drop_log *self, uv_loop_t *loop, struct log *log);

/* `what` as in outbox.h; `reason` is a literal. Of several in one line the first that has a name is
 * named. */
void drop_log_note(struct drop_log *self, const char *what, const char *reason);

/* Says what is left to say. */
void drop_log_close(struct drop_log *self);

#endif
