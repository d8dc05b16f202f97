/*
 * How a restart waits for the port that the last OpenCode listened on (S-349): 2 s in which whoever is
 * dying may let go of it, then the end of a descendant that still has it, and a moment for that. Pure;
 * milliseconds of the monotonic clock. A zeroed struct is one that waits for nothing.
 */
#ifndef SUPERVISOR_OPENCODE_PORT_WAIT_H
#define SUPERVISOR_OPENCODE_PORT_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#define PORT_WAIT_MS 2000
#define PORT_WAIT_AFTER_KILL_MS 1000
#define PORT_WAIT_LOOK_MS 50 /* from one look at the port to the next */

enum port_wait_step {
    PORT_WAIT_OVER, /* free, or nothing helps: start now */
    PORT_WAIT_LOOK_AGAIN,
    PORT_WAIT_KILL, /* once in a wait; then look again */
};

struct port_wait {
    uint64_t since_ms; /* 0: not waiting */
    bool has_killed;
};

enum port_wait_step port_wait_step(struct port_wait *wait, uint64_t now_ms, bool busy);

#endif
