/* Tables 2.2, 2.3 and 2.4 of the contract, row by row, and what the parallel boot adds to them. Rows that are not steps of
 * the plan happen before it or after it; the tests named at the end of the tables cover them. */
#include "supervisor/boot/boot_plan.h"
#include "tests/unit/check.h"

#define BIT(step) (1U << BOOT_STEP_##step)

static const unsigned every = (1U << BOOT_STEP_COUNT) - 1;

static struct boot_plan_input input_of(enum era era, enum boot_mode mode)
{
    return (struct boot_plan_input){.era = era,
                                    .mode = mode,
                                    .has_repositories = true,
                                    .skills_wanted = era == ERA_CURRENT,
                                    .mcp_packages_wanted = true,
                                    .tunnels_expected = era == ERA_CURRENT,
                                    .bridge_wanted = mode != BOOT_BUILD,
                                    .bridge_waits_for_ready = true,
                                    .opencode_starts_early = true};
}

static struct boot_plan plan_of(enum era era, enum boot_mode mode)
{
    struct boot_plan_input input = input_of(era, mode);

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

/* What ever begins when `held` never ends. */
static unsigned begun_without(const struct boot_plan *plan, unsigned held)
{
    unsigned begun = 0, next;

    while ((next = boot_plan_next(plan, begun, begun & ~held)) != 0)
        begun |= next;
    return begun;
}

/* `step` does not begin before each of `wanted` that runs is done. */
static void check_waits_for(const struct boot_plan *plan, enum boot_step step, unsigned wanted)
{
    for (unsigned other = 0; other < BOOT_STEP_COUNT; other++) {
        if (wanted >> other & 1 && plan->steps[other].runs)
            CHECK(!(begun_without(plan, 1U << other) >> step & 1));
    }
}

/* ---- table 2.2: which steps, in which order ---- */

enum {
    FRESH = 1 << 0,
    IMAGE = 1 << 1,
    RESTORE = 1 << 2,
    BUILD = 1 << 3,
    SESSIONS = FRESH | IMAGE | RESTORE
};

struct row {
    const char *name;
    enum boot_step step;
    unsigned modes;
    bool only_with_repositories;
    unsigned after;
};

/* clang-format off */
static const struct row table_2_2[] = {
    {"table 2.2 row 10: the manifest is written in every mode, first of all", BOOT_STEP_MANIFEST, SESSIONS | BUILD, false, 0},
    {"table 2.2 row 11: credential helper and gh wrapper, with a repository", BOOT_STEP_CREDENTIALS, SESSIONS | BUILD, true, 0},
    {"table 2.2 row 12: all repositories are synchronised, after the manifest", BOOT_STEP_SYNC, SESSIONS | BUILD, true, BIT(MANIFEST)},
    {"table 2.2 rows 13 and 15: baselines and the second manifest, after the sync", BOOT_STEP_BASELINES, SESSIONS | BUILD, true, BIT(SYNC)},
    {"table 2.2 row 17: setup.sh when fresh or a build, after the sync", BOOT_STEP_SETUP, FRESH | BUILD, true, BIT(SYNC) | BIT(BASELINES) | BIT(CREDENTIALS)},
    {"table 2.2 row 18: the tunnel file is waited for, but not in a build", BOOT_STEP_TUNNEL, SESSIONS, true, 0},
    {"table 2.2 row 19: start.sh but not in a build, after setup.sh and the tunnel file", BOOT_STEP_START, SESSIONS, true, BIT(SETUP) | BIT(TUNNEL) | BIT(BASELINES)},
    {"table 2.2 row 20: the workspace's AGENTS.md in every mode, after the hooks", BOOT_STEP_GUIDE, SESSIONS | BUILD, false, BIT(SETUP) | BIT(START)},
    {"table 2.2 row 21: managed skills but not in a build, fetched beside git", BOOT_STEP_SKILLS_FETCH, SESSIONS, false, 0},
    {"table 2.2 row 21: they take their place after the hooks, whose skills win", BOOT_STEP_SKILLS, SESSIONS, false, BIT(SKILLS_FETCH) | BIT(SETUP) | BIT(START) | BIT(BASELINES) | BIT(ASSEMBLY)},
    {"table 2.2 row 24, MCP packages: not in a build, beside git", BOOT_STEP_MCP, SESSIONS, false, 0},
    {"table 2.2 row 24, assembly: not in a build, after the hooks", BOOT_STEP_ASSEMBLY, SESSIONS, true, BIT(SETUP) | BIT(START) | BIT(BASELINES)},
    {"table 2.2 row 24: OpenCode but not in a build, after its files are staged", BOOT_STEP_OPENCODE, SESSIONS, false, BIT(STAGE)},
    {"table 2.2 row 24, staging: not in a build", BOOT_STEP_STAGE, SESSIONS, false, 0},
    {"table 2.2 row 25: the bridge but not in a build", BOOT_STEP_BRIDGE, SESSIONS, false, BIT(MANIFEST)},
    {"table 2.2 row 26: prompts come after OpenCode has seen what the hooks left", BOOT_STEP_WARM_UP, SESSIONS, false, BIT(OPENCODE) | BIT(SETUP) | BIT(START) | BIT(GUIDE) | BIT(MCP) | BIT(SKILLS) | BIT(ASSEMBLY) | BIT(BASELINES) | BIT(CREDENTIALS)},
};
/* clang-format on */

static void test_table_2_2(void)
{
    static const struct {
        enum boot_mode mode;
        unsigned bit;
    } modes[] = {{BOOT_FRESH, FRESH},
                 {BOOT_REPO_IMAGE, IMAGE},
                 {BOOT_SNAPSHOT_RESTORE, RESTORE},
                 {BOOT_BUILD, BUILD}};

    for (size_t i = 0; i < sizeof table_2_2 / sizeof table_2_2[0]; i++) {
        const struct row *row = &table_2_2[i];

        TEST(row->name) {
            for (size_t m = 0; m < sizeof modes / sizeof modes[0]; m++) {
                struct boot_plan_input input = input_of(ERA_CURRENT, modes[m].mode);
                struct boot_plan plan = boot_plan_make(&input);

                CHECK_INT(plan.steps[row->step].runs, (row->modes & modes[m].bit) != 0);
                check_waits_for(&plan, row->step, row->after);
                input.has_repositories = false;
                plan = boot_plan_make(&input);
                CHECK_INT(plan.steps[row->step].runs,
                          (row->modes & modes[m].bit) != 0 && !row->only_with_repositories);
            }
        }
    }
    TEST("table 2.2 row 18: without announced ports no tunnel file is waited for") {
        struct boot_plan_input input = input_of(ERA_CURRENT, BOOT_FRESH);

        input.tunnels_expected = false;
        CHECK(!boot_plan_make(&input).steps[BOOT_STEP_TUNNEL].runs);
    }
    TEST("S-98: without repositories nothing waits for one; S-322: no bridge without control "
         "plane") {
        struct boot_plan_input input = {.era = ERA_CURRENT, .mode = BOOT_FRESH};
        struct boot_plan plan = boot_plan_make(&input);

        CHECK_INT(steps_of(&plan),
                  BIT(MANIFEST) | BIT(STAGE) | BIT(GUIDE) | BIT(OPENCODE) | BIT(WARM_UP));
        CHECK(can_be_walked(&plan));
    }
}

/* ---- table 2.3: the older era ---- */

static void test_table_2_3(void)
{
    struct boot_plan fresh = plan_of(ERA_LEGACY, BOOT_FRESH);
    struct boot_plan restored = plan_of(ERA_LEGACY, BOOT_SNAPSHOT_RESTORE);

    TEST("table 2.3 rows 3 and 4: both synchronise") {
        CHECK(fresh.steps[BOOT_STEP_SYNC].runs && restored.steps[BOOT_STEP_SYNC].runs);
    }
    TEST("table 2.3 row 6: setup.sh only when it is not restored") {
        CHECK(fresh.steps[BOOT_STEP_SETUP].runs && !restored.steps[BOOT_STEP_SETUP].runs);
        check_waits_for(&fresh, BOOT_STEP_SETUP, BIT(SYNC) | BIT(CREDENTIALS));
    }
    TEST("table 2.3 rows 7 and 8: OpenCode and the bridge in both") {
        CHECK(fresh.steps[BOOT_STEP_OPENCODE].runs && restored.steps[BOOT_STEP_OPENCODE].runs);
        CHECK(fresh.steps[BOOT_STEP_BRIDGE].runs && restored.steps[BOOT_STEP_BRIDGE].runs);
    }
    TEST("S-104: no tunnel file in the older era; S-105: but manifest and start.sh") {
        CHECK(!fresh.steps[BOOT_STEP_TUNNEL].runs && !restored.steps[BOOT_STEP_TUNNEL].runs);
        CHECK(fresh.steps[BOOT_STEP_MANIFEST].runs && fresh.steps[BOOT_STEP_START].runs);
    }
}

/* ---- table 2.4: what a failure means ---- */

#define FATAL BOOT_FAILURE_FATAL
#define WARNING BOOT_FAILURE_WARNING
#define LOGGED BOOT_FAILURE_LOGGED
#define NONE -1 /* the step does not run */

static const struct {
    const char *name;
    enum boot_step step;
    int fresh, image, restore, build, legacy;
} table_2_4[] = {
    {"table 2.4 S-108: manifest", BOOT_STEP_MANIFEST, LOGGED, LOGGED, LOGGED, LOGGED, LOGGED},
    {"table 2.4 S-108: AGENTS.md", BOOT_STEP_GUIDE, LOGGED, LOGGED, LOGGED, LOGGED, LOGGED},
    {"table 2.4 S-109: credential helper", BOOT_STEP_CREDENTIALS, LOGGED, LOGGED, LOGGED, LOGGED,
     LOGGED},
    {"table 2.4 S-111: repository", BOOT_STEP_SYNC, FATAL, WARNING, WARNING, FATAL, LOGGED},
    {"table 2.4 S-112: setup.sh", BOOT_STEP_SETUP, WARNING, NONE, NONE, FATAL, LOGGED},
    {"table 2.4 S-113: tunnel file", BOOT_STEP_TUNNEL, LOGGED, LOGGED, LOGGED, NONE, NONE},
    {"table 2.4 S-114: start.sh of the first repository", BOOT_STEP_START, FATAL, FATAL, FATAL,
     NONE, WARNING},
    {"table 2.4 S-117: managed skills fetched", BOOT_STEP_SKILLS_FETCH, FATAL, FATAL, FATAL, NONE,
     NONE},
    {"table 2.4 S-117: managed skills installed", BOOT_STEP_SKILLS, FATAL, FATAL, FATAL, NONE,
     NONE},
    {"table 2.4 S-121, S-122: MCP packages", BOOT_STEP_MCP, LOGGED, LOGGED, LOGGED, NONE, LOGGED},
    {"table 2.4 S-123: assembly", BOOT_STEP_ASSEMBLY, FATAL, FATAL, FATAL, NONE, FATAL},
    {"table 2.4 S-123: staging", BOOT_STEP_STAGE, FATAL, FATAL, FATAL, NONE, FATAL},
    {"table 2.4 S-127: OpenCode", BOOT_STEP_OPENCODE, FATAL, FATAL, FATAL, NONE, FATAL},
    {"table 2.4 S-128: bridge", BOOT_STEP_BRIDGE, FATAL, FATAL, FATAL, NONE, FATAL},
    {"what OpenCode was not warmed up for is only slower", BOOT_STEP_WARM_UP, LOGGED, LOGGED,
     LOGGED, NONE, LOGGED},
};

static void check_failure(enum era era, enum boot_mode mode, enum boot_step step, int wanted)
{
    struct boot_plan plan = plan_of(era, mode);

    CHECK_INT(plan.steps[step].runs ? (int)plan.steps[step].failure : NONE, wanted);
}

static void test_table_2_4(void)
{
    for (size_t i = 0; i < sizeof table_2_4 / sizeof table_2_4[0]; i++) {
        enum boot_step step = table_2_4[i].step;

        TEST(table_2_4[i].name) {
            check_failure(ERA_CURRENT, BOOT_FRESH, step, table_2_4[i].fresh);
            check_failure(ERA_CURRENT, BOOT_REPO_IMAGE, step, table_2_4[i].image);
            check_failure(ERA_CURRENT, BOOT_SNAPSHOT_RESTORE, step, table_2_4[i].restore);
            check_failure(ERA_CURRENT, BOOT_BUILD, step, table_2_4[i].build);
            check_failure(ERA_LEGACY, BOOT_FRESH, step, table_2_4[i].legacy);
        }
    }
    TEST("table 2.4 S-115: start.sh of a later repository is a warning") {
        for (int mode = 0; mode < BOOT_MODE_COUNT; mode++)
            CHECK_INT(
                plan_of(ERA_CURRENT, (enum boot_mode)mode).steps[BOOT_STEP_START].later_failure,
                WARNING);
    }
    TEST("table 2.4 S-112: setup.sh of a later repository is as the first's") {
        CHECK_INT(plan_of(ERA_CURRENT, BOOT_FRESH).steps[BOOT_STEP_SETUP].later_failure, WARNING);
        CHECK_INT(plan_of(ERA_CURRENT, BOOT_BUILD).steps[BOOT_STEP_SETUP].later_failure, FATAL);
    }
}

/* ---- S-100: at the same time ---- */

static void test_parallel(void)
{
    TEST("every plan can be walked to its end") {
        for (int era = ERA_LEGACY; era <= ERA_CURRENT; era++) {
            for (int mode = 0; mode < BOOT_MODE_COUNT; mode++) {
                struct boot_plan plan = plan_of((enum era)era, (enum boot_mode)mode);

                CHECK(can_be_walked(&plan));
            }
        }
    }
    TEST("S-100: cloning, staging, credentials, skills, npm and the bridge run at the same time") {
        struct boot_plan plan = plan_of(ERA_CURRENT, BOOT_FRESH);
        unsigned first =
            BIT(MANIFEST) | BIT(STAGE) | BIT(CREDENTIALS) | BIT(MCP) | BIT(SKILLS_FETCH);

        CHECK_INT(boot_plan_next(&plan, 0, 0), first);
        CHECK_INT(boot_plan_next(&plan, first, BIT(MANIFEST)),
                  BIT(SYNC) | BIT(TUNNEL) | BIT(BRIDGE));
    }
    TEST("OpenCode starts while the repositories are cloned, as soon as its files are staged") {
        struct boot_plan plan = plan_of(ERA_CURRENT, BOOT_FRESH);

        CHECK_INT(boot_plan_next(&plan, every & ~BIT(OPENCODE), BIT(STAGE)), BIT(OPENCODE));
    }
    TEST(
        "a foreign bridge names no directory: OpenCode waits for checkout and hooks, it for both") {
        struct boot_plan_input input = input_of(ERA_CURRENT, BOOT_FRESH);
        struct boot_plan plan;

        input.opencode_starts_early = false;
        input.bridge_waits_for_ready = false;
        plan = boot_plan_make(&input);
        check_waits_for(&plan, BOOT_STEP_OPENCODE,
                        BIT(STAGE) | BIT(BASELINES) | BIT(SETUP) | BIT(START) | BIT(GUIDE));
        check_waits_for(&plan, BOOT_STEP_BRIDGE, BIT(OPENCODE) | BIT(WARM_UP));
        CHECK(can_be_walked(&plan));
    }
    TEST("OpenCode is waited for when all else before the first prompt is done, and not before") {
        struct boot_plan plan = plan_of(ERA_CURRENT, BOOT_FRESH);
        unsigned done = every & ~(BIT(OPENCODE) | BIT(WARM_UP));

        CHECK(boot_plan_waits_for(&plan, done | BIT(OPENCODE), done, BOOT_STEP_OPENCODE));
        done &= ~BIT(START);
        CHECK(!boot_plan_waits_for(&plan, done | BIT(OPENCODE), done, BOOT_STEP_OPENCODE));
    }
    TEST("no step begins twice") {
        struct boot_plan plan = plan_of(ERA_CURRENT, BOOT_FRESH);

        CHECK_INT(boot_plan_next(&plan, every, BIT(MANIFEST)), 0);
    }
}

int main(void)
{
    test_table_2_2();
    test_table_2_3();
    test_table_2_4();
    test_parallel();
    return check_done();
}
