/*
 * The child's side of a worker: a program that re-executed itself as `--worker <name>` to do what
 * may hang, crash or eat memory (architecture, principle 1). One JSON object comes in on stdin up to
 * end of file; it holds secrets, so nothing is in argv or the environment. JSON objects go out on
 * stdout, one a line, the last one of type "result"; a parent that sees none before the end of file
 * knows that the worker died. Each line is one write, at most WORKER_LINE_MAX bytes.
 *
 * Only worker entry points call this. Everything returned belongs to the caller.
 */
#ifndef COMMON_WORKER_H
#define COMMON_WORKER_H

#include "common/err.h"

#include <cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#define WORKER_INPUT_MAX (256 * 1024)
#define WORKER_LINE_MAX (64 * 1024)

/* Where the lines go and come from. */
#define WORKER_INPUT_FD 0
#define WORKER_OUTPUT_FD 1

/* What is too long for a line; only there when the worker's contract says so. */
#define WORKER_BULK_FD 3

/* Reads `fd` up to its end and parses the object. NULL and an error that never quotes the input,
 * which holds secrets. Also makes SIGPIPE and SIGXFSZ harmless: a parent that is gone, and a
 * file that may not grow, are found by the write. */
cJSON *worker_read_input(int fd, struct err *err);

/* Nobody reads `fd` any more. A worker that wants to die with its parent asks the kernel for that
 * first, then this: the parent may have died before. */
bool worker_is_orphan(int fd);

/* A limit in seconds from the input's "limits" object, in milliseconds; `otherwise_s` when it is
 * absent or makes no sense. */
uint32_t worker_limit_ms(const cJSON *limits, const char *name, unsigned otherwise_s);

/* A line of this type for the caller to add members to; NULL when out of memory. */
cJSON *worker_line_new(const char *type);

/* Writes the line and deletes it. -1 when the parent is gone or the line is too long. */
int worker_emit(int fd, cJSON *line);

/* A result line: ok true, or ok false with `error_class` and `error` from `failure`. */
cJSON *worker_result_new(const struct err *failure);

#endif
