/*
 * What an earlier supervisor put into the checkout itself (S-279..S-281, S-290, S-299). Ours lie in
 * OpenCode's global directory, so a snapshot of those days would offer every tool twice, an old one
 * among them, and keep what is not wanted any more (S-280, S-298). Only for use in a worker.
 */
#ifndef SUPERVISOR_STAGING_EARLIER_ASSETS_H
#define SUPERVISOR_STAGING_EARLIER_ASSETS_H

#include "common/err.h"

/*
 * Removes the files and links that our block in .git/info/exclude names, when it is one of the names
 * that were staged and git does not track it; then takes the patterns out whose path is gone (S-250).
 * No link is followed below the checkout (S-282). A checkout without such a block is left as it is.
 */
int earlier_assets_remove(const char *checkout, struct err *err);

#endif
