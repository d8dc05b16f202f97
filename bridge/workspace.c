#include "bridge/workspace.h"

#include "common/file.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>

bool workspace_is_checkout(const char *path)
{
    AUTO_BUF struct buf git = BUF_INIT(PATH_MAX);

    buf_printf(&git, "%s/.git", path);
    return !buf_failed(&git) && file_exists(buf_text(&git));
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

cJSON *workspace_checkouts(const char *workspace, int most)
{
    cJSON *paths = cJSON_CreateArray();
    struct dirent **names;
    int count = scandir(workspace, &names, is_visible, alphasort);

    for (int i = 0; i < count; i++) {
        AUTO_BUF struct buf path = BUF_INIT(PATH_MAX);

        buf_printf(&path, "%s/%s", workspace, names[i]->d_name);
        if (cJSON_GetArraySize(paths) < most && workspace_is_checkout(buf_text(&path)))
            cJSON_AddItemToArray(paths, cJSON_CreateString(buf_text(&path)));
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return paths;
}
