/*
 * Tells of a configuration that is not usable (S-51, S-106, S-107), when there is no sandbox yet that
 * could: whoever ordered an image build by the failure callback, if its variables are complete, then
 * the control plane (S-132). Needs nothing but a loop of its own and the post worker.
 */
#ifndef SUPERVISOR_CONFIG_FAILURE_H
#define SUPERVISOR_CONFIG_FAILURE_H

#include "common/log.h"
#include "supervisor/config/config.h"

/* Returns when it was told, or cannot be, or a signal asked for the end (S-431). Releases the signals
 * that main holds. `config->problems` says what is wrong. */
void config_failure_report(const struct config *config, struct log *log);

#endif
