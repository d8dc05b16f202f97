#include "supervisor/boot/manifest.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "common/json.h"

#include <string.h>

#define FILE_MODE 0644

static cJSON *describe(const struct repository *repository)
{
    cJSON *entry = cJSON_CreateObject();

    json_add_string(entry, "owner", repository->owner);
    json_add_string(entry, "name", repository->name);
    json_add_string(entry, "branch", repository->branch);
    json_add_string(entry, "path", repository->path);
    json_add_string(entry, "baseSha", repository->base_sha);
    return entry;
}

int manifest_write(const char *path, const struct repository_list *repositories, struct err *err)
{
    AUTO_JSON cJSON *manifest = cJSON_CreateObject();
    AUTO_FREE char *text = NULL;
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < repositories->count; i++)
        cJSON_AddItemToArray(list, describe(&repositories->items[i]));
    json_put(manifest, "repositories", list);
    text = json_to_string(manifest);
    if (!text)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    return file_write_atomic(path, text, strlen(text), FILE_MODE, false, err);
}
