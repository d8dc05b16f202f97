#include "supervisor/library_versions.h"

#include "git/library.h"
#include "net/net_context.h"

#include <cJSON.h>
#include <stdio.h>
#include <uv.h>

void library_versions_print(char *out)
{
    snprintf(out, LIBRARY_VERSIONS_MAX, "libuv %s, libgit2 %s, %s, cJSON %s", uv_version_string(),
             library_version(), net_context_versions(), cJSON_Version());
}
