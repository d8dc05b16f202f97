#include "supervisor/boot/boot_warnings.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "common/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES (16 * 1024)
#define FILE_MODE 0600

void boot_warnings_clear(const char *path, struct log *log)
{
    struct err err;

    if (unlink(path) == 0 || errno == ENOENT)
        return;
    err_set_sys(&err, errno, "delete %s", path);
    log_at(log, LOG_WARNING, "supervisor.boot_warning_clear_failed", LOG_ERR(&err));
}

/* What is no file of ours, but a link or a pipe that a hook put into /tmp, goes first (S-142, S-460). */
static int open_file(const char *path)
{
    struct stat st;

    if (lstat(path, &st) == 0 && (!S_ISREG(st.st_mode) || st.st_uid != geteuid()))
        unlink(path);
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                FILE_MODE);
}

static int append_line(const char *path, const struct buf *line, struct err *err)
{
    AUTO_CLOSE int fd = open_file(path);

    if (fd < 0)
        return err_set_sys(err, errno, "open %s", path);
    if (file_write_all(fd, line->data, line->len) != 0)
        return err_set_sys(err, errno, "write %s", path);
    return 0;
}

/* S-137: null, not left out, when the warning concerns no repository. */
static struct log_field text_or_null(const char *name, const char *text)
{
    return text ? LOG_STR(name, text) : LOG_JSON(name, "null");
}

void boot_warnings_add(const char *path, struct log *log, const char *scope, const char *message,
                       const struct repository *repository)
{
    AUTO_BUF struct buf line = BUF_INIT(LINE_MAX_BYTES);
    AUTO_BUF struct buf clean = BUF_INIT(LINE_MAX_BYTES);
    AUTO_JSON cJSON *warning = cJSON_CreateObject();
    struct err err;

    /* It may quote a hook's output (S-215). */
    redact_text(log_redact(log), message, strlen(message), &clean);
    log_at(log, LOG_WARNING, "supervisor.boot_warning", LOG_STR("scope", scope),
           LOG_STR("warning_message", buf_text(&clean)),
           text_or_null("repo_owner", repository ? repository->owner : NULL),
           text_or_null("repo_name", repository ? repository->name : NULL));
    if (!*path)
        return;
    json_add_string(warning, "scope", scope);
    json_add_string(warning, "message", buf_text(&clean));
    json_add_string(warning, "repoOwner", repository ? repository->owner : NULL);
    json_add_string(warning, "repoName", repository ? repository->name : NULL);
    json_print(warning, &line);
    buf_putc(&line, '\n');
    if (buf_failed(&line))
        err_set(&err, ERR_LIMIT, "the warning is too long");
    else if (append_line(path, &line, &err) == 0)
        return;
    log_at(log, LOG_WARNING, "supervisor.boot_warning_write_failed", LOG_ERR(&err));
}
