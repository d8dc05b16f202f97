/*
 * What a managed skill may be called and where its files may lie (S-395, S-397, S-403, S-404). They
 * come from the network and become directories: whatever is not allowed here is refused. Pure.
 */
#ifndef SUPERVISOR_SKILLS_SKILL_RULES_H
#define SUPERVISOR_SKILLS_SKILL_RULES_H

#include <stdbool.h>
#include <stddef.h>

#define SKILL_NAME_MAX 64

/* Lower-case letters and digits in groups joined by single hyphens. */
bool skill_name_is_valid(const char *name);

/* A relative path that leads into the skill and nowhere else. */
bool skill_path_is_valid(const char *path);

bool skill_path_may_be_executable(const char *path);

/* The `name` of a SKILL.md's front matter. False when there is none, or one that no skill may have. */
bool skill_front_matter_name(const char *text, size_t len, char name[SKILL_NAME_MAX + 1]);

#endif
