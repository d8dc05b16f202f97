/*
 * The environment of a child that differs from ours (S-70, S-74): a copy of `environ` with some
 * variables set or removed. Owns its strings.
 */
#ifndef SUPERVISOR_PROCESS_CHILD_ENV_H
#define SUPERVISOR_PROCESS_CHILD_ENV_H

#include <stddef.h>

struct child_env {
    char **variables; /* NULL-terminated, as execve wants it */
    size_t count;
};

/* -1 when out of memory. */
int child_env_copy(struct child_env *env, char *const *source);
void child_env_free(struct child_env *env);

/* Sets `name`, or removes it when `value` is NULL. -1 when out of memory. */
int child_env_set(struct child_env *env, const char *name, const char *value);

#endif
