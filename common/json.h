/*
 * JSON on cJSON, with the three things that OpenCode's JSON needs and cJSON lacks:
 *
 * - Lone UTF-16 surrogates ("\ud83d") and "\u0000" are legal there and must survive (B-431). Inside
 *   the process a string is WTF-8: a lone surrogate is its three raw bytes (ED A0..BF xx), U+0000
 *   is C0 80. json_print() writes both back as escapes. Texts that are joined (two halves of an
 *   emoji in two deltas) become whole when json_join() joins them.
 * - Bytes that are not UTF-8 are replaced by U+FFFD on the way out: one would make the peer close
 *   the WebSocket with 1007.
 * - Nothing may follow the value, and nesting is limited to JSON_DEPTH_MAX.
 *
 * Trees belong to whoever got them (cJSON_Delete or AUTO_JSON). Keys are compared with case.
 * Integers past 2^53 lose digits, as in JavaScript.
 */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include "common/buf.h"
#include "common/err.h"

#include <cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 200

/* Parses one whole value. `text` needs no NUL and is not changed. NULL and ERR_PROTOCOL on bad
 * input. */
cJSON *json_parse(const char *text, size_t len, struct err *err);

/* Like json_parse, but rewrites escapes inside `text` (no copy); `text[len]` must be writable. */
cJSON *json_parse_in_place(char *text, size_t len, struct err *err);

/* Appends the value without white space. Poisons `out` when it does not fit. */
void json_print(const cJSON *value, struct buf *out);

/* As json_print into a string for the caller to free; NULL when out of memory. */
char *json_to_string(const cJSON *value);

/* Appends `text` (WTF-8, repaired) as a JSON string with its quotes. */
void json_print_string(const char *text, size_t len, struct buf *out);

/* How many bytes at the start of `text` stand for themselves in a JSON string: ASCII, no escape. */
size_t json_plain_length(const char *text, size_t len);

/* Appends `text` to a WTF-8 text, joining a surrogate pair that the seam cuts. */
void json_join(struct buf *out, const char *text, size_t len);

/* Members of an object; every getter accepts NULL and any type of value. */
cJSON *json_get(const cJSON *object, const char *key);
const char *json_get_string(const cJSON *object, const char *key); /* NULL unless a string */
cJSON *json_get_object(const cJSON *object, const char *key);      /* NULL unless an object */
cJSON *json_get_array(const cJSON *object, const char *key);       /* NULL unless an array */
bool json_get_bool(const cJSON *object, const char *key, bool otherwise);
bool json_get_number(const cJSON *object, const char *key, double *number);

/* json_get_string that also refuses the empty string. */
const char *json_get_nonempty(const cJSON *object, const char *key);

/* Adds to an object. A NULL text adds nothing (optional fields are left out, never null, B-403). */
void json_add_string(cJSON *object, const char *key, const char *text);
void json_add_number(cJSON *object, const char *key, double number);
void json_add_bool(cJSON *object, const char *key, bool value);

/* Hands `value` over to the object, replacing a member of that name. Deletes it on failure. */
void json_put(cJSON *object, const char *key, cJSON *value);

static inline void cleanup_json(cJSON **value)
{
    cJSON_Delete(*value);
}

#define AUTO_JSON __attribute__((cleanup(cleanup_json)))

/* About the bytes that the value takes in memory. */
size_t json_weigh(const cJSON *value);

/* As cJSON_Delete, and the texts in it are overwritten first: for trees that hold a secret. */
void json_wipe(cJSON *value);

static inline void cleanup_secret_json(cJSON **value)
{
    json_wipe(*value);
}

#define AUTO_SECRET_JSON __attribute__((cleanup(cleanup_secret_json)))

#endif
