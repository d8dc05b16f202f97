#include "supervisor/config/config.h"

#include "common/ascii.h"
#include "common/cleanup.h"
#include "common/env.h"
#include "common/json.h"
#include "common/url.h"
#include "supervisor/config/config_opencode.h"
#include "supervisor/config/config_remarks.h"
#include "supervisor/config/session_text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PROBLEMS_MAX (64 * 1024)
#define MS_PER_S 1000
#define SETUP_TIMEOUT_S 300
#define START_TIMEOUT_S 120
#define TUNNEL_TIMEOUT_S 30
#define TIMEOUT_MOST_S (365L * 24 * 3600)
#define HOST_URL_MAX 1024

static const char *const boot_mode_names[] = {
    [BOOT_FRESH] = "fresh",
    [BOOT_REPO_IMAGE] = "repo_image",
    [BOOT_SNAPSHOT_RESTORE] = "snapshot_restore",
    [BOOT_BUILD] = "build",
};
_Static_assert(ARRAY_LENGTH(boot_mode_names) == BOOT_MODE_COUNT, "every boot mode has a name");

const char *config_boot_mode_name(enum boot_mode mode)
{
    return boot_mode_names[mode];
}

const char *config_workdir(const struct config *config)
{
    return config->repositories.count == 1 ? config->repositories.items[0].path
                                           : config->paths.workspace;
}

static void decide_era(struct config *config, const struct config_env *env, enum era_choice choice)
{
    static const char *const current_only[] = {"VCS_HOST", "SANDBOX_TIMEOUT_SECONDS",
                                               "IMAGE_BUILD_MODE", "FROM_REPO_IMAGE",
                                               "VCS_CLONE_USERNAME"};
    config->era = choice == ERA_CHOICE_CURRENT ? ERA_CURRENT : ERA_LEGACY;
    config->era_reason =
        choice == ERA_CHOICE_AUTO ? "no variable of the current contract" : "--era";
    if (choice != ERA_CHOICE_AUTO)
        return;
    for (size_t i = 0; i < ARRAY_LENGTH(current_only); i++) {
        /* S-5: presence counts, an empty value too. */
        if (!config_env_has(env, current_only[i]))
            continue;
        config->era = ERA_CURRENT;
        config->era_reason = current_only[i];
        return;
    }
}

static void decide_boot_mode(struct config *config, const struct config_env *env)
{
    bool current = config->era == ERA_CURRENT;

    if (current && config_env_is_true(env, "IMAGE_BUILD_MODE"))
        config->boot_mode = BOOT_BUILD;
    else if (config_env_is_true(env, "RESTORED_FROM_SNAPSHOT"))
        config->boot_mode = BOOT_SNAPSHOT_RESTORE;
    else if (current && config_env_is_true(env, "FROM_REPO_IMAGE"))
        config->boot_mode = BOOT_REPO_IMAGE;
    else
        config->boot_mode = BOOT_FRESH;
}

static void parse_session_config(struct config *config, const struct config_env *env)
{
    static const char name[] = "SESSION_CONFIG";
    const char *text = env->look_up(env->user, name);
    struct err err;

    config->session = text ? session_parse(text, &err) : cJSON_CreateObject();
    if (config->session)
        return;
    config_env_problem(env, name, text ? err.text : "out of memory");
    config->session_unknown = true;
    config->session = cJSON_CreateObject();
}

static void parse_control_plane(struct config *config, const struct config_env *env)
{
    static const char name[] = "CONTROL_PLANE_URL";
    size_t len;

    config->control_plane_url = config_env_copy(env, name, "");
    config->auth_token = config_env_copy(env, "SANDBOX_AUTH_TOKEN", "");
    if (!config->control_plane_url || !*config->control_plane_url)
        return;
    len = strlen(config->control_plane_url);
    while (len > 0 && config->control_plane_url[len - 1] == '/')
        config->control_plane_url[--len] = '\0';
    /* Nobody may be reported to at an address we could not read. */
    if (!config_env_check_url(env, name, config->control_plane_url))
        config->control_plane_url[0] = '\0';
}

static void parse_identity(struct config *config, const struct config_env *env)
{
    const char *fallback = config->era == ERA_LEGACY ? config_env_get(env, "SESSION_ID") : NULL;

    config->sandbox_id = config_env_copy(env, "SANDBOX_ID", "unknown");
    config->image_sha = config_env_copy(env, "REPO_IMAGE_SHA", "unknown");
    config->session_id = session_text(config->session, "sessionId");
    if (!config->session_id)
        config->session_id = session_text(config->session, "session_id");
    if (!config->session_id)
        config->session_id = strdup(fallback ? fallback : "");
}

/* Such a token fits in no header. */
static bool holds_control_character(const char *text)
{
    while (*text && !ascii_is_control((unsigned char)*text))
        text++;
    return *text != '\0';
}

/* What the bridge would refuse at its start, six times over, is better said before the boot; and with
 * an address or a SESSION_CONFIG that has to be repaired, not only afterwards. */
static void check_bridge_access(const struct config *config, const struct config_env *env)
{
    static const char *const ways[] = {"header", "query", "query-only"};
    const char *auth = config_env_get(env, "BRIDGE_WS_AUTH");
    bool known = auth == NULL;

    if (config->boot_mode == BOOT_BUILD || !config_env_get(env, "CONTROL_PLANE_URL") ||
        (!*config->session_id && !config->session_unknown))
        return; /* no bridge (S-322) */
    if (!*config->auth_token)
        config_env_problem(env, "SANDBOX_AUTH_TOKEN",
                           "is missing; without it the control plane refuses the bridge");
    if (holds_control_character(config->auth_token))
        config_env_problem(env, "SANDBOX_AUTH_TOKEN",
                           "holds a line break or another control character");
    for (size_t i = 0; auth && i < ARRAY_LENGTH(ways); i++)
        known = known || strcmp(auth, ways[i]) == 0;
    if (!known)
        config_env_problem(env, "BRIDGE_WS_AUTH", "must be header, query or query-only");
}

static const char *usual_git_username(const char *host)
{
    if (strcasecmp(host, "gitlab.com") == 0)
        return "oauth2";
    if (strcasecmp(host, "bitbucket.org") == 0)
        return "x-token-auth";
    return "x-access-token";
}

/* S-15: it becomes a part of every clone URL. */
static bool is_git_host(const char *host)
{
    AUTO_URL struct url url = {0};
    AUTO_BUF struct buf text = BUF_INIT(HOST_URL_MAX);

    for (const char *c = host; *c; c++) {
        if (ascii_is_control((unsigned char)*c) || strchr(" /@", *c))
            return false;
    }
    buf_printf(&text, "https://%s/", host);
    return !buf_failed(&text) && url_parse(buf_text(&text), &url, NULL) == 0;
}

static void parse_git_access(struct config *config, const struct config_env *env)
{
    bool legacy = config->era == ERA_LEGACY;
    const cJSON *git_user = json_get_object(config->session, "git_user");

    config->vcs_host = config_env_copy(env, "VCS_HOST", "github.com");
    if (config->vcs_host && !is_git_host(config->vcs_host))
        config_env_problem(
            env, "VCS_HOST",
            "must be a host name with an optional :port, without \"/\", \"@\" or blanks");
    config->git_token = config_env_copy(env, legacy ? "GITHUB_APP_TOKEN" : "VCS_CLONE_TOKEN", "");
    config->git_username =
        legacy ? strdup("x-access-token")
               : config_env_copy(env, "VCS_CLONE_USERNAME", usual_git_username(config->vcs_host));
    config->git_user_name = session_text(git_user, "name");
    config->git_user_email = session_text(git_user, "email");
}

static uint64_t parse_limit(const struct config_env *env, const char *name, long otherwise_s)
{
    return config_env_whole(env, name, "seconds", 1, TIMEOUT_MOST_S, otherwise_s) * MS_PER_S;
}

/* Section 10; the limit may have a fraction (S-27). */
static void parse_tunnels(struct config *config, const struct config_env *env)
{
    const char *ports = config_env_get(env, "EXPECTED_TUNNEL_PORTS");
    const char *limit = config_env_get(env, "TUNNEL_WAIT_TIMEOUT_SECONDS");
    double seconds = TUNNEL_TIMEOUT_S;

    if (ports && !tunnel_ports_parse(ports, &config->tunnel_ports))
        config->bad_tunnel_ports = strdup(ports);
    if (limit && (env_parse_seconds(limit, &seconds) != 0 || !(seconds >= 0) ||
                  seconds > (double)TIMEOUT_MOST_S)) {
        seconds = TUNNEL_TIMEOUT_S;
        buf_printf(&config->remarks,
                   "TUNNEL_WAIT_TIMEOUT_SECONDS: is no number of seconds; using %d\n",
                   TUNNEL_TIMEOUT_S);
    }
    config->tunnel_timeout_ms = (uint64_t)(seconds * MS_PER_S);
    config->working_branch = session_text(config->session, "working_branch_name");
}

static int find_paths(struct config *config, const struct config_env *env, const char *test_root)
{
    struct config_paths_env variables = {
        .home = config_env_get(env, "HOME"),
        .opencode_config_dir = config_env_get(env, "OPENCODE_CONFIG_DIR"),
        .xdg_config_home = config_env_get(env, "XDG_CONFIG_HOME"),
        .xdg_data_home = config_env_get(env, "XDG_DATA_HOME"),
        .bin_install_dir = config_env_get(env, "OPENINSPECT_BIN_INSTALL_DIR"),
    };

    return config_paths_build(&config->paths, test_root, &variables);
}

static bool has_everything(const struct config *config)
{
    return config->sandbox_id && config->image_sha && config->session_id &&
           config->control_plane_url && config->auth_token && config->vcs_host &&
           config->git_username && config->git_token && config->provider && config->model &&
           config->session && config->opencode_host;
}

int config_parse(struct config *config, const struct flags *flags, config_env_fn *look_up,
                 void *user, const char *random_password, uint64_t sandbox_memory)
{
    const struct config_env env = {.look_up = look_up,
                                   .user = user,
                                   .problems = &config->problems,
                                   .remarks = &config->remarks};

    *config =
        (struct config){.problems = BUF_INIT(PROBLEMS_MAX), .remarks = BUF_INIT(PROBLEMS_MAX)};
    decide_era(config, &env, flags->era);
    decide_boot_mode(config, &env);
    parse_session_config(config, &env);
    parse_control_plane(config, &env);
    parse_identity(config, &env);
    parse_git_access(config, &env);
    config->setup_timeout_ms = parse_limit(&env, "SETUP_TIMEOUT_SECONDS", SETUP_TIMEOUT_S);
    config->start_timeout_ms = parse_limit(&env, "START_TIMEOUT_SECONDS", START_TIMEOUT_S);
    config_opencode_parse(config, &env, flags, random_password, sandbox_memory);
    parse_tunnels(config, &env);
    config->bridge_early_connect = flags->bridge_early_connect ||
                                   json_get_bool(config->session, "bridge_early_connect", false);
    if (config->boot_mode == BOOT_BUILD &&
        config_build_parse(&config->build, flags->await_modal_token, &env) != 0)
        buf_puts(&config->problems, "out of memory\n");
    if (config->boot_mode != BOOT_BUILD && flags->await_modal_token) /* S-432 */
        config_env_problem(&env, "--await-modal-image-build-token-stdin-v1",
                           "needs IMAGE_BUILD_MODE=true");
    if (find_paths(config, &env, flags->test_root) != 0 || !has_everything(config)) {
        buf_puts(&config->problems, "out of memory\n");
        return -1;
    }
    check_bridge_access(config, &env);
    if (repositories_parse(config->session, config_env_get(&env, "REPO_OWNER"),
                           config_env_get(&env, "REPO_NAME"), config->paths.workspace,
                           &config->repositories, &config->problems) != 0)
        buf_puts(&config->problems, "out of memory\n");
    config_remarks_add(config, &env);
    return config->problems.len > 0 ? -1 : 0;
}

void config_free(struct config *config)
{
    char *strings[] = {
        config->sandbox_id,        config->image_sha,         config->session_id,
        config->control_plane_url, config->auth_token,        config->vcs_host,
        config->git_username,      config->git_token,         config->git_user_name,
        config->git_user_email,    config->provider,          config->model,
        config->opencode_host,     config->opencode_username, config->opencode_password,
        config->working_branch,    config->bad_tunnel_ports,
    };

    for (size_t i = 0; i < ARRAY_LENGTH(strings); i++)
        free(strings[i]);
    config_build_free(&config->build);
    config_paths_free(&config->paths);
    cJSON_Delete(config->session);
    repositories_free(&config->repositories);
    buf_free(&config->problems);
    buf_free(&config->remarks);
    *config = (struct config){0};
}
