/*
 * What a git-sync worker is told about one repository (git_sync_worker.h). Pure.
 */
#ifndef SUPERVISOR_GIT_SYNC_GIT_SYNC_REQUEST_H
#define SUPERVISOR_GIT_SYNC_GIT_SYNC_REQUEST_H

#include "supervisor/config/config.h"

#include <cJSON.h>

#define GIT_SYNC_CLONE_LIMIT_S 300 /* S-157 */
#define GIT_SYNC_FETCH_LIMIT_S 120 /* S-158 */
#define GIT_SYNC_EVENT_FIELDS_MAX 16

/* The caller's to json_wipe(), for it holds the token; NULL when out of memory. */
cJSON *git_sync_request_build(const struct config *config, const struct repository *repository);

/* What the logs call a failure that is none of a clone, a fetch or a checkout (S-197, S-512). */
const char *git_sync_unexpected_event(const struct config *config);

#endif
