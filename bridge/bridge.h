/*
 * The bridge as a whole: owns its parts, hands what one says on to the others, and decides when it
 * is over. Made and run by main alone, on its loop.
 *
 *   OpenCode -> event feed -> prompt run (translator) -> outbox -> control plane
 *   control plane -> command -> prompt run, push runs, diff run
 *   supervisor channel -> readiness, warnings, shutdown
 */
#ifndef BRIDGE_BRIDGE_H
#define BRIDGE_BRIDGE_H

#include "bridge/limits.h"
#include "bridge/options.h"
#include "common/err.h"
#include "common/log.h"

#include <uv.h>

struct bridge;

/* Everything must outlive the bridge. Starts at once; the work is done by uv_run(). */
struct bridge *bridge_new(uv_loop_t *loop, const struct options *options,
                          const struct limits *limits, struct log *log, struct err *err);

/* After the loop has ended. */
void bridge_free(struct bridge *bridge);

#endif
