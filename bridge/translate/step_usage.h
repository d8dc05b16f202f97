/*
 * What a step cost, as the control plane takes it: it drops a step_finish whole, and the cost with it, when
 * one field has another shape than its schema's (B-420, D-14). Pure.
 */
#ifndef BRIDGE_TRANSLATE_STEP_USAGE_H
#define BRIDGE_TRANSLATE_STEP_USAGE_H

#include <cJSON.h>

/* Moves `cost`, `tokens` and `reason` of OpenCode's part to the event, without what the schema refuses:
 * cost is a number, reason a string, tokens a number or an object with at least one count, and known
 * counts are numbers. Other members of `tokens` stay. */
void step_usage_move(cJSON *part, cJSON *event);

#endif
