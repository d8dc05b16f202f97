/*
 * How the bridge begins and ends: opens its parts, in order, and gives them back.
 */
#include "bridge/bridge_private.h"

#include "bridge/manifest.h"
#include "bridge/workspace.h"
#include "common/env.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_BYTES 4096
#define JOURNAL_FILE "oi-bridge.journal"

static void on_net_closed(void *user)
{
    struct bridge *bridge = user;

    /* A name look-up that cannot be stopped may be left; nobody waits for it. */
    uv_stop(bridge->loop);
}

/* Gives everything back that is on the loop. */
void bridge_tear_down(struct bridge *bridge)
{
    if (bridge->torn_down)
        return;
    bridge->torn_down = true;
    push_runs_close(bridge->pushes);
    diff_run_close(bridge->diffs);
    prompt_run_close(bridge->prompts);
    git_identity_close(bridge->identity);
    event_feed_close(bridge->feed);
    opencode_session_close(bridge->session);
    control_plane_close(bridge->control_plane);
    supervisor_channel_close(bridge->channel);
    uv_close((uv_handle_t *)&bridge->sigterm, NULL);
    uv_close((uv_handle_t *)&bridge->sigint, NULL);
    uv_close((uv_handle_t *)&bridge->leave, NULL);
    uv_close((uv_handle_t *)&bridge->patience, NULL);
    drop_log_close(&bridge->drops);
    if (bridge->net)
        net_context_close(bridge->net, on_net_closed, bridge);
}

static void on_critical_added(void *user, const char *ack_id, const char *text, size_t len)
{
    struct bridge *bridge = user;

    (void)len;
    journal_event_added(bridge->journal, ack_id, text);
}

static void on_critical_sent(void *user, const char *ack_id)
{
    struct bridge *bridge = user;

    journal_event_sent(bridge->journal, ack_id);
}

static void on_critical_gone(void *user, const char *ack_id)
{
    struct bridge *bridge = user;

    journal_event_gone(bridge->journal, ack_id);
}

static void on_event_dropped(void *user, const char *what, const char *reason)
{
    struct bridge *bridge = user;

    drop_log_note(&bridge->drops, what, reason);
}

static void init_handles(struct bridge *bridge)
{
    uv_signal_init(bridge->loop, &bridge->sigterm);
    uv_signal_init(bridge->loop, &bridge->sigint);
    uv_timer_init(bridge->loop, &bridge->leave);
    uv_timer_init(bridge->loop, &bridge->patience);
    drop_log_open(&bridge->drops, bridge->loop, bridge->log);
    bridge->sigterm.data = bridge->sigint.data = bridge->leave.data = bridge->patience.data =
        bridge;
    uv_signal_start(&bridge->sigterm, bridge_on_signal, SIGTERM);
    uv_signal_start(&bridge->sigint, bridge_on_signal, SIGINT);
}

static void temp_path(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s/%s", env_temp_dir(), name);
}

/* What an earlier bridge owed. */
static void restore(struct bridge *bridge)
{
    const struct journal_contents *contents = journal_contents(bridge->journal);

    if (contents->acks)
        outbox_expect_acks(bridge->outbox);
    for (const struct journal_event *event = contents->events; event; event = event->next)
        outbox_restore(bridge->outbox, event->ack_id, event->text, strlen(event->text),
                       event->sent);
    if (contents->events || contents->prompts || contents->pushes)
        log_at(bridge->log, LOG_INFO, "bridge.journal_restored",
               LOG_NUM("buffer_size", outbox_counts(bridge->outbox).waiting_events),
               LOG_BOOL("prompt", contents->prompts != NULL),
               LOG_BOOL("push", contents->pushes != NULL));
}

static int open_outbox(struct bridge *bridge)
{
    char path[PATH_MAX_BYTES];
    const struct outbox_options options = {
        .sandbox_id = bridge->options->sandbox_id,
        .max_events = bridge->limits->outbox_max_events,
        .max_bytes = bridge->limits->outbox_max_bytes,
        .observer = {.user = bridge,
                     .on_added = on_critical_added,
                     .on_sent = on_critical_sent,
                     .on_gone = on_critical_gone,
                     .on_dropped = on_event_dropped},
    };

    temp_path(path, sizeof path, JOURNAL_FILE);
    bridge->journal =
        journal_open(path, bridge->options->sandbox_id, bridge->options->session_id, bridge->log);
    bridge->outbox = outbox_new(&options);
    back_pressure_init(&bridge->back_pressure, options.max_events, options.max_bytes,
                       bridge->limits->outbox_patience_ms);
    if (!bridge->journal || !bridge->outbox)
        return -1;
    restore(bridge);
    return 0;
}

static int open_control_plane(struct bridge *bridge, struct err *err)
{
    const struct control_plane_options options = {
        .loop = bridge->loop,
        .net = bridge->net,
        .outbox = bridge->outbox,
        .log = bridge->log,
        .limits = bridge->limits,
        .options = bridge->options,
    };

    bridge->control_plane =
        control_plane_new(&options, &BRIDGE_CONTROL_PLANE_HANDLERS, bridge, err);
    return bridge->control_plane ? 0 : -1;
}

static int open_opencode(struct bridge *bridge)
{
    char path[PATH_MAX_BYTES];
    const struct opencode_api_options api = {
        .net = bridge->net,
        .port = bridge->options->opencode_port,
        .username = env_get("OPENCODE_SERVER_USERNAME"),
        .password = env_get("OPENCODE_SERVER_PASSWORD"),
        .call_limit_ms = bridge->limits->opencode_call_ms,
        .fetch_limit_ms = bridge->limits->final_fetch_ms,
    };
    struct opencode_session_options session = {
        .loop = bridge->loop,
        .log = bridge->log,
        .path = path,
        .lookup_limit_ms = bridge->limits->session_lookup_ms,
        .on_settled = bridge_on_session_settled,
        .user = bridge,
    };

    temp_path(path, sizeof path, OPENCODE_SESSION_FILE);
    bridge->api = opencode_api_new(&api);
    if (!bridge->api)
        return -1;
    session.api = bridge->api;
    bridge->session = opencode_session_new(&session);
    bridge->feed =
        event_feed_new(bridge->loop, bridge->net, bridge->api, &BRIDGE_FEED_HANDLERS, bridge);
    return bridge->session && bridge->feed ? 0 : -1;
}

static int open_identity(struct bridge *bridge)
{
    const struct git_identity_options options = {
        .loop = bridge->loop,
        .net = bridge->net,
        .log = bridge->log,
        .control_plane = bridge->options->control_plane,
        .session_id = bridge->options->session_id,
        .token = bridge->options->token,
        .manifest_path = MANIFEST_PATH,
        .workspace = WORKSPACE_PATH,
        .bin_directory = env_get("OPENINSPECT_BIN_INSTALL_DIR"),
        .temp_directory = env_temp_dir(),
        .fetch_limit_ms = bridge->limits->signing_ms,
        .config_limit_ms = bridge->limits->git_config_ms,
        .kill_ms = bridge->limits->push_kill_ms,
    };

    bridge->identity = git_identity_new(&options);
    return bridge->identity ? 0 : -1;
}

static struct attachment_fetch_options attachment_options(struct bridge *bridge)
{
    return (struct attachment_fetch_options){
        .net = bridge->net,
        .log = bridge->log,
        .control_plane = bridge->options->control_plane,
        .session_id = bridge->options->session_id,
        .token = bridge->options->token,
        .directory = env_temp_dir(),
        .limit_ms = bridge->limits->attachment_ms,
        .event_user = bridge,
        .on_event = bridge_send_event,
    };
}

static struct diff_run *open_diffs(struct bridge *bridge)
{
    const struct diff_run_options options = {
        .loop = bridge->loop,
        .net = bridge->net,
        .log = bridge->log,
        .control_plane = bridge->options->control_plane,
        .session_id = bridge->options->session_id,
        .token = bridge->options->token,
        .manifest_path = MANIFEST_PATH,
        .limits = bridge->limits,
        .user = bridge,
        .on_quiet = bridge_on_runs_quiet,
    };

    return diff_run_new(&options);
}

static int open_runs(struct bridge *bridge)
{
    const struct limits *limits = bridge->limits;
    const struct prompt_run_options prompts = {
        .loop = bridge->loop,
        .api = bridge->api,
        .session = bridge->session,
        .feed = bridge->feed,
        .journal = bridge->journal,
        .log = bridge->log,
        .preparation = {.identity = bridge->identity, .attachments = attachment_options(bridge)},
        .limits = {.token_interval_ms = limits->token_interval_ms,
                   .inactivity_ms = limits->sse_inactivity_ms,
                   .max_duration_ms = limits->prompt_max_duration_ms,
                   .cleanup_ms = limits->prompt_cleanup_ms,
                   .fetch_ms = limits->final_fetch_ms,
                   .settle_ms = limits->settle_ms,
                   .alive_ms = limits->alive_ms,
                   .silence_ms = limits->session_inactivity_ms},
        .opencode_limit_ms = limits->opencode_call_ms,
        .user = bridge,
        .on_event = bridge_send_event,
        .on_running = bridge_on_prompt_running,
        .on_quiet = bridge_on_runs_quiet,
    };
    const struct push_runs_options pushes = {
        .loop = bridge->loop,
        .journal = bridge->journal,
        .log = bridge->log,
        .manifest_path = MANIFEST_PATH,
        .workspace = WORKSPACE_PATH,
        .limit_ms = limits->push_ms,
        .legacy_limit_ms = limits->legacy_push_ms,
        .kill_ms = limits->push_kill_ms,
        .user = bridge,
        .on_event = bridge_send_event,
    };

    bridge->prompts = prompt_run_new(&prompts);
    bridge->pushes = push_runs_new(&pushes);
    bridge->diffs = open_diffs(bridge);
    return bridge->prompts && bridge->pushes && bridge->diffs ? 0 : -1;
}

static int open_channel(struct bridge *bridge, struct err *err)
{
    if (!supervisor_channel_is_there())
        return 0;
    bridge->channel = supervisor_channel_open(bridge->loop, &BRIDGE_CHANNEL_HANDLERS, bridge, err);
    return bridge->channel ? 0 : -1;
}

static int open_parts(struct bridge *bridge, struct err *err)
{
    bridge->net = net_context_new(bridge->loop, err);
    if (!bridge->net)
        return -1;
    if (open_outbox(bridge) != 0 || open_opencode(bridge) != 0)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    if (open_control_plane(bridge, err) != 0)
        return -1;
    if (open_identity(bridge) != 0 || open_runs(bridge) != 0)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    return open_channel(bridge, err);
}

struct bridge *bridge_new(uv_loop_t *loop, const struct options *options,
                          const struct limits *limits, struct log *log, struct err *err)
{
    struct bridge *bridge = calloc(1, sizeof *bridge);

    if (!bridge) {
        err_set(err, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    bridge->loop = loop;
    bridge->options = options;
    bridge->limits = limits;
    bridge->log = log;
    init_handles(bridge);
    log_at(log, LOG_INFO, "bridge.run_start");
    if (open_parts(bridge, err) != 0) {
        bridge_tear_down(bridge);
        uv_run(loop, UV_RUN_DEFAULT);
        bridge_free(bridge);
        return NULL;
    }
    if (bridge->channel)
        prompt_run_set_opencode_ready(bridge->prompts, false);
    prompt_run_resume(bridge->prompts);
    push_runs_resume(bridge->pushes);
    if (!bridge->channel)
        bridge_on_opencode_ready(bridge, NULL);
    return bridge;
}

void bridge_free(struct bridge *bridge)
{
    cJSON_Delete(bridge->boot_phase);
    opencode_api_free(bridge->api);
    outbox_free(bridge->outbox);
    journal_close(bridge->journal);
    free(bridge);
}
