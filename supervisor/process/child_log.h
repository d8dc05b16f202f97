/*
 * Children's lines on our log (S-313..S-315, S-328): as they are, without trailing blanks, with a
 * prefix, redacted, and with a mark that says how many bytes a long line lost.
 */
#ifndef SUPERVISOR_PROCESS_CHILD_LOG_H
#define SUPERVISOR_PROCESS_CHILD_LOG_H

#include "common/log.h"

#include <stddef.h>

void child_log_line(struct log *log, const char *prefix, const char *line, size_t len,
                    size_t dropped);

#endif
