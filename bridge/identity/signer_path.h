/*
 * Where git finds the program that signs: oi-git-sign, the second name of this program (B-916).
 */
#ifndef BRIDGE_IDENTITY_SIGNER_PATH_H
#define BRIDGE_IDENTITY_SIGNER_PATH_H

#include "common/err.h"

#include <stddef.h>

#define SIGNER_NAME "oi-git-sign"

/* Writes the path of oi-git-sign: in `bin_directory` (B-109; NULL: none), beside this program, or in a
 * directory for us alone below `temp_directory`. The first that is there; else the first where it can
 * be made, as a symbolic link. -1 and what to do when it can be made nowhere. */
int signer_path_prepare(const char *bin_directory, const char *temp_directory, char *out,
                        size_t size, struct err *err);

#endif
