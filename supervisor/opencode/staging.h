/*
 * Puts what OpenCode loads into its global configuration directory (S-288), never into the user's
 * checkout: our tools as links into the image, and what keeps OpenCode from running npm at the first
 * prompt (contract/opencode.md section 7: an empty node_modules and a lock file that names its
 * plugin package are enough, or a link to a real tree). A user's own files there are left alone.
 */
#ifndef SUPERVISOR_OPENCODE_STAGING_H
#define SUPERVISOR_OPENCODE_STAGING_H

#include "common/log.h"
#include "supervisor/config/config.h"

/* `slack_notify`: S-280. Idempotent; links of an earlier boot that do not belong any more go. */
int staging_prepare(const struct config *config, bool slack_notify, struct log *log,
                    struct err *err);

/* The same npm guard for a `.opencode` that a checkout brings along; kept out of git's sight by
 * .git/info/exclude. Only logged when it fails. */
void staging_guard_checkout(const struct repository *repository, const struct config *config,
                            struct log *log);

#endif
