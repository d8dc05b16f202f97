/* Tables 2.2 and 2.3 of the contract, row by row, and what the parallel boot adds to them: who runs, after whom, for how
 * long. Rows that are no steps of the plan come before or after it: tests/system/supervisor-boot-tables. Table 2.4 is in
 * supervisor_boot_failures_test.c. */
#include "tests/unit/boot_plan_input.h"
#include "tests/unit/check.h"

#define BIT(step) (1U << BOOT_STEP_##step)

static const unsigned every = (1U << BOOT_STEP_COUNT) - 1;

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

/* The steps that `step` does not begin without. */
static unsigned waited_for(const struct boot_plan *plan, enum boot_step step)
{
    unsigned waits = 0;

    for (unsigned other = 0; other < BOOT_STEP_COUNT; other++) {
        if (other != step && plan->steps[other].runs &&
            !(begun_without(plan, 1U << other) >> step & 1))
            waits |= 1U << other;
    }
    return waits;
}

static void check_waits_for(const struct boot_plan *plan, enum boot_step step, unsigned wanted)
{
    CHECK_INT(waited_for(plan, step) & wanted, wanted & steps_of(plan));
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
    unsigned after;   /* and what those come after: nothing else is waited for (S-100) */
    unsigned limit_s; /* section 2.7; 0: it takes no time */
};

/* clang-format off */
static const struct row table_2_2[] = {
    {"table 2.2 row 10, S-220: the manifest is written in every mode, first of all", BOOT_STEP_MANIFEST, SESSIONS | BUILD, false, 0, 0},
    {"table 2.2 row 11: credential helper and gh wrapper, with a repository", BOOT_STEP_CREDENTIALS, SESSIONS | BUILD, true, 0, 30},
    {"table 2.2 row 12, S-157: all repositories are cloned, after the manifest", BOOT_STEP_SYNC, FRESH | BUILD, true, BIT(MANIFEST), 300},
    {"table 2.2 row 12, S-158: or fetched, when they are there", BOOT_STEP_SYNC, IMAGE | RESTORE, true, BIT(MANIFEST), 120},
    {"table 2.2 rows 13 and 15: baselines and the second manifest, after the sync", BOOT_STEP_BASELINES, SESSIONS | BUILD, true, BIT(SYNC), 0},
    {"table 2.2 row 17, S-160: setup.sh when fresh or a build, after the sync", BOOT_STEP_SETUP, FRESH | BUILD, true, BIT(BASELINES) | BIT(CREDENTIALS), 301},
    {"table 2.2 row 18, S-161: the tunnel file is waited for, but not in a build", BOOT_STEP_TUNNEL, SESSIONS, true, BIT(MANIFEST), 31},
    {"table 2.2 row 19, S-162: start.sh but not in a build, after setup.sh and the tunnel file", BOOT_STEP_START, SESSIONS, true, BIT(SETUP) | BIT(TUNNEL) | BIT(BASELINES) | BIT(CREDENTIALS), 121},
    {"table 2.2 row 20: the workspace's AGENTS.md in every mode, after the hooks", BOOT_STEP_GUIDE, SESSIONS | BUILD, false, BIT(BASELINES) | BIT(SETUP) | BIT(START), 0},
    {"table 2.2 row 21, S-163: managed skills but not in a build, fetched beside git", BOOT_STEP_SKILLS_FETCH, SESSIONS, false, 0, 60},
    {"table 2.2 row 21: they take their place after the hooks, whose skills win", BOOT_STEP_SKILLS, SESSIONS, false, BIT(SKILLS_FETCH) | BIT(STAGE) | BIT(SETUP) | BIT(START) | BIT(BASELINES) | BIT(ASSEMBLY), 30},
    {"table 2.2 row 24, staging: not in a build", BOOT_STEP_STAGE, SESSIONS, false, 0, 0},
    {"table 2.2 row 24, S-164: MCP packages, not in a build, beside git", BOOT_STEP_MCP, SESSIONS, false, 0, 180},
    {"table 2.2 row 24, assembly: not in a build, after the hooks", BOOT_STEP_ASSEMBLY, SESSIONS, true, BIT(SETUP) | BIT(START) | BIT(BASELINES), 60},
    {"table 2.2 row 24, S-165: OpenCode but not in a build, after its files are staged", BOOT_STEP_OPENCODE, SESSIONS, false, BIT(STAGE), 30},
    {"table 2.2 row 25: the bridge but not in a build", BOOT_STEP_BRIDGE, SESSIONS, false, BIT(MANIFEST), 0},
    {"table 2.2 row 26: prompts come after OpenCode has seen what the hooks left", BOOT_STEP_WARM_UP, SESSIONS, false, BIT(OPENCODE) | BIT(SETUP) | BIT(START) | BIT(GUIDE) | BIT(MCP) | BIT(SKILLS) | BIT(ASSEMBLY) | BIT(BASELINES) | BIT(CREDENTIALS), 6},
};
/* clang-format on */

/* What `step` comes after by the table, through those that run. */
static unsigned after_all(const struct boot_plan *plan, enum boot_step step)
{
    unsigned all = 0;

    for (size_t i = 0; i < sizeof table_2_2 / sizeof table_2_2[0]; i++) {
        if (table_2_2[i].step != step)
            continue;
        for (enum boot_step other = 0; other < BOOT_STEP_COUNT; other++) {
            if (table_2_2[i].after >> other & 1 && plan->steps[other].runs)
                all |= 1U << other | after_all(plan, other);
        }
    }
    return all;
}

static void check_row(const struct row *row, enum boot_mode mode, bool in_row)
{
    struct boot_plan_input input = input_of(ERA_CURRENT, mode);
    struct boot_plan plan = boot_plan_make(&input);

    if (!in_row && row->step == BOOT_STEP_SYNC)
        return; /* the other one of two rows */
    CHECK_INT(plan.steps[row->step].runs, in_row);
    if (in_row) {
        CHECK_INT(waited_for(&plan, row->step), after_all(&plan, row->step));
        CHECK_INT(plan.steps[row->step].limit_ms, (uint64_t)row->limit_s * 1000);
    }
    input.has_repositories = false;
    plan = boot_plan_make(&input);
    CHECK_INT(plan.steps[row->step].runs, in_row && !row->only_with_repositories);
}

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
            for (size_t m = 0; m < sizeof modes / sizeof modes[0]; m++)
                check_row(row, modes[m].mode, (row->modes & modes[m].bit) != 0);
        }
    }
    TEST("table 2.2 row 28, S-170: a build has a limit for all of it, a session has none") {
        CHECK_INT(plan_of(ERA_CURRENT, BOOT_BUILD).budget_ms, 1800 * 1000);
        CHECK_INT(plan_of(ERA_CURRENT, BOOT_FRESH).budget_ms, 0);
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
    static const struct {
        const char *name;
        enum boot_step step;
        bool fresh, restored;
        unsigned after, limit_s, restored_limit_s;
    } rows[] = {
        {"table 2.3 rows 3 and 4: full sync when fresh, quick fetch when restored", BOOT_STEP_SYNC,
         true, true, BIT(MANIFEST), 300, 120},
        {"table 2.3 row 6: setup.sh only when it is not restored, after the sync and the identity "
         "(row 5, which is the sync's)",
         BOOT_STEP_SETUP, true, false, BIT(SYNC) | BIT(CREDENTIALS), 301, 301},
        {"table 2.3 row 7: OpenCode in both", BOOT_STEP_OPENCODE, true, true, BIT(STAGE), 30, 30},
        {"table 2.3 row 8: the bridge in both", BOOT_STEP_BRIDGE, true, true, BIT(MANIFEST), 0, 0},
        {"table 2.3 row 9: the boot ends when prompts may come", BOOT_STEP_WARM_UP, true, true,
         BIT(OPENCODE) | BIT(SYNC) | BIT(SETUP) | BIT(START), 6, 6},
        {"S-105: the manifest is written in the older era too", BOOT_STEP_MANIFEST, true, true, 0,
         0, 0},
        {"S-105, decision 4: start.sh runs in the older era too", BOOT_STEP_START, true, true,
         BIT(SYNC) | BIT(SETUP), 121, 121},
        {"S-104: no tunnel file in the older era", BOOT_STEP_TUNNEL, false, false, 0, 31, 31},
        {"S-104: no managed skills in the older era", BOOT_STEP_SKILLS_FETCH, false, false, 0, 60,
         60},
    };
    struct boot_plan fresh = plan_of(ERA_LEGACY, BOOT_FRESH);
    struct boot_plan restored = plan_of(ERA_LEGACY, BOOT_SNAPSHOT_RESTORE);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum boot_step step = rows[i].step;

        TEST(rows[i].name) {
            CHECK_INT(fresh.steps[step].runs, rows[i].fresh);
            CHECK_INT(restored.steps[step].runs, rows[i].restored);
            if (rows[i].fresh)
                check_waits_for(&fresh, step, rows[i].after);
            if (rows[i].restored)
                check_waits_for(&restored, step, rows[i].after);
            CHECK_INT(fresh.steps[step].limit_ms, (uint64_t)rows[i].limit_s * 1000);
            CHECK_INT(restored.steps[step].limit_ms, (uint64_t)rows[i].restored_limit_s * 1000);
        }
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
    test_parallel();
    return check_done();
}
