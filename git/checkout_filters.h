/*
 * Whether anything can change the bytes of a file on its way into a new work tree. libgit2 looks for
 * attributes along the path of every single file, which costs as much as writing it; all but the few
 * repositories that have CRLF line ends or $Id$ are spared that. Only git/'s .c files include this.
 */
#ifndef GIT_CHECKOUT_FILTERS_H
#define GIT_CHECKOUT_FILTERS_H

#include <git2.h>
#include <stdbool.h>

/* True also when it cannot be found out. */
bool checkout_filters_are_needed(git_repository *repository, const git_commit *commit);

#endif
