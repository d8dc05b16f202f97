#include "supervisor/opencode/read_ahead.h"

#include "common/cleanup.h"
#include "common/env.h"
#include "common/json.h"
#include "common/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int read_ahead_find(const char *program, const char *path, char *found, size_t size)
{
    while (*path) {
        int len = (int)strcspn(path, ":");
        int wanted = snprintf(found, size, "%.*s/%s", len, path, program);

        if (len > 0 && wanted > 0 && (size_t)wanted < size && access(found, X_OK) == 0)
            return 0;
        path += len + (path[len] == ':');
    }
    return -1;
}

int read_ahead_file(const char *file, struct err *err)
{
    AUTO_CLOSE int fd = open(file, O_RDONLY | O_CLOEXEC);
    int code;

    if (fd < 0)
        return err_set_sys(err, errno, "open %s", file);
    code = posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
    return code == 0 ? 0 : err_set_sys(err, code, "read %s ahead", file);
}

int read_ahead_worker_main(void)
{
    struct err err = {0};
    AUTO_JSON cJSON *input = worker_read_input(WORKER_INPUT_FD, &err);
    const char *program = json_get_nonempty(input, "program");
    char file[PATH_MAX];
    int rc = -1;

    if (program && read_ahead_find(program, env_get_or("PATH", ""), file, sizeof file) == 0)
        rc = read_ahead_file(file, &err);
    else
        err_set(&err, ERR_NOT_FOUND, "no such program on PATH");
    return worker_emit(WORKER_OUTPUT_FD, worker_result_new(rc == 0 ? NULL : &err)) == 0 ? 0 : 1;
}
