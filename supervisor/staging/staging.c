#include "supervisor/staging/staging.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "supervisor/opencode/config_content.h"
#include "supervisor/staging/earlier_assets.h"
#include "supervisor/staging/legacy_tool.h"
#include "supervisor/staging/npm_guard.h"
#include "supervisor/staging/oauth_sentinel.h"
#include "supervisor/staging/staged_commands.h"
#include "supervisor/staging/staged_links.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define DIRECTORY_MODE 0755
#define CODEX_PLUGIN "codex-auth-plugin.js"
#define XAI_PLUGIN "xai-auth-plugin.js"

static bool is_javascript(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot && strcmp(dot, ".js") == 0;
}

static bool choose_tool(void *user, char *as)
{
    const struct config *config = user;

    if (strcmp(as, "create-pull-request.js") == 0)
        return config->repositories.count > 0; /* S-279 */
    if (strcmp(as, "slack-notify.js") == 0)
        return config->slack_notify; /* S-280 */
    /* The older control plane has no routes for the others (S-318). */
    return is_javascript(as) && config->era == ERA_CURRENT;
}

/* S-290 */
static bool choose_skill(void *user, char *as)
{
    const struct config *config = user;
    char file[PATH_MAX];

    return snprintf(file, sizeof file, "%s/skills/%s/SKILL.md", config->paths.assets, as) <
               PATH_MAX &&
           file_exists(file);
}

/* S-299; the others in that directory are what these import. */
static bool choose_plugin(void *user, char *as)
{
    const struct config *config = user;

    return (strcmp(as, CODEX_PLUGIN) == 0 && config->openai_managed) ||
           (strcmp(as, XAI_PLUGIN) == 0 && config->xai_managed);
}

/* `from` of the image, linked into `into` of OpenCode's directory. */
static const struct kind {
    const char *from;
    const char *into;
    bool (*choose)(void *user, char *as);
} kinds[] = {
    {"tools", "tool", choose_tool},
    {"skills", "skill", choose_skill},
    {"plugins", "plugins", choose_plugin},
};

struct linking {
    const struct config *config;
    const struct kind *kind;
    struct log *log;
    bool any_skill;
    char source[PATH_MAX], destination[PATH_MAX];
    struct staged_links links;
};

static bool choose(void *user, char *as)
{
    const struct linking *linking = user;

    return linking->kind->choose((void *)linking->config, as);
}

static void on_linked(void *user, const char *as)
{
    struct linking *linking = user;

    if (linking->kind->choose == choose_plugin)
        log_at(linking->log, LOG_INFO,
               strcmp(as, CODEX_PLUGIN) == 0 ? "openai_oauth.plugin_deployed"
                                             : "xai_oauth.plugin_deployed");
    linking->any_skill = linking->kind->choose == choose_skill;
}

/* Its `links` point into it: it stays where it is. */
static int init_linking(struct linking *linking, const struct config *config,
                        const struct kind *kind, struct log *log, struct err *err)
{
    *linking = (struct linking){.config = config, .kind = kind, .log = log};
    linking->links = (struct staged_links){.source = linking->source,
                                           .destination = linking->destination,
                                           .choose = choose,
                                           .on_linked = on_linked,
                                           .user = linking};
    if (snprintf(linking->source, PATH_MAX, "%s/%s", config->paths.assets, kind->from) < PATH_MAX &&
        snprintf(linking->destination, PATH_MAX, "%s/%s", config->paths.opencode_home, kind->into) <
            PATH_MAX)
        return 0;
    return err_set_sys(err, ENAMETOOLONG, "%s", config->paths.opencode_home);
}

static int link_kind(const struct config *config, const struct kind *kind, struct log *log,
                     struct err *err)
{
    struct linking linking;

    if (init_linking(&linking, config, kind, log, err) != 0)
        return -1;
    if (staged_links_update(&linking.links, err) != 0)
        return err_add_context(err, "stage OpenCode's %s", kind->from);
    if (linking.any_skill)
        log_at(log, LOG_INFO, "opencode.skills_installed",
               LOG_STR("skills_path", linking.destination));
    return 0;
}

static void seed_global_directory(const struct config *config, struct log *log)
{
    static const char *const skip_reasons[] = {
        [NPM_GUARD_PRESENT] = "already_present",
        [NPM_GUARD_FOREIGN] = "foreign_manifest",
        [NPM_GUARD_NEEDED] = "own_code",
    };
    const char *directory = config->paths.opencode_home;
    uint64_t started_ms = clock_monotonic_ms();
    char deps[PATH_MAX];
    enum npm_guard guard;
    struct err err;

    legacy_tool_name_deps(config, deps);
    guard = npm_guard_put(directory, deps, &err);
    if (guard == NPM_GUARD_PUT)
        log_at(log, LOG_INFO, "opencode.global_deps_seeded", LOG_STR("config_dir", directory),
               LOG_NUM("duration_ms", clock_monotonic_ms() - started_ms));
    else if (guard == NPM_GUARD_FAILED)
        log_at(log, LOG_WARNING, "opencode.global_deps_seed_failed", LOG_ERR(&err));
    else
        log_at(log, LOG_INFO, "opencode.global_deps_skip", LOG_STR("config_dir", directory),
               LOG_STR("reason", skip_reasons[guard]));
}

static void log_mcp_servers(const struct config *config, struct log *log)
{
    size_t count = config_content_mcp_count(config);

    if (count > 0)
        log_at(log, LOG_INFO, "mcp.configured", LOG_NUM("count", count));
}

int staging_prepare(const struct config *config, struct log *log, struct err *err)
{
    if (file_make_directories(config->paths.opencode_home, DIRECTORY_MODE, err) != 0)
        return err_add_context(err,
                               "stage what OpenCode loads as user %d (HOME has to be a directory "
                               "that this user may write to)",
                               (int)getuid());
    oauth_sentinel_update(config, log);
    log_mcp_servers(config, log);
    if (config->repositories.count == 0)
        earlier_assets_remove_from_workspace(config->paths.workspace);
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        if (link_kind(config, &kinds[i], log, err) != 0)
            return -1;
    }
    if (legacy_tool_stage(config, err) != 0)
        return err_add_context(err, "stage OpenCode's tool");
    seed_global_directory(config, log);
    staged_commands_install(config, log);
    return 0;
}

static bool everything_is_there(const struct config *config)
{
    struct linking linking;

    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        if (init_linking(&linking, config, &kinds[i], NULL, NULL) == 0 &&
            !staged_links_are_there(&linking.links))
            return false;
    }
    return legacy_tool_is_there(config);
}

void staging_check(const struct config *config, struct log *log)
{
    struct err err;

    if (everything_is_there(config))
        return;
    log_at(log, LOG_WARNING, "opencode.assets_missing",
           LOG_STR("config_dir", config->paths.opencode_home));
    if (staging_prepare(config, log, &err) != 0)
        log_at(log, LOG_WARNING, "opencode.staging_failed", LOG_ERR(&err));
}
