/*
 * The managed skills of a session (section 9): fetched by a worker while git works, put into OpenCode's
 * directory by another one when the checkouts and hooks are done, because names that a repository
 * uses are left out. Embedded; stays in place until skills_close() and the loop have run. `config`
 * must outlive it.
 */
#ifndef SUPERVISOR_SKILLS_SKILLS_H
#define SUPERVISOR_SKILLS_SKILLS_H

#include "supervisor/config/config.h"
#include "supervisor/process/worker.h"
#include "supervisor/skills/skill_page.h"

#define SKILLS_FETCH_LIMIT_MS (60 * 1000)   /* S-413 */
#define SKILLS_INSTALL_LIMIT_MS (30 * 1000) /* a file system that takes longer hangs */

/* Each call is answered once. `err` (NULL: it went well) is fatal (S-117). */
typedef void skills_done_fn(void *user, const struct err *err);

struct skills {
    struct worker fetching; /* two, because the second may start when the first has just ended */
    struct worker installing;
    const struct config *config;
    struct log *log;
    skills_done_fn *on_done;
    void *user;
    char manifest_sha256[SKILL_SHA256_HEX + 1];
    unsigned count;
    bool nothing_to_install;
    bool killed;  /* nothing is said of it any more */
    bool fetched; /* what is done or told now is the installing */
};

void skills_init(struct skills *skills, uv_loop_t *loop, struct reaper *reaper, struct log *log,
                 const struct config *config, skills_done_fn *on_done, void *user);
void skills_close(struct skills *skills);

/* Whether this sandbox has a control plane and a session to ask for them (S-390, S-105). */
bool skills_are_wanted(const struct config *config);

void skills_fetch(struct skills *skills, uint64_t limit_ms);

/* After skills_fetch() went well. Nothing to do when the control plane has no skills (S-392). */
void skills_install(struct skills *skills, uint64_t limit_ms);

/* on_done is not called after it. */
void skills_kill(struct skills *skills);

#endif
