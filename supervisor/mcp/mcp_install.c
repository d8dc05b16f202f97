#include "supervisor/mcp/mcp_install.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "common/json.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define OUTPUT_SHOWN 500 /* S-302 */
#define LINE_MAX_BYTES (8 * 1024)
#define MANIFEST_MAX (1024 * 1024)
#define WORDS_BEFORE_PACKAGES 3
#define MS_PER_S 1000

/* ---- what is installed ---- */

/* The installed version is the one that is wanted; without one any will do. */
static bool is_installed(const char *root, const char *package)
{
    AUTO_BUF struct buf text = BUF_INIT(MANIFEST_MAX);
    AUTO_JSON cJSON *manifest = NULL;
    const char *at = strchr(package + 1, '@'); /* behind the scope's own */
    size_t name_len = at ? (size_t)(at - package) : strlen(package);
    const char *version;
    char path[PATH_MAX];

    if (!*root || snprintf(path, sizeof path, "%s/%.*s/package.json", root, (int)name_len,
                           package) >= PATH_MAX)
        return false;
    if (file_read(path, &text, NULL) != 0)
        return false;
    manifest = json_parse(buf_text(&text), text.len, NULL);
    version = json_get_string(manifest, "version");
    return version && (!at || strcmp(at + 1, version) == 0);
}

static void drop_installed(struct mcp_install *install)
{
    for (cJSON *one = install->packages.valid->child, *next; one; one = next) {
        next = one->next;
        if (is_installed(install->root, one->valuestring))
            cJSON_Delete(cJSON_DetachItemViaPointer(install->packages.valid, one));
    }
}

/* ---- npm ---- */

static void done(struct mcp_install *install)
{
    uv_timer_stop(&install->limit);
    install->on_done(install->user);
}

static void log_packages(struct mcp_install *install, enum log_level level, const char *event,
                         struct log_field detail)
{
    AUTO_BUF struct buf packages = BUF_INIT(LOG_LINE_MAX);

    json_print(install->packages.valid, &packages);
    log_at(install->log, level, event, LOG_JSON("packages", buf_text(&packages)), detail);
}

static void run_npm(struct mcp_install *install, struct process *npm, const char *const *argv)
{
    struct spawn_options options = {.program = "npm", .argv = argv};
    struct err err;

    buf_reset(&install->output);
    if (process_start(npm, &options, -1, -1, &err) == 0)
        return;
    log_packages(install, LOG_WARNING, "mcp.packages_install_error",
                 LOG_STR("error_message", err.text));
    done(install);
}

static void install_missing(struct mcp_install *install)
{
    size_t count = (size_t)cJSON_GetArraySize(install->packages.valid), at = WORDS_BEFORE_PACKAGES;
    AUTO_FREE const char **argv = calloc(count + WORDS_BEFORE_PACKAGES + 1, sizeof *argv);
    const cJSON *one;

    if (count == 0 || !argv) {
        done(install);
        return;
    }
    argv[0] = "npm";
    argv[1] = "install";
    argv[2] = "-g";
    cJSON_ArrayForEach(one, install->packages.valid)
        argv[at++] = one->valuestring;
    log_packages(install, LOG_INFO, "mcp.install_packages", LOG_STR(NULL, NULL));
    run_npm(install, &install->installing, argv);
}

/* npm's warnings may come before the directory. */
static void on_line_of_asking(void *user, char *line, size_t len, size_t cut)
{
    struct mcp_install *install = user;

    (void)len;
    if (!cut && line[0] == '/')
        snprintf(install->root, sizeof install->root, "%s", line);
}

static void on_line_of_installing(void *user, char *line, size_t len, size_t cut)
{
    struct mcp_install *install = user;
    size_t room = install->output.max - install->output.len;

    (void)cut;
    buf_append(&install->output, line, len < room ? len : room);
    if (install->output.len < install->output.max)
        buf_putc(&install->output, '\n');
}

/* True when nothing else is to be done after the end of a process of npm. */
static bool was_ended(struct mcp_install *install)
{
    if (install->too_late && !install->killed) {
        log_packages(install, LOG_WARNING, "mcp.packages_install_timeout",
                     LOG_NUM("timeout_seconds", (double)install->limit_ms / MS_PER_S));
        done(install);
    }
    return install->too_late || install->killed;
}

static void on_asked(void *user, int exit_code)
{
    struct mcp_install *install = user;

    (void)exit_code;
    process_kill_group(&install->asking);
    if (was_ended(install))
        return;
    drop_installed(install);
    install_missing(install);
}

static void on_installed(void *user, int exit_code)
{
    struct mcp_install *install = user;
    bool good = exit_code == 0;

    process_kill_group(&install->installing);
    if (was_ended(install))
        return;
    log_packages(install, good ? LOG_INFO : LOG_WARNING,
                 good ? "mcp.packages_installed" : "mcp.packages_install_failed",
                 LOG_STR("stderr", good ? NULL : buf_text(&install->output)));
    done(install);
}

static void signal_both(struct mcp_install *install)
{
    process_signal(&install->asking, SIGKILL);
    process_signal(&install->installing, SIGKILL);
}

static void on_limit(uv_timer_t *timer)
{
    struct mcp_install *install = timer->data;

    install->too_late = true;
    signal_both(install);
}

/* ---- its life ---- */

bool mcp_install_is_wanted(const struct config *config)
{
    struct mcp_packages packages = mcp_packages_of(config->session);
    bool any = config->boot_mode != BOOT_BUILD &&
               (cJSON_GetArraySize(packages.valid) || cJSON_GetArraySize(packages.invalid));

    mcp_packages_free(&packages);
    return any;
}

void mcp_install_init(struct mcp_install *install, uv_loop_t *loop, struct reaper *reaper,
                      struct log *log, const struct config *config, void (*on_done)(void *user),
                      void *user)
{
    *install = (struct mcp_install){.log = log,
                                    .config = config,
                                    .on_done = on_done,
                                    .user = user,
                                    .output = BUF_INIT(OUTPUT_SHOWN)};
    process_init(&install->asking, loop, reaper, LINE_MAX_BYTES,
                 (struct process_listener){
                     .on_line = on_line_of_asking, .on_exit = on_asked, .user = install});
    process_init(&install->installing, loop, reaper, LINE_MAX_BYTES,
                 (struct process_listener){
                     .on_line = on_line_of_installing, .on_exit = on_installed, .user = install});
    uv_timer_init(loop, &install->limit);
    install->limit.data = install;
}

void mcp_install_close(struct mcp_install *install)
{
    process_close(&install->asking);
    process_close(&install->installing);
    uv_close((uv_handle_t *)&install->limit, NULL);
    mcp_packages_free(&install->packages);
    buf_free(&install->output);
}

void mcp_install_start(struct mcp_install *install, uint64_t limit_ms)
{
    static const char *const ask_root[] = {"npm", "root", "-g", NULL};
    const cJSON *one;

    install->packages = mcp_packages_of(install->config->session);
    cJSON_ArrayForEach(one, install->packages.invalid)
        log_at(install->log, LOG_WARNING, "mcp.invalid_package_name",
               LOG_STR("package", one->valuestring),
               LOG_STR("note", "it is not installed before OpenCode starts"));
    if (!install->packages.valid->child) {
        done(install);
        return;
    }
    install->limit_ms = limit_ms;
    uv_timer_start(&install->limit, on_limit, limit_ms, 0);
    run_npm(install, &install->asking, ask_root);
}

void mcp_install_kill(struct mcp_install *install)
{
    install->killed = true;
    signal_both(install);
}

bool mcp_install_is_running(const struct mcp_install *install)
{
    return install->asking.running || install->installing.running;
}
