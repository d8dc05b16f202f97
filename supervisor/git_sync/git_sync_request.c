#include "supervisor/git_sync/git_sync_request.h"

#include "common/buf.h"
#include "common/json.h"

#include <string.h>

#define URL_MAX (4 * 1024)
#define CONNECT_LIMIT_S 30
#define STALL_LIMIT_S 60

static const char *action_of(const struct config *config)
{
    bool restored = config->boot_mode == BOOT_SNAPSHOT_RESTORE;

    if (config->era == ERA_LEGACY)
        return restored ? "legacy-quick-fetch" : "legacy-sync";
    return restored ? "refresh" : "sync";
}

static cJSON *build_limits(void)
{
    cJSON *limits = cJSON_CreateObject();

    json_add_number(limits, "connect_s", CONNECT_LIMIT_S);
    json_add_number(limits, "stall_s", STALL_LIMIT_S);
    json_add_number(limits, "clone_s", GIT_SYNC_CLONE_LIMIT_S);
    json_add_number(limits, "fetch_s", GIT_SYNC_FETCH_LIMIT_S);
    return limits;
}

/* S-214: only the older contract names who commits at boot. */
static void add_identity(cJSON *request, const struct config *config)
{
    cJSON *identity;

    if (config->era != ERA_LEGACY || !config->git_user_name || !config->git_user_email)
        return;
    identity = cJSON_CreateObject();
    json_add_string(identity, "name", config->git_user_name);
    json_add_string(identity, "email", config->git_user_email);
    json_put(request, "identity", identity);
}

/* What a second boot of the same sandbox must not damage (S-202). */
static void add_reentry(cJSON *request, const struct config *config,
                        const struct repository *repository)
{
    bool image = config->boot_mode == BOOT_REPO_IMAGE;
    bool kept = image || config->boot_mode == BOOT_FRESH;

    json_add_bool(request, "keep_session_work", kept);
    json_add_bool(request, "of_image", image);
    if (kept && strcmp(config->sandbox_id, "unknown") != 0)
        json_add_string(request, "sandbox_id", config->sandbox_id);
    if (kept && *config->session_id)
        json_add_string(request, "session_id", config->session_id);
    json_add_string(request, "base_sha", repository->base_sha);
}

const char *git_sync_unexpected_event(const struct config *config)
{
    if (config->era == ERA_LEGACY)
        return "git.sync_error";
    return config->boot_mode == BOOT_SNAPSHOT_RESTORE ? "git.restore_refresh_error"
                                                      : "git.update_error";
}

cJSON *git_sync_request_build(const struct config *config, const struct repository *repository)
{
    AUTO_BUF struct buf url = BUF_INIT(URL_MAX);
    AUTO_BUF struct buf full_name = BUF_INIT(URL_MAX);
    cJSON *request = cJSON_CreateObject();

    /* S-184, S-186: never with a token, in no era. */
    buf_printf(&url, "https://%s/%s/%s.git", config->vcs_host, repository->owner, repository->name);
    buf_printf(&full_name, "%s/%s", repository->owner, repository->name);
    if (!request || buf_failed(&url) || buf_failed(&full_name)) {
        cJSON_Delete(request);
        return NULL;
    }
    json_add_string(request, "action", action_of(config));
    json_add_string(request, "path", repository->path);
    json_add_string(request, "repository", buf_text(&full_name));
    json_add_string(request, "url", buf_text(&url));
    /* S-212: the older contract's "no branch" is the remote's own choice. */
    if (config->era == ERA_CURRENT || repository->branch_given)
        json_add_string(request, "branch", repository->branch);
    json_add_bool(request, "branch_is_default", !repository->branch_given);
    add_reentry(request, config, repository);
    /* S-231: in a live session the control plane is asked, whatever token lies around. */
    if (config->era == ERA_CURRENT && (*config->control_plane_url || *config->auth_token)) {
        json_add_bool(request, "ask_credentials", true);
    } else if (*config->git_token) {
        json_add_string(request, "username", config->git_username);
        json_add_string(request, "password", config->git_token);
    }
    add_identity(request, config);
    json_put(request, "limits", build_limits());
    return request;
}
