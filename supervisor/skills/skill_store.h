/*
 * The directory of managed skills and how it is exchanged (S-406..S-411): what comes is written
 * beside it and takes its place in one go, so that OpenCode sees the old skills or the new ones and
 * never a mixture, also when the machine dies in between. Names and paths have passed skill_page_check()
 * before. Used in a worker.
 */
#ifndef SUPERVISOR_SKILLS_SKILL_STORE_H
#define SUPERVISOR_SKILLS_SKILL_STORE_H

#include "common/err.h"

#include <cJSON.h>
#include <limits.h>
#include <stdbool.h>

struct skill_store {
    char parent[PATH_MAX];
    char target[PATH_MAX];
    char staging[PATH_MAX];
    char backup[PATH_MAX];
    char journal[PATH_MAX];
};

/* `parent`: OpenCode's global configuration directory; made when it is missing. */
int skill_store_open(struct skill_store *store, const char *parent, struct err *err);

/* Puts right what an earlier boot left half done, then makes an empty staging directory. */
int skill_store_begin(struct skill_store *store, struct err *err);

/* Writes one skill of a page into staging. */
int skill_store_add(const struct skill_store *store, const cJSON *skill, struct err *err);

/* There are no skills now: nothing has to go when nothing new comes. */
bool skill_store_is_empty(const struct skill_store *store);

/* Exchanges the target for staging. */
int skill_store_commit(const struct skill_store *store, struct err *err);

/* Drops staging; the target stays. */
void skill_store_abort(const struct skill_store *store);

#endif
