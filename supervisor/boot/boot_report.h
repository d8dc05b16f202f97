/*
 * What is said about a boot: its phases to the listener, and the log lines that sum it up. The
 * functions that others call too are declared in boot.h.
 */
#ifndef SUPERVISOR_BOOT_BOOT_REPORT_H
#define SUPERVISOR_BOOT_BOOT_REPORT_H

#include "supervisor/boot/boot.h"

/* Nothing for a step that is no phase; `detail` only of a failed one. */
void boot_report_phase(struct boot *boot, enum boot_step step, enum boot_phase_status status,
                       const char *detail);

/* git.sync_complete: what a build is made of (S-200). */
void boot_report_sync(const struct boot *boot);

#endif
