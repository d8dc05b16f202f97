/*
 * Changes of a checkout's own .git/config, as by `git config --local`. One call opens and closes the
 * repository. A value that is right already is not written again, so that a config file that nobody
 * needs to change is neither locked nor touched. While another git holds the lock of the file, as the
 * agent's may in a prompt that was stopped, it is waited for, up to LOCAL_CONFIG_LOCK_MS.
 */
#ifndef GIT_LOCAL_CONFIG_H
#define GIT_LOCAL_CONFIG_H

#include "common/err.h"

#include <stddef.h>

#define LOCAL_CONFIG_LOCK_MS 3000

struct local_config_change {
    const char *key;   /* "user.name" */
    const char *value; /* replaces all of that key; NULL: all of them are removed */
};

/* In order, up to the first that fails; what was done before stays. ERR_NOT_FOUND when `path` is no
 * checkout. The errors name keys and paths, never values. */
int local_config_apply(const char *path, const struct local_config_change *changes, size_t count,
                       struct err *err);

#endif
