#include "bridge/attachments/image_type.h"

#include "common/cleanup.h"

#include <stdbool.h>
#include <string.h>

/* In `head` a "?" stands for any byte; no magic has one. */
static const struct {
    const char *mime;
    const char *head;
    size_t len;
} TYPES[] = {
    {"image/png", "\x89PNG\r\n\x1a\n", 8},
    {"image/jpeg", "\xff\xd8\xff", 3},
    {"image/gif", "GIF87a", 6},
    {"image/gif", "GIF89a", 6},
    {"image/webp", "RIFF????WEBP", 12},
};

static bool begins_with(const char *bytes, const char *head, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (head[i] != '?' && head[i] != bytes[i])
            return false;
    }
    return true;
}

const char *image_type_known(const char *mime)
{
    for (size_t i = 0; i < ARRAY_LENGTH(TYPES); i++) {
        if (strcmp(mime, TYPES[i].mime) == 0)
            return TYPES[i].mime;
    }
    return NULL;
}

const char *image_type_detect(const void *head, size_t len)
{
    for (size_t i = 0; i < ARRAY_LENGTH(TYPES); i++) {
        if (len >= TYPES[i].len && begins_with(head, TYPES[i].head, TYPES[i].len))
            return TYPES[i].mime;
    }
    return NULL;
}
