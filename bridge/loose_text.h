/*
 * Texts from JSON that is not ours to define, as the older implementations read them (B-801,
 * B-1111): any value counts as text, blanks around it do not. Pure.
 */
#ifndef BRIDGE_LOOSE_TEXT_H
#define BRIDGE_LOOSE_TEXT_H

#include <cJSON.h>

/* The member as trimmed text for the caller to free: a string as it is, another value as JSON, ""
 * for an absent or null one (D-37). NULL when out of memory. */
char *loose_text(const cJSON *object, const char *key);

#endif
