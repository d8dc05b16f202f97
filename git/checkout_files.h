/*
 * The files of a commit, as entries for an index, in the index's order. The caller owns the list; each
 * path is malloc'ed. One entry is some 150 bytes, so that 100,000 files take 15 MB. Only git/'s .c files
 * include this.
 */
#ifndef GIT_CHECKOUT_FILES_H
#define GIT_CHECKOUT_FILES_H

#include <git2.h>
#include <stdbool.h>
#include <stddef.h>

struct checkout_files {
    git_index_entry *entries; /* path, mode and id are set */
    size_t count;
    size_t room;
    int root; /* the work tree */
};

/* Lists the files of `commit` and makes their folders, and those of submodules, below the directory
 * `root`. Every folder must be new: false when one exists or a name is not one plain name, so that what
 * is then written into them stays below `root`. */
bool checkout_files_list(const git_commit *commit, int root, struct checkout_files *files);

void checkout_files_free(struct checkout_files *files);

#endif
