/*
 * Fetches all pages of a session's skills and stages them (S-391..S-394). Blocks; used in a worker.
 */
#ifndef SUPERVISOR_SKILLS_SKILLS_FETCH_H
#define SUPERVISOR_SKILLS_SKILLS_FETCH_H

#include "supervisor/skills/skill_page.h"
#include "supervisor/skills/skill_store.h"

#include <stdint.h>

struct skills_fetch {
    const char *url; /* without query */
    const char *token;
    uint64_t limit_ms; /* of everything together */
    struct skill_pages pages;
    int unsupported; /* the status of a control plane without skills; else 0 */
};

/* SKILL_FAULT_NONE, or what failed, with `err`. */
enum skill_fault skills_fetch_run(struct skills_fetch *fetch, const struct skill_store *store,
                                  struct err *err);

#endif
