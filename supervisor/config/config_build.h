/*
 * What an image build is told on top of everything else (S-21, S-22, S-424): how long it may take
 * and whom it tells of its end. Pure; owns its strings. `token` is a secret.
 */
#ifndef SUPERVISOR_CONFIG_CONFIG_BUILD_H
#define SUPERVISOR_CONFIG_CONFIG_BUILD_H

#include "supervisor/config/config_env.h"

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

/* `from_modal`: the token will come on standard input and Modal names the session (S-434). What is
 * wrong is among the problems. -1 when out of memory. */
int config_build_parse(struct config_build *build, bool from_modal, const struct config_env *env);

/* The variables of the callback that are missing, their names in front, NULL behind them; how many. */
size_t config_build_missing(const struct config_build *build,
                            const char *names[CONFIG_BUILD_VARIABLES]);

/* Whom to tell of the end is known; the token alone may be missing, for Modal sends it later. */
bool config_build_has_address(const struct config_build *build);

void config_build_free(struct config_build *build);

#endif
