/* When OpenCode's stream rests for a control plane that is behind, and for how long. */
#include "bridge/control_plane/back_pressure.h"
#include "tests/unit/check.h"

#define EVENTS_MAX 100 /* the outbox's; the stream rests above 50 */
#define BYTES_MAX 10000
#define PATIENCE_MS 5000

static struct back_pressure pressure;

static void fresh(void)
{
    back_pressure_init(&pressure, EVENTS_MAX, BYTES_MAX, PATIENCE_MS);
}

/* So much waits now; returns whether the stream rests. */
static bool rests(size_t events, size_t bytes, bool is_connected, uint64_t now_ms)
{
    const struct outbox_counts counts = {.waiting_events = events, .waiting_bytes = bytes};
    bool was_on = pressure.is_on;

    CHECK(back_pressure_update(&pressure, &counts, is_connected, now_ms) ==
          (was_on != pressure.is_on));
    return pressure.is_on;
}

static void test_marks(void)
{
    TEST("it rests above half of what the outbox takes, until a quarter of that is left") {
        fresh();
        CHECK(!rests(50, 5000, true, 10));
        CHECK(rests(51, 10, true, 10));
        CHECK(rests(13, 10, true, 11));
        CHECK(!rests(12, 1250, true, 12));
        CHECK(!rests(50, 10, true, 13));
        CHECK(rests(1, 5001, true, 14));
        CHECK(rests(1, 1251, true, 15));
        CHECK(!rests(1, 1250, true, 16));
    }
    TEST("an outbox of the usual size holds less than the memory that a burst may cost") {
        back_pressure_init(&pressure, 10000, (size_t)16 * 1024 * 1024, PATIENCE_MS);
        CHECK(rests(2001, 10, true, 10));
        CHECK(!rests(0, 0, true, 10));
        CHECK(rests(10, 1024 * 1024 + 1, true, 10));
    }
    TEST("without a connection it never rests, and a rest ends with it") {
        fresh();
        CHECK(!rests(100, 10000, false, 10));
        CHECK(rests(100, 10000, true, 11));
        CHECK(!rests(100, 10000, false, 12));
    }
    TEST("no patience, no rest") {
        back_pressure_init(&pressure, EVENTS_MAX, BYTES_MAX, 0);
        CHECK(!rests(100, 10000, true, 10));
    }
}

static void test_patience(void)
{
    TEST("a reader that takes nothing has the patience once, until the backlog is gone") {
        fresh();
        CHECK(rests(51, 10, true, 1000));
        CHECK_INT(back_pressure_left_ms(&pressure), PATIENCE_MS);
        CHECK(rests(51, 10, true, 1000 + PATIENCE_MS - 1));
        CHECK(!rests(51, 10, true, 1000 + PATIENCE_MS));
        CHECK_INT(back_pressure_left_ms(&pressure), 0);
        CHECK(!rests(100, 10000, true, 90000));
        CHECK(!rests(13, 10, true, 100000));
        CHECK(!rests(100, 10, true, 200000));
        CHECK(!rests(12, 10, true, 300000));
        CHECK_INT(back_pressure_left_ms(&pressure), PATIENCE_MS);
        CHECK(rests(51, 10, true, 300001));
    }
    TEST("one that catches up again and again has it each time") {
        fresh();
        for (uint64_t now = 0; now < 20 * (uint64_t)PATIENCE_MS; now += PATIENCE_MS) {
            CHECK(rests(51, 10, true, now));
            CHECK(rests(30, 10, true, now + PATIENCE_MS / 2));
            CHECK(!rests(12, 10, true, now + PATIENCE_MS - 1));
        }
    }
    TEST("a new connection does not renew it, and the time without one does not use it up") {
        fresh();
        CHECK(rests(51, 10, true, 1000));
        CHECK(!rests(51, 10, false, 3000));
        CHECK(rests(51, 10, true, 60000));
        CHECK_INT(back_pressure_left_ms(&pressure), PATIENCE_MS - 2000);
        CHECK(!rests(51, 10, true, 60000 + PATIENCE_MS - 2000));
        CHECK(!rests(51, 10, false, 70000));
        CHECK(!rests(51, 10, true, 80000));
    }
}

int main(void)
{
    test_marks();
    test_patience();
    return check_done();
}
