/*
 * One key of one configuration file, with as many values as are wanted: `git config --replace-all`,
 * `--add` and `--unset-all`. What is there already is not written. Returns libgit2's code; libgit2 says
 * why (git_error.h). Not for a configuration of several files.
 */
#ifndef GIT_CONFIG_VALUES_H
#define GIT_CONFIG_VALUES_H

#include <git2.h>
#include <stddef.h>

/* `count` may be 0: the key goes. */
int config_values_set(git_config *config, const char *key, const char *const *values, size_t count);

#endif
