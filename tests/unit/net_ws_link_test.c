#include "tests/unit/net_link_seen.h"

static void test_messages(struct seen *seen)
{
    TEST("a link opens, carries the headers, and closes with the code it was given") {
        open_url(seen, ws("/headers?type=sandbox"));
        CHECK(fixture_wait(&fixture, &seen->has_message));
        CHECK_INT(seen->opens, 1);
        CHECK(strstr(seen->text, "\"authorization\":\"" SECRET "\"") != NULL);
        CHECK(strstr(seen->text, "\"sandbox\":\"sandbox-1\"") != NULL);
        CHECK(strstr(seen->text, "\"query\":\"?type=sandbox\"") != NULL);
        CHECK(strstr(seen->text, fixture_place(&fixture, "ws")) != NULL);
        ws_link_close(seen->link, 1000, "bye");
        CHECK(fixture_wait(&fixture, &seen->has_ended));
        CHECK_INT(seen->end.kind, WS_END_CLOSED);
        CHECK_INT(seen->end.close_code, 1000);
        CHECK(!seen->end.by_peer);
        CHECK(seen->took_ms < 1000);
        ws_link_free(seen->link);
    }
    TEST("messages go out in order, one callback each, and nothing is asked for while there is "
         "none") {
        open_url(seen, ws("/echo"));
        CHECK(fixture_wait(&fixture, &seen->is_open));
        CHECK(fixture_run_for(&fixture, 100) < 20);
        CHECK_INT(seen->messages, 0);
        seen->to_send = 100;
        ws_link_wake(seen->link);
        while (seen->messages < 100) {
            seen->has_message = false;
            if (!fixture_wait(&fixture, &seen->has_message))
                break;
        }
        CHECK_STR(seen->text, "99 0 last");
        ws_link_free(seen->link);
        CHECK_INT(seen->ends, 0);
    }
    TEST("fragments are joined, also around a ping; binary and empty messages come as others") {
        open_url(seen, ws("/fragments"));
        while (seen->messages < 4) {
            seen->has_message = false;
            if (!fixture_wait(&fixture, &seen->has_message))
                break;
        }
        CHECK_STR(seen->texts[0], "one two three");
        CHECK_STR(seen->texts[1], "{\"binary\":true}");
        CHECK_STR(seen->texts[2], "");
        CHECK_INT(seen->len, 300000);
        ws_link_free(seen->link);
    }
}

static void test_limits(struct seen *seen)
{
    TEST("a message over the limit closes with 1009") {
        see_end(seen, ws("/big"));
        CHECK_INT(seen->end.kind, WS_END_CLOSED);
        CHECK_INT(seen->end.close_code, 1009);
        CHECK_INT(seen->messages, 0);
    }
    TEST("a peer that stops reading stalls the pull, and gets all in order when it goes on") {
        open_url(seen, ws("/stop-reading"));
        seen->to_send = 3000;
        seen->message_size = 10000;
        CHECK(fixture_wait(&fixture, &seen->is_open));
        fixture_run_for(&fixture, 100);
        CHECK(seen->to_send > 100);
        CHECK(fixture_run_for(&fixture, 50) < 10);
        CHECK(fixture_wait(&fixture, &seen->has_message));
        CHECK_STR(seen->text, "3000 true");
        ws_link_free(seen->link);
    }
    TEST("a link may be freed in its own callback") {
        open_url(seen, ws("/fragments"));
        seen->frees_in_message = true;
        CHECK(fixture_wait(&fixture, &seen->has_message));
        fixture_run_for(&fixture, 50);
        CHECK_INT(seen->messages, 1);
        CHECK_INT(seen->ends, 0);
    }
}

static void test_ends(struct seen *seen)
{
    TEST("the peer's close code and reason are told") {
        see_end(seen, ws("/close"));
        CHECK_INT(seen->end.kind, WS_END_CLOSED);
        CHECK_INT(seen->end.close_code, 4001);
        CHECK_STR(seen->end.reason, "because");
        CHECK(seen->end.by_peer);
    }
    TEST("a close without a code is 1005") {
        see_end(seen, ws("/close-empty"));
        CHECK_INT(seen->end.kind, WS_END_CLOSED);
        CHECK_INT(seen->end.close_code, 1005);
    }
    TEST("TCP is closed by us when the peer leaves it open after its close") {
        see_end(seen, ws("/close-hang"));
        CHECK_INT(seen->end.close_code, 1000);
        CHECK_STR(seen->end.reason, "New sandbox connecting");
        CHECK(seen->took_ms < WS_LINK_CLOSE_LIMIT_MS + 500);
    }
    TEST("a peer that never answers our close is left after the limit") {
        open_with(seen,
                  &(struct ws_link_options){.url = ws("/ignore-close"), .close_limit_ms = 200});
        CHECK(fixture_wait(&fixture, &seen->is_open));
        ws_link_close(seen->link, 1001, "");
        CHECK(fixture_wait(&fixture, &seen->has_ended));
        CHECK_INT(seen->end.kind, WS_END_CLOSED);
        CHECK_INT(seen->end.close_code, 1001);
        CHECK(seen->took_ms >= 190 && seen->took_ms < 1000);
        ws_link_free(seen->link);
    }
}

static void test_losses(struct seen *seen)
{
    TEST("a broken connection is a loss") {
        see_end(seen, ws("/drop"));
        CHECK_INT(seen->opens, 1);
        CHECK_INT(seen->end.kind, WS_END_LOST);
    }
    TEST("bytes that are no frames are a loss") {
        see_end(seen, ws("/garbage"));
        CHECK_INT(seen->end.kind, WS_END_LOST);
    }
    TEST("a peer that answers no ping is given up") {
        open_with(seen, &(struct ws_link_options){
                            .url = ws("/no-pong"), .ping_after_s = 1, .hangup_after_s = 2});
        CHECK(fixture_wait(&fixture, &seen->has_ended));
        CHECK_INT(seen->end.kind, WS_END_LOST);
        CHECK(seen->took_ms >= 1900 && seen->took_ms < 4000);
        ws_link_free(seen->link);
    }
    TEST("a peer that answers pings is kept") {
        open_with(seen, &(struct ws_link_options){
                            .url = ws("/echo"), .ping_after_s = 1, .hangup_after_s = 2});
        CHECK(fixture_wait(&fixture, &seen->is_open));
        fixture_run_for(&fixture, 3500);
        CHECK_INT(seen->ends, 0);
        ws_link_free(seen->link);
    }
    TEST("the close may be asked for when the last message was taken: the peer sees both") {
        open_url(seen, ws("/echo"));
        seen->to_send = 1;
        seen->closes_when_drained = 1001;
        CHECK(fixture_wait(&fixture, &seen->has_ended));
        CHECK_INT(seen->end.kind, WS_END_CLOSED);
        CHECK_INT(seen->end.close_code, 1001);
        ws_link_free(seen->link);
        open_url(seen, ws("/last-close"));
        CHECK(fixture_wait(&fixture, &seen->has_message));
        CHECK_STR(seen->text, "1001 drained");
        ws_link_free(seen->link);
    }
    TEST("closing before it is open ends it") {
        open_url(seen, ws("/echo"));
        ws_link_close(seen->link, 1000, "");
        CHECK_INT(seen->ends, 0);
        CHECK(fixture_wait(&fixture, &seen->has_ended));
        CHECK_INT(seen->opens, 0);
        CHECK_INT(seen->end.kind, WS_END_FAILED);
        CHECK_INT(seen->end.err.class, ERR_CANCELLED);
        ws_link_free(seen->link);
    }
}

static void test_life(struct seen *seen)
{
    TEST("a context is created and destroyed 100 times, with a link in every state") {
        bool is_clean = fixture_close_context(&fixture);

        for (int i = 0; i < 100 && is_clean; i++) {
            fixture_open_context(&fixture);
            open_url(seen, i % 2 ? fixture_url(&fixture, "wss", "localhost", "tls", "/echo")
                                 : ws("/echo"));
            if (i % 4 < 2)
                fixture_wait(&fixture, &seen->is_open);
            else if (i % 4 == 2)
                fixture_run_for(&fixture, 1);
            ws_link_free(seen->link);
            is_clean = fixture_close_context(&fixture);
        }
        CHECK(is_clean);
        fixture_open_context(&fixture);
    }
}

int main(void)
{
    struct seen *seen = calloc(1, sizeof(*seen));

    fixture_init(&fixture);
    test_messages(seen);
    test_limits(seen);
    test_ends(seen);
    test_losses(seen);
    test_life(seen);
    TEST("nothing is left on the loop at the end") {
        CHECK(fixture_end(&fixture));
    }
    free(seen);
    return check_done();
}
