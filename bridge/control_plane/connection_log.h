/*
 * The log lines of a connection's life, with the counters of B-229 and B-230.
 */
#ifndef BRIDGE_CONTROL_PLANE_CONNECTION_LOG_H
#define BRIDGE_CONTROL_PLANE_CONNECTION_LOG_H

#include "bridge/control_plane/connection_policy.h"
#include "common/log.h"
#include "net/ws_link.h"

void connection_log_open(struct log *log, const struct connection_policy *policy);

/* No connection came about. */
void connection_log_failed(struct log *log, const struct err *err);

/* An open connection ended, after the policy was told. `leaving`: we wanted it to. */
void connection_log_lost(struct log *log, const struct connection_policy *policy,
                         const struct ws_end *end, uint64_t lasted_ms, bool leaving);

void connection_log_retry(struct log *log, const struct connection_policy *policy,
                          struct connection_decision decision);

/* The last line: there will be no connection any more. */
void connection_log_end(struct log *log, const struct connection_policy *policy,
                        const char *outcome);

#endif
