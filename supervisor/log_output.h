/*
 * Where the log goes: our standard output, which may be a pipe that nobody reads for a while. Lines
 * that do not fit wait, at most LOG_OUTPUT_QUEUE_MAX bytes of them; what comes then is dropped, and
 * the log counts it (S-316). Nothing here ever blocks: a launcher that stops reading must stop
 * neither PID 1 nor, through its pipe, OpenCode.
 *
 * O_NONBLOCK belongs to the open file, which we share with whoever started us and with workers; so
 * standard output is opened a second time, for us alone. Standard output itself is used where that
 * cannot be done: a socket is sent to without waiting, and is tried again with each line; a pipe
 * without /proc blocks. And where it should not be: a plain file never blocks, and its offset is
 * shared with whoever else writes to it.
 *
 * The memory of waiting lines is freed when they are out. One per process, made in main.
 */
#ifndef SUPERVISOR_LOG_OUTPUT_H
#define SUPERVISOR_LOG_OUTPUT_H

#include "common/buf.h"
#include "common/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define LOG_OUTPUT_QUEUE_MAX (1024 * 1024)
/* Room behind that for our own events, so that children who print without end do not hide them. */
#define LOG_OUTPUT_OWN_MAX (256 * 1024)
/* How long the end of the program waits for a reader of the lines that are left. */
#define LOG_OUTPUT_LAST_WAIT_MS 500

struct log_output {
    int fd;
    bool is_ours;   /* opened here, nobody else's */
    bool is_socket; /* standard output itself */
    bool watched;   /* `poll` is an open handle of the loop */
    struct buf waiting;
    uv_poll_t poll;
};

/* Standard output itself when it cannot be opened again; never fails. */
void log_output_open(struct log_output *output);

/* The log's sink (common/log.h). */
bool log_output_write(void *output, const char *line, size_t len, enum log_origin origin);

/* From here to log_output_unwatch(), waiting lines go out as soon as there is room. A file is never
 * full and has nothing to watch. The handle does not keep the loop alive. */
void log_output_watch(struct log_output *output, uv_loop_t *loop);

/* The loop has to run once more before it can be closed. */
void log_output_unwatch(struct log_output *output);

/* Waits for a slow reader, at most LOG_OUTPUT_LAST_WAIT_MS. */
void log_output_close(struct log_output *output);

#endif
