#include "bridge/identity/signer_path.h"

#include "common/file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SELF "/proc/self/exe"

int signer_path_prepare(char *out, size_t size, struct err *err)
{
    char self[PATH_MAX];
    ssize_t len = readlink(SELF, self, sizeof self - 1);
    char *slash;

    out[0] = '\0';
    if (len < 0)
        return err_set_sys(err, errno, "read " SELF);
    self[len] = '\0';
    slash = strrchr(self, '/');
    if (!slash ||
        (size_t)snprintf(out, size, "%.*s/" SIGNER_NAME, (int)(slash - self), self) >= size)
        return err_set(err, ERR_LIMIT, "the path of this program is too long: %s", self);
    if (file_exists(out) || symlink(slash + 1, out) == 0 || errno == EEXIST)
        return 0;
    return err_set_sys(err, errno, "commits cannot be signed: make %s a symbolic link to %s", out,
                       self);
}
