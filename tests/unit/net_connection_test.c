#include "common/clock.h"
#include "net/connection_private.h"
#include "tests/unit/check.h"
#include "tests/unit/net_fixture.h"

#define LIMIT_MS 2000

struct seen {
    struct connection connection;
    bool is_done;
    int answers;
    int failures;
    int limits;
    struct err err;
};

static struct fixture fixture;

static int on_lws(void *owner, enum lws_callback_reasons reason, void *in, size_t len)
{
    struct seen *seen = owner;

    (void)in;
    (void)len;
    if (reason == LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP) {
        seen->answers++;
        seen->is_done = true;
    }
    return 0;
}

static void on_failed(void *owner, const struct err *err)
{
    struct seen *seen = owner;

    seen->failures++;
    seen->err = *err;
    seen->is_done = true;
}

static void on_limit(void *owner)
{
    struct seen *seen = owner;

    seen->limits++;
    seen->is_done = true;
}

static const struct connection_handlers handlers = {on_lws, on_failed, on_limit};

/* Connects as if the host's name had these addresses. */
static void see(struct seen *seen, const char *url, const struct resolver_addresses *addresses)
{
    struct err err = {0};

    *seen = (struct seen){0};
    CHECK(connection_init(&seen->connection, fixture.context, &handlers, seen, url, NULL, 0,
                          &err) == 0);
    seen->connection.method = "GET";
    CHECK(connection_start(&seen->connection, &err) == 0);
    net_timer_stop(&seen->connection.start);
    connection_set_limit(&seen->connection, LIMIT_MS);
    connection_try_addresses(&seen->connection, addresses);
    CHECK(fixture_wait(&fixture, &seen->is_done));
    connection_free(&seen->connection);
}

int main(void)
{
    static struct seen seen;

    fixture_init(&fixture);
    TEST("a host's next address is tried when one refuses") {
        see(&seen, fixture_url(&fixture, "http", "localhost", "http", "/json"),
            &(struct resolver_addresses){3, {"127.0.0.5", "127.0.0.4", "127.0.0.1"}});
        CHECK_INT(seen.answers, 1);
        CHECK_INT(seen.failures, 0);
    }
    TEST("localhost is either loopback, and is not looked up") {
        struct resolver_addresses known;

        CHECK(resolver_knows("LocalHost", &known));
        CHECK_INT(known.count, 2);
        CHECK_STR(known.text[0], "127.0.0.1");
        CHECK_STR(known.text[1], "::1");
        CHECK(resolver_knows("::2", &known) && known.count == 1);
        CHECK(!resolver_knows("localhost.example", &known));
    }
    TEST("an address that accepts and goes silent leaves time for the others") {
        uint64_t begun = clock_monotonic_ms();

        see(&seen, fixture_url(&fixture, "https", "localhost", "tls", "/no-websocket"),
            &(struct resolver_addresses){2, {"127.0.0.3", "127.0.0.1"}});
        CHECK_INT(seen.answers, 1);
        CHECK_INT(seen.limits, 0);
        CHECK(clock_monotonic_ms() - begun >= LIMIT_MS / 2 - 100);
    }
    TEST("when none will do, why the first and best did not is told, once") {
        see(&seen, fixture_url(&fixture, "http", "localhost", "refused", "/"),
            &(struct resolver_addresses){2, {"127.0.0.4", "224.0.0.1"}});
        CHECK_INT(seen.failures, 1);
        CHECK(strstr(seen.err.text, "Connection refused") != NULL);
    }
    TEST("a connection may be dropped at any moment of its start") {
        for (uint64_t ms = 0; ms < 30; ms++) {
            struct err err = {0};

            seen = (struct seen){0};
            CHECK(connection_init(&seen.connection, fixture.context, &handlers, &seen,
                                  fixture_url(&fixture, "https", "localhost", "tls", "/never"),
                                  NULL, 0, &err) == 0);
            seen.connection.method = "GET";
            CHECK(connection_start(&seen.connection, &err) == 0);
            fixture_run_for(&fixture, ms);
            connection_free(&seen.connection);
            CHECK_INT(seen.answers + seen.failures, 0);
        }
    }
    TEST("nothing is left on the loop at the end") {
        CHECK(fixture_end(&fixture));
    }
    return check_done();
}
