/*
 * A WebSocket link against the scripted servers, and all that happened to it: shared by the tests
 * of the link.
 */
#ifndef TESTS_UNIT_NET_LINK_SEEN_H
#define TESTS_UNIT_NET_LINK_SEEN_H

#include "net/ws_link.h"

#include "common/clock.h"
#include "tests/unit/check.h"
#include "tests/unit/net_fixture.h"

#define SECRET "Bearer very-secret-token"

struct seen {
    struct ws_link *link;
    bool is_open;
    bool has_ended;
    int opens;
    int ends;
    int messages;
    bool has_message;
    char texts[4][64]; /* the beginnings of the first messages */
    char text[400000]; /* the last message */
    size_t len;
    struct ws_end end;
    int to_send; /* messages still to be given */
    int sent;
    int message_size;
    bool frees_in_message;
    unsigned closes_when_drained; /* the code, or 0 */
    uint64_t started_ms;
    uint64_t took_ms;
};

static struct fixture fixture;

static void on_open(void *user)
{
    struct seen *seen = user;

    seen->opens++;
    seen->is_open = true;
}

static void on_message(void *user, char *data, size_t len)
{
    struct seen *seen = user;

    if (seen->messages < 4)
        snprintf(seen->texts[seen->messages], sizeof(seen->texts[0]), "%s", data);
    seen->messages++;
    seen->has_message = true;
    seen->len = len;
    if (len < sizeof(seen->text))
        memcpy(seen->text, data, len + 1);
    if (seen->frees_in_message) {
        ws_link_free(seen->link);
        seen->link = NULL;
    }
}

static bool on_writable(void *user, struct buf *out)
{
    struct seen *seen = user;

    if (seen->to_send == 0) {
        if (seen->closes_when_drained)
            ws_link_close(seen->link, seen->closes_when_drained, "drained");
        return false;
    }
    seen->to_send--;
    buf_printf(out, "%d %0*d%s", seen->sent++, seen->message_size, 0,
               seen->to_send == 0 ? " last" : "");
    return true;
}

static void on_end(void *user, const struct ws_end *end)
{
    struct seen *seen = user;

    seen->ends++;
    seen->has_ended = true;
    seen->end = *end;
    seen->took_ms = clock_monotonic_ms() - seen->started_ms;
}

static const struct ws_link_handlers handlers = {
    .on_open = on_open,
    .on_message = on_message,
    .on_writable = on_writable,
    .on_end = on_end,
};

static const struct net_header headers[] = {
    {"Authorization", SECRET},
    {"X-Sandbox-ID", "sandbox-1"},
};

static void open_with(struct seen *seen, const struct ws_link_options *options)
{
    struct err err = {0};

    memset(seen, 0, sizeof(*seen));
    seen->started_ms = clock_monotonic_ms();
    seen->link = ws_link_open(fixture.context, options, &handlers, seen, &err);
    if (!seen->link)
        printf("  not opened: %s\n", err.text);
}

static void open_url(struct seen *seen, const char *url)
{
    open_with(seen, &(struct ws_link_options){.url = url, .headers = headers, .header_count = 2});
}

/* Opens, waits for the end and checks that it came once, without our secret in it. */
static void see_end(struct seen *seen, const char *url)
{
    open_url(seen, url);
    CHECK(fixture_wait(&fixture, &seen->has_ended));
    CHECK_INT(seen->ends, 1);
    CHECK(strstr(seen->end.err.text, "secret") == NULL);
    ws_link_free(seen->link);
}

static inline const char *ws(const char *path)
{
    return fixture_url(&fixture, "ws", "127.0.0.1", "ws", path);
}

#endif
