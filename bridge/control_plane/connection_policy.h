/*
 * When to connect again and when to give up (B-220..B-229, D-19, decision 5). Pure: one call for
 * each thing that happened to a connection, one decision back. Times are the monotonic clock's.
 *
 *   refused with 401, 403, 410        the sandbox is over: exit 0
 *   refused with 404                  over; but before the first connection ever, tried for
 *                                     first_404_retry_ms: the session may be a moment old
 *   refused otherwise, not reached    back-off: 2, 4, 8 ... 60 s, each +-20 %
 *   closed with 1000, 1001, 1005      the first wait again
 *   lost, closed with another code    back-off, begun anew when the connection had proved itself:
 *                                     it lasted stable_ms or brought an ack
 */
#ifndef BRIDGE_CONTROL_PLANE_CONNECTION_POLICY_H
#define BRIDGE_CONTROL_PLANE_CONNECTION_POLICY_H

#include "common/backoff.h"

#include <stdbool.h>
#include <stdint.h>

struct connection_policy {
    struct backoff backoff;
    uint64_t stable_ms;
    uint64_t first_404_retry_ms;
    uint64_t started_ms;   /* of the first attempt */
    uint64_t connected_ms; /* of the current connection */
    bool is_connected;
    bool proved;               /* the current connection brought an ack */
    unsigned connection_count; /* B-229 */
    unsigned reconnect_attempts;
    uint64_t connected_total_ms; /* of all connections that ended */
};

struct connection_decision {
    bool ends; /* exit 0: the control plane wants this sandbox gone (B-118) */
    uint64_t wait_ms;
    unsigned attempt; /* B-226's n */
};

struct connection_policy_limits {
    uint64_t first_wait_ms, longest_wait_ms, stable_ms, first_404_retry_ms;
};

void connection_policy_init(struct connection_policy *policy,
                            const struct connection_policy_limits *limits, uint64_t now_ms);

void connection_policy_on_open(struct connection_policy *policy, uint64_t now_ms);
void connection_policy_on_ack(struct connection_policy *policy);

/* The handshake was answered with this status. */
struct connection_decision connection_policy_on_refused(struct connection_policy *policy,
                                                        int status, uint64_t now_ms,
                                                        uint32_t random);

/* No connection came about. */
struct connection_decision connection_policy_on_failed(struct connection_policy *policy,
                                                       uint32_t random);

/* An open connection ended; `code` 0: without a Close frame. */
struct connection_decision connection_policy_on_closed(struct connection_policy *policy,
                                                       unsigned code, uint64_t now_ms,
                                                       uint32_t random);

/* max(0, connections - 1) */
unsigned connection_policy_reconnects(const struct connection_policy *policy);

#endif
