#include "supervisor/skills/skills.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "common/url.h"
#include "supervisor/skills/skills_worker.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define WORKER_GRACE_MS (5 * 1000) /* the worker keeps the limit itself */
#define URL_MAX (16 * 1024)

static void fail(struct skills *skills, const cJSON *result, const struct err *err)
{
    const char *code = json_get_string(result, "error_code");
    const char *text = json_get_string(result, "error");
    struct err failure;

    err_set(&failure, ERR_PROTOCOL, "the session's managed skills: %s",
            text  ? text
            : err ? err->text
                  : "no reason given");
    log_at(skills->log, LOG_ERROR, "managed_skills.failed",
           LOG_STR("error_code", code              ? code
                                 : skills->fetched ? skill_fault_name(SKILL_FAULT_INSTALL)
                                                   : skill_fault_name(SKILL_FAULT_FETCH)),
           LOG_STR("error_message", failure.text));
    skills->on_done(skills->user, &failure);
}

static void log_installed(struct skills *skills, const cJSON *result)
{
    AUTO_BUF struct buf text = BUF_INIT(LOG_LINE_MAX);
    double dropped = 0;

    json_get_number(result, "dropped", &dropped);
    if (dropped > 0) {
        json_print(json_get_array(result, "collisions"), &text);
        log_at(skills->log, LOG_WARNING, "managed_skills.collisions_dropped",
               LOG_JSON("collisions", buf_text(&text)));
    }
    log_at(skills->log, LOG_INFO, "managed_skills.materialized",
           LOG_STR("manifest_sha256", skills->manifest_sha256),
           LOG_NUM("skill_count", skills->count - dropped));
}

static void note_fetched(struct skills *skills, const cJSON *result)
{
    const char *sha256 = json_get_string(result, "manifest_sha256");
    double status = 0, count = 0;

    json_get_number(result, "skill_count", &count);
    skills->count = (unsigned)count;
    snprintf(skills->manifest_sha256, sizeof skills->manifest_sha256, "%s", sha256 ? sha256 : "");
    skills->nothing_to_install = true;
    if (json_get_number(result, "unsupported", &status))
        log_at(skills->log, LOG_INFO, "managed_skills.unsupported", LOG_NUM("status", status));
    else if (json_get_bool(result, "unchanged", false))
        log_installed(skills, NULL);
    else
        skills->nothing_to_install = false;
}

static void on_worker_done(void *user, const cJSON *result, const struct err *err)
{
    struct skills *skills = user;

    if (skills->killed)
        return;
    if (!json_get_bool(result, "ok", false)) {
        fail(skills, result, err);
        return;
    }
    if (skills->fetched)
        log_installed(skills, result);
    else
        note_fetched(skills, result);
    skills->on_done(skills->user, NULL);
}

void skills_init(struct skills *skills, uv_loop_t *loop, struct reaper *reaper, struct log *log,
                 const struct config *config, skills_done_fn *on_done, void *user)
{
    const struct worker_listener listener = {.on_done = on_worker_done, .user = skills};

    *skills = (struct skills){.config = config, .log = log, .on_done = on_done, .user = user};
    worker_init(&skills->fetching, SKILLS_WORKER_NAME, loop, reaper, log, listener);
    worker_init(&skills->installing, SKILLS_WORKER_NAME, loop, reaper, log, listener);
}

void skills_close(struct skills *skills)
{
    worker_close(&skills->fetching);
    worker_close(&skills->installing);
}

bool skills_are_wanted(const struct config *config)
{
    return config->era == ERA_CURRENT && config->boot_mode != BOOT_BUILD &&
           *config->control_plane_url && *config->session_id;
}

static cJSON *input_new(const struct skills *skills, const char *action)
{
    cJSON *input = cJSON_CreateObject();

    json_add_string(input, "action", action);
    json_add_string(input, "directory", skills->config->paths.opencode_home);
    return input;
}

static void start(struct skills *skills, struct worker *worker, const cJSON *input,
                  uint64_t limit_ms)
{
    struct err err;

    if (worker_start(worker, input, limit_ms, &err) != 0)
        fail(skills, NULL, &err);
}

void skills_fetch(struct skills *skills, uint64_t limit_ms)
{
    AUTO_BUF struct buf url = BUF_INIT(URL_MAX);
    AUTO_SECRET_JSON cJSON *input = input_new(skills, "fetch");

    buf_printf(&url, "%s/sessions/", skills->config->control_plane_url);
    url_encode(skills->config->session_id, &url);
    buf_puts(&url, "/sandbox-skills");
    json_add_string(input, "url", buf_text(&url));
    json_add_string(input, "token", skills->config->auth_token);
    json_add_number(input, "limit_ms", (double)limit_ms);
    start(skills, &skills->fetching, input, limit_ms + WORKER_GRACE_MS);
}

static void add_searched(cJSON *list, const char *directory, const char *below)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/%s", directory, below) < PATH_MAX)
        cJSON_AddItemToArray(list, cJSON_CreateString(path));
}

/* S-408 */
static void add_all_searched(cJSON *list, const struct config *config)
{
    static const char *const below[] = {".opencode/skills", ".claude/skills", ".agents/skills"};

    add_searched(list, config->paths.assets, "skills");
    for (size_t i = 0; i < ARRAY_LENGTH(below); i++) {
        add_searched(list, config_workdir(config), below[i]);
        for (size_t r = 0; r < config->repositories.count; r++)
            add_searched(list, config->repositories.items[r].path, below[i]);
        add_searched(list, config->paths.home, below[i]);
    }
}

void skills_install(struct skills *skills, uint64_t limit_ms)
{
    AUTO_JSON cJSON *input = input_new(skills, "install");
    cJSON *searched;

    skills->fetched = true;
    if (skills->nothing_to_install) {
        skills->on_done(skills->user, NULL);
        return;
    }
    searched = cJSON_CreateArray();
    add_all_searched(searched, skills->config);
    json_put(input, "searched", searched);
    start(skills, &skills->installing, input, limit_ms);
}

void skills_kill(struct skills *skills)
{
    skills->killed = true;
    worker_kill(&skills->fetching);
    worker_kill(&skills->installing);
}
