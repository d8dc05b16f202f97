#include "bridge/control_plane/control_plane.h"

#include "bridge/control_plane/addresses.h"
#include "bridge/control_plane/connection_log.h"
#include "bridge/control_plane/connection_policy.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/random.h"
#include "net/ws_link.h"

#include <stdlib.h>
#include <string.h>

#define MS_PER_SECOND 1000u
#define URL_MAX_BYTES ((size_t)8 * 1024)
#define COMMAND_MAX_BYTES ((size_t)32 * 1024 * 1024) /* D-33 */
#define CLOSE_LIMIT_MS 500

#define CLOSE_TOO_BIG 1009

enum { HEADER_AUTHORIZATION, HEADER_SANDBOX, HEADER_COUNT };

struct control_plane {
    uv_timer_t timer; /* the wait before a reconnect, or the limit of draining */
    uv_timer_t heartbeat;
    int open_handles;
    struct control_plane_options options;
    const struct control_plane_handlers *handlers;
    void *user;
    struct connection_policy policy;
    struct flush_log flush;
    struct ws_link *link; /* NULL: none is open or being opened */
    bool is_open;
    bool is_booting;
    bool started;
    char *url;
    char *authorization;
    struct net_header headers[HEADER_COUNT];
    size_t header_count;

    const char *outcome; /* not NULL: finishing */
    unsigned close_code;
    const char *close_reason;
    bool closing; /* Close was sent, or there is nothing to close */
    bool ended;
};

static uint64_t now_ms(const struct control_plane *self)
{
    return uv_now(self->options.loop);
}

static void end(struct control_plane *self, const char *outcome)
{
    if (self->ended)
        return;
    self->ended = true;
    uv_timer_stop(&self->timer);
    uv_timer_stop(&self->heartbeat);
    connection_log_end(self->options.log, &self->policy, outcome);
    self->handlers->on_ended(self->user, outcome);
}

/* ---- open ---- */

static void on_heartbeat(uv_timer_t *timer)
{
    struct control_plane *self = timer->data;
    cJSON *event = cJSON_CreateObject();

    json_add_string(event, "type", "heartbeat");
    json_add_string(event, "status", self->is_booting ? "booting" : "ready");
    outbox_push(self->options.outbox, event, clock_wall_ms(), 0);
    control_plane_wake(self);
}

static void on_open(void *user)
{
    struct control_plane *self = user;
    uint64_t interval = self->options.limits->heartbeat_ms;

    self->is_open = true;
    connection_policy_on_open(&self->policy, now_ms(self));
    connection_log_open(self->options.log, &self->policy);
    connection_log_flush_begins(&self->flush, self->options.log,
                                outbox_counts(self->options.outbox).waiting_events);
    uv_timer_start(&self->heartbeat, on_heartbeat, interval, interval);
    self->handlers->on_open(self->user);
    control_plane_wake(self);
}

static void on_message(void *user, char *data, size_t len)
{
    struct control_plane *self = user;

    self->handlers->on_message(self->user, data, len);
}

/* ---- draining and closing ---- */

static void send_close(struct control_plane *self)
{
    self->closing = true;
    uv_timer_stop(&self->timer);
    ws_link_close(self->link, self->close_code, self->close_reason);
}

/* What is acknowledged before we go is not sent again by the next bridge. */
static bool awaits_acks(const struct control_plane *self)
{
    return outbox_expects_acks(self->options.outbox) &&
           outbox_counts(self->options.outbox).unacknowledged > 0;
}

static bool on_writable(void *user, struct buf *out)
{
    struct control_plane *self = user;

    if (outbox_next(self->options.outbox, now_ms(self), out)) {
        self->handlers->on_drained(self->user);
        return true;
    }
    connection_log_flush_ends(&self->flush, self->options.log, 0);
    if (self->outcome && !self->closing && !awaits_acks(self))
        send_close(self);
    return false;
}

static void on_drained_too_long(uv_timer_t *timer)
{
    struct control_plane *self = timer->data;

    log_at(self->options.log, LOG_WARNING, "bridge.drain_timeout",
           LOG_NUM("remaining", outbox_counts(self->options.outbox).waiting_events));
    send_close(self);
}

void control_plane_finish(struct control_plane *self, unsigned code, const char *reason,
                          const char *outcome)
{
    if (self->outcome || self->ended)
        return;
    self->outcome = outcome;
    self->close_code = code;
    self->close_reason = reason;
    uv_timer_stop(&self->heartbeat);
    if (!self->is_open) {
        ws_link_free(self->link);
        self->link = NULL;
        end(self, outcome);
        return;
    }
    uv_timer_start(&self->timer, on_drained_too_long, self->options.limits->drain_ms, 0);
    control_plane_wake(self);
}

/* ---- the end of a connection ---- */

static void open_link(struct control_plane *self);

static void on_reconnect(uv_timer_t *timer)
{
    open_link(timer->data);
}

static void follow(struct control_plane *self, struct connection_decision decision)
{
    if (decision.ends) {
        end(self, "session_terminated");
        return;
    }
    connection_log_retry(self->options.log, &self->policy, decision);
    uv_timer_start(&self->timer, on_reconnect, decision.wait_ms, 0);
}

/* 1009: an event that has left for good was the offender, or one that would come again (D-40). */
static void on_too_big(struct control_plane *self)
{
    size_t dropped = outbox_drop_refused(self->options.outbox);

    log_at(self->options.log, LOG_WARNING, "bridge.event_too_big",
           LOG_NUM("dropped_bytes", dropped),
           LOG_STR("detail", "the control plane refused an event; that one is not sent again"));
}

/* An open connection ended. */
static void on_closed(struct control_plane *self, const struct ws_end *link_end)
{
    unsigned code = link_end->kind == WS_END_CLOSED ? link_end->close_code : 0;
    uint64_t lasted_ms = now_ms(self) - self->policy.connected_ms;
    struct connection_decision decision =
        connection_policy_on_closed(&self->policy, code, now_ms(self), random_u32());

    self->is_open = false;
    uv_timer_stop(&self->heartbeat);
    connection_log_lost(self->options.log, &self->policy, link_end, lasted_ms,
                        self->outcome != NULL);
    if (code == CLOSE_TOO_BIG && link_end->by_peer)
        on_too_big(self);
    connection_log_flush_ends(&self->flush, self->options.log,
                              outbox_counts(self->options.outbox).waiting_events);
    self->flush.owed = outbox_connection_lost(self->options.outbox, now_ms(self));
    self->handlers->on_lost(self->user);
    if (self->outcome) {
        end(self, self->outcome);
        return;
    }
    follow(self, decision);
}

static void on_end(void *user, const struct ws_end *how)
{
    struct control_plane *self = user;
    struct ws_end link_end = *how; /* it lives in the link */

    ws_link_free(self->link);
    self->link = NULL;
    if (self->is_open) {
        on_closed(self, &link_end);
        return;
    }
    connection_log_failed(self->options.log, &link_end.err);
    if (link_end.kind == WS_END_REFUSED)
        follow(self, connection_policy_on_refused(&self->policy, link_end.status, now_ms(self),
                                                  random_u32()));
    else
        follow(self, connection_policy_on_failed(&self->policy, random_u32()));
}

static void open_link(struct control_plane *self)
{
    static const struct ws_link_handlers handlers = {
        .on_open = on_open, .on_message = on_message, .on_writable = on_writable, .on_end = on_end};
    const struct limits *limits = self->options.limits;
    const struct ws_link_options options = {
        .url = self->url,
        .headers = self->headers,
        .header_count = self->header_count,
        .max_message = COMMAND_MAX_BYTES,
        .handshake_limit_ms = limits->handshake_ms,
        .close_limit_ms = CLOSE_LIMIT_MS,
        .ping_after_s = (uint16_t)(limits->ping_interval_ms / MS_PER_SECOND),
        .hangup_after_s =
            (uint16_t)((limits->ping_interval_ms + limits->pong_timeout_ms) / MS_PER_SECOND),
    };
    struct err err = {0};

    self->link = ws_link_open(self->options.net, &options, &handlers, self, &err);
    if (self->link)
        return;
    connection_log_failed(self->options.log, &err);
    follow(self, connection_policy_on_failed(&self->policy, random_u32()));
}

/* ---- life ---- */

static char *bearer(const char *token)
{
    AUTO_BUF struct buf text = BUF_INIT(URL_MAX_BYTES);

    buf_printf(&text, "Bearer %s", token);
    return buf_take(&text);
}

static int prepare_credentials(struct control_plane *self)
{
    const struct options *options = self->options.options;
    struct address_input address = {
        .control_plane = options->control_plane,
        .session_id = options->session_id,
        .sandbox_id = options->sandbox_id,
        .token = options->token,
        .credentials_in_query = options->auth != OPTIONS_AUTH_HEADER ||
                                address_wants_query_auth(options->control_plane),
    };
    AUTO_BUF struct buf url = BUF_INIT(URL_MAX_BYTES);

    address_print_websocket(&address, &url);
    self->url = buf_take(&url);
    self->authorization = bearer(options->token);
    self->headers[HEADER_AUTHORIZATION] = (struct net_header){"Authorization", self->authorization};
    self->headers[HEADER_SANDBOX] = (struct net_header){"X-Sandbox-ID", options->sandbox_id};
    self->header_count = options->auth == OPTIONS_AUTH_QUERY_ONLY ? 0 : HEADER_COUNT;
    return self->url && self->authorization ? 0 : -1;
}

static void init_timer(struct control_plane *self, uv_timer_t *timer)
{
    uv_timer_init(self->options.loop, timer);
    timer->data = self;
    self->open_handles++;
}

struct control_plane *control_plane_new(const struct control_plane_options *options,
                                        const struct control_plane_handlers *handlers, void *user,
                                        struct err *err)
{
    struct control_plane *self = calloc(1, sizeof *self);
    const struct limits *limits = options->limits;

    if (!self) {
        err_set(err, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    self->options = *options;
    self->handlers = handlers;
    self->user = user;
    init_timer(self, &self->timer);
    init_timer(self, &self->heartbeat);
    connection_policy_init(&self->policy,
                           &(struct connection_policy_limits){
                               .first_wait_ms = limits->reconnect_first_ms,
                               .longest_wait_ms = limits->reconnect_max_ms,
                               .stable_ms = limits->stable_connection_ms,
                               .first_404_retry_ms = limits->first_404_retry_ms,
                           },
                           now_ms(self));
    if (prepare_credentials(self) != 0) {
        control_plane_close(self);
        err_set(err, ERR_CONFIG, "the control plane's address is too long");
        return NULL;
    }
    return self;
}

void control_plane_start(struct control_plane *self)
{
    if (self->started)
        return;
    self->started = true;
    self->policy.started_ms = now_ms(self);
    open_link(self);
}

void control_plane_wake(struct control_plane *self)
{
    if (self->is_open && self->link)
        ws_link_wake(self->link);
}

void control_plane_set_booting(struct control_plane *self, bool booting)
{
    self->is_booting = booting;
}

bool control_plane_is_open(const struct control_plane *self)
{
    return self->is_open;
}

void control_plane_note_ack(struct control_plane *self)
{
    connection_policy_on_ack(&self->policy);
    if (self->outcome)
        control_plane_wake(self);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct control_plane *self = handle->data;

    if (--self->open_handles > 0)
        return;
    free(self->url);
    free(self->authorization);
    free(self);
}

void control_plane_close(struct control_plane *self)
{
    if (!self)
        return;
    ws_link_free(self->link);
    self->link = NULL;
    uv_close((uv_handle_t *)&self->timer, on_timer_closed);
    uv_close((uv_handle_t *)&self->heartbeat, on_timer_closed);
}
