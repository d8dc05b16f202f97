#include "bridge/attachments/attachment_list.h"

#include "bridge/attachments/image_type.h"
#include "common/json.h"

#include <stdbool.h>
#include <string.h>

#define ID_MAX_CHARS 128
#define NAME_MAX_CODE_POINTS 255
#define ID_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"

static bool is_id(const char *id)
{
    size_t len = id ? strlen(id) : 0;

    return len >= 1 && len <= ID_MAX_CHARS && strspn(id, ID_CHARS) == len;
}

static bool is_name(const char *name)
{
    size_t count = 0;

    /* Every code point has one byte that is no continuation. */
    for (; name && *name; name++)
        count += ((unsigned char)*name & 0xc0) != 0x80;
    return count >= 1 && count <= NAME_MAX_CODE_POINTS;
}

static bool read_item(const cJSON *item, struct attachment *attachment)
{
    const char *mime = json_get_string(item, "mimeType");

    *attachment = (struct attachment){
        .id = json_get_string(item, "attachmentId"),
        .name = json_get_string(item, "name"),
        .mime = mime ? image_type_known(mime) : NULL,
    };
    return is_id(attachment->id) && is_name(attachment->name) && attachment->mime;
}

void attachment_list_read(const cJSON *value, struct attachment_list *list)
{
    const cJSON *item;
    size_t examined = 0;

    *list = (struct attachment_list){0};
    if (!value || cJSON_IsNull(value))
        return;
    if (!cJSON_IsArray(value)) {
        list->rejected = 1;
        return;
    }
    cJSON_ArrayForEach(item, value) {
        if (examined++ < ATTACHMENTS_MAX && read_item(item, &list->items[list->count]))
            list->count++;
        else
            list->rejected++;
    }
}
