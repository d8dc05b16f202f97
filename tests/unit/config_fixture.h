/*
 * A configuration from a made-up environment.
 */
#ifndef TESTS_UNIT_CONFIG_FIXTURE_H
#define TESTS_UNIT_CONFIG_FIXTURE_H

#include "supervisor/config/config.h"

#include <string.h>

/* Of an environment: name, value, name, value, NULL. */
static inline const char *get(void *user, const char *name)
{
    const char *const *pairs = user;

    for (size_t i = 0; pairs[i]; i += 2) {
        if (strcmp(pairs[i], name) == 0)
            return pairs[i + 1];
    }
    return NULL;
}

#define PAIRS(...) ((const char *[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
#define PASSWORD "0123456789abcdef"

static inline int parse(struct config *config, const char **pairs)
{
    struct flags flags = {.test_root = ""};

    return config_parse(config, &flags, get, pairs, PASSWORD, 0);
}

#endif
