/* When the bridge connects again, and when it gives up. */
#include "bridge/control_plane/connection_policy.h"
#include "tests/unit/check.h"

#define NO_JITTER 0x80000000u /* the middle of the range */
#define START_MS 1000u
#define STABLE_MS 10000u
#define RETRY_404_MS 30000u

static struct connection_policy fresh(void)
{
    struct connection_policy policy;

    connection_policy_init(&policy,
                           &(struct connection_policy_limits){.first_wait_ms = 2000,
                                                              .longest_wait_ms = 60000,
                                                              .stable_ms = STABLE_MS,
                                                              .first_404_retry_ms = RETRY_404_MS},
                           START_MS);
    return policy;
}

static struct connection_decision closed(struct connection_policy *policy, unsigned code,
                                         uint64_t lasted_ms)
{
    connection_policy_on_open(policy, START_MS);
    return connection_policy_on_closed(policy, code, START_MS + lasted_ms, NO_JITTER);
}

static void test_refusals(void)
{
    TEST("401, 403 and 410 end the sandbox, also before the first connection") {
        for (size_t i = 0; i < 3; i++) {
            struct connection_policy policy = fresh();

            CHECK(connection_policy_on_refused(&policy, (int[]){401, 403, 410}[i], START_MS,
                                               NO_JITTER)
                      .ends);
        }
    }
    TEST("every other status is tried again, for ever") {
        struct connection_policy policy = fresh();

        for (int i = 0; i < 1000; i++)
            CHECK(!connection_policy_on_refused(&policy, (int[]){500, 503, 429, 400, 302}[i % 5],
                                                START_MS + (uint64_t)i * 60000, NO_JITTER)
                       .ends);
    }
    TEST(
        "a 404 before the first connection is tried again for its time, the last time at its end") {
        struct connection_policy policy = fresh();
        struct connection_decision decision;

        decision = connection_policy_on_refused(&policy, 404, START_MS, NO_JITTER);
        CHECK(!decision.ends);
        CHECK_INT(decision.wait_ms, 2000);
        decision =
            connection_policy_on_refused(&policy, 404, START_MS + RETRY_404_MS - 100, NO_JITTER);
        CHECK(!decision.ends);
        CHECK_INT(decision.wait_ms, 100);
        CHECK(connection_policy_on_refused(&policy, 404, START_MS + RETRY_404_MS, NO_JITTER).ends);
    }
    TEST("a 404 after a connection ends the sandbox at once") {
        struct connection_policy policy = fresh();

        closed(&policy, 1000, 10);
        CHECK(connection_policy_on_refused(&policy, 404, START_MS + 20, NO_JITTER).ends);
    }
}

static void test_waits(void)
{
    TEST("waits double from 2 s to 60 s") {
        static const uint64_t expected[] = {2000, 4000, 8000, 16000, 32000, 60000, 60000};
        struct connection_policy policy = fresh();

        for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++) {
            struct connection_decision decision = connection_policy_on_failed(&policy, NO_JITTER);

            /* 60 s is the most, jitter included */
            CHECK_INT(decision.wait_ms, expected[i]);
            CHECK_INT(decision.attempt, i + 1);
        }
    }
    TEST("jitter stays within a fifth") {
        for (int i = 0; i < 2; i++) {
            struct connection_policy policy = fresh();
            uint64_t wait_ms =
                connection_policy_on_failed(&policy, (uint32_t[]){0, UINT32_MAX}[i]).wait_ms;

            CHECK_INT(wait_ms, i == 0 ? 1600 : 2400);
        }
    }
}

static void test_waits_that_begin_anew(void)
{
    TEST("an orderly close begins anew: the next wait is 2 s") {
        for (size_t i = 0; i < 3; i++) {
            struct connection_policy policy = fresh();

            connection_policy_on_failed(&policy, NO_JITTER);
            connection_policy_on_failed(&policy, NO_JITTER);
            CHECK_INT(closed(&policy, (unsigned[]){1000, 1001, 1005}[i], 1).wait_ms, 2000);
        }
    }
    TEST("an abnormal end of a short connection does not begin anew") {
        struct connection_policy policy = fresh();

        connection_policy_on_failed(&policy, NO_JITTER);
        CHECK_INT(closed(&policy, 1011, STABLE_MS - 1).wait_ms, 4000);
        CHECK_INT(closed(&policy, 0, 0).wait_ms, 8000);
    }
    TEST("an abnormal end of a connection that lasted begins anew (D-19)") {
        struct connection_policy policy = fresh();

        for (int i = 0; i < 6; i++)
            connection_policy_on_failed(&policy, NO_JITTER);
        CHECK_INT(closed(&policy, 0, STABLE_MS).wait_ms, 2000);
    }
    TEST("an abnormal end of a connection that brought an ack begins anew (D-19)") {
        struct connection_policy policy = fresh();

        for (int i = 0; i < 6; i++)
            connection_policy_on_failed(&policy, NO_JITTER);
        connection_policy_on_open(&policy, START_MS);
        connection_policy_on_ack(&policy);
        CHECK_INT(connection_policy_on_closed(&policy, 1006, START_MS + 1, NO_JITTER).wait_ms,
                  2000);
    }
    TEST("an ack of the connection before proves nothing") {
        struct connection_policy policy = fresh();

        connection_policy_on_open(&policy, START_MS);
        connection_policy_on_ack(&policy);
        connection_policy_on_closed(&policy, 1006, START_MS + 1, NO_JITTER);
        CHECK_INT(closed(&policy, 1006, 1).wait_ms, 4000);
    }
}

static void test_counters(void)
{
    TEST("connections, reconnects and attempts are counted as the log lines say them") {
        struct connection_policy policy = fresh();

        CHECK_INT(connection_policy_reconnects(&policy), 0);
        closed(&policy, 1000, 1500);
        CHECK_INT(policy.connection_count, 1);
        CHECK_INT(connection_policy_reconnects(&policy), 0);
        connection_policy_on_failed(&policy, NO_JITTER);
        closed(&policy, 1000, 500);
        CHECK_INT(policy.connection_count, 2);
        CHECK_INT(connection_policy_reconnects(&policy), 1);
        CHECK_INT(policy.reconnect_attempts, 3);
        CHECK_INT(policy.connected_total_ms, 2000);
    }
}

int main(void)
{
    test_refusals();
    test_waits();
    test_waits_that_begin_anew();
    test_counters();
    return check_done();
}
