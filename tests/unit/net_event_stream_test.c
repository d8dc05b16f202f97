#include "net/event_stream.h"

#include "common/clock.h"
#include "tests/unit/check.h"
#include "tests/unit/net_fixture.h"

struct seen {
    struct event_stream *stream;
    bool is_open;
    bool has_ended;
    bool has_event;
    int opens;
    int ends;
    int events;
    bool in_order; /* event n holds {"n":n} */
    char last[64];
    size_t longest;
    int status;
    struct err err;
    int pause_at;
    int free_at;
};

static struct fixture fixture;

static void on_open(void *user)
{
    struct seen *seen = user;

    seen->opens++;
    seen->is_open = true;
}

static void on_event(void *user, char *data, size_t len)
{
    struct seen *seen = user;
    char wanted[32];

    snprintf(wanted, sizeof(wanted), "{\"n\":%d}", seen->events);
    seen->in_order &= strcmp(data, wanted) == 0;
    snprintf(seen->last, sizeof(seen->last), "%.60s", data);
    seen->longest = len > seen->longest ? len : seen->longest;
    seen->has_event = true;
    seen->events++;
    if (seen->events == seen->pause_at)
        event_stream_pause(seen->stream);
    if (seen->events == seen->free_at) {
        event_stream_free(seen->stream);
        seen->stream = NULL;
    }
}

static void on_end(void *user, int status, const struct err *err)
{
    struct seen *seen = user;

    seen->ends++;
    seen->has_ended = true;
    seen->status = status;
    seen->err = *err;
}

static const struct event_stream_handlers handlers = {
    .on_open = on_open,
    .on_event = on_event,
    .on_end = on_end,
};

static void open_with(struct seen *seen, const struct event_stream_options *options)
{
    struct err err = {0};

    *seen = (struct seen){.in_order = true};
    seen->stream = event_stream_open(fixture.context, options, &handlers, seen, &err);
    if (!seen->stream)
        printf("  not opened: %s\n", err.text);
}

static void open_path(struct seen *seen, const char *path)
{
    open_with(seen, &(struct event_stream_options){
                        .url = fixture_url(&fixture, "http", "127.0.0.1", "http", path)});
}

static void see_end(struct seen *seen, const char *path)
{
    open_path(seen, path);
    CHECK(fixture_wait(&fixture, &seen->has_ended));
    CHECK_INT(seen->ends, 1);
}

static void test_events(struct seen *seen)
{
    TEST("events are put together from single bytes, and the end of the stream is told") {
        see_end(seen, "/events/dribble");
        CHECK_INT(seen->opens, 1);
        CHECK_INT(seen->events, 2);
        CHECK_STR(seen->last, "{\"n\":\n2}");
        CHECK_INT(seen->status, 0);
        CHECK(strstr(seen->err.text, "the event stream ended") != NULL);
        event_stream_free(seen->stream);
    }
    TEST("20,000 events in a burst all come, in order") {
        see_end(seen, "/events/many");
        CHECK_INT(seen->events, 20000);
        CHECK(seen->in_order);
        event_stream_free(seen->stream);
    }
    TEST("a paused stream sleeps, and goes on where it stopped") {
        open_path(seen, "/events/many");
        seen->pause_at = 100;
        while (seen->events < 100 && fixture_wait(&fixture, &seen->has_event))
            seen->has_event = false;
        fixture_run_for(&fixture, 100);
        CHECK(seen->events < 2000);
        CHECK(fixture_run_for(&fixture, 100) < 10);
        event_stream_resume(seen->stream);
        CHECK(fixture_wait(&fixture, &seen->has_ended));
        CHECK_INT(seen->events, 20000);
        CHECK(seen->in_order);
        event_stream_free(seen->stream);
    }
    TEST("an event of megabytes is whole; one over the limit is skipped and counted, the next "
         "comes") {
        open_path(seen, "/events/big");
        CHECK(fixture_wait(&fixture, &seen->has_event));
        CHECK_INT(seen->longest, 4000000);
        event_stream_free(seen->stream);
        open_with(seen,
                  &(struct event_stream_options){
                      .url = fixture_url(&fixture, "http", "127.0.0.1", "http", "/events/big"),
                      .max_event = 100000});
        CHECK(fixture_wait(&fixture, &seen->has_event));
        CHECK_INT(seen->longest, 2000);
        CHECK_INT(event_stream_skipped(seen->stream), 1);
        event_stream_free(seen->stream);
    }
    TEST("a stream may be freed within an event: nothing comes after that") {
        open_path(seen, "/events/many");
        seen->free_at = 10;
        while (seen->events < 10 && fixture_wait(&fixture, &seen->has_event))
            seen->has_event = false;
        fixture_run_for(&fixture, 50);
        CHECK_INT(seen->events, 10);
        CHECK_INT(seen->ends, 0);
    }
}

static void test_failures(struct seen *seen)
{
    TEST("half an event at a broken end is dropped") {
        see_end(seen, "/events/cut");
        CHECK_INT(seen->events, 1);
        CHECK_STR(seen->last, "{\"n\":1}");
        event_stream_free(seen->stream);
    }
    TEST("another status than 200 ends it, with the status") {
        see_end(seen, "/status/503");
        CHECK_INT(seen->opens, 0);
        CHECK_INT(seen->status, 503);
        event_stream_free(seen->stream);
    }
    TEST("a silent stream stays open, and says when its last byte came") {
        uint64_t now = clock_monotonic_ms();

        open_path(seen, "/events/silent");
        CHECK(fixture_wait(&fixture, &seen->is_open));
        CHECK(fixture_run_for(&fixture, 300) < 10);
        CHECK_INT(seen->ends, 0);
        CHECK(event_stream_last_byte_ms(seen->stream) >= now);
        CHECK(event_stream_last_byte_ms(seen->stream) + 250 <= clock_monotonic_ms());
        event_stream_free(seen->stream);
    }
    TEST("a server that never answers ends at the limit") {
        open_with(seen, &(struct event_stream_options){
                            .url = fixture_url(&fixture, "http", "127.0.0.1", "mute", "/"),
                            .connect_limit_ms = 100});
        CHECK(fixture_wait(&fixture, &seen->has_ended));
        CHECK_INT(seen->err.class, ERR_TIMEOUT);
        CHECK_INT(seen->status, 0);
        event_stream_free(seen->stream);
    }
    TEST("nobody listening is told at once") {
        open_with(seen, &(struct event_stream_options){
                            .url = fixture_url(&fixture, "http", "localhost", "refused", "/")});
        CHECK(fixture_wait(&fixture, &seen->has_ended));
        CHECK(strstr(seen->err.text, "Connection refused") != NULL);
        event_stream_free(seen->stream);
    }
}

int main(void)
{
    static struct seen seen;

    fixture_init(&fixture);
    test_events(&seen);
    test_failures(&seen);
    TEST("nothing is left on the loop at the end") {
        CHECK(fixture_end(&fixture));
    }
    return check_done();
}
