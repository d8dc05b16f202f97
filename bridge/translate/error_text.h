/*
 * What to tell a person about an error object of OpenCode (B-560, D-36). Pure.
 */
#ifndef BRIDGE_TRANSLATE_ERROR_TEXT_H
#define BRIDGE_TRANSLATE_ERROR_TEXT_H

#include <cJSON.h>
#include <stdbool.h>

/* The text, for the caller to free; NULL when there is none. At most FIELD_ERROR_MAX bytes and the
 * cut mark (D-52). */
char *error_text(const cJSON *error);

/* The context is full: OpenCode compacts by itself and goes on (B-563). */
bool error_is_overflow(const cJSON *error);

/* Somebody aborted the turn. */
bool error_is_abort(const cJSON *error);

#endif
