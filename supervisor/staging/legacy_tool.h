/*
 * The one tool of an image that was made for the older contract (S-318, S-321): a file of its own, not in
 * /app/sandbox_runtime. It imports OpenCode's plugin package, which those images have in /usr/lib/node_modules;
 * so it is copied, not linked: an import is looked up from where the file really is.
 */
#ifndef SUPERVISOR_STAGING_LEGACY_TOOL_H
#define SUPERVISOR_STAGING_LEGACY_TOOL_H

#include "supervisor/config/config.h"

/* Only in the older era, and only when the image has not our own. */
int legacy_tool_stage(const struct config *config, struct err *err);

/* False when it was staged and is gone. */
bool legacy_tool_is_there(const struct config *config);

/* The directory whose `node_modules` OpenCode's global directory shares, into `path` (PATH_MAX bytes): S-283's,
 * or the older image's. */
void legacy_tool_name_deps(const struct config *config, char *path);

#endif
