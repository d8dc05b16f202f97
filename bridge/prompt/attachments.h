/*
 * Attachments of a prompt (bridge.md section 7). They are not downloaded: each one is left out, and
 * the user is told so with the warning that the contract has for one that could not be fetched
 * (B-712). Pure.
 */
#ifndef BRIDGE_PROMPT_ATTACHMENTS_H
#define BRIDGE_PROMPT_ATTACHMENTS_H

#include <cJSON.h>

/* One call for each warning; the event is the callee's. */
typedef void attachments_warning_fn(void *user, cJSON *event);

/* `attachments` is the command's member, or NULL. At most ATTACHMENTS_MAX are spoken of. */
void attachments_leave_out(const cJSON *attachments, attachments_warning_fn *on_warning,
                           void *user);

#define ATTACHMENTS_MAX 6

#endif
