/*
 * White space around texts from JSON and the environment, as the older implementations took it away:
 * Python's str.strip(), which knows all of Unicode's white space. Pure. Texts are WTF-8 (wtf8.h).
 */
#ifndef COMMON_TRIM_H
#define COMMON_TRIM_H

#include <stdbool.h>
#include <stddef.h>

/* Where `text` begins without it; `len` becomes the bytes up to where it ends, 0 when all is blank. */
const char *trim_both(const char *text, size_t *len);

/* That part, for the caller to free; NULL when `text` is NULL or blank, or when out of memory. */
char *trim_copy(const char *text);

/* Whether there is white space anywhere in it. */
bool trim_has_blank(const char *text);

#endif
