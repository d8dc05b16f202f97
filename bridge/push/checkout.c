#include "bridge/push/checkout.h"

#include "bridge/workspace.h"
#include "common/json.h"

#include <string.h>

/* NULL when there is none. */
static char *first_checkout(const char *workspace)
{
    AUTO_JSON cJSON *paths = workspace_checkouts(workspace, 1);
    const char *path = cJSON_GetStringValue(cJSON_GetArrayItem(paths, 0));

    return path ? strdup(path) : NULL;
}

char *checkout_find(const struct push_request *request, const struct manifest *manifest,
                    const char *workspace, const char **reason, struct err *err)
{
    const struct manifest_entry *entry;
    char *path;

    if (request->older_contract || !*request->owner) {
        path = first_checkout(workspace);
        *reason = "no_repo_configured";
        if (!path)
            err_set(err, ERR_NOT_FOUND, "No repository found");
        return path;
    }
    entry = manifest_find(manifest, request->owner, request->name);
    if (!entry) {
        *reason = "repo_not_session_member";
        err_set(err, ERR_NOT_FOUND, "Repository %s/%s is not part of this session", request->owner,
                request->name);
        return NULL;
    }
    if (!workspace_is_checkout(entry->path)) {
        *reason = "repo_not_in_workspace";
        err_set(err, ERR_NOT_FOUND, "Repository %s/%s not found in workspace", request->owner,
                request->name);
        return NULL;
    }
    return strdup(entry->path);
}
