/*
 * Has the pages of OpenCode's program (185 MB) read into the page cache while git works: a start whose
 * pages come one fault after another from a cold disk takes longer. A worker asks for them, because
 * that may block; nobody waits for it, and a failure costs only time.
 */
#ifndef SUPERVISOR_OPENCODE_READ_AHEAD_H
#define SUPERVISOR_OPENCODE_READ_AHEAD_H

#include "common/err.h"

#include <stddef.h>

#define READ_AHEAD_WORKER "read-ahead"

/* The first executable file of that name in `path`, a list as PATH is one. -1: there is none. */
int read_ahead_find(const char *program, const char *path, char *found, size_t size);

/* Blocks until the kernel has taken the requests. */
int read_ahead_file(const char *file, struct err *err);

/* The worker's main; returns its exit status. */
int read_ahead_worker_main(void);

#endif
