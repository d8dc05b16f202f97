/*
 * Reading text fields of SESSION_CONFIG (S-55, S-56): control planes write null, numbers or blanks
 * where a text is meant. Pure.
 */
#ifndef SUPERVISOR_CONFIG_SESSION_TEXT_H
#define SUPERVISOR_CONFIG_SESSION_TEXT_H

#include <cJSON.h>

/* The field as trimmed text for the caller to free; NULL when it is absent, null, false, 0, blank or
 * an object or array, or when memory is out. */
char *session_text(const cJSON *object, const char *key);

#endif
