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

/* What waited while there was no connection, as the earlier bridges say it (B-443, B-444). */
struct flush_log {
    size_t owed;      /* sent before, and not acknowledged when the last connection ended */
    size_t buffered;  /* being flushed: new ones */
    size_t resending; /* being flushed: owed ones */
};

/* A connection is open, and `waiting` events are to be sent. */
void connection_log_flush_begins(struct flush_log *flush, struct log *log, size_t waiting);

/* Nothing waits any more, or the connection ended and `remaining` events still do. Says nothing when
 * nothing was being flushed. */
void connection_log_flush_ends(struct flush_log *flush, struct log *log, size_t remaining);

/* The last line: there will be no connection any more. */
void connection_log_end(struct log *log, const struct connection_policy *policy,
                        const char *outcome);

#endif
