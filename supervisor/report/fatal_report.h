/*
 * The one message about a fatal error to the control plane (S-132..S-136), sent by a worker. Its
 * failure is logged and changes nothing. Embedded; stays in place until fatal_report_close() and the
 * loop have run.
 */
#ifndef SUPERVISOR_REPORT_FATAL_REPORT_H
#define SUPERVISOR_REPORT_FATAL_REPORT_H

#include "supervisor/config/config.h"
#include "supervisor/process/worker.h"

/* S-135 */
#define FATAL_REPORT_TEXT_MAX 4000

struct fatal_report {
    struct worker worker;
    struct log *log;
};

void fatal_report_init(struct fatal_report *report, uv_loop_t *loop, struct reaper *reaper,
                       struct log *log);
void fatal_report_close(struct fatal_report *report);

/* Does nothing without a control plane. `text` is redacted here. */
void fatal_report_send(struct fatal_report *report, const struct config *config, const char *text);

#endif
