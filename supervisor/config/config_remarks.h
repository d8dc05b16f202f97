/*
 * What an environment may hold but hardly means: half a pair, a switch that switches nothing, a limit
 * that the bridge will replace. Nothing here ends a boot. Pure.
 */
#ifndef SUPERVISOR_CONFIG_CONFIG_REMARKS_H
#define SUPERVISOR_CONFIG_CONFIG_REMARKS_H

#include "supervisor/config/config.h"

/* Adds a line to the remarks for each; `config` is what was read from the same variables. */
void config_remarks_add(const struct config *config, const struct config_env *env);

#endif
