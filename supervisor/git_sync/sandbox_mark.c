#include "supervisor/git_sync/sandbox_mark.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/json.h"
#include "git/repository.h"
#include "supervisor/config/repositories.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define MARK_MAX (4 * 1024)
#define FILE_MODE 0644
#define FILE_NAME "oi-session"

/* NULL when there is none, or one that is not ours. */
static cJSON *read_mark(const char *path)
{
    AUTO_BUF struct buf name = BUF_INIT(PATH_MAX), text = BUF_INIT(MARK_MAX);

    if (repository_git_path(path, FILE_NAME, &name, NULL) != 0 ||
        file_read(buf_text(&name), &text, NULL) != 0)
        return NULL;
    return json_parse(buf_text(&text), text.len, NULL);
}

static bool is_text(const cJSON *mark, const char *key, const char *wanted)
{
    const char *text = json_get_nonempty(mark, key);

    return text && strcmp(text, wanted) == 0;
}

bool sandbox_mark_is(const char *path, const char *sandbox_id)
{
    AUTO_JSON cJSON *mark = read_mark(path);

    return is_text(mark, "sandbox_id", sandbox_id);
}

bool sandbox_mark_base(const char *path, const char *session_id, char sha[SANDBOX_MARK_SHA_SIZE])
{
    AUTO_JSON cJSON *mark = read_mark(path);
    const char *base = json_get_string(mark, "base_sha");
    bool found = base && repositories_is_sha(base) && is_text(mark, "session_id", session_id);

    snprintf(sha, SANDBOX_MARK_SHA_SIZE, "%s", found ? base : "");
    return found;
}

int sandbox_mark_write(const char *path, const struct sandbox_mark *mark, struct err *err)
{
    AUTO_BUF struct buf name = BUF_INIT(PATH_MAX), text = BUF_INIT(MARK_MAX);
    AUTO_JSON cJSON *object = cJSON_CreateObject();

    json_add_string(object, "sandbox_id", mark->sandbox_id);
    json_add_string(object, "session_id", mark->session_id);
    json_add_string(object, "base_sha", mark->base_sha);
    json_print(object, &text);
    if (buf_failed(&text))
        return err_set(err, ERR_LIMIT, "the ids of sandbox and session are too long");
    if (repository_git_path(path, FILE_NAME, &name, err) != 0)
        return -1;
    return file_write_atomic(buf_text(&name), text.data, text.len, FILE_MODE, false, err);
}
