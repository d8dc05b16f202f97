/*
 * Reading SESSION_CONFIG (S-51..S-56): control planes write null, numbers or blanks where a text is
 * meant. Pure.
 */
#ifndef SUPERVISOR_CONFIG_SESSION_TEXT_H
#define SUPERVISOR_CONFIG_SESSION_TEXT_H

#include "common/err.h"

#include <cJSON.h>

/* The object that `text` is, for the caller to delete; NULL and why it is none. No object in it has two
 * members of one name. */
cJSON *session_parse(const char *text, struct err *err);

/* The field as trimmed text for the caller to free; NULL when it is absent, null, false, 0, blank or
 * an object or array, or when memory is out. */
char *session_text(const cJSON *object, const char *key);

#endif
