/*
 * Reading the environment. An empty variable counts as unset everywhere (launchers pass empty
 * ones). Strings belong to the environment and live as long as it is not changed.
 */
#ifndef COMMON_ENV_H
#define COMMON_ENV_H

#include <stdbool.h>

/* The value, or NULL when unset or empty. */
const char *env_get(const char *name);

/* The value, or `otherwise` when unset or empty. */
const char *env_get_or(const char *name, const char *otherwise);

/* Exactly "true" or "1", any case, blanks around it ignored; anything else is false. */
bool env_is_true(const char *name);

/* Seconds as a decimal float, as Python's float() reads it (B-105): blanks, exponent, "inf" and
 * single "_" between digits are accepted, hex is not. Returns 0, or -1 for what is no number. */
int env_parse_seconds(const char *text, double *seconds);

/* The first of TMPDIR, TEMP, TMP, /tmp, /var/tmp, /usr/tmp that is a writable directory, else "."
 * (B-110). */
const char *env_temp_dir(void);

#endif
