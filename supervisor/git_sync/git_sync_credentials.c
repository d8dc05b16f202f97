#include "supervisor/git_sync/git_sync_credentials.h"

#include "supervisor/credentials/credential_cache.h"
#include "supervisor/credentials/credential_provider.h"

#include <stdlib.h>

static const char *get_variable(void *user, const char *name)
{
    (void)user;
    return getenv(name);
}

int git_sync_credentials_get(void *user, const char **username, const char **password,
                             struct err *err)
{
    struct credential *credential = user;
    struct credential_source source;
    char directory[PATH_MAX];
    int result;

    credential_free(credential);
    credential_cache_choose_directory("", directory);
    credential_source_read(&source, false, get_variable, NULL);
    result = credential_provider_get(&source, directory, credential, NULL, err);
    credential_source_free(&source);
    *username = credential->username;
    *password = credential->password;
    return result;
}
