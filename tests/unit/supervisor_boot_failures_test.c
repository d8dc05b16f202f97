/* Table 2.4 of the contract, row by row: what a failure means in each mode, whether the boot then goes on, and with which
 * status the sandbox ends when it does not; and table 2.6, the exit statuses. That the boot does what the plan says is seen
 * in tests/system/supervisor-boot-tables. */
#include "supervisor/exit_status.h"
#include "tests/unit/boot_plan_input.h"
#include "tests/unit/check.h"

#define FATAL BOOT_FAILURE_FATAL
#define WARNING BOOT_FAILURE_WARNING
#define LOGGED BOOT_FAILURE_LOGGED
#define NONE BOOT_FAILURE_NONE
#define NO_STEP BOOT_STEP_COUNT

/* `step` is the one whose failure it is, if it is one's. */
static const struct row {
    const char *name;
    enum boot_risk risk;
    enum boot_step step;
    enum boot_failure fresh, image, restore, build, legacy;
} table_2_4[] = {
    {"S-106: SESSION_CONFIG is unusable", BOOT_RISK_CONFIG, NO_STEP, FATAL, FATAL, FATAL, FATAL,
     FATAL},
    {"S-107: an unsafe or duplicate repository, a bad base_sha", BOOT_RISK_REPOSITORIES, NO_STEP,
     FATAL, FATAL, FATAL, FATAL, FATAL},
    {"S-108: the manifest is not writable", BOOT_RISK_MANIFEST, BOOT_STEP_MANIFEST, LOGGED, LOGGED,
     LOGGED, LOGGED, LOGGED},
    {"S-108: the second manifest is not writable", BOOT_RISK_MANIFEST, BOOT_STEP_BASELINES, LOGGED,
     LOGGED, LOGGED, LOGGED, LOGGED},
    {"S-108: AGENTS.md is not writable", BOOT_RISK_GUIDE, BOOT_STEP_GUIDE, LOGGED, LOGGED, LOGGED,
     LOGGED, LOGGED},
    {"S-109: the helper is not writable", BOOT_RISK_CREDENTIALS, BOOT_STEP_CREDENTIALS, LOGGED,
     LOGGED, LOGGED, LOGGED, LOGGED},
    {"S-110, decision 7: the gh wrapper is not writable", BOOT_RISK_GH_WRAPPER, NO_STEP, LOGGED,
     LOGGED, LOGGED, LOGGED, LOGGED},
    {"S-111: a repository fails or times out", BOOT_RISK_SYNC, BOOT_STEP_SYNC, FATAL, WARNING,
     WARNING, FATAL, LOGGED},
    {"S-112: setup.sh fails or times out", BOOT_RISK_SETUP, BOOT_STEP_SETUP, WARNING, NONE, NONE,
     FATAL, LOGGED},
    {"S-113: the tunnel file is late", BOOT_RISK_TUNNEL, BOOT_STEP_TUNNEL, LOGGED, LOGGED, LOGGED,
     NONE, NONE},
    {"S-114: start.sh of the first repository fails or times out", BOOT_RISK_FIRST_START,
     BOOT_STEP_START, FATAL, FATAL, FATAL, NONE, WARNING},
    {"S-115: start.sh of a later repository fails or times out", BOOT_RISK_LATER_START, NO_STEP,
     WARNING, WARNING, WARNING, NONE, WARNING},
    {"S-117: managed skills cannot be fetched", BOOT_RISK_SKILLS, BOOT_STEP_SKILLS_FETCH, FATAL,
     FATAL, FATAL, NONE, NONE},
    {"S-117: managed skills cannot be installed", BOOT_RISK_SKILLS, BOOT_STEP_SKILLS, FATAL, FATAL,
     FATAL, NONE, NONE},
    {"S-118: a managed skill collides", BOOT_RISK_SKILL_COLLISION, NO_STEP, LOGGED, LOGGED, LOGGED,
     NONE, NONE},
    {"S-120: the sentinel file is not writable", BOOT_RISK_SENTINEL, NO_STEP, LOGGED, LOGGED,
     LOGGED, NONE, LOGGED},
    {"S-121: an MCP package fails or times out", BOOT_RISK_MCP, BOOT_STEP_MCP, LOGGED, LOGGED,
     LOGGED, NONE, LOGGED},
    {"S-122: npm is not executable", BOOT_RISK_NPM, NO_STEP, LOGGED, LOGGED, LOGGED, NONE, LOGGED},
    {"S-123: tools, skills or plugins cannot be staged", BOOT_RISK_STAGING, BOOT_STEP_STAGE, FATAL,
     FATAL, FATAL, NONE, FATAL},
    {"S-123: the workspace's .opencode cannot be assembled", BOOT_RISK_STAGING, BOOT_STEP_ASSEMBLY,
     FATAL, FATAL, FATAL, NONE, FATAL},
    {"S-124: the global seed fails", BOOT_RISK_SEED, NO_STEP, LOGGED, LOGGED, LOGGED, NONE, LOGGED},
    {"S-125: git excludes cannot be written", BOOT_RISK_EXCLUDES, NO_STEP, LOGGED, LOGGED, LOGGED,
     NONE, LOGGED},
    {"S-126: two repositories ship the same file", BOOT_RISK_OVERRIDE, NO_STEP, WARNING, WARNING,
     WARNING, NONE, WARNING},
    {"S-127: OpenCode exits, cannot be executed or is not healthy", BOOT_RISK_OPENCODE,
     BOOT_STEP_OPENCODE, FATAL, FATAL, FATAL, NONE, FATAL},
    {"S-128: the bridge cannot be executed", BOOT_RISK_BRIDGE, BOOT_STEP_BRIDGE, FATAL, FATAL,
     FATAL, NONE, FATAL},
    {"S-129: the bridge exits in its first half second", BOOT_RISK_BRIDGE_EARLY_EXIT, NO_STEP,
     LOGGED, LOGGED, LOGGED, NONE, LOGGED},
    {"S-130: the success callback is not accepted", BOOT_RISK_BUILD_CALLBACK, NO_STEP, NONE, NONE,
     NONE, FATAL, NONE},
    {"S-131: the build's budget is exceeded", BOOT_RISK_BUILD_BUDGET, NO_STEP, NONE, NONE, NONE,
     FATAL, NONE},
    {"what OpenCode was not warmed up for is only slower", BOOT_RISK_WARM_UP, BOOT_STEP_WARM_UP,
     LOGGED, LOGGED, LOGGED, NONE, LOGGED},
};

static void check_failure(const struct row *row, enum era era, enum boot_mode mode,
                          enum boot_failure wanted)
{
    struct boot_plan plan = plan_of(era, mode);

    CHECK_INT(plan.risks[row->risk], wanted);
    if (row->step == NO_STEP)
        return;
    if (plan.steps[row->step].runs)
        CHECK_INT(plan.steps[row->step].failure, wanted);
    /* The mode decides, or the era; which repository it is only for start.sh (S-115). */
    if (row->step != BOOT_STEP_START)
        CHECK_INT(plan.steps[row->step].later_failure, wanted);
}

static void test_table_2_4(void)
{
    unsigned seen = 0;

    for (size_t i = 0; i < sizeof table_2_4 / sizeof table_2_4[0]; i++) {
        const struct row *row = &table_2_4[i];

        seen |= 1U << row->risk;
        TEST(row->name) {
            check_failure(row, ERA_CURRENT, BOOT_FRESH, row->fresh);
            check_failure(row, ERA_CURRENT, BOOT_REPO_IMAGE, row->image);
            check_failure(row, ERA_CURRENT, BOOT_SNAPSHOT_RESTORE, row->restore);
            check_failure(row, ERA_CURRENT, BOOT_BUILD, row->build);
            check_failure(row, ERA_LEGACY, BOOT_FRESH, row->legacy);
            check_failure(row, ERA_LEGACY, BOOT_SNAPSHOT_RESTORE, row->legacy);
        }
    }
    TEST("every risk of the plan has its row above") {
        CHECK_INT(seen, (1U << BOOT_RISK_COUNT) - 1);
    }
    TEST("S-115: the step of start.sh knows what a later repository's failure means") {
        CHECK_INT(plan_of(ERA_CURRENT, BOOT_FRESH).steps[BOOT_STEP_START].later_failure, WARNING);
        CHECK_INT(plan_of(ERA_CURRENT, BOOT_REPO_IMAGE).steps[BOOT_STEP_START].later_failure,
                  WARNING);
        CHECK_INT(plan_of(ERA_CURRENT, BOOT_SNAPSHOT_RESTORE).steps[BOOT_STEP_START].later_failure,
                  WARNING);
    }
}

static void test_table_2_6(void)
{
    static const struct {
        const char *name;
        enum sandbox_end end;
        int status;
    } rows[] = {
        {"S-143, S-149, S-151, S-154: a signal, also in or after a build: 0", SANDBOX_END_SIGNAL,
         0},
        {"S-144: the bridge exited with 0: 0", SANDBOX_END_SESSION_OVER, 0},
        {"S-145: fatal: 1", SANDBOX_END_FATAL, 1},
        {"S-146: restarts exhausted: 1", SANDBOX_END_RESTARTS_EXHAUSTED, 1},
        {"S-147, S-152: SESSION_CONFIG or the callback is unusable: 1", SANDBOX_END_CONFIG_UNUSABLE,
         1},
        {"S-148: unknown argument: 2", SANDBOX_END_USAGE, 2},
        {"S-150: build failed: 1", SANDBOX_END_BUILD_FAILED, 1},
        {"S-153: Modal token refused: 1", SANDBOX_END_TOKEN_REFUSED, 1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        TEST(rows[i].name) {
            CHECK_INT(exit_status_of(rows[i].end), rows[i].status);
        }
    }
}

int main(void)
{
    test_table_2_4();
    test_table_2_6();
    return check_done();
}
