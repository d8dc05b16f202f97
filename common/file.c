#include "common/file.h"

#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_CHUNK 4096
#define TREE_OPEN_DIRECTORIES 16

int file_read(const char *path, struct buf *out, struct err *err)
{
    /* Not waiting for a writer: somebody may have put a pipe there, and PID 1 reads files too. */
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        err_set_sys(err, errno, "read %s", path);
        if (err && (errno == ENOENT || errno == ENOTDIR))
            err->class = ERR_NOT_FOUND;
        return -1;
    }
    for (;;) {
        char chunk[READ_CHUNK];
        ssize_t got = read(fd, chunk, sizeof chunk);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set_sys(err, errno, "read %s", path);
        if (got == 0)
            return 0;
        buf_append(out, chunk, (size_t)got);
        if (buf_failed(out))
            return err_set(err, ERR_LIMIT, "read %s: larger than %zu bytes", path, out->max);
    }
}

int file_write_all(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t put = write(fd, at, len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        at += put;
        len -= (size_t)put;
    }
    return 0;
}

int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, bool durable,
                      struct err *err)
{
    char temporary[PATH_MAX];
    AUTO_CLOSE int fd = -1;

    if (snprintf(temporary, sizeof temporary, "%s.%d.tmp", path, (int)getpid()) >=
        (int)sizeof temporary)
        return err_set_sys(err, ENAMETOOLONG, "write %s", path);
    /* What lies there is of a write that was killed, or something that would make us wait (S-460). */
    unlink(temporary);
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return err_set_sys(err, errno, "write %s", temporary);
    if (file_write_all(fd, data, len) != 0 || (durable && fsync(fd) != 0) ||
        rename(temporary, path) != 0) {
        int sys = errno;

        unlink(temporary);
        return err_set_sys(err, sys, "write %s", path);
    }
    return 0;
}

int file_make_directories(const char *path, mode_t mode, struct err *err)
{
    char partial[PATH_MAX];
    size_t len = strlen(path);
    struct stat st;

    if (len >= sizeof partial)
        return err_set_sys(err, ENAMETOOLONG, "make directory %s", path);
    memcpy(partial, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (partial[i] != '/' && partial[i] != '\0')
            continue;
        partial[i] = '\0';
        if (mkdir(partial, mode) != 0 && errno != EEXIST)
            return err_set_sys(err, errno, "make directory %s", partial);
        partial[i] = i < len ? '/' : '\0';
    }
    if (stat(path, &st) != 0)
        return err_set_sys(err, errno, "make directory %s", path);
    if (!S_ISDIR(st.st_mode))
        return err_set_sys(err, ENOTDIR, "make directory %s", path);
    return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *position)
{
    (void)st;
    (void)type;
    (void)position;
    return remove(path);
}

int file_remove_tree(const char *path, struct err *err)
{
    if (nftw(path, remove_entry, TREE_OPEN_DIRECTORIES, FTW_DEPTH | FTW_PHYS) != 0 &&
        errno != ENOENT)
        return err_set_sys(err, errno, "remove %s", path);
    return 0;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}
