/*
 * Reading OpenCode's objects without trusting them: a value of the wrong type counts as absent
 * (D-07). Pure.
 */
#ifndef BRIDGE_TRANSLATE_FIELDS_H
#define BRIDGE_TRANSLATE_FIELDS_H

#include <cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define FIELD_ID_MAX 1024 /* OpenCode's ids have 30 characters */
/* A provider's id of a tool call has some hundred, but some gateways put the model's signed thought into it. */
#define FIELD_CALL_ID_MAX ((size_t)4 * 1024)

/* Texts, tool outputs and error texts for the control plane (D-40, D-52). */
#define FIELD_TEXT_MAX ((size_t)256 * 1024)
#define FIELD_ERROR_MAX ((size_t)8 * 1024)
#define FIELD_CUT_MARK "\n[cut here by the sandbox: too long]"

/* A non-empty string of at most FIELD_ID_MAX bytes, or NULL. Belongs to the object. */
const char *field_id(const cJSON *object, const char *key);

/* An id that may be missing: true and "" when it is absent or null, false when the value cannot be an
 * id (another type, or too long): the event that holds it is to be ignored. */
bool field_optional_id(const cJSON *object, const char *key, const char **id);

/* The same of `callID`, which may have FIELD_CALL_ID_MAX bytes. */
bool field_call_id(const cJSON *part, const char **id);

/* A string member, or "". */
const char *field_text(const cJSON *object, const char *key);

/* What counts as empty wherever the contract says "non-empty": absent, null, false, 0, "", {}, []. */
bool field_is_empty(const cJSON *value);

/* The member is there but has another type than an object; null counts as absent. */
bool field_is_odd_object(const cJSON *object, const char *key);

/* A JSON string of `text`, cut to `max` bytes and then marked. It is cut earlier when its escapes would
 * make it longer than 2 * max in JSON. NULL when out of memory. */
cJSON *field_cut_string(const char *text, size_t max);

/* Any value as text: a string as it is, anything else as JSON. For the caller to free; NULL for
 * NULL, null, and out of memory. Bounded as field_cut_string() bounds with FIELD_TEXT_MAX. */
char *field_to_text(const cJSON *value);

#endif
