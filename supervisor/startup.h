/*
 * What happens once, before anything is started: the first log lines and the ground that the boot
 * stands on.
 */
#ifndef SUPERVISOR_STARTUP_H
#define SUPERVISOR_STARTUP_H

#include "common/log.h"
#include "supervisor/config/config.h"

/* Who starts us with standard input, output or error closed would find our sockets in their place: libuv
 * aborts when it closes such a one, and the log would go into it. First of all. */
void startup_fill_standard_descriptors(void);

/* S-40: without HOME it is that of the user in the password database, for us and for all children: git
 * has no configuration without one. Before the environment is read. */
void startup_find_home(void);

/* supervisor.start, the era and the mode (S-6, S-102). */
void startup_log(const struct config *config, struct log *log);

/* When we are not PID 1; a failure is logged (S-353). */
void startup_become_subreaper(struct log *log);

/* When memory is short, the kernel shall kill something that can be started again: where permitted, and
 * when the launcher has not chosen something else (S-360). */
void startup_protect_from_oom(void);

/* Decision 8: it is made when it is missing. */
int startup_make_workspace(const struct config *config, struct err *err);

#endif
