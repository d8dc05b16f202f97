/*
 * Who of our descendants listens on an address, as far as /proc shows it (S-349): a server that an
 * earlier OpenCode started, or a program that inherited its socket and its port. Blocks on no process.
 */
#ifndef SUPERVISOR_PROCESS_LISTENERS_H
#define SUPERVISOR_PROCESS_LISTENERS_H

#include "common/buf.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

/* One line of /proc/net/tcp or tcp6: appends "socket:[inode]" when it listens where a server on `address`
 * would, else nothing. Pure. */
void listeners_read_line(const char *line, const struct sockaddr *address, struct buf *out);

/* Whether a server could listen there now. */
bool listeners_leave_free(const struct sockaddr *address);

/* SIGKILL to each descendant that listens there. Returns one of them, 0 when there is none. */
pid_t listeners_kill(const struct sockaddr *address);

#endif
