/*
 * What an earlier supervisor put into the checkout itself (S-279..S-281, S-290, S-299). Ours lie in
 * OpenCode's global directory, so a snapshot of those days would offer every tool twice, an old one
 * among them, and keep what is not wanted any more (S-280, S-298).
 */
#ifndef SUPERVISOR_STAGING_EARLIER_ASSETS_H
#define SUPERVISOR_STAGING_EARLIER_ASSETS_H

#include "common/err.h"

/*
 * Removes the files and links that our block in .git/info/exclude names, when it is one of the names
 * that were staged and git does not track it; then takes the patterns out whose path is gone (S-250).
 * No link is followed below the checkout (S-282). A checkout without such a block is left as it is.
 * Only for use in a worker.
 */
int earlier_assets_remove(const char *checkout, struct err *err);

/*
 * Of a session without a repository, whose workspace no git knows: the tools and plugins there by name,
 * for those names were the supervisor's and were overwritten at each boot (S-279, S-299). Skills stay:
 * they are what they were, and ours of the same name give way. A few unlink calls.
 */
void earlier_assets_remove_from_workspace(const char *workspace);

#endif
