/*
 * The boot plan as text, for --plan: what is known of the sandbox, the steps in the order in which
 * they may begin, what each waits for, how long it may take and what its failure means. Pure. No
 * secret is printed, only whether there is one.
 */
#ifndef SUPERVISOR_BOOT_PLAN_PRINT_H
#define SUPERVISOR_BOOT_PLAN_PRINT_H

#include "common/buf.h"
#include "supervisor/boot/boot_plan.h"

#define PLAN_PRINT_MAX (64 * 1024)

/* Appends the text. `config` must be free of problems. */
void plan_print(const struct config *config, const struct boot_plan *plan, struct buf *out);

#endif
