/*
 * Installs the npm packages of the session's MCP servers before OpenCode starts them (S-302, S-304), with
 * npm as the machine has it configured: `npm root -g` says what is there already, `npm install -g`
 * brings the rest. A failure is a warning in the log; npx tries again then. Embedded; stays in place
 * until mcp_install_close() and the loop have run. `config` must outlive it.
 */
#ifndef SUPERVISOR_MCP_MCP_INSTALL_H
#define SUPERVISOR_MCP_MCP_INSTALL_H

#include "common/buf.h"
#include "supervisor/config/config.h"
#include "supervisor/mcp/mcp_packages.h"
#include "supervisor/process/process.h"

#define MCP_INSTALL_LIMIT_MS (180 * 1000) /* S-164 */

struct mcp_install {
    struct process asking;     /* npm root -g */
    struct process installing; /* npm install -g */
    uv_timer_t limit;
    uint64_t limit_ms;
    struct log *log;
    const struct config *config;
    void (*on_done)(void *user);
    void *user;
    struct mcp_packages packages; /* `valid` becomes those that are missing */
    struct buf output;            /* of npm, its beginning */
    char root[1024];              /* where packages are installed; "" when npm did not say */
    bool too_late;
    bool killed;
};

/* Some MCP server is started through npx. */
bool mcp_install_is_wanted(const struct config *config);

void mcp_install_init(struct mcp_install *install, uv_loop_t *loop, struct reaper *reaper,
                      struct log *log, const struct config *config, void (*on_done)(void *user),
                      void *user);
void mcp_install_close(struct mcp_install *install);

void mcp_install_start(struct mcp_install *install, uint64_t limit_ms);

/* on_done is not called after it. */
void mcp_install_kill(struct mcp_install *install);
bool mcp_install_is_running(const struct mcp_install *install);

#endif
