/*
 * Managed skills whose name is taken already, by a bundled skill or by one of the user's (S-408): those
 * of the user win, and the managed ones are left out.
 */
#ifndef SUPERVISOR_SKILLS_SKILL_COLLISIONS_H
#define SUPERVISOR_SKILLS_SKILL_COLLISIONS_H

#include "common/err.h"

#include <cJSON.h>

/* Removes them from `staging`. Returns [{"name", "paths"}], sorted by name, for the caller to delete;
 * NULL and `err` when something could not be removed. `directories`: where skills lie, an array of
 * paths, of which many may not exist; `target` is not looked into. */
cJSON *skill_collisions_drop(const char *staging, const char *target, const cJSON *directories,
                             struct err *err);

#endif
