/*
 * The user's own git configuration, the file that `git config --global` writes: GIT_CONFIG_GLOBAL,
 * else ~/.gitconfig, else the one of XDG when only that is there. No repository is touched.
 */
#ifndef GIT_USER_CONFIG_H
#define GIT_USER_CONFIG_H

#include "common/err.h"

#include <stddef.h>

/* `git config --global --replace-all <key> <value>`, with more than one value each added after the one
 * before. A file that says so already is not written. */
int user_config_replace(const char *key, const char *const *values, size_t count, struct err *err);

#endif
