/*
 * What the environment and SESSION_CONFIG say about this sandbox (S-5..S-69). config_parse() is
 * pure: it asks a function for variables and collects every problem instead of stopping at the
 * first. The struct owns its strings until config_free(). Secrets in it: auth_token, git_token,
 * opencode_password.
 */
#ifndef SUPERVISOR_CONFIG_CONFIG_H
#define SUPERVISOR_CONFIG_CONFIG_H

#include "common/buf.h"
#include "supervisor/config/config_build.h"
#include "supervisor/config/config_env.h"
#include "supervisor/config/config_paths.h"
#include "supervisor/config/flags.h"
#include "supervisor/config/repositories.h"
#include "supervisor/boot/tunnel_file.h"

#include <cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#define OPENCODE_PORT 4096

enum era { ERA_LEGACY, ERA_CURRENT };

enum boot_mode { BOOT_FRESH, BOOT_REPO_IMAGE, BOOT_SNAPSHOT_RESTORE, BOOT_BUILD, BOOT_MODE_COUNT };

struct config {
    enum era era;
    const char *era_reason; /* the variable or flag that decided */
    enum boot_mode boot_mode;
    char *image_sha; /* what the image was built from (S-19), or "unknown" */

    char *sandbox_id;
    char *session_id;        /* "" when there is none */
    char *control_plane_url; /* no trailing "/"; "" when there is none */
    char *auth_token;        /* "" when there is none */

    char *vcs_host;
    char *git_username;
    char *git_token;     /* "" when there is none */
    char *git_user_name; /* legacy: who commits; NULL when nobody is known */
    char *git_user_email;
    struct repository_list repositories;

    struct config_build build; /* only in BOOT_BUILD */

    uint64_t setup_timeout_ms;
    uint64_t start_timeout_ms;
    struct tunnel_ports tunnel_ports; /* that start.sh may count on (S-26) */
    char *bad_tunnel_ports;           /* the variable, when a piece of it is no port; else NULL */
    uint64_t tunnel_timeout_ms;
    char *working_branch; /* NULL: none was named (S-63) */

    char *provider;
    char *model;
    cJSON *session;         /* SESSION_CONFIG, for mcp_servers */
    bool session_unknown;   /* it could not be read */
    bool opencode_snapshot; /* OpenCode keeps a picture of the tree at every step */
    bool slack_notify;      /* S-280 */
    bool openai_managed;    /* the control plane has the account's tokens (S-294) */
    bool xai_managed;
    char *opencode_host;
    char *opencode_username;
    uint64_t opencode_memory_limit_kib; /* above it an idle OpenCode is started anew; 0: never */
    char *opencode_password; /* NULL: OpenCode asks for none (it listens on loopback only) */

    bool bridge_early_connect;
    struct config_paths paths;

    struct buf problems; /* one line per bad value, each naming its variable */
    struct buf remarks;  /* one line per value that was replaced by its default */
};

/*
 * 0, or -1 when something is wrong: `config->problems` then says what. In both cases config_free()
 * is due, and what could be read stands in the struct. `random_password` (hex digits) becomes
 * OpenCode's password when it listens on more than loopback and none was given (decision 6).
 * `sandbox_memory` in bytes, 0 when it has no limit (cgroup.h), bounds OpenCode's.
 */
int config_parse(struct config *config, const struct flags *flags, config_env_fn *look_up,
                 void *user, const char *random_password, uint64_t sandbox_memory);
void config_free(struct config *config);

/* "fresh", "repo_image", "snapshot_restore", "build" (S-71). */
const char *config_boot_mode_name(enum boot_mode mode);

/* The directory OpenCode works in (S-182): the only repository's, else the workspace. It does not
 * look whether the checkout exists. */
const char *config_workdir(const struct config *config);

#endif
