/*
 * What makes OpenCode believe that it is logged in at a provider whose tokens the control plane
 * keeps (S-294..S-298): an entry in its auth.json that holds no secret. Our plugins put the real
 * token into each request.
 */
#ifndef SUPERVISOR_STAGING_OAUTH_SENTINEL_H
#define SUPERVISOR_STAGING_OAUTH_SENTINEL_H

#include "common/log.h"
#include "supervisor/config/config.h"

#include <cJSON.h>

/* Puts the entries of managed providers into `auth`, without the token that a plugin may have put into
 * them, and takes those out that are ours and not managed any more. True when something changed. Pure. */
bool oauth_sentinel_edit(cJSON *auth, bool openai, bool xai);

/* Brings the file up to date. Its failure is logged, never more. */
void oauth_sentinel_update(const struct config *config, struct log *log);

#endif
