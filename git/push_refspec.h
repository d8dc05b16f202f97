/*
 * A push refspec as the control plane writes it, taken apart and put together as libgit2 wants it.
 * Pure but for the lookup of the source's full name, which the caller does.
 */
#ifndef GIT_PUSH_REFSPEC_H
#define GIT_PUSH_REFSPEC_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>

#define PUSH_REF_MAX 1024

struct push_refspec {
    bool force;
    char source[PUSH_REF_MAX];      /* "" deletes the destination */
    char destination[PUSH_REF_MAX]; /* full name; "" when the text had none */
};

int push_refspec_parse(const char *text, struct push_refspec *refspec, struct err *err);

/* "+source:destination" */
void push_refspec_print(const struct push_refspec *refspec, struct buf *out);

/* The destination without "refs/heads/", as git shows it. */
const char *push_refspec_short(const struct push_refspec *refspec);

#endif
