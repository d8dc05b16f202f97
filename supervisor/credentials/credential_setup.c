#include "supervisor/credentials/credential_setup.h"

#include "common/env.h"
#include "common/json.h"
#include "supervisor/credentials/credential_cache.h"
#include "supervisor/credentials/credential_install.h"

#include <stdio.h>
#include <stdlib.h>

void credential_setup_choose_cache(const char *test_root)
{
    char directory[PATH_MAX], earlier[PATH_MAX];
    const char *named = env_get(CREDENTIAL_CACHE_VARIABLE);

    credential_cache_choose_directory(test_root, directory);
    /* Perhaps on a disk, and an earlier supervisor's (S-241): nobody reads it any more. */
    if (snprintf(earlier, sizeof earlier, "%s%s", named ? "" : test_root,
                 named ? named : CREDENTIAL_CACHE_USUAL) < PATH_MAX)
        credential_cache_remove(earlier);
    setenv(CREDENTIAL_CACHE_VARIABLE, directory, 1);
}

void credential_setup_forget(void)
{
    char directory[PATH_MAX];

    credential_cache_choose_directory("", directory);
    credential_cache_remove(directory);
}

static void on_line(void *user, const cJSON *line)
{
    struct credential_setup *setup = user;
    const char *event = json_get_string(line, "event");
    const cJSON *fields = json_get_object(line, "fields");

    if (event)
        log_at(setup->log, LOG_WARNING, event, LOG_STR("path", json_get_string(fields, "path")),
               LOG_STR("config_key", json_get_string(fields, "config_key")),
               LOG_STR("error", json_get_string(fields, "error")),
               LOG_STR("stderr", json_get_string(fields, "config_key")
                                     ? json_get_string(fields, "error")
                                     : NULL)); /* S-493 */
}

static void on_worker_done(void *user, const cJSON *result, const struct err *err)
{
    struct credential_setup *setup = user;

    (void)result;
    if (err && err->class != ERR_CANCELLED)
        log_at(setup->log, LOG_WARNING, "credential_helper.config_failed",
               LOG_STR("error", err->text));
    setup->on_done(setup->user);
}

void credential_setup_init(struct credential_setup *setup, uv_loop_t *loop, struct reaper *reaper,
                           struct log *log, const struct config *config,
                           void (*on_done)(void *user), void *user)
{
    *setup =
        (struct credential_setup){.config = config, .log = log, .on_done = on_done, .user = user};
    worker_init(
        &setup->worker, CREDENTIAL_INSTALL_WORKER, loop, reaper, log,
        (struct worker_listener){.on_line = on_line, .on_done = on_worker_done, .user = setup});
}

void credential_setup_start(struct credential_setup *setup, uint64_t limit_ms)
{
    AUTO_JSON cJSON *input = cJSON_CreateObject();
    struct err err;

    /* S-241: it may be another session's. */
    if (setup->config->boot_mode == BOOT_SNAPSHOT_RESTORE ||
        setup->config->boot_mode == BOOT_REPO_IMAGE)
        credential_setup_forget();
    json_add_string(input, "root", setup->config->paths.root);
    json_add_bool(input, "legacy", setup->config->era == ERA_LEGACY);
    if (worker_start(&setup->worker, input, limit_ms, &err) != 0)
        on_worker_done(setup, NULL, &err);
}

void credential_setup_kill(struct credential_setup *setup)
{
    worker_kill(&setup->worker);
}

bool credential_setup_is_running(const struct credential_setup *setup)
{
    return setup->worker.process.running;
}

void credential_setup_close(struct credential_setup *setup)
{
    worker_close(&setup->worker);
}
