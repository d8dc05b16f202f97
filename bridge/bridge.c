#include "bridge/bridge_private.h"

#include "bridge/control_plane/command.h"
#include "bridge/control_plane/event_envelope.h"
#include "bridge/control_plane/greeting.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/env.h"
#include "common/json.h"
#include "common/random.h"

#include <signal.h>
#include <stdlib.h>

#define CLOSE_NORMAL 1000
#define CLOSE_GOING_AWAY 1001

/* ---- the way out ---- */

static void on_patience_over(uv_timer_t *timer);

/* OpenCode's stream rests, or is read again. */
static void on_back_pressure(struct bridge *bridge)
{
    const struct back_pressure *pressure = &bridge->back_pressure;

    event_feed_set_paused(bridge->feed, pressure->is_on);
    if (pressure->is_on) {
        uv_timer_start(&bridge->patience, on_patience_over, back_pressure_left_ms(pressure), 0);
        return;
    }
    uv_timer_stop(&bridge->patience);
    prompt_run_on_feed_resumed(bridge->prompts);
}

static void check_backlog(struct bridge *bridge)
{
    struct outbox_counts counts = outbox_counts(bridge->outbox);

    if (back_pressure_update(&bridge->back_pressure, &counts,
                             control_plane_is_open(bridge->control_plane), uv_now(bridge->loop)))
        on_back_pressure(bridge);
}

static void on_patience_over(uv_timer_t *timer)
{
    struct bridge *bridge = timer->data;
    struct outbox_counts counts = outbox_counts(bridge->outbox);

    log_at(bridge->log, LOG_WARNING, "bridge.control_plane_slow",
           LOG_NUM("waiting_events", counts.waiting_events),
           LOG_NUM("waiting_bytes", counts.waiting_bytes),
           LOG_STR("detail", "OpenCode is read on; what there is no room for is dropped"));
    check_backlog(bridge);
}

void bridge_send_event(void *user, cJSON *event)
{
    struct bridge *bridge = user;
    uint64_t random = 0;

    if (event_is_critical(event)) /* only an ackId may need it */
        random_fill(&random, sizeof random);
    outbox_push(bridge->outbox, event, clock_wall_ms(), random);
    control_plane_wake(bridge->control_plane);
    check_backlog(bridge);
}

/* ---- leaving ---- */

static void leave_if_done(struct bridge *bridge)
{
    if (bridge->control_plane_ended && prompt_run_is_quiet(bridge->prompts) &&
        diff_run_is_quiet(bridge->diffs))
        bridge_tear_down(bridge);
}

static void on_left_too_late(uv_timer_t *timer)
{
    bridge_tear_down(timer->data);
}

/* `error` NULL: what runs counts as cancelled (D-20). */
static void leave(struct bridge *bridge, unsigned code, const char *outcome, const char *error)
{
    if (bridge->leaving)
        return;
    bridge->leaving = true;
    supervisor_channel_tell_exiting(bridge->channel, outcome);
    diff_run_finish(bridge->diffs);
    prompt_run_wind_down(bridge->prompts, error);
    push_runs_wind_down(bridge->pushes);
    /* So long OpenCode's answer to the abort and a capture under way (B-236) are waited for. */
    uv_timer_start(&bridge->leave, on_left_too_late, 2 * bridge->limits->drain_ms, 0);
    control_plane_finish(bridge->control_plane, code, outcome, outcome);
}

void bridge_on_signal(uv_signal_t *handle, int number)
{
    struct bridge *bridge = handle->data;

    log_at(bridge->log, LOG_INFO, "bridge.signal",
           LOG_STR("signal", number == SIGTERM ? "SIGTERM" : "SIGINT"));
    leave(bridge, CLOSE_GOING_AWAY, "shutdown", NULL);
}

/* ---- what the control plane says ---- */

void bridge_send_boot_warnings(struct bridge *bridge)
{
    struct err err = {0};
    cJSON *warnings = greeting_take_warnings(BOOT_WARNINGS_PATH, &err), *warning;

    if (!warnings)
        log_at(bridge->log, LOG_WARNING, "bridge.boot_warnings_read_failed", LOG_ERR(&err));
    while ((warning = cJSON_DetachItemFromArray(warnings, 0)))
        bridge_send_event(bridge, warning);
    cJSON_Delete(warnings);
}

static void say_ready(struct bridge *bridge)
{
    AUTO_MANIFEST struct manifest manifest = {0};

    bridge->owes_ready = false;
    manifest_read(MANIFEST_PATH, &manifest);
    bridge_send_event(bridge, greeting_ready_event(opencode_session_id(bridge->session),
                                                   env_get("SANDBOX_VERSION"), &manifest));
    bridge_send_boot_warnings(bridge);
    supervisor_channel_tell_connected(bridge->channel);
}

/* The session id in `ready` is right only after the stored one was looked up; when OpenCode is not
 * there yet, that may take long and the stored one has to do. */
static void greet(struct bridge *bridge)
{
    if (bridge->owes_ready && !bridge->booting && control_plane_is_open(bridge->control_plane) &&
        (opencode_session_is_settled(bridge->session) || !bridge->opencode_ready))
        say_ready(bridge);
}

/* After the connection, which it must not hold back, and not over the author of a prompt that an
 * earlier bridge began. */
static void set_up_signing(struct bridge *bridge)
{
    if (bridge->opencode_ready && control_plane_is_open(bridge->control_plane) &&
        !prompt_run_is_running(bridge->prompts))
        git_identity_initialise(bridge->identity);
}

static void on_control_plane_open(void *user)
{
    struct bridge *bridge = user;

    bridge->owes_ready = true;
    if (bridge->booting)
        bridge_boot_greet(bridge);
    greet(bridge);
    set_up_signing(bridge);
}

static void on_control_plane_lost(void *user)
{
    check_backlog(user);
}

static void on_control_plane_drained(void *user)
{
    check_backlog(user);
}

static void on_control_plane_ended(void *user, const char *outcome)
{
    struct bridge *bridge = user;

    /* Set after leave(): what ends inside it must not tear down what it still uses. */
    leave(bridge, CLOSE_NORMAL, outcome, NULL);
    bridge->control_plane_ended = true;
    leave_if_done(bridge);
}

static void on_ack(struct bridge *bridge, const cJSON *body)
{
    const char *ack_id = json_get_nonempty(body, "ackId");

    if (!ack_id || !outbox_acknowledge(bridge->outbox, ack_id))
        return;
    control_plane_note_ack(bridge->control_plane);
    log_at(bridge->log, LOG_DEBUG, "bridge.ack_received", LOG_STR("ack_id", ack_id));
}

static void on_snapshot(struct bridge *bridge)
{
    cJSON *event = cJSON_CreateObject();
    const char *id = opencode_session_id(bridge->session);

    log_at(bridge->log, LOG_INFO, "bridge.snapshot_prepare");
    json_add_string(event, "type", "snapshot_ready");
    json_put(event, "opencodeSessionId", id ? cJSON_CreateString(id) : cJSON_CreateNull());
    bridge_send_event(bridge, event);
}

static void handle_command(struct bridge *bridge, struct command *command)
{
    if (bridge_boot_refuses(bridge, command))
        return;
    switch (command->type) {
    case COMMAND_PROMPT:
        prompt_run_take(bridge->prompts, TAKE_PTR(command->body));
        break;
    case COMMAND_STOP:
        log_at(bridge->log, LOG_INFO, "bridge.stop");
        prompt_run_stop(bridge->prompts);
        break;
    case COMMAND_SNAPSHOT:
        on_snapshot(bridge);
        break;
    case COMMAND_SHUTDOWN:
        log_at(bridge->log, LOG_INFO, "bridge.shutdown_requested");
        leave(bridge, CLOSE_NORMAL, "shutdown", NULL);
        break;
    case COMMAND_PUSH:
        push_runs_start(bridge->pushes, command->body);
        break;
    case COMMAND_REFRESH_DIFF:
        diff_run_refresh(bridge->diffs);
        break;
    case COMMAND_ACK:
        on_ack(bridge, command->body);
        break;
    default:
        log_at(bridge->log, LOG_DEBUG, "bridge.unknown_command",
               LOG_STR("cmd_type", json_get_string(command->body, "type")));
        break;
    }
}

static void on_control_plane_message(void *user, char *data, size_t len)
{
    struct bridge *bridge = user;
    struct command command;
    struct err err = {0};
    int parsed = command_parse(data, len, &command, &err);

    if (parsed == COMMAND_NO_OBJECT) /* B-216 */
        log_at(bridge->log, LOG_ERROR, "bridge.command_error", LOG_ERR(&err));
    else if (parsed != 0)
        log_at(bridge->log, LOG_WARNING, "bridge.invalid_message", LOG_ERR(&err));
    if (parsed != 0)
        return;
    log_at(bridge->log, LOG_DEBUG, "bridge.command_received",
           LOG_STR("cmd_type", command_type_name(command.type)));
    if (command_shows_current_contract(&command)) {
        outbox_expect_acks(bridge->outbox);
        journal_acks_expected(bridge->journal);
    }
    handle_command(bridge, &command);
    command_clear(&command);
}

/* ---- what OpenCode does ---- */

static void on_feed_up(void *user)
{
    struct bridge *bridge = user;

    prompt_run_advance(bridge->prompts);
}

static void on_feed_event(void *user, char *data, size_t len)
{
    struct bridge *bridge = user;

    prompt_run_on_feed_event(bridge->prompts, data, len);
}

static void on_feed_down(void *user, bool was_up, int status, const struct err *err)
{
    struct bridge *bridge = user;

    prompt_run_on_feed_down(bridge->prompts, was_up, status, err);
}

void bridge_on_session_settled(void *user)
{
    struct bridge *bridge = user;

    greet(bridge);
    prompt_run_advance(bridge->prompts);
}

void bridge_on_prompt_running(void *user, const char *message_id, bool running)
{
    struct bridge *bridge = user;

    if (running)
        diff_run_prompt_started(bridge->diffs);
    else
        diff_run_prompt_ended(bridge->diffs, message_id);
    supervisor_channel_tell_prompt(bridge->channel, running);
}

void bridge_on_runs_quiet(void *user)
{
    struct bridge *bridge = user;

    if (bridge->leaving)
        leave_if_done(bridge);
}

/* ---- what the supervisor says ---- */

void bridge_on_opencode_ready(void *user, const char *directory)
{
    struct bridge *bridge = user;

    if (bridge->leaving)
        return;
    if (opencode_api_set_directory(bridge->api, directory) != 0)
        log_at(bridge->log, LOG_WARNING, "bridge.opencode_directory_unusable");
    bridge_boot_over(bridge);
    bridge->opencode_ready = true;
    event_feed_start(bridge->feed);
    opencode_session_check(bridge->session);
    prompt_run_set_opencode_ready(bridge->prompts, true);
    prompt_run_advance(bridge->prompts);
    control_plane_start(bridge->control_plane);
    greet(bridge);
    set_up_signing(bridge);
}

static void on_opencode_down(void *user)
{
    struct bridge *bridge = user;
    bool was_up = event_feed_is_up(bridge->feed);
    struct err err = {0};

    bridge->opencode_ready = false;
    err_set(&err, ERR_NETWORK, "the supervisor says that OpenCode is down");
    event_feed_stop(bridge->feed);
    prompt_run_set_opencode_ready(bridge->prompts, false);
    prompt_run_on_feed_down(bridge->prompts, was_up, 0, &err);
}

static void on_fatal(void *user, const char *error)
{
    struct bridge *bridge = user;

    leave(bridge, CLOSE_GOING_AWAY, "fatal", error);
}

static void on_warning(void *user, const cJSON *warning)
{
    cJSON *event = greeting_warning_event(warning);

    if (event)
        bridge_send_event(user, event);
}

static void on_shutdown(void *user)
{
    leave(user, CLOSE_GOING_AWAY, "shutdown", NULL);
}

const struct control_plane_handlers BRIDGE_CONTROL_PLANE_HANDLERS = {
    .on_open = on_control_plane_open,
    .on_message = on_control_plane_message,
    .on_lost = on_control_plane_lost,
    .on_drained = on_control_plane_drained,
    .on_ended = on_control_plane_ended,
};

const struct event_feed_handlers BRIDGE_FEED_HANDLERS = {
    .on_up = on_feed_up, .on_event = on_feed_event, .on_down = on_feed_down};

const struct supervisor_channel_handlers BRIDGE_CHANNEL_HANDLERS = {
    .on_boot = bridge_on_boot,
    .on_ready = bridge_on_opencode_ready,
    .on_opencode_down = on_opencode_down,
    .on_fatal = on_fatal,
    .on_warning = on_warning,
    .on_shutdown = on_shutdown,
};
