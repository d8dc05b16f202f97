#include "supervisor/boot/boot_plan.h"
#include "tests/unit/check.h"

#define BIT(step) (1U << BOOT_STEP_##step)

static struct boot_plan plan_of(enum era era, enum boot_mode mode)
{
    struct boot_plan_input input = {.era = era,
                                    .mode = mode,
                                    .has_repositories = true,
                                    .tunnels_expected = true,
                                    .bridge_wanted = true,
                                    .bridge_waits_for_ready = true};

    return boot_plan_make(&input);
}

static unsigned steps_of(const struct boot_plan *plan)
{
    unsigned steps = 0;

    for (unsigned step = 0; step < BOOT_STEP_COUNT; step++)
        steps |= plan->steps[step].runs ? 1U << step : 0;
    return steps;
}

/* Walks the plan as the actor does; false when a step never becomes possible. */
static bool can_be_walked(const struct boot_plan *plan)
{
    unsigned begun = 0;

    while (!boot_plan_is_done(plan, begun)) {
        unsigned next = boot_plan_next(plan, begun, begun);

        if (next == 0)
            return false;
        begun |= next;
    }
    return boot_plan_next(plan, begun, begun) == 0;
}

static const unsigned every = BIT(MANIFEST) | BIT(STAGE) | BIT(CREDENTIALS) | BIT(SYNC) |
                              BIT(BASELINES) | BIT(SETUP) | BIT(TUNNEL) | BIT(START) | BIT(GUIDE) |
                              BIT(OPENCODE) | BIT(BRIDGE);

static void test_steps(void)
{
    TEST("each mode of the current era has the steps of table 2.2") {
        struct boot_plan fresh = plan_of(ERA_CURRENT, BOOT_FRESH);
        struct boot_plan image = plan_of(ERA_CURRENT, BOOT_REPO_IMAGE);
        struct boot_plan restore = plan_of(ERA_CURRENT, BOOT_SNAPSHOT_RESTORE);
        struct boot_plan build = plan_of(ERA_CURRENT, BOOT_BUILD);

        CHECK_INT(steps_of(&fresh), every);
        CHECK_INT(steps_of(&image), every & ~BIT(SETUP));
        CHECK_INT(steps_of(&restore), every & ~BIT(SETUP));
        CHECK_INT(steps_of(&build), BIT(MANIFEST) | BIT(CREDENTIALS) | BIT(SYNC) | BIT(BASELINES) |
                                        BIT(SETUP) | BIT(GUIDE));
    }
    TEST("the older era has setup.sh only when it is not restored (table 2.3)") {
        struct boot_plan fresh = plan_of(ERA_LEGACY, BOOT_FRESH);
        struct boot_plan restored = plan_of(ERA_LEGACY, BOOT_SNAPSHOT_RESTORE);

        CHECK(fresh.steps[BOOT_STEP_SETUP].runs);
        CHECK(!restored.steps[BOOT_STEP_SETUP].runs);
    }
    TEST("without repositories nothing waits for any, and without a control plane there is no "
         "bridge") {
        struct boot_plan_input input = {.era = ERA_CURRENT, .mode = BOOT_FRESH};
        struct boot_plan plan = boot_plan_make(&input);

        CHECK_INT(steps_of(&plan), BIT(MANIFEST) | BIT(STAGE) | BIT(GUIDE) | BIT(OPENCODE));
        CHECK(can_be_walked(&plan));
    }
}

static void test_order(void)
{
    TEST("every plan can be walked to its end") {
        for (int era = ERA_LEGACY; era <= ERA_CURRENT; era++) {
            for (int mode = 0; mode < BOOT_MODE_COUNT; mode++) {
                struct boot_plan plan = plan_of((enum era)era, (enum boot_mode)mode);

                CHECK(can_be_walked(&plan));
            }
        }
    }
    TEST("cloning, staging, the credential helper and the bridge's start run at the same time") {
        struct boot_plan plan = plan_of(ERA_CURRENT, BOOT_FRESH);
        unsigned first = BIT(MANIFEST) | BIT(STAGE) | BIT(CREDENTIALS);

        CHECK_INT(boot_plan_next(&plan, 0, 0), first);
        CHECK_INT(boot_plan_next(&plan, first, BIT(MANIFEST)),
                  BIT(SYNC) | BIT(TUNNEL) | BIT(BRIDGE));
    }
    TEST("start.sh waits for the tunnel file, which nothing else does, and only when one is due") {
        struct boot_plan plan = plan_of(ERA_CURRENT, BOOT_REPO_IMAGE);
        struct boot_plan_input without = {.era = ERA_CURRENT, .has_repositories = true};
        unsigned before =
            every & ~(BIT(SETUP) | BIT(TUNNEL) | BIT(START) | BIT(GUIDE) | BIT(OPENCODE));

        CHECK_INT(boot_plan_next(&plan, before | BIT(TUNNEL), before), 0);
        CHECK_INT(boot_plan_next(&plan, before | BIT(TUNNEL), before | BIT(TUNNEL)), BIT(START));
        plan = boot_plan_make(&without);
        CHECK(!plan.steps[BOOT_STEP_TUNNEL].runs);
    }
    TEST("no step begins twice") {
        struct boot_plan plan = plan_of(ERA_CURRENT, BOOT_FRESH);

        CHECK_INT(boot_plan_next(&plan, every, BIT(MANIFEST)), 0);
    }
    TEST("a bridge that does not wait for `ready` starts after OpenCode answers") {
        struct boot_plan_input input = {
            .era = ERA_CURRENT, .mode = BOOT_FRESH, .bridge_wanted = true};
        struct boot_plan plan = boot_plan_make(&input);
        unsigned before = BIT(MANIFEST) | BIT(STAGE) | BIT(GUIDE);

        CHECK_INT(boot_plan_next(&plan, before, before), BIT(OPENCODE));
        CHECK_INT(boot_plan_next(&plan, before | BIT(OPENCODE), before | BIT(OPENCODE)),
                  BIT(BRIDGE));
    }
}

static void test_failures(void)
{
    TEST("a failed sync is fatal, a warning or only logged as table 2.4 says") {
        CHECK_INT(plan_of(ERA_CURRENT, BOOT_FRESH).steps[BOOT_STEP_SYNC].failure,
                  BOOT_FAILURE_FATAL);
        CHECK_INT(plan_of(ERA_CURRENT, BOOT_BUILD).steps[BOOT_STEP_SYNC].failure,
                  BOOT_FAILURE_FATAL);
        CHECK_INT(plan_of(ERA_CURRENT, BOOT_REPO_IMAGE).steps[BOOT_STEP_SYNC].failure,
                  BOOT_FAILURE_WARNING);
        CHECK_INT(plan_of(ERA_CURRENT, BOOT_SNAPSHOT_RESTORE).steps[BOOT_STEP_SYNC].failure,
                  BOOT_FAILURE_WARNING);
        CHECK_INT(plan_of(ERA_LEGACY, BOOT_FRESH).steps[BOOT_STEP_SYNC].failure,
                  BOOT_FAILURE_LOGGED);
    }
    TEST("only the first repository's start.sh and a build's setup.sh can end the boot") {
        struct boot_plan fresh = plan_of(ERA_CURRENT, BOOT_FRESH);
        struct boot_plan build = plan_of(ERA_CURRENT, BOOT_BUILD);
        struct boot_plan legacy = plan_of(ERA_LEGACY, BOOT_FRESH);

        CHECK_INT(fresh.steps[BOOT_STEP_START].failure, BOOT_FAILURE_FATAL);
        CHECK_INT(fresh.steps[BOOT_STEP_START].later_failure, BOOT_FAILURE_WARNING);
        CHECK_INT(fresh.steps[BOOT_STEP_SETUP].failure, BOOT_FAILURE_WARNING);
        CHECK_INT(build.steps[BOOT_STEP_SETUP].failure, BOOT_FAILURE_FATAL);
        CHECK_INT(legacy.steps[BOOT_STEP_START].failure, BOOT_FAILURE_WARNING);
    }
}

int main(void)
{
    test_steps();
    test_order();
    test_failures();
    return check_done();
}
