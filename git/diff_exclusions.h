/*
 * The runtime's own files in a checkout (B-1015): the supervisor names them in .git/info/exclude
 * between two marks, and they are no change of the session's. Pure.
 */
#ifndef GIT_DIFF_EXCLUSIONS_H
#define GIT_DIFF_EXCLUSIONS_H

#include "common/buf.h"

#include <stdbool.h>

/* Appends the paths between the marks in `text`, each followed by a NUL, without the slashes at
 * either end. */
void diff_exclusions_parse(const char *text, struct buf *paths);

/* `path` is one of those, or lies below one. */
bool diff_exclusions_cover(const struct buf *paths, const char *path);

#endif
