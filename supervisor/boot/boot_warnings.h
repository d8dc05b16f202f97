/*
 * What went wrong in the boot without ending it, for the user to see (contract 2.5): a line in a file
 * that the bridge reads at its handshake (S-137..S-142), or straight to a bridge that is connected.
 */
#ifndef SUPERVISOR_BOOT_BOOT_WARNINGS_H
#define SUPERVISOR_BOOT_BOOT_WARNINGS_H

#include "common/log.h"
#include "supervisor/config/repositories.h"

/* Deletes the last boot's file; a missing one is fine, a failure is logged (S-139). */
void boot_warnings_clear(const char *path, struct log *log);

/* Logs it and appends it to the file. `repository` may be NULL; an empty `path` only logs. */
void boot_warnings_add(const char *path, struct log *log, const char *scope, const char *message,
                       const struct repository *repository);

#endif
