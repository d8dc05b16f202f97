/* The plan of a boot that has everything its mode can have, for the tests of the contract's tables. */
#ifndef TESTS_UNIT_BOOT_PLAN_INPUT_H
#define TESTS_UNIT_BOOT_PLAN_INPUT_H

#include "supervisor/boot/boot_plan.h"

static inline struct boot_plan_input input_of(enum era era, enum boot_mode mode)
{
    return (struct boot_plan_input){.era = era,
                                    .mode = mode,
                                    .has_repositories = true,
                                    .skills_wanted = era == ERA_CURRENT,
                                    .mcp_packages_wanted = true,
                                    .tunnels_expected = era == ERA_CURRENT,
                                    .bridge_wanted = mode != BOOT_BUILD,
                                    .bridge_waits_for_ready = true,
                                    .opencode_starts_early = true,
                                    .setup_limit_ms = 301 * 1000,
                                    .start_limit_ms = 121 * 1000,
                                    .tunnel_limit_ms = 31 * 1000,
                                    .budget_ms = 1800 * 1000};
}

static inline struct boot_plan plan_of(enum era era, enum boot_mode mode)
{
    struct boot_plan_input input = input_of(era, mode);

    return boot_plan_make(&input);
}

#endif
