#include "git/progress.h"

#include "tests/unit/check.h"

static bool passes(struct progress_throttle *throttle, enum git_phase phase, uint64_t done,
                   uint64_t now_ms)
{
    struct git_progress progress = {.phase = phase, .done = done, .total = 10};

    return progress_passes(throttle, &progress, now_ms);
}

int main(void)
{
    TEST("the first report of a phase passes, the next ones only after the interval") {
        struct progress_throttle throttle = {0};

        CHECK(passes(&throttle, GIT_PHASE_RECEIVING, 1, 1000));
        CHECK(!passes(&throttle, GIT_PHASE_RECEIVING, 2, 1000 + PROGRESS_INTERVAL_MS - 1));
        CHECK(passes(&throttle, GIT_PHASE_RECEIVING, 3, 1000 + PROGRESS_INTERVAL_MS));
        CHECK(passes(&throttle, GIT_PHASE_CHECKOUT, 1, 1000 + PROGRESS_INTERVAL_MS));
    }
    TEST("the end of a phase passes at once, and only once") {
        struct progress_throttle throttle = {0};

        CHECK(passes(&throttle, GIT_PHASE_RECEIVING, 1, 1000));
        CHECK(passes(&throttle, GIT_PHASE_RECEIVING, 10, 1001));
        CHECK(!passes(&throttle, GIT_PHASE_RECEIVING, 10, 1000 + 2 * PROGRESS_INTERVAL_MS));
    }
    TEST("percents stay within 0 and 100") {
        struct git_progress progress = {.done = 5};

        CHECK_INT(progress_percent(&progress), 0);
        progress.total = 10;
        CHECK_INT(progress_percent(&progress), 50);
        progress.done = 11;
        CHECK_INT(progress_percent(&progress), 100);
    }
    TEST("every phase has a name") {
        for (int phase = 0; phase < GIT_PHASE_COUNT; phase++)
            CHECK(git_phase_name(phase) && *git_phase_name(phase));
    }
    return check_done();
}
