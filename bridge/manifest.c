#include "bridge/manifest.h"

#include "bridge/loose_text.h"
#include "common/file.h"
#include "common/json.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MANIFEST_MAX_BYTES ((size_t)1024 * 1024)
#define DEFAULT_BRANCH "main"
#define SHA1_DIGITS 40
#define SHA256_DIGITS 64
#define HEX_DIGITS "0123456789abcdefABCDEF"

static void entry_clear(struct manifest_entry *entry)
{
    free(entry->owner);
    free(entry->name);
    free(entry->branch);
    free(entry->path);
    free(entry->base_sha);
    *entry = (struct manifest_entry){0};
}

void manifest_clear(struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->count; i++)
        entry_clear(&manifest->entries[i]);
    free(manifest->entries);
    *manifest = (struct manifest){0};
}

static bool is_baseline(const char *text)
{
    size_t len = strlen(text);

    return (len == SHA1_DIGITS || len == SHA256_DIGITS) && strspn(text, HEX_DIGITS) == len;
}

static bool is_complete(const struct manifest_entry *entry)
{
    return entry->owner && *entry->owner && entry->name && *entry->name && entry->path &&
           *entry->path && entry->branch && entry->base_sha;
}

/* Fills `entry`; false when it is to be skipped. Sets `*bad` for a baseline that is none. */
static bool entry_parse(const cJSON *item, struct manifest_entry *entry, bool *bad)
{
    *entry = (struct manifest_entry){
        .owner = loose_text(item, "owner"),
        .name = loose_text(item, "name"),
        .branch = loose_text(item, "branch"),
        .path = loose_text(item, "path"),
        .base_sha = loose_text(item, "baseSha"),
    };
    if (!is_complete(entry)) {
        entry_clear(entry);
        return false;
    }
    if (!*entry->branch) {
        free(entry->branch);
        entry->branch = strdup(DEFAULT_BRANCH);
    }
    if (!*entry->base_sha) {
        free(entry->base_sha);
        entry->base_sha = NULL;
    } else if (!is_baseline(entry->base_sha)) {
        *bad = true;
    }
    return true;
}

void manifest_parse(const cJSON *file, struct manifest *manifest)
{
    const cJSON *list = json_get_array(file, "repositories"), *item;
    int size = cJSON_GetArraySize(list);
    unsigned position = 0;
    bool bad = false;

    *manifest = (struct manifest){0};
    if (size == 0)
        return;
    manifest->entries = calloc((size_t)size, sizeof *manifest->entries);
    if (!manifest->entries)
        return;
    cJSON_ArrayForEach(item, list) {
        struct manifest_entry *entry = &manifest->entries[manifest->count];

        if (entry_parse(item, entry, &bad)) {
            entry->position = position;
            manifest->count++;
        }
        position++;
    }
    /* One bad baseline makes the whole file untrustworthy (B-1111). */
    if (bad)
        manifest_clear(manifest);
}

void manifest_read(const char *path, struct manifest *manifest)
{
    AUTO_BUF struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
    AUTO_JSON cJSON *file = NULL;

    if (file_read(path, &text, NULL) == 0)
        file = json_parse(buf_text(&text), text.len, NULL);
    manifest_parse(file, manifest);
}

/* A name that is one step of a path and leads nowhere else. */
static bool is_segment(const char *text, size_t len)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

    return len > 0 && strspn(text, allowed) >= len && !(len == 1 && text[0] == '.') &&
           !(len == 2 && text[0] == '.' && text[1] == '.');
}

static bool is_namespace(const char *text)
{
    for (;;) {
        size_t len = strcspn(text, "/");

        if (!is_segment(text, len))
            return false;
        if (!text[len])
            return true;
        text += len + 1;
    }
}

int manifest_parse_strict(const cJSON *file, struct manifest *manifest, struct err *err)
{
    const cJSON *list = json_get_array(file, "repositories");

    *manifest = (struct manifest){0};
    if (!list)
        return err_set(err, ERR_CONFIG, "the repository manifest has no list of repositories");
    manifest_parse(file, manifest);
    if (manifest->count != (size_t)cJSON_GetArraySize(list)) {
        manifest_clear(manifest);
        return err_set(err, ERR_CONFIG, "the repository manifest has an incomplete entry");
    }
    for (size_t i = 0; i < manifest->count; i++) {
        const struct manifest_entry *entry = &manifest->entries[i];

        if (is_namespace(entry->owner) && is_segment(entry->name, strlen(entry->name)))
            continue;
        err_set(err, ERR_CONFIG, "the repository manifest has an unsafe name: %s/%s", entry->owner,
                entry->name);
        manifest_clear(manifest);
        return -1;
    }
    return 0;
}

int manifest_read_strict(const char *path, struct manifest *manifest, struct err *err)
{
    AUTO_BUF struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
    AUTO_JSON cJSON *file = NULL;

    *manifest = (struct manifest){0};
    if (file_read(path, &text, err) != 0)
        return -1;
    file = json_parse(buf_text(&text), text.len, err);
    return file ? manifest_parse_strict(file, manifest, err) : -1;
}

const struct manifest_entry *manifest_find(const struct manifest *manifest, const char *owner,
                                           const char *name)
{
    for (size_t i = 0; i < manifest->count; i++) {
        const struct manifest_entry *entry = &manifest->entries[i];

        if (strcasecmp(entry->owner, owner) == 0 && strcasecmp(entry->name, name) == 0)
            return entry;
    }
    return NULL;
}
