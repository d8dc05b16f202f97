/*
 * What an image build is told on top of everything else (S-21, S-22, S-424): how long it may take
 * and whom it tells of its end. Pure; owns its strings. `token` is a secret.
 */
#ifndef SUPERVISOR_CONFIG_CONFIG_BUILD_H
#define SUPERVISOR_CONFIG_CONFIG_BUILD_H

#include "common/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_BUILD_VARIABLES 5 /* of the callback */

struct config_build {
    bool has_callback; /* then the next five are filled */
    char *id;
    char *success_url;
    char *failure_url;
    char *token;
    char *provider_session_id;
    char *runtime_version;
    uint64_t budget_ms; /* clone and setup.sh together; 0: no limit */
};

/* The value of a variable, "" included; NULL when it is not set. */
typedef const char *config_build_env_fn(void *user, const char *name);

/* `from_modal`: the token will come on standard input and Modal names the session (S-434). Adds a line
 * to `problems` for what is wrong. -1 when out of memory. */
int config_build_parse(struct config_build *build, bool from_modal, config_build_env_fn *env,
                       void *user, struct buf *problems);

/* The variables of the callback that are missing, their names in front, NULL behind them; how many. */
size_t config_build_missing(const struct config_build *build,
                            const char *names[CONFIG_BUILD_VARIABLES]);

/* Whom to tell of the end is known; the token alone may be missing, for Modal sends it later. */
bool config_build_has_address(const struct config_build *build);

void config_build_free(struct config_build *build);

#endif
