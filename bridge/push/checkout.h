/*
 * Which checkout a push goes from (B-807..B-810, B-841): names of a command never become paths. The
 * path is the caller's to free.
 */
#ifndef BRIDGE_PUSH_CHECKOUT_H
#define BRIDGE_PUSH_CHECKOUT_H

#include "bridge/manifest.h"
#include "bridge/push/push_request.h"
#include "common/err.h"

/* NULL, with the text for the control plane in `err` and a word for the log in `*reason`. */
char *checkout_find(const struct push_request *request, const struct manifest *manifest,
                    const char *workspace, const char **reason, struct err *err);

#endif
