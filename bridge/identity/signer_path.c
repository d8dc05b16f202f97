#include "bridge/identity/signer_path.h"

#include "common/cleanup.h"
#include "common/self_program.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PRIVATE_DIRECTORY "oi-bin"
#define PRIVATE_MODE 0700

static int find_program(char *self, size_t size, struct err *err)
{
    const char *program = self_program();
    ssize_t len = readlink(program, self, size);

    /* Without /proc it is no link but the path itself. */
    if (len < 0)
        len = snprintf(self, size, "%s", program);
    if ((size_t)len >= size)
        return err_set(err, ERR_LIMIT, "the path of this program is too long");
    self[len] = '\0';
    return 0;
}

/* Others could put their own program into a directory that is not ours. */
static bool is_private(const char *directory)
{
    struct stat status;

    mkdir(directory, PRIVATE_MODE);
    return lstat(directory, &status) == 0 && S_ISDIR(status.st_mode) &&
           status.st_uid == geteuid() && (status.st_mode & 022) == 0;
}

static bool name_in(const char *directory, char *out, size_t size)
{
    return directory && *directory &&
           (size_t)snprintf(out, size, "%s/" SIGNER_NAME, directory) < size;
}

int signer_path_prepare(const char *bin_directory, const char *temp_directory, char *out,
                        size_t size, struct err *err)
{
    char self[PATH_MAX], own[PATH_MAX], private[PATH_MAX];
    const char *const directories[] = {bin_directory, own, private};
    char *slash;

    out[0] = '\0';
    if (find_program(self, sizeof self, err) != 0)
        return -1;
    slash = strrchr(self, '/');
    snprintf(own, sizeof own, "%.*s", slash ? (int)(slash - self) : 0, self);
    if (snprintf(private, sizeof private, "%s/" PRIVATE_DIRECTORY, temp_directory) >= PATH_MAX ||
        !is_private(private))
    private[0] = '\0';
    for (size_t i = 0; i < ARRAY_LENGTH(directories); i++) {
        if (name_in(directories[i], out, size) && access(out, X_OK) == 0)
            return 0;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(directories); i++) {
        /* Another bridge may just have made it. */
        if (name_in(directories[i], out, size) && (symlink(self, out) == 0 || errno == EEXIST) &&
            access(out, X_OK) == 0)
            return 0;
    }
    return err_set(err, ERR_CONFIG,
                   "commits cannot be signed: make " SIGNER_NAME
                   " in %s, or in a directory that OPENINSPECT_BIN_INSTALL_DIR names, a symbolic "
                   "link to %s",
                   own, self);
}
