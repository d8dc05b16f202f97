#include "supervisor/service/service_policy.h"
#include "tests/unit/check.h"

#define MS_PER_S 1000ULL

/* The whole table once more, as a reader of the contract would draw it: next state, or -1 for "this
 * means nothing here". */
/* clang-format off */
static const int expected[SERVICE_STATE_COUNT][SERVICE_EVENT_COUNT] = {
#define NO -1
    /*                        START_EARLY          START                READY            EXITED           FOR_GOOD         SPAWN_FAILED    TOO_LONG        UNHEALTHY       RECYCLE            GRACE_OVER         PAUSE_OVER          STABLE           STOP */
    [SERVICE_IDLE]        = { SERVICE_EARLY_START, SERVICE_FIRST_START, NO,              NO,              NO,              NO,             NO,             NO,             NO,                NO,                NO,                 NO,              SERVICE_STOPPED },
    [SERVICE_EARLY_START] = { NO,                  SERVICE_FIRST_START, SERVICE_RUNNING, SERVICE_IDLE,    SERVICE_FAILED,  SERVICE_IDLE,   NO,             NO,             NO,                NO,                NO,                 NO,              SERVICE_STOPPING },
    [SERVICE_FIRST_START] = { NO,                  NO,                  SERVICE_RUNNING, SERVICE_FAILED,  SERVICE_FAILED,  SERVICE_FAILED, SERVICE_FAILED, NO,             NO,                NO,                NO,                 NO,              SERVICE_STOPPING },
    [SERVICE_RUNNING]     = { NO,                  NO,                  NO,              SERVICE_PAUSED,  SERVICE_FAILED,  NO,             NO,             SERVICE_ENDING, SERVICE_RECYCLING, NO,                NO,                 SERVICE_RUNNING, SERVICE_STOPPING },
    [SERVICE_PAUSED]      = { NO,                  NO,                  NO,              NO,              NO,              NO,             NO,             NO,             NO,                NO,                SERVICE_RESTARTING, NO,              SERVICE_STOPPED },
    [SERVICE_RESTARTING]  = { NO,                  NO,                  SERVICE_RUNNING, SERVICE_PAUSED,  SERVICE_FAILED,  SERVICE_PAUSED, SERVICE_ENDING, NO,             NO,                NO,                NO,                 NO,              SERVICE_STOPPING },
    [SERVICE_ENDING]      = { NO,                  NO,                  NO,              SERVICE_PAUSED,  SERVICE_FAILED,  NO,             NO,             NO,             NO,                SERVICE_ENDING,    NO,                 NO,              SERVICE_STOPPING },
    [SERVICE_RECYCLING]   = { NO,                  NO,                  NO,              SERVICE_PAUSED,  SERVICE_FAILED,  NO,             NO,             NO,             NO,                SERVICE_RECYCLING, NO,                 NO,              SERVICE_STOPPING },
    [SERVICE_STOPPING]    = { NO,                  NO,                  NO,              SERVICE_STOPPED, SERVICE_STOPPED, NO,             NO,             NO,             NO,                SERVICE_STOPPING,  NO,                 NO,              NO },
    [SERVICE_STOPPED]     = { NO,                  NO,                  NO,              NO,              NO,              NO,             NO,             NO,             NO,                NO,                NO,                 NO,              NO },
    [SERVICE_FAILED]      = { NO,                  NO,                  NO,              NO,              NO,              NO,             NO,             NO,             NO,                NO,                NO,                 NO,              SERVICE_STOPPED },
#undef NO
};
/* clang-format on */

static void check_every_cell(void)
{
    for (int state = 0; state < SERVICE_STATE_COUNT; state++) {
        for (int event = 0; event < SERVICE_EVENT_COUNT; event++) {
            struct service_policy policy = {.state = (enum service_state)state};
            unsigned actions = service_policy_step(&policy, (enum service_event)event);
            int wanted = expected[state][event];

            CHECK_INT(policy.state, wanted < 0 ? state : wanted);
            CHECK((actions == 0) == (wanted < 0));
        }
    }
}

static struct service_policy running(unsigned deaths)
{
    return (struct service_policy){.state = SERVICE_RUNNING, .deaths = deaths};
}

/* Dies and comes back once. */
static unsigned die(struct service_policy *policy)
{
    unsigned actions = service_policy_step(policy, SERVICE_EVENT_EXITED);

    service_policy_step(policy, SERVICE_EVENT_PAUSE_OVER);
    service_policy_step(policy, SERVICE_EVENT_READY);
    return actions;
}

static void test_table(void)
{
    TEST("every event in every state leads where the contract says, and nowhere else") {
        check_every_cell();
    }
    TEST("the first start that fails is fatal, a failed restart is one more death") {
        struct service_policy first = {.state = SERVICE_FIRST_START};
        struct service_policy later = {.state = SERVICE_RESTARTING, .deaths = 1};

        CHECK(service_policy_step(&first, SERVICE_EVENT_EXITED) & SERVICE_TELL_FAILED);
        CHECK(service_policy_step(&later, SERVICE_EVENT_SPAWN_FAILED) & SERVICE_PAUSE);
        CHECK_INT(later.deaths, 2);
    }
    TEST("an exit that no restart repairs is fatal at once, however often it died before") {
        struct service_policy policy = running(0);
        unsigned actions = service_policy_step(&policy, SERVICE_EVENT_EXITED_FOR_GOOD);

        CHECK(actions & SERVICE_TELL_FAILED);
        CHECK(!(actions & (SERVICE_PAUSE | SERVICE_SPAWN)));
    }
    TEST("a start before it is needed may fail, has no limit, and is tried again when it is "
         "needed") {
        struct service_policy policy = {.state = SERVICE_IDLE};

        CHECK(!(service_policy_step(&policy, SERVICE_EVENT_START_EARLY) & SERVICE_LIMIT_START));
        CHECK_INT(service_policy_step(&policy, SERVICE_EVENT_EXITED), SERVICE_NOTE_FAILURE);
        CHECK_INT(policy.deaths, 0);
        CHECK_INT(service_policy_step(&policy, SERVICE_EVENT_START),
                  SERVICE_LIMIT_START | SERVICE_SPAWN);
        CHECK(service_policy_step(&policy, SERVICE_EVENT_EXITED) & SERVICE_TELL_FAILED);
    }
    TEST("an early start that is needed now gets its limit, and is not started a second time") {
        struct service_policy policy = {.state = SERVICE_EARLY_START};

        CHECK_INT(service_policy_step(&policy, SERVICE_EVENT_START), SERVICE_LIMIT_START);
        CHECK(service_policy_step(&policy, SERVICE_EVENT_START_TOO_LONG) & SERVICE_TELL_FAILED);
    }
    TEST("a first start that takes too long leaves no process behind") {
        struct service_policy policy = {.state = SERVICE_FIRST_START};

        CHECK(service_policy_step(&policy, SERVICE_EVENT_START_TOO_LONG) & SERVICE_KILL);
    }
}

static void test_deaths(void)
{
    TEST("five deaths are repaired, the sixth gives up and starts nothing") {
        struct service_policy policy = running(0);
        unsigned actions;

        for (int i = 0; i < SERVICE_DEATHS_MAX; i++)
            CHECK(die(&policy) & SERVICE_PAUSE);
        CHECK_INT(policy.state, SERVICE_RUNNING);
        actions = service_policy_step(&policy, SERVICE_EVENT_EXITED);
        CHECK_INT(policy.state, SERVICE_FAILED);
        CHECK(actions & SERVICE_TELL_FAILED);
        CHECK(!(actions & (SERVICE_PAUSE | SERVICE_SPAWN)));
    }
    TEST("an unhealthy one that dies of its SIGTERM counts as a death, too") {
        struct service_policy policy = running(SERVICE_DEATHS_MAX);

        CHECK(service_policy_step(&policy, SERVICE_EVENT_UNHEALTHY) & SERVICE_TERMINATE);
        CHECK(service_policy_step(&policy, SERVICE_EVENT_GRACE_OVER) & SERVICE_KILL);
        CHECK(service_policy_step(&policy, SERVICE_EVENT_EXITED) & SERVICE_TELL_FAILED);
    }
    TEST("a recycled one is no death, and its successor starts at once") {
        struct service_policy policy = running(0);

        CHECK(service_policy_step(&policy, SERVICE_EVENT_RECYCLE) & SERVICE_TERMINATE);
        CHECK(!(service_policy_step(&policy, SERVICE_EVENT_EXITED) & SERVICE_COUNT_DEATH));
        CHECK_INT(policy.deaths, 0);
        CHECK_INT(service_policy_pause_ms(&policy, 0), 0);
    }
    TEST("a stable minute forgives all deaths") {
        struct service_policy policy = running(SERVICE_DEATHS_MAX);

        service_policy_step(&policy, SERVICE_EVENT_STABLE);
        CHECK_INT(policy.deaths, 0);
        CHECK(die(&policy) & SERVICE_PAUSE);
    }
    TEST("a stop during a pause starts nothing any more") {
        struct service_policy policy = {.state = SERVICE_PAUSED, .deaths = 2};

        CHECK(service_policy_step(&policy, SERVICE_EVENT_STOP) & SERVICE_TELL_STOPPED);
        CHECK_INT(service_policy_step(&policy, SERVICE_EVENT_PAUSE_OVER), 0);
    }
    TEST("pauses are 0, 2, 4, 8 and 16 s, a tenth more or less") {
        static const unsigned seconds[] = {0, 2, 4, 8, 16};

        for (unsigned i = 0; i < SERVICE_DEATHS_MAX; i++) {
            struct service_policy policy = running(i + 1);
            uint64_t least = service_policy_pause_ms(&policy, 0);
            uint64_t spread = seconds[i] * MS_PER_S / 10;

            CHECK_INT(least, seconds[i] * MS_PER_S - spread);
            for (uint32_t random = 1; random < 100000; random += 7919)
                CHECK(service_policy_pause_ms(&policy, random) <= seconds[i] * MS_PER_S + spread);
        }
    }
}

int main(void)
{
    test_table();
    test_deaths();
    return check_done();
}
