#include "supervisor/staging/staged_commands.h"

#include "common/buf.h"
#include "common/env.h"
#include "supervisor/staging/staged_links.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_VALUE_MAX (128 * 1024)

/* A name without suffix, or one in ".js", which is dropped. */
static bool choose_command(void *user, char *as)
{
    char *dot = strrchr(as, '.');

    (void)user;
    if (!dot)
        return true;
    if (strcmp(dot, ".js") != 0)
        return false;
    *dot = '\0';
    return true;
}

static void on_linked(void *user, const char *as)
{
    log_at(user, LOG_INFO, "bin.installed", LOG_STR("script", as));
}

static int install_into(const char *directory, const struct config *config, struct log *log,
                        struct err *err)
{
    char source[PATH_MAX];

    snprintf(source, sizeof source, "%s/bin", config->paths.assets);
    return staged_links_update(&(struct staged_links){.source = source,
                                                      .destination = directory,
                                                      .choose = choose_command,
                                                      .on_linked = on_linked,
                                                      .user = log},
                               err);
}

void staged_commands_install(const struct config *config, struct log *log)
{
    struct err err, second;

    if (install_into(config->paths.commands, config, log, &err) == 0)
        return;
    log_at(log, LOG_WARNING, "bin.install_failed", LOG_ERR(&err));
    if (install_into(config->paths.home_commands, config, log, &second) != 0)
        log_at(log, LOG_WARNING, "bin.install_failed", LOG_ERR(&second));
}

int staged_commands_extend_path(const struct config *config, struct child_env *env)
{
    AUTO_BUF struct buf path = BUF_INIT(PATH_VALUE_MAX);

    if (access(config->paths.commands, W_OK) == 0)
        return 0;
    buf_printf(&path, "%s:%s", config->paths.home_commands, env_get_or("PATH", "/usr/bin:/bin"));
    return buf_failed(&path) ? -1 : child_env_set(env, "PATH", buf_text(&path));
}
