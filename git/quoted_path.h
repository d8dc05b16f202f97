/*
 * Paths as git writes them into patches: as they are, or as a C string in double quotes when a byte
 * needs it. Pure.
 */
#ifndef GIT_QUOTED_PATH_H
#define GIT_QUOTED_PATH_H

#include "common/buf.h"

#include <stdbool.h>

/* Appends `prefix` ("a/", "") and `path`, quoted together. Bytes from 0x80 on need quotes only with
 * `quote_high` (core.quotePath, by default true). */
void quoted_path_print(const char *prefix, const char *path, bool quote_high, struct buf *out);

#endif
