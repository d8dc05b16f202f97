/*
 * Where git finds the program that signs: oi-git-sign, the second name of this program (B-916).
 */
#ifndef BRIDGE_IDENTITY_SIGNER_PATH_H
#define BRIDGE_IDENTITY_SIGNER_PATH_H

#include "common/err.h"

#include <stddef.h>

#define SIGNER_NAME "oi-git-sign"

/* Writes "<directory of this program>/oi-git-sign". A name that is not there is made, as a symbolic
 * link; -1 and what to do when that fails. The path is written all the same. */
int signer_path_prepare(char *out, size_t size, struct err *err);

#endif
