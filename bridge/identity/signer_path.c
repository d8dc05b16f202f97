#include "bridge/identity/signer_path.h"

#include "common/file.h"
#include "common/self_program.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int signer_path_prepare(char *out, size_t size, struct err *err)
{
    const char *program = self_program();
    char self[PATH_MAX];
    ssize_t len = readlink(program, self, sizeof self);
    char *slash;

    out[0] = '\0';
    /* Without /proc it is no link but the path itself. */
    if (len < 0)
        len = snprintf(self, sizeof self, "%s", program);
    if ((size_t)len >= sizeof self)
        return err_set(err, ERR_LIMIT, "the path of this program is too long");
    self[len] = '\0';
    slash = strrchr(self, '/');
    if (!slash ||
        (size_t)snprintf(out, size, "%.*s/" SIGNER_NAME, (int)(slash - self), self) >= size)
        return err_set(err, ERR_CONFIG, "the path of this program is not usable: %s", self);
    if (file_exists(out) || symlink(slash + 1, out) == 0 || errno == EEXIST)
        return 0;
    return err_set_sys(err, errno, "commits cannot be signed: make %s a symbolic link to %s", out,
                       self);
}
