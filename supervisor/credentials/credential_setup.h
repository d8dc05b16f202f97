/*
 * The boot's step that installs the credential helper (S-224..S-227, S-241): forgets what an image
 * or a snapshot has in its cache, and runs the installing worker. Its failures are logged and never
 * end a boot. Embedded; stays in place until credential_setup_close() and the loop have run.
 */
#ifndef SUPERVISOR_CREDENTIALS_CREDENTIAL_SETUP_H
#define SUPERVISOR_CREDENTIALS_CREDENTIAL_SETUP_H

#include "supervisor/config/config.h"
#include "supervisor/process/worker.h"

/* Three links and a small file; a file system that takes longer hangs. */
#define CREDENTIAL_INSTALL_LIMIT_MS (30 * 1000)

struct credential_setup {
    const struct config *config;
    struct log *log;
    struct worker worker;
    void (*on_done)(void *user);
    void *user;
};

/* Before the first child: all processes of the sandbox then agree on where the cache is. */
void credential_setup_choose_cache(const char *test_root);

void credential_setup_init(struct credential_setup *setup, uv_loop_t *loop, struct reaper *reaper,
                           struct log *log, const struct config *config,
                           void (*on_done)(void *user), void *user);

/* on_done may be called before it returns. */
void credential_setup_start(struct credential_setup *setup, uint64_t limit_ms);
void credential_setup_kill(struct credential_setup *setup);
bool credential_setup_is_running(const struct credential_setup *setup);
void credential_setup_close(struct credential_setup *setup);

/* At the end of the sandbox: nothing secret stays (S-461). */
void credential_setup_forget(void);

#endif
