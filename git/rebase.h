/*
 * Bringing the checked-out branch onto origin's, as the older contract wants it (S-210, S-212).
 */
#ifndef GIT_REBASE_H
#define GIT_REBASE_H

#include "common/err.h"

enum rebase_outcome {
    REBASE_UP_TO_DATE,     /* HEAD has everything of origin/<branch> */
    REBASE_FAST_FORWARDED, /* HEAD was an ancestor of it */
    REBASE_REBASED,        /* local commits were put on top of it */
};

/* On a conflict everything is put back as it was (`rebase --abort`) and -1 returned; uncommitted
 * changes that are in the way are a failure too, and stay. */
int rebase_onto_origin(const char *path, const char *branch, enum rebase_outcome *outcome,
                       struct err *err);

#endif
