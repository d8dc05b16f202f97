#include "supervisor/git_sync/sandbox_mark.h"

#include "common/buf.h"
#include "common/file.h"

#include <limits.h>
#include <string.h>

#define MARK_MAX 1024
#define FILE_MODE 0644

static void print_path(const char *path, struct buf *out)
{
    buf_printf(out, "%s/.git/oi-session", path);
}

bool sandbox_mark_is(const char *path, const char *sandbox_id)
{
    AUTO_BUF struct buf name = BUF_INIT(PATH_MAX), mark = BUF_INIT(MARK_MAX);

    print_path(path, &name);
    return file_read(buf_text(&name), &mark, NULL) == 0 && strcmp(buf_text(&mark), sandbox_id) == 0;
}

int sandbox_mark_write(const char *path, const char *sandbox_id, struct err *err)
{
    AUTO_BUF struct buf name = BUF_INIT(PATH_MAX);

    print_path(path, &name);
    if (buf_failed(&name))
        return err_set(err, ERR_LIMIT, "the path of the checkout is too long");
    return file_write_atomic(buf_text(&name), sandbox_id, strlen(sandbox_id), FILE_MODE, false,
                             err);
}
