#include "git/user_config.h"

#include "common/buf.h"
#include "common/env.h"
#include "common/file.h"
#include "git/auto_git2.h"
#include "git/config_values.h"
#include "git/git_error.h"
#include "git/library.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* GIT_CONFIG_GLOBAL=/dev/null is how one does without: renaming a file onto it would take the device
 * away from everybody, and opening a pipe would wait for ever. */
static bool is_no_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

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

int user_config_replace(const char *key, const char *const *values, size_t count, struct err *err)
{
    AUTO_GIT(config) git_config *config = NULL;
    AUTO_BUF struct buf path = BUF_INIT(PATH_MAX);
    int code;

    if (library_start(err) < 0 || find_file(&path, err) < 0)
        return -1;
    if (buf_failed(&path))
        return err_set(err, ERR_CONFIG, "the path of the user's git configuration is too long");
    if (is_no_file(buf_text(&path)))
        return err_set(err, ERR_IO, "set %s: %s is no file", key, buf_text(&path));
    code = git_config_open_ondisk(&config, buf_text(&path));
    if (code == 0)
        code = config_values_set(config, key, values, count);
    if (code == 0)
        return 0;
    git_error_to_err(code, NULL, err);
    return err_add_context(err, "set %s in %s", key, buf_text(&path));
}
