/*
 * libgit2's own life in the process, and opening of checkouts the way this project needs it. libgit2
 * is started by the first call that needs it, for that costs milliseconds and half a megabyte; so
 * `oi-supervisor` and `oi-bridge` never pay for it outside their git workers.
 *
 * What differs from libgit2's defaults: a checkout may belong to another user (the workspace is
 * prepared by image builds under other uids, and no code of a checkout is run in here), sockets are
 * ours (socket_stream.h), and GIT_CONFIG_NOSYSTEM, GIT_CONFIG_SYSTEM and GIT_CONFIG_GLOBAL mean what
 * they mean to git.
 *
 * Not thread-safe: one operation at a time.
 */
#ifndef GIT_LIBRARY_H
#define GIT_LIBRARY_H

#include "common/err.h"

struct git_repository;

/* Safe to call again. */
int library_start(struct err *err);

/* Gives libgit2's memory back; harmless when it was never started. */
void library_stop(void);

/* Opens the checkout at exactly `path`; ERR_NOT_FOUND when there is none. The caller frees it. */
int library_open(const char *path, struct git_repository **repository, struct err *err);

/* Makes an empty repository at `path` whose HEAD is the unborn `branch`. The caller frees it. */
int library_init(const char *path, const char *branch, struct git_repository **repository,
                 struct err *err);

/* "1.9.0", for --version. */
const char *library_version(void);

#endif
