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

    return lstat(directory, &status) == 0 && S_ISDIR(status.st_mode) &&
           status.st_uid == geteuid() && (status.st_mode & 022) == 0;
}

struct places {
    const char *bin;
    char own[PATH_MAX];
    char private[PATH_MAX];
};

/* The name in the first place where it is, or where `make` puts it. */
static bool find(const struct places *places, const char *make, char *out, size_t size)
{
    const char *const directories[] = {places->bin, places->own, places->private};

    for (size_t i = 0; i < ARRAY_LENGTH(directories); i++) {
        const char *directory = directories[i];

        if (directory == places->private && make)
            mkdir(directory, PRIVATE_MODE);
        if (!directory || !*directory || (directory == places->private && !is_private(directory)))
            continue;
        if ((size_t)snprintf(out, size, "%s/" SIGNER_NAME, directory) >= size)
            continue;
        /* Another bridge may just have made it. */
        if (make && symlink(make, out) != 0 && errno != EEXIST)
            continue;
        if (access(out, X_OK) == 0)
            return true;
    }
    return false;
}

int signer_path_prepare(const char *bin_directory, const char *temp_directory, char *out,
                        size_t size, struct err *err)
{
    struct places places = {.bin = bin_directory};
    char self[PATH_MAX];
    char *slash;

    out[0] = '\0';
    if (find_program(self, sizeof self, err) != 0)
        return -1;
    slash = strrchr(self, '/');
    snprintf(places.own, sizeof places.own, "%.*s", slash ? (int)(slash - self) : 0, self);
    if (snprintf(places.private, sizeof places.private, "%s/" PRIVATE_DIRECTORY, temp_directory) >=
        PATH_MAX)
        places.private[0] = '\0';
    if (find(&places, NULL, out, size) || find(&places, self, out, size))
        return 0;
    return err_set(err, ERR_CONFIG,
                   "commits cannot be signed: make " SIGNER_NAME
                   " in %s, or in a directory that OPENINSPECT_BIN_INSTALL_DIR names, a symbolic "
                   "link to %s",
                   places.own, self);
}
