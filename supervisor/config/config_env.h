/*
 * The variables as config_parse() and its parts read them, and where they say what is wrong with one.
 * Pure: `look_up` is asked. Texts handed out belong to it; the copies are the caller's.
 */
#ifndef SUPERVISOR_CONFIG_CONFIG_ENV_H
#define SUPERVISOR_CONFIG_CONFIG_ENV_H

#include "common/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* The value of a variable, "" included; NULL when it is not set. */
typedef const char *config_env_fn(void *user, const char *name);

struct config_env {
    config_env_fn *look_up;
    void *user;
    struct buf *problems; /* one line per bad value, each naming its variable */
    struct buf *remarks;  /* one line per value that was replaced by its default */
};

/* "" included: for the variables whose presence alone says something. */
bool config_env_has(const struct config_env *env, const char *name);

/* Unset and empty are the same here: NULL. */
const char *config_env_get(const struct config_env *env, const char *name);

/* NULL when out of memory. */
char *config_env_copy(const struct config_env *env, const char *name, const char *otherwise);

/* S-96: no other spelling counts. */
bool config_env_is_true(const struct config_env *env, const char *name);

/* False when it is none; blanks around it count for nothing. */
bool config_env_parse_whole(const char *text, long *number);

/* A whole number from `least` to `most`; anything else is `otherwise`, and a remark (S-24). */
uint64_t config_env_whole(const struct config_env *env, const char *name, const char *unit,
                          long least, long most, long otherwise);

/* False, and a problem, when `url`, the variable's value, is no address of an HTTP server. */
bool config_env_check_url(const struct config_env *env, const char *name, const char *url);

void config_env_problem(const struct config_env *env, const char *variable, const char *text);

#endif
