/*
 * The translator's notes as log lines (bridge.md section 12).
 */
#ifndef BRIDGE_PROMPT_PROMPT_NOTES_H
#define BRIDGE_PROMPT_PROMPT_NOTES_H

#include "common/log.h"

#include <cJSON.h>

/* `fields` is an object of texts, numbers and truths, or NULL; more than a few are left out. */
void prompt_notes_log(struct log *log, enum log_level level, const char *name, const cJSON *fields);

#endif
