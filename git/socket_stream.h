/*
 * The TCP connection under libgit2's HTTP and TLS, in place of its own. libgit2's has no limit on the
 * whole operation, gives a stalled peer the same code as a broken one, and its TLS layer replaces the
 * reason of a failure by a number. This one keeps connect, stall and total limits, and remembers the
 * first failure in words.
 *
 * libgit2 registers stream constructors for the whole process and hands no user pointer to them, so
 * the limits and the failure are the process's too. That is sound because git runs in workers that
 * do one operation at a time, on one thread. Nothing outside git/ includes this.
 */
#ifndef GIT_SOCKET_STREAM_H
#define GIT_SOCKET_STREAM_H

#include "common/err.h"
#include "git/access.h"

/* Makes libgit2 use these sockets. After git_libgit2_init(). */
int socket_stream_register(struct err *err);

/* A new operation: forgets the failure and starts the total limit. */
void socket_stream_begin(const struct git_limits *limits);

/* Why the network failed in this operation; NULL when it did not. Valid until the next begin. */
const struct err *socket_stream_failure(void);

#endif
