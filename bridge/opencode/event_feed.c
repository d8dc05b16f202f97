#include "bridge/opencode/event_feed.h"

#include "common/backoff.h"
#include "common/random.h"
#include "net/event_stream.h"

#include <stdlib.h>

/* A server on this machine that is being restarted: worth asking often at first. */
#define RETRY_FIRST_MS 50
#define RETRY_MOST_MS 2000
#define RETRY_JITTER_PERCENT 20

/* OpenCode takes connections before it can answer, and leaves those of that time without one. */
#define CONNECT_LIMIT_MS 10000

struct event_feed {
    uv_timer_t retry;
    struct net_context *net;
    const struct opencode_api *api;
    const struct event_feed_handlers *handlers;
    void *user;
    struct backoff backoff;
    struct event_stream *stream; /* NULL: none is open or being opened */
    uint64_t last_byte_ms;
    uint64_t skipped; /* by the streams before this one */
    bool up;
    bool paused;
};

static void open_stream(struct event_feed *feed);

static void on_retry(uv_timer_t *timer)
{
    open_stream(timer->data);
}

static void on_open(void *user)
{
    struct event_feed *feed = user;

    feed->up = true;
    backoff_reset(&feed->backoff);
    if (feed->paused)
        event_stream_pause(feed->stream);
    feed->handlers->on_up(feed->user);
}

static void on_event(void *user, char *data, size_t len)
{
    struct event_feed *feed = user;

    feed->handlers->on_event(feed->user, data, len);
}

static void drop_stream(struct event_feed *feed)
{
    if (feed->stream) {
        feed->last_byte_ms = event_stream_last_byte_ms(feed->stream);
        feed->skipped += event_stream_skipped(feed->stream);
    }
    event_stream_free(feed->stream);
    feed->stream = NULL;
    feed->up = false;
}

static void try_later(struct event_feed *feed)
{
    uv_timer_start(&feed->retry, on_retry, backoff_next(&feed->backoff, random_u32()), 0);
}

static void on_end(void *user, int status, const struct err *err)
{
    struct event_feed *feed = user;
    bool was_up = feed->up;

    drop_stream(feed);
    try_later(feed);
    feed->handlers->on_down(feed->user, was_up, status, err);
}

static void open_stream(struct event_feed *feed)
{
    static const struct event_stream_handlers handlers = {
        .on_open = on_open, .on_event = on_event, .on_end = on_end};
    struct event_stream_options options = {.url = opencode_api_events_url(feed->api),
                                           .connect_limit_ms = CONNECT_LIMIT_MS};

    options.headers = opencode_api_headers(feed->api, &options.header_count);
    feed->stream = event_stream_open(feed->net, &options, &handlers, feed, NULL);
    if (!feed->stream)
        try_later(feed); /* out of memory: nothing else can be wrong with a loopback address */
}

struct event_feed *event_feed_new(uv_loop_t *loop, struct net_context *net,
                                  const struct opencode_api *api,
                                  const struct event_feed_handlers *handlers, void *user)
{
    struct event_feed *feed = calloc(1, sizeof *feed);

    if (!feed)
        return NULL;
    feed->net = net;
    feed->api = api;
    feed->handlers = handlers;
    feed->user = user;
    feed->backoff = (struct backoff){.first_ms = RETRY_FIRST_MS,
                                     .most_ms = RETRY_MOST_MS,
                                     .jitter_percent = RETRY_JITTER_PERCENT};
    uv_timer_init(loop, &feed->retry);
    feed->retry.data = feed;
    return feed;
}

void event_feed_start(struct event_feed *feed)
{
    if (feed->stream)
        return;
    uv_timer_stop(&feed->retry);
    backoff_reset(&feed->backoff);
    open_stream(feed);
}

void event_feed_stop(struct event_feed *feed)
{
    uv_timer_stop(&feed->retry);
    drop_stream(feed);
}

bool event_feed_is_up(const struct event_feed *feed)
{
    return feed->up;
}

void event_feed_set_paused(struct event_feed *feed, bool paused)
{
    if (feed->paused == paused)
        return;
    feed->paused = paused;
    if (!feed->up)
        return;
    if (paused)
        event_stream_pause(feed->stream);
    else
        event_stream_resume(feed->stream);
}

bool event_feed_is_paused(const struct event_feed *feed)
{
    return feed->paused;
}

uint64_t event_feed_last_byte_ms(const struct event_feed *feed)
{
    return feed->stream ? event_stream_last_byte_ms(feed->stream) : feed->last_byte_ms;
}

uint64_t event_feed_skipped(const struct event_feed *feed)
{
    return feed->skipped + (feed->stream ? event_stream_skipped(feed->stream) : 0);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void event_feed_close(struct event_feed *feed)
{
    if (!feed)
        return;
    event_feed_stop(feed);
    uv_close((uv_handle_t *)&feed->retry, on_closed);
}
