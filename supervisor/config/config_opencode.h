/*
 * What config_parse() finds out about OpenCode: its model, where it listens and with which password,
 * how much memory it may use, what is staged for it on demand. Pure; the strings are the config's.
 */
#ifndef SUPERVISOR_CONFIG_CONFIG_OPENCODE_H
#define SUPERVISOR_CONFIG_CONFIG_OPENCODE_H

#include "supervisor/config/config.h"
#include "supervisor/config/config_env.h"

/* `config` has its era and its session. `random_password` and `sandbox_memory`: config_parse(). */
void config_opencode_parse(struct config *config, const struct config_env *env,
                           const struct flags *flags, const char *random_password,
                           uint64_t sandbox_memory);

#endif
