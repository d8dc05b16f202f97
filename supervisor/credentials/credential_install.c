#include "supervisor/credentials/credential_install.h"

#include "common/env.h"
#include "common/file.h"
#include "common/json.h"
#include "common/self_program.h"
#include "common/worker.h"
#include "git/library.h"
#include "git/user_config.h"
#include "supervisor/credentials/gh_wrapper.h"
#include "supervisor/credentials/git_credentials.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BIN_DIRECTORY_MODE 0755
#define COMMAND_MAX (2 * PATH_MAX)
#define HELPER_KEY "credential.helper"

struct install {
    const char *root;
    bool legacy;
    char self[PATH_MAX];
};

static void emit(const char *event, const char *name, const char *value, const struct err *err)
{
    cJSON *line = worker_line_new("event");
    cJSON *fields = cJSON_CreateObject();

    json_add_string(line, "event", event);
    json_add_string(fields, name, value);
    json_add_string(fields, "error", err->text);
    json_put(line, "fields", fields);
    worker_emit(WORKER_OUTPUT_FD, line);
}

static void find_self(char self[PATH_MAX])
{
    ssize_t len = readlink(self_program(), self, PATH_MAX - 1);

    if (len < 0)
        snprintf(self, PATH_MAX, "%s", self_program());
    else
        self[len] = '\0';
}

/* Whatever is there is replaced in one step: git may be calling it. */
static int put_link(const struct install *install, const char *directory, const char *name,
                    char path[PATH_MAX], struct err *err)
{
    char temporary[PATH_MAX], target[PATH_MAX];

    if (snprintf(path, PATH_MAX, "%s/%s", directory, name) >= PATH_MAX ||
        snprintf(temporary, sizeof temporary, "%s/.%s.oi-tmp", directory, name) >= PATH_MAX)
        return err_set_sys(err, ENAMETOOLONG, "link %s", name);
    if (realpath(path, target) && strcmp(target, install->self) == 0)
        return 0;
    unlink(temporary);
    if (symlink(install->self, temporary) == 0 && rename(temporary, path) == 0)
        return 0;
    err_set_sys(err, errno, "link %s to %s", path, install->self);
    unlink(temporary);
    return -1;
}

/* S-227: in /usr/local/bin, else where the launcher says, else in the user's own directory. */
static int put_anywhere(const struct install *install, const char *name, char path[PATH_MAX],
                        struct err *err)
{
    char usual[PATH_MAX], home[PATH_MAX];
    const char *own = env_get("OPENINSPECT_BIN_INSTALL_DIR");
    const char *directories[] = {usual, own, home};

    snprintf(usual, sizeof usual, "%s/usr/local/bin", install->root);
    snprintf(home, sizeof home, "%s/.local/bin", env_get_or("HOME", "/root"));
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
        struct err failure = {0};

        if (!directories[i])
            continue;
        if (file_make_directories(directories[i], BIN_DIRECTORY_MODE, &failure) == 0 &&
            put_link(install, directories[i], name, path, &failure) == 0)
            return 0;
        if (i == 0)
            *err = failure; /* the one that was meant */
    }
    return -1;
}

static void configure(const char *key, const char *const *values, size_t count)
{
    struct err err;

    if (user_config_replace(key, values, count, &err) < 0)
        emit("credential_helper.config_failed", "config_key", key, &err);
}

/* git gives a helper that begins with "/" to the shell. */
static bool print_command(const struct install *install, const char *path, struct buf *command)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@%:,";

    if (strchr(path, '\''))
        return false;
    if (strspn(path, plain) == strlen(path))
        buf_puts(command, path);
    else
        buf_printf(command, "!'%s'", path);
    if (install->legacy)
        buf_puts(command, " " GIT_CREDENTIALS_LEGACY);
    return !buf_failed(command);
}

/* In the older era an empty value first: it makes git forget the helpers it knows from the system's file,
 * where an image has ours without the word, and that one would ask a control plane (S-105). */
static void configure_helper(const struct install *install, const char *path)
{
    AUTO_BUF struct buf command = BUF_INIT(COMMAND_MAX);
    const char *values[] = {"", ""};
    struct err err;

    if (!print_command(install, path, &command)) {
        err_set(&err, ERR_CONFIG, "git cannot be told of a helper at %s", path);
        emit("credential_helper.config_failed", "config_key", HELPER_KEY, &err);
        return;
    }
    values[1] = buf_text(&command);
    configure(HELPER_KEY, install->legacy ? values : values + 1, install->legacy ? 2 : 1);
}

static void install_helper(const struct install *install)
{
    static const char *const yes[] = {"true"};
    char path[PATH_MAX];
    struct err err;

    if (put_anywhere(install, GIT_CREDENTIALS_NAME, path, &err) < 0)
        emit("credential_helper.shim_write_failed", "path", path, &err);
    else
        configure_helper(install, path);
    configure("credential.useHttpPath", yes, 1);
}

/* S-242, decision 7: a directory that cannot be written to is said, and the boot goes on. Not in the older
 * era (S-104), where gh would ask a control plane that knows no credentials (S-105). */
static void install_gh(const struct install *install)
{
    char real[PATH_MAX], path[PATH_MAX];
    struct err err;

    snprintf(real, sizeof real, "%s%s", install->root, GH_WRAPPER_REAL);
    if (!install->legacy && access(real, X_OK) == 0 &&
        put_anywhere(install, GH_WRAPPER_NAME, path, &err) < 0)
        emit("gh_wrapper.install_failed", "path", path, &err);
}

int credential_install_main(void)
{
    struct install install = {0};
    struct err err = {0};
    AUTO_JSON cJSON *input = worker_read_input(WORKER_INPUT_FD, &err);

    install.root = json_get_string(input, "root");
    install.legacy = json_get_bool(input, "legacy", false);
    if (!install.root) {
        worker_emit(WORKER_OUTPUT_FD, worker_result_new(&err));
        return EXIT_FAILURE;
    }
    find_self(install.self);
    install_helper(&install);
    install_gh(&install);
    library_stop();
    return worker_emit(WORKER_OUTPUT_FD, worker_result_new(NULL)) == 0 ? EXIT_SUCCESS
                                                                       : EXIT_FAILURE;
}
