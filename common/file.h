/*
 * Small files. Everything is opened close-on-exec. Paths in errors are as given.
 */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Appends the whole file to `out`; ERR_NOT_FOUND when it is absent, ERR_LIMIT when it does not fit
 * `out->max`. */
int file_read(const char *path, struct buf *out, struct err *err);

/* Writes a temporary neighbour and renames it over `path`, so that a reader sees the old or the new
 * file whole, also after a crash. With `durable` it is fsynced. */
int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, bool durable,
                      struct err *err);

/* Makes the directory and its parents; existing ones are fine, a file in that place is not. */
int file_make_directories(const char *path, mode_t mode, struct err *err);

/* Removes a tree without following symbolic links. An absent one is fine. */
int file_remove_tree(const char *path, struct err *err);

bool file_exists(const char *path);

/* write(2) until everything is out; -1 and errno on failure. */
int file_write_all(int fd, const void *data, size_t len);

#endif
