#include "supervisor/boot/boot_risks.h"

#include "common/cleanup.h"

#define FATAL BOOT_FAILURE_FATAL
#define WARNING BOOT_FAILURE_WARNING
#define LOGGED BOOT_FAILURE_LOGGED
#define NONE BOOT_FAILURE_NONE

enum column { FRESH, REPO_IMAGE, SNAPSHOT_RESTORE, BUILD, LEGACY, COLUMN_COUNT };

struct row {
    const char *rule;
    const char *text;
    enum boot_failure in[COLUMN_COUNT];
};

/* Where the contract has a dash for the older era although we do the same there, the same holds. */
/* clang-format off */
static const struct row table[] = {
    [BOOT_RISK_CONFIG] = {"S-106", "the environment or SESSION_CONFIG is not usable", {FATAL, FATAL, FATAL, FATAL, FATAL}},
    [BOOT_RISK_REPOSITORIES] = {"S-107", "a repository's name or base_sha is bad, or one is there twice", {FATAL, FATAL, FATAL, FATAL, FATAL}},
    [BOOT_RISK_MANIFEST] = {"S-108", "the repository manifest cannot be written", {LOGGED, LOGGED, LOGGED, LOGGED, LOGGED}},
    [BOOT_RISK_GUIDE] = {"S-108", "the workspace's AGENTS.md cannot be written", {LOGGED, LOGGED, LOGGED, LOGGED, LOGGED}},
    [BOOT_RISK_CREDENTIALS] = {"S-109", "the credential helper cannot be installed", {LOGGED, LOGGED, LOGGED, LOGGED, LOGGED}},
    /* Decision 7 of the contract's section 17, not what its table says. */
    [BOOT_RISK_GH_WRAPPER] = {"S-110", "the gh wrapper cannot be installed", {LOGGED, LOGGED, LOGGED, LOGGED, LOGGED}},
    [BOOT_RISK_SYNC] = {"S-111", "a repository fails or takes too long", {FATAL, WARNING, WARNING, FATAL, LOGGED}},
    [BOOT_RISK_SETUP] = {"S-112", "a setup.sh fails or takes too long", {WARNING, NONE, NONE, FATAL, LOGGED}},
    [BOOT_RISK_TUNNEL] = {"S-113", "the tunnel file is late", {LOGGED, LOGGED, LOGGED, NONE, NONE}},
    /* Decision 4: in the older era only warnings. */
    [BOOT_RISK_FIRST_START] = {"S-114", "the first repository's start.sh fails or takes too long", {FATAL, FATAL, FATAL, NONE, WARNING}},
    [BOOT_RISK_LATER_START] = {"S-115", "a later repository's start.sh fails or takes too long", {WARNING, WARNING, WARNING, NONE, WARNING}},
    [BOOT_RISK_SKILLS] = {"S-117", "managed skills cannot be fetched, checked or installed", {FATAL, FATAL, FATAL, NONE, NONE}},
    [BOOT_RISK_SKILL_COLLISION] = {"S-118", "a managed skill has the name of another, and is left out", {LOGGED, LOGGED, LOGGED, NONE, NONE}},
    [BOOT_RISK_SENTINEL] = {"S-120", "the file of managed logins cannot be written", {LOGGED, LOGGED, LOGGED, NONE, LOGGED}},
    [BOOT_RISK_MCP] = {"S-121", "packages of MCP servers cannot be installed in time", {LOGGED, LOGGED, LOGGED, NONE, LOGGED}},
    [BOOT_RISK_NPM] = {"S-122", "npm cannot be executed", {LOGGED, LOGGED, LOGGED, NONE, LOGGED}},
    [BOOT_RISK_STAGING] = {"S-123", "tools, skills, plugins or .opencode cannot be put in place", {FATAL, FATAL, FATAL, NONE, FATAL}},
    [BOOT_RISK_SEED] = {"S-124", "what keeps npm away cannot be put in OpenCode's directory", {LOGGED, LOGGED, LOGGED, NONE, LOGGED}},
    [BOOT_RISK_EXCLUDES] = {"S-125", "git's excludes cannot be written", {LOGGED, LOGGED, LOGGED, NONE, LOGGED}},
    [BOOT_RISK_OVERRIDE] = {"S-126", "two repositories have the same file in .opencode", {WARNING, WARNING, WARNING, NONE, WARNING}},
    [BOOT_RISK_OPENCODE] = {"S-127", "OpenCode cannot be executed, exits or is not healthy in time", {FATAL, FATAL, FATAL, NONE, FATAL}},
    /* What it saves the first prompt is not worth a sandbox. */
    [BOOT_RISK_WARM_UP] = {"", "OpenCode cannot be warmed up in time", {LOGGED, LOGGED, LOGGED, NONE, LOGGED}},
    [BOOT_RISK_BRIDGE] = {"S-128", "the bridge cannot be executed", {FATAL, FATAL, FATAL, NONE, FATAL}},
    [BOOT_RISK_BRIDGE_EARLY_EXIT] = {"S-129", "the bridge exits at once; it is started again", {LOGGED, LOGGED, LOGGED, NONE, LOGGED}},
    [BOOT_RISK_BUILD_CALLBACK] = {"S-130", "the success callback is not accepted after 3 tries", {NONE, NONE, NONE, FATAL, NONE}},
    [BOOT_RISK_BUILD_BUDGET] = {"S-131", "the build's time is used up", {NONE, NONE, NONE, FATAL, NONE}},
};
/* clang-format on */
_Static_assert(ARRAY_LENGTH(table) == BOOT_RISK_COUNT, "every risk has its row");

static const enum column columns[] = {
    [BOOT_FRESH] = FRESH,
    [BOOT_REPO_IMAGE] = REPO_IMAGE,
    [BOOT_SNAPSHOT_RESTORE] = SNAPSHOT_RESTORE,
    [BOOT_BUILD] = BUILD,
};
_Static_assert(ARRAY_LENGTH(columns) == BOOT_MODE_COUNT, "every mode has its column");

static const char *const failure_names[] = {
    [BOOT_FAILURE_NONE] = "-",
    [BOOT_FAILURE_FATAL] = "fatal",
    [BOOT_FAILURE_WARNING] = "warning",
    [BOOT_FAILURE_LOGGED] = "logged",
};
_Static_assert(ARRAY_LENGTH(failure_names) == BOOT_FAILURE_LOGGED + 1, "every failure has a name");

enum boot_failure boot_risk_failure(enum boot_risk risk, enum era era, enum boot_mode mode)
{
    return table[risk].in[era == ERA_LEGACY ? LEGACY : columns[mode]];
}

const char *boot_risk_rule(enum boot_risk risk)
{
    return table[risk].rule;
}

const char *boot_risk_text(enum boot_risk risk)
{
    return table[risk].text;
}

const char *boot_failure_name(enum boot_failure failure)
{
    return failure_names[failure];
}
