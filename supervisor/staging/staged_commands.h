/*
 * Our commands (`upload-media`) on PATH, as links to the image's `bin` (S-292). A directory that cannot
 * be written to is said, and the boot goes on: then they are in $HOME/.local/bin.
 */
#ifndef SUPERVISOR_STAGING_STAGED_COMMANDS_H
#define SUPERVISOR_STAGING_STAGED_COMMANDS_H

#include "common/log.h"
#include "supervisor/config/config.h"
#include "supervisor/process/child_env.h"

void staged_commands_install(const struct config *config, struct log *log);

/* Puts the second directory first on OpenCode's PATH when the first cannot be written to. -1 when out
 * of memory. */
int staged_commands_extend_path(const struct config *config, struct child_env *env);

#endif
