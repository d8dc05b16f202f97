/*
 * What bridge.c (what happens) and bridge_life.c (how it begins and ends) share. Nobody else
 * includes this.
 */
#ifndef BRIDGE_BRIDGE_PRIVATE_H
#define BRIDGE_BRIDGE_PRIVATE_H

#include "bridge/bridge.h"
#include "bridge/control_plane/back_pressure.h"
#include "bridge/control_plane/command.h"
#include "bridge/control_plane/control_plane.h"
#include "bridge/control_plane/drop_log.h"
#include "bridge/diff/diff_run.h"
#include "bridge/identity/git_identity.h"
#include "bridge/journal/journal.h"
#include "bridge/opencode/event_feed.h"
#include "bridge/opencode/opencode_session.h"
#include "bridge/prompt/prompt_run.h"
#include "bridge/push/push_run.h"
#include "bridge/supervisor_channel.h"

struct bridge {
    uv_loop_t *loop;
    const struct options *options;
    const struct limits *limits;
    struct log *log;
    struct net_context *net;
    struct journal *journal;
    struct outbox *outbox;
    struct drop_log drops; /* what the outbox lost */
    struct back_pressure back_pressure;
    uv_timer_t patience; /* runs while OpenCode's stream rests */
    struct control_plane *control_plane;
    struct opencode_api *api;
    struct opencode_session *session;
    struct event_feed *feed;
    struct git_identity *identity;
    struct prompt_run *prompts;
    struct push_runs *pushes;
    struct diff_run *diffs;
    struct supervisor_channel *channel; /* NULL: not started by our supervisor */
    uv_signal_t sigterm;
    uv_signal_t sigint;
    uv_timer_t leave;
    bool opencode_ready;
    bool booting;      /* connected before `ready` */
    cJSON *boot_phase; /* the latest boot_progress; NULL: none was told */
    bool owes_ready;   /* the control plane has not heard `ready` on this connection */
    bool leaving;
    bool control_plane_ended;
    bool torn_down;
};

/* What the parts say, for whoever opens them; `user` is the bridge. */
extern const struct control_plane_handlers BRIDGE_CONTROL_PLANE_HANDLERS;
extern const struct event_feed_handlers BRIDGE_FEED_HANDLERS;
extern const struct supervisor_channel_handlers BRIDGE_CHANNEL_HANDLERS;

void bridge_send_event(void *user, cJSON *event);
void bridge_on_session_settled(void *user);
void bridge_on_prompt_running(void *user, const char *message_id, bool running);
void bridge_on_runs_quiet(void *user);
void bridge_on_opencode_ready(void *user, const char *directory);
/* bridge_boot.c: connected before `ready`. */
void bridge_on_boot(void *user, const cJSON *line);
void bridge_boot_greet(struct bridge *bridge);
void bridge_boot_over(struct bridge *bridge);
/* True when the command was refused, because it needs a sandbox that works. */
bool bridge_boot_refuses(struct bridge *bridge, const struct command *command);

void bridge_send_boot_warnings(struct bridge *bridge);
void bridge_on_signal(uv_signal_t *handle, int number);

/* Gives everything back that is on the loop; the loop ends then. */
void bridge_tear_down(struct bridge *bridge);

#endif
