/*
 * Table 2.4 of the contract: what may go wrong in a boot, and what it then means in this era and mode. Pure
 * and constant. The plan carries a copy (boot_plan.h), the boot decides with it, --plan prints it.
 * The desktop, code-server and the terminal (S-116, S-119) are not here: there are none yet.
 */
#ifndef SUPERVISOR_BOOT_BOOT_RISKS_H
#define SUPERVISOR_BOOT_BOOT_RISKS_H

#include "supervisor/config/config.h"

enum boot_failure {
    BOOT_FAILURE_NONE, /* it cannot happen: nothing of the kind is done in this mode */
    BOOT_FAILURE_FATAL,
    BOOT_FAILURE_WARNING, /* a boot warning, and the boot goes on */
    BOOT_FAILURE_LOGGED,
};

enum boot_risk {
    BOOT_RISK_CONFIG,
    BOOT_RISK_REPOSITORIES,
    BOOT_RISK_MANIFEST,
    BOOT_RISK_GUIDE,
    BOOT_RISK_CREDENTIALS,
    BOOT_RISK_GH_WRAPPER,
    BOOT_RISK_SYNC,
    BOOT_RISK_SETUP,
    BOOT_RISK_TUNNEL,
    BOOT_RISK_FIRST_START,
    BOOT_RISK_LATER_START,
    BOOT_RISK_SKILLS,
    BOOT_RISK_SKILL_COLLISION,
    BOOT_RISK_SENTINEL,
    BOOT_RISK_MCP,
    BOOT_RISK_NPM,
    BOOT_RISK_STAGING,
    BOOT_RISK_SEED,
    BOOT_RISK_EXCLUDES,
    BOOT_RISK_OVERRIDE,
    BOOT_RISK_OPENCODE,
    BOOT_RISK_WARM_UP,
    BOOT_RISK_BRIDGE,
    BOOT_RISK_BRIDGE_EARLY_EXIT,
    BOOT_RISK_BUILD_CALLBACK,
    BOOT_RISK_BUILD_BUDGET,
    BOOT_RISK_COUNT
};

enum boot_failure boot_risk_failure(enum boot_risk risk, enum era era, enum boot_mode mode);

/* "S-111"; "" for what the contract does not know. */
const char *boot_risk_rule(enum boot_risk risk);

/* What went wrong, in words. */
const char *boot_risk_text(enum boot_risk risk);

/* "fatal", "warning", "logged", "-" */
const char *boot_failure_name(enum boot_failure failure);

#endif
