#include "git/user_config.h"

#include "common/buf.h"
#include "common/env.h"
#include "common/file.h"
#include "git/auto_git2.h"
#include "git/git_error.h"
#include "git/library.h"

#include <limits.h>
#include <string.h>

#define EVERY_VALUE ".*"

struct values {
    const char *wanted;
    size_t count;
    bool other;
};

static int find_file(struct buf *path, struct err *err)
{
    const char *own = env_get("GIT_CONFIG_GLOBAL"), *home = env_get("HOME"),
               *xdg = env_get("XDG_CONFIG_HOME");
    AUTO_BUF struct buf usual = BUF_INIT(PATH_MAX);

    if (!own && !home)
        return err_set(err, ERR_CONFIG, "HOME is not set, so there is no ~/.gitconfig");
    if (own) {
        buf_puts(path, own);
        return 0;
    }
    buf_printf(&usual, "%s/.gitconfig", home);
    if (xdg)
        buf_printf(path, "%s/git/config", xdg);
    else
        buf_printf(path, "%s/.config/git/config", home);
    if (!file_exists(buf_text(&usual)) && file_exists(buf_text(path)))
        return 0;
    buf_reset(path);
    buf_puts(path, buf_text(&usual));
    return 0;
}

static int on_value(const git_config_entry *entry, void *user)
{
    struct values *values = user;

    values->count++;
    values->other |= !entry->value || strcmp(entry->value, values->wanted) != 0;
    return 0;
}

static int replace(git_config *config, const char *key, const char *value)
{
    struct values values = {.wanted = value};
    int code = git_config_get_multivar_foreach(config, key, NULL, on_value, &values);

    if (code < 0 && code != GIT_ENOTFOUND)
        return code;
    if (values.count == 1 && !values.other)
        return 0;
    if (values.count > 1)
        code = git_config_delete_multivar(config, key, EVERY_VALUE);
    return code < 0 && code != GIT_ENOTFOUND ? code : git_config_set_string(config, key, value);
}

int user_config_replace(const char *key, const char *value, struct err *err)
{
    AUTO_GIT(config) git_config *config = NULL;
    AUTO_BUF struct buf path = BUF_INIT(PATH_MAX);
    int code;

    if (library_start(err) < 0 || find_file(&path, err) < 0)
        return -1;
    if (buf_failed(&path))
        return err_set(err, ERR_CONFIG, "the path of the user's git configuration is too long");
    code = git_config_open_ondisk(&config, buf_text(&path));
    if (code == 0)
        code = replace(config, key, value);
    if (code == 0)
        return 0;
    git_error_to_err(code, NULL, err);
    return err_add_context(err, "set %s in %s", key, buf_text(&path));
}
