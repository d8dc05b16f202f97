#include "supervisor/opencode/port_wait.h"

enum port_wait_step port_wait_step(struct port_wait *wait, uint64_t now_ms, bool busy)
{
    uint64_t waited_ms;

    if (wait->since_ms == 0)
        wait->since_ms = now_ms;
    waited_ms = now_ms - wait->since_ms;
    if (!busy || waited_ms >= PORT_WAIT_MS + PORT_WAIT_AFTER_KILL_MS) {
        *wait = (struct port_wait){0};
        return PORT_WAIT_OVER;
    }
    if (waited_ms < PORT_WAIT_MS || wait->has_killed)
        return PORT_WAIT_LOOK_AGAIN;
    wait->has_killed = true;
    return PORT_WAIT_KILL;
}
