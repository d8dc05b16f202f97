#include "supervisor/config/config.h"

#include "common/cleanup.h"
#include "common/env.h"
#include "common/json.h"
#include "common/url.h"
#include "supervisor/config/config_remarks.h"
#include "supervisor/config/session_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PROBLEMS_MAX (64 * 1024)
#define MS_PER_S 1000
#define SETUP_TIMEOUT_S 300
#define START_TIMEOUT_S 120
#define TUNNEL_TIMEOUT_S 30
#define TIMEOUT_MOST_S (24L * 3600)
/* OpenCode uses up to 1 GB in a long session; more than this is a leak. */
#define MEMORY_LIMIT_MB 3072L
#define BYTES_PER_MIB (1024 * 1024)
#define MEMORY_LIMIT_MOST_MB (1024L * 1024L)
#define KIB_PER_MIB 1024
#define HOST_URL_MAX 1024
#define LOOPBACK "127.0.0.1"
#define DEFAULT_PROVIDER "anthropic"

struct reader {
    config_env_fn *env;
    void *user;
    struct config *config;
};

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

/* Unset and empty are the same but where the contract says otherwise. */
static const char *get(const struct reader *reader, const char *name)
{
    const char *value = reader->env(reader->user, name);

    return value && *value ? value : NULL;
}

static char *get_copy(const struct reader *reader, const char *name, const char *otherwise)
{
    const char *value = get(reader, name);

    return strdup(value ? value : otherwise);
}

static bool is_exactly_true(const struct reader *reader, const char *name)
{
    const char *value = get(reader, name);

    return value && strcmp(value, "true") == 0;
}

static void add_problem(struct reader *reader, const char *variable, const char *text)
{
    buf_printf(&reader->config->problems, "%s: %s\n", variable, text);
}

static void decide_era(struct reader *reader, enum era_choice choice)
{
    static const char *const current_only[] = {"VCS_HOST", "SANDBOX_TIMEOUT_SECONDS",
                                               "IMAGE_BUILD_MODE", "FROM_REPO_IMAGE",
                                               "VCS_CLONE_USERNAME"};
    struct config *config = reader->config;

    config->era = choice == ERA_CHOICE_CURRENT ? ERA_CURRENT : ERA_LEGACY;
    config->era_reason =
        choice == ERA_CHOICE_AUTO ? "no variable of the current contract" : "--era";
    if (choice != ERA_CHOICE_AUTO)
        return;
    for (size_t i = 0; i < ARRAY_LENGTH(current_only); i++) {
        /* S-5: presence counts, an empty value too. */
        if (!reader->env(reader->user, current_only[i]))
            continue;
        config->era = ERA_CURRENT;
        config->era_reason = current_only[i];
        return;
    }
}

static void decide_boot_mode(struct reader *reader)
{
    struct config *config = reader->config;
    bool current = config->era == ERA_CURRENT;

    if (current && is_exactly_true(reader, "IMAGE_BUILD_MODE"))
        config->boot_mode = BOOT_BUILD;
    else if (is_exactly_true(reader, "RESTORED_FROM_SNAPSHOT"))
        config->boot_mode = BOOT_SNAPSHOT_RESTORE;
    else if (current && is_exactly_true(reader, "FROM_REPO_IMAGE"))
        config->boot_mode = BOOT_REPO_IMAGE;
    else
        config->boot_mode = BOOT_FRESH;
}

static void parse_session_config(struct reader *reader)
{
    static const char name[] = "SESSION_CONFIG";
    const char *text = reader->env(reader->user, name);
    struct config *config = reader->config;
    struct err err;

    config->session = text ? session_parse(text, &err) : cJSON_CreateObject();
    if (config->session)
        return;
    add_problem(reader, name, text ? err.text : "out of memory");
    config->session = cJSON_CreateObject();
}

static void parse_control_plane(struct reader *reader)
{
    static const char name[] = "CONTROL_PLANE_URL";
    struct config *config = reader->config;
    AUTO_URL struct url url = {0};
    struct err err;
    size_t len;

    config->control_plane_url = get_copy(reader, name, "");
    config->auth_token = get_copy(reader, "SANDBOX_AUTH_TOKEN", "");
    if (!config->control_plane_url || !*config->control_plane_url)
        return;
    len = strlen(config->control_plane_url);
    while (len > 0 && config->control_plane_url[len - 1] == '/')
        config->control_plane_url[--len] = '\0';
    if (url_parse(config->control_plane_url, &url, &err) != 0)
        add_problem(reader, name, err.text);
    else if (strcmp(url.scheme, "http") != 0 && strcmp(url.scheme, "https") != 0)
        add_problem(reader, name, "must begin with http:// or https://");
    else
        return;
    /* Nobody may be reported to at an address we could not read. */
    config->control_plane_url[0] = '\0';
}

static void parse_identity(struct reader *reader)
{
    struct config *config = reader->config;
    const char *fallback = config->era == ERA_LEGACY ? get(reader, "SESSION_ID") : NULL;

    config->sandbox_id = get_copy(reader, "SANDBOX_ID", "unknown");
    config->session_id = session_text(config->session, "sessionId");
    if (!config->session_id)
        config->session_id = session_text(config->session, "session_id");
    if (!config->session_id)
        config->session_id = strdup(fallback ? fallback : "");
}

/* What the bridge would refuse at its start, six times over, is better said before the boot. */
static void check_bridge_access(struct reader *reader)
{
    static const char *const ways[] = {"header", "query", "query-only"};
    const struct config *config = reader->config;
    const char *auth = get(reader, "BRIDGE_WS_AUTH");
    bool known = auth == NULL;

    if (config->boot_mode == BOOT_BUILD || !*config->control_plane_url || !*config->session_id)
        return; /* no bridge (S-322) */
    if (!*config->auth_token)
        add_problem(reader, "SANDBOX_AUTH_TOKEN",
                    "is missing; without it the control plane refuses the bridge");
    for (size_t i = 0; auth && i < ARRAY_LENGTH(ways); i++)
        known = known || strcmp(auth, ways[i]) == 0;
    if (!known)
        add_problem(reader, "BRIDGE_WS_AUTH", "must be header, query or query-only");
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
        if ((unsigned char)*c <= ' ' || *c == 127 || *c == '/' || *c == '@')
            return false;
    }
    buf_printf(&text, "https://%s/", host);
    return !buf_failed(&text) && url_parse(buf_text(&text), &url, NULL) == 0;
}

static void parse_git_access(struct reader *reader)
{
    struct config *config = reader->config;
    bool legacy = config->era == ERA_LEGACY;
    const cJSON *git_user = json_get_object(config->session, "git_user");

    config->vcs_host = get_copy(reader, "VCS_HOST", "github.com");
    if (config->vcs_host && !is_git_host(config->vcs_host))
        add_problem(reader, "VCS_HOST",
                    "must be a host name with an optional :port, without \"/\", \"@\" or blanks");
    config->git_token = get_copy(reader, legacy ? "GITHUB_APP_TOKEN" : "VCS_CLONE_TOKEN", "");
    config->git_username =
        legacy ? strdup("x-access-token")
               : get_copy(reader, "VCS_CLONE_USERNAME", usual_git_username(config->vcs_host));
    config->git_user_name = session_text(git_user, "name");
    config->git_user_email = session_text(git_user, "email");
}

/* S-24: what is no positive whole number is the default, and said. */
static uint64_t parse_whole(struct reader *reader, const char *name, const char *unit, long least,
                            long most, long otherwise)
{
    const char *text = get(reader, name);
    char *end;
    long number;

    if (!text)
        return (uint64_t)otherwise;
    errno = 0;
    number = strtol(text, &end, 10);
    if (errno || end == text || end[strspn(end, " \t")] || number < least || number > most) {
        buf_printf(&reader->config->remarks,
                   "%s: is no whole number of %s from %ld to %ld; using %ld\n", name, unit, least,
                   most, otherwise);
        number = otherwise;
    }
    return (uint64_t)number;
}

static uint64_t parse_limit(struct reader *reader, const char *name, long otherwise_s)
{
    return parse_whole(reader, name, "seconds", 1, TIMEOUT_MOST_S, otherwise_s) * MS_PER_S;
}

/* Of a small sandbox not all, so that OpenCode is started anew before the kernel kills something. */
static void parse_memory_limit(struct reader *reader, uint64_t sandbox_memory)
{
    uint64_t most = sandbox_memory / 4 * 3 / BYTES_PER_MIB;
    bool small = most > 0 && most < MEMORY_LIMIT_MB;

    reader->config->opencode_memory_limit_kib =
        parse_whole(reader, "OI_OPENCODE_MEMORY_LIMIT_MB", "megabytes", 0, MEMORY_LIMIT_MOST_MB,
                    small ? (long)most : MEMORY_LIMIT_MB) *
        KIB_PER_MIB;
}

/* Section 10; the limit may have a fraction (S-27). */
static void parse_tunnels(struct reader *reader)
{
    struct config *config = reader->config;
    const char *ports = get(reader, "EXPECTED_TUNNEL_PORTS");
    const char *limit = get(reader, "TUNNEL_WAIT_TIMEOUT_SECONDS");
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

static void parse_model(struct reader *reader)
{
    struct config *config = reader->config;

    config->provider = session_text(config->session, "provider");
    if (!config->provider)
        config->provider = strdup(DEFAULT_PROVIDER);
    config->model = session_text(config->session, "model");
    if (!config->model)
        config->model =
            strdup(config->era == ERA_LEGACY ? "claude-sonnet-4-5" : "claude-sonnet-4-6");
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0 ||
           strcmp(host, "::1") == 0;
}

static bool is_address(const char *host)
{
    struct in6_addr address;

    return strcmp(host, "localhost") == 0 || inet_pton(AF_INET, host, &address) == 1 ||
           inet_pton(AF_INET6, host, &address) == 1;
}

/* S-80 and decision 6: on loopback nobody needs a password, and one that a user's secret happens to
 * set would only lock us out; elsewhere there is always one. */
static void parse_opencode_address(struct reader *reader, const char *flag,
                                   const char *random_password)
{
    struct config *config = reader->config;

    config->opencode_host =
        flag && *flag ? strdup(flag) : get_copy(reader, "OPENCODE_HOSTNAME", LOOPBACK);
    if (!config->opencode_host)
        return;
    if (!is_address(config->opencode_host))
        add_problem(reader, flag && *flag ? "--opencode-host" : "OPENCODE_HOSTNAME",
                    "must be an IPv4 or IPv6 address, or localhost: OpenCode listens there");
    if (is_loopback(config->opencode_host))
        return;
    config->opencode_username = get_copy(reader, "OPENCODE_SERVER_USERNAME", "opencode");
    config->opencode_password = get_copy(reader, "OPENCODE_SERVER_PASSWORD", random_password);
}

/* What is staged for it on demand. */
static void parse_opencode_extras(struct reader *reader)
{
    const char *slack = get(reader, "AGENT_SLACK_NOTIFY_ENABLED");

    reader->config->slack_notify = slack && strcasecmp(slack, "true") == 0; /* S-34 */
    reader->config->openai_managed = get(reader, "OPENAI_OAUTH_MANAGED") != NULL;
    reader->config->xai_managed = get(reader, "XAI_OAUTH_MANAGED") != NULL;
}

static int find_paths(struct reader *reader, const char *test_root)
{
    struct config_paths_env env = {
        .home = get(reader, "HOME"),
        .opencode_config_dir = get(reader, "OPENCODE_CONFIG_DIR"),
        .xdg_config_home = get(reader, "XDG_CONFIG_HOME"),
        .xdg_data_home = get(reader, "XDG_DATA_HOME"),
        .bin_install_dir = get(reader, "OPENINSPECT_BIN_INSTALL_DIR"),
    };

    return config_paths_build(&reader->config->paths, test_root, &env);
}

static bool has_everything(const struct config *config)
{
    return config->sandbox_id && config->session_id && config->control_plane_url &&
           config->auth_token && config->vcs_host && config->git_username && config->git_token &&
           config->provider && config->model && config->session && config->opencode_host;
}

int config_parse(struct config *config, const struct flags *flags, config_env_fn *env, void *user,
                 const char *random_password, uint64_t sandbox_memory)
{
    struct reader reader = {.env = env, .user = user, .config = config};

    *config =
        (struct config){.problems = BUF_INIT(PROBLEMS_MAX), .remarks = BUF_INIT(PROBLEMS_MAX)};
    decide_era(&reader, flags->era);
    decide_boot_mode(&reader);
    parse_session_config(&reader);
    parse_control_plane(&reader);
    parse_identity(&reader);
    parse_git_access(&reader);
    config->setup_timeout_ms = parse_limit(&reader, "SETUP_TIMEOUT_SECONDS", SETUP_TIMEOUT_S);
    config->start_timeout_ms = parse_limit(&reader, "START_TIMEOUT_SECONDS", START_TIMEOUT_S);
    parse_memory_limit(&reader, sandbox_memory);
    parse_tunnels(&reader);
    parse_model(&reader);
    parse_opencode_address(&reader, flags->opencode_host, random_password);
    parse_opencode_extras(&reader);
    config->opencode_snapshot = flags->opencode_snapshot;
    config->bridge_early_connect = flags->bridge_early_connect ||
                                   json_get_bool(config->session, "bridge_early_connect", false);
    if (config->boot_mode == BOOT_BUILD &&
        config_build_parse(&config->build, flags->await_modal_token, env, user,
                           &config->problems) != 0)
        buf_puts(&config->problems, "out of memory\n");
    if (find_paths(&reader, flags->test_root) != 0 || !has_everything(config)) {
        buf_puts(&config->problems, "out of memory\n");
        return -1;
    }
    check_bridge_access(&reader);
    if (repositories_parse(config->session, get(&reader, "REPO_OWNER"), get(&reader, "REPO_NAME"),
                           config->paths.workspace, &config->repositories, &config->problems) != 0)
        buf_puts(&config->problems, "out of memory\n");
    config_remarks_add(config, env, user, &config->remarks);
    return config->problems.len > 0 ? -1 : 0;
}

void config_free(struct config *config)
{
    char *strings[] = {
        config->sandbox_id,
        config->session_id,
        config->control_plane_url,
        config->auth_token,
        config->vcs_host,
        config->git_username,
        config->git_token,
        config->git_user_name,
        config->git_user_email,
        config->provider,
        config->model,
        config->opencode_host,
        config->opencode_username,
        config->opencode_password,
        config->working_branch,
        config->bad_tunnel_ports,
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
