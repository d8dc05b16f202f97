/*
 * Says what config_parse() found wrong: as log lines at the start, or on a terminal for --check.
 */
#ifndef SUPERVISOR_CONFIG_CONFIG_CHECK_H
#define SUPERVISOR_CONFIG_CONFIG_CHECK_H

#include "common/log.h"
#include "supervisor/config/config.h"

#include <stdio.h>

/* supervisor.config_invalid for each problem, supervisor.config_defaulted for each remark,
 * tunnel.expected_ports_parse_failed for each piece of that list that is no port. */
void config_check_log(const struct config *config, struct log *log);

/* One line each, then whether it is usable; the exit status of --check: 1 when there is a problem. */
int config_check_print(const struct config *config, FILE *out);

#endif
