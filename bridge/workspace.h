/*
 * The checkouts of a sandbox as they lie in its workspace, for contracts that name none.
 */
#ifndef BRIDGE_WORKSPACE_H
#define BRIDGE_WORKSPACE_H

#include <cJSON.h>
#include <stdbool.h>

#define WORKSPACE_PATH "/workspace"

/* `path` has a .git: a directory, or a file in a linked worktree. */
bool workspace_is_checkout(const char *path);

/* The paths of the first `most` checkouts right below the workspace, in sorted order, as an array
 * for the caller to delete; empty when there is none. */
cJSON *workspace_checkouts(const char *workspace, int most);

#endif
