#include "supervisor/credentials/gh_wrapper.h"

#include "supervisor/credentials/git_credentials.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXIT_NOT_FOUND 127

/* Another program than this one: a link to us would call itself for ever. */
static bool is_other_program(const char *path)
{
    struct stat self, st;

    return access(path, X_OK) == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           stat("/proc/self/exe", &self) == 0 &&
           (st.st_dev != self.st_dev || st.st_ino != self.st_ino);
}

static bool find_real(char found[PATH_MAX])
{
    const char *path = getenv("PATH");

    snprintf(found, PATH_MAX, "%s", GH_WRAPPER_REAL);
    if (is_other_program(found))
        return true;
    while (path && *path) {
        int len = (int)strcspn(path, ":");

        if (len > 0 &&
            snprintf(found, PATH_MAX, "%.*s/%s", len, path, GH_WRAPPER_NAME) < PATH_MAX &&
            is_other_program(found))
            return true;
        path += len + (path[len] == ':');
    }
    return false;
}

int gh_wrapper_main(char *const argv[])
{
    struct credential credential;
    char real[PATH_MAX];

    if (!find_real(real)) {
        fprintf(stderr, "gh: GitHub's command line is not installed (no %s)\n", GH_WRAPPER_REAL);
        return EXIT_NOT_FOUND;
    }
    /* A failing helper changes nothing (S-243). */
    if (git_credentials_for_gh(&credential) == 0)
        setenv("GH_TOKEN", credential.password, 1);
    credential_free(&credential);
    execv(real, argv);
    perror(real);
    return EXIT_NOT_FOUND - 1;
}
