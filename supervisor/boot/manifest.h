/*
 * The repository manifest (S-220, S-221): which repositories this sandbox has and where, for the
 * bridge and the create-pull-request tool.
 */
#ifndef SUPERVISOR_BOOT_MANIFEST_H
#define SUPERVISOR_BOOT_MANIFEST_H

#include "common/err.h"
#include "supervisor/config/repositories.h"

/* Replaces the file whole. */
int manifest_write(const char *path, const struct repository_list *repositories, struct err *err);

#endif
