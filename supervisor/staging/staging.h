/*
 * Puts what OpenCode loads into its global configuration directory (S-288), never into the user's
 * checkout: our tools, skills and plugins as links into the image, and what keeps OpenCode from
 * running npm at the first prompt (npm_guard.h). A user's own files there are left alone.
 *
 * The bundled skills go into `skill`, for `skills` is the managed ones' and replaced as a whole.
 */
#ifndef SUPERVISOR_STAGING_STAGING_H
#define SUPERVISOR_STAGING_STAGING_H

#include "common/log.h"
#include "supervisor/config/config.h"

/* Idempotent; links of an earlier boot that do not belong any more go. Short: links and a
 * few small files. */
int staging_prepare(const struct config *config, struct log *log, struct err *err);

/* Before a restart of OpenCode: when something of it is gone, all is put there again (S-272). What fails
 * is logged, never more. */
void staging_check(const struct config *config, struct log *log);

#endif
