/*
 * What the sync found out about each repository, noted in the configuration for the manifest: the commit that
 * its session began with, and the branch when nobody had chosen one.
 */
#ifndef SUPERVISOR_BOOT_BASELINES_H
#define SUPERVISOR_BOOT_BASELINES_H

#include "common/log.h"
#include "supervisor/config/config.h"
#include "supervisor/git_sync/git_sync.h"

/* Once, when the sync is over. */
void baselines_note(struct config *config, const struct git_sync *sync, struct log *log);

#endif
