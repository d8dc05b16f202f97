/*
 * What an environment may hold but hardly means: half a pair, a switch that switches nothing, a limit
 * that the bridge will replace. Nothing here ends a boot. Pure.
 */
#ifndef SUPERVISOR_CONFIG_CONFIG_REMARKS_H
#define SUPERVISOR_CONFIG_CONFIG_REMARKS_H

#include "supervisor/config/config.h"

/* Adds a line to `remarks` for each; `config` is what was read from the same variables. */
void config_remarks_add(const struct config *config, config_env_fn *env, void *user,
                        struct buf *remarks);

#endif
