/*
 * The time between connecting early and `ready` (N-31..N-42): the control plane hears of the boot's
 * phases, and what needs a sandbox that works is refused or kept.
 */
#include "bridge/bridge_private.h"

#include "bridge/control_plane/boot_progress.h"
#include "common/json.h"

/* Only over an open connection, and never later: the next connection begins with the latest one. */
static void send_phase(struct bridge *bridge)
{
    if (bridge->boot_phase && control_plane_is_open(bridge->control_plane))
        bridge_send_event(bridge, cJSON_Duplicate(bridge->boot_phase, true));
}

void bridge_on_boot(void *user, const cJSON *line)
{
    struct bridge *bridge = user;
    cJSON *event = boot_progress_event(line);

    log_at(bridge->log, LOG_INFO, "bridge.boot_phase",
           LOG_STR("phase", json_get_string(line, "phase")),
           LOG_STR("status", json_get_string(line, "status")));
    if (json_get_bool(line, "connect", false) && !bridge->leaving && !bridge->opencode_ready) {
        bridge->booting = true;
        control_plane_set_booting(bridge->control_plane, true);
        control_plane_start(bridge->control_plane);
    }
    if (!event)
        return;
    cJSON_Delete(bridge->boot_phase);
    bridge->boot_phase = event;
    if (bridge->booting)
        send_phase(bridge);
}

void bridge_boot_greet(struct bridge *bridge)
{
    send_phase(bridge);
    bridge_send_boot_warnings(bridge);
    supervisor_channel_tell_connected(bridge->channel);
}

void bridge_boot_over(struct bridge *bridge)
{
    bridge->booting = false;
    control_plane_set_booting(bridge->control_plane, false);
    cJSON_Delete(bridge->boot_phase);
    bridge->boot_phase = NULL;
}

bool bridge_boot_refuses(struct bridge *bridge, const struct command *command)
{
    if (!bridge->booting)
        return false;
    switch (command->type) {
    case COMMAND_PUSH:
        push_runs_refuse(bridge->pushes, command->body,
                         "Push failed - the sandbox is still booting", "booting");
        return true;
    case COMMAND_SNAPSHOT:
    case COMMAND_REFRESH_DIFF:
        log_at(bridge->log, LOG_WARNING, "bridge.command_refused_while_booting",
               LOG_STR("cmd_type", command_type_name(command->type)));
        return true;
    default:
        return false;
    }
}
