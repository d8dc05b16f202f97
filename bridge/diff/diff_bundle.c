#include "bridge/diff/diff_bundle.h"

#include "bridge/diff/diff_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_FILES 16
#define PIECE_MAX 128

static const char *const STATUS_NAMES[] = {
    [BUNDLE_ADDED] = "added",
    [BUNDLE_MODIFIED] = "modified",
    [BUNDLE_DELETED] = "deleted",
    [BUNDLE_RENAMED] = "renamed",
    [BUNDLE_TYPE_CHANGED] = "type_changed",
    [BUNDLE_UNMERGED] = "unmerged",
    [BUNDLE_SUBMODULE] = "submodule",
};
_Static_assert(sizeof STATUS_NAMES / sizeof STATUS_NAMES[0] == BUNDLE_STATUS_COUNT, "a name each");

static const char *const RENDER_STATE_NAMES[] = {
    [BUNDLE_RENDERABLE] = "renderable",
    [BUNDLE_BINARY] = "binary",
    [BUNDLE_TOO_LARGE] = "too_large",
    [BUNDLE_METADATA_ONLY] = "metadata_only",
};
_Static_assert(sizeof RENDER_STATE_NAMES / sizeof RENDER_STATE_NAMES[0] ==
                   BUNDLE_RENDER_STATE_COUNT,
               "a name each");

/* Where the printing goes: into a buffer, or, without one, only the bytes are counted. */
struct sink {
    struct buf *out;
    size_t length;
};

static void put(struct sink *sink, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What it prints is short and ASCII. */
static void put(struct sink *sink, const char *format, ...)
{
    char piece[PIECE_MAX];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    sink->length += (size_t)len;
    if (sink->out)
        buf_append(sink->out, piece, (size_t)len);
}

static void put_text(struct sink *sink, const char *text, size_t len)
{
    if (sink->out)
        diff_text_print(text, len, sink->out);
    else
        sink->length += diff_text_printed_length(text, len);
}

/* `,"key":"text"`; nothing for NULL. */
static void put_member(struct sink *sink, const char *key, const char *text)
{
    if (!text)
        return;
    put(sink, ",\"%s\":", key);
    put_text(sink, text, strlen(text));
}

static void put_count(struct sink *sink, const char *key, long count)
{
    if (count == BUNDLE_NO_COUNT)
        put(sink, ",\"%s\":null", key);
    else
        put(sink, ",\"%s\":%ld", key, count);
}

static void put_mode(struct sink *sink, const char *key, unsigned mode)
{
    if (mode)
        put(sink, ",\"%s\":\"%06o\"", key, mode);
}

static void put_file(struct sink *sink, const struct bundle_file *file)
{
    put(sink, "{\"id\":\"%s\"", file->id);
    put_member(sink, "path", file->path);
    put_member(sink, "status", STATUS_NAMES[file->status]);
    put_count(sink, "additions", file->additions);
    put_count(sink, "deletions", file->deletions);
    put_member(sink, "renderState", RENDER_STATE_NAMES[file->render_state]);
    put_member(sink, "oldPath", file->old_path);
    if (file->patch) {
        put(sink, ",\"patch\":");
        put_text(sink, file->patch, file->patch_len);
    }
    put_mode(sink, "oldMode", file->old_mode);
    put_mode(sink, "newMode", file->new_mode);
    put_member(sink, "oldSubmoduleSha", file->old_submodule[0] ? file->old_submodule : NULL);
    put_member(sink, "newSubmoduleSha", file->new_submodule[0] ? file->new_submodule : NULL);
    put(sink, "}");
}

static void measure_file(struct bundle_file *file)
{
    struct sink sink = {0};

    put_file(&sink, file);
    file->printed = sink.length;
}

/* Up to the files. */
static void put_repository_head(struct sink *sink, const struct bundle_repository *repository)
{
    put(sink, "{\"status\":\"%s\",\"position\":%u", repository->error ? "unavailable" : "ready",
        repository->position);
    put_member(sink, "repoOwner", repository->owner);
    put_member(sink, "repoName", repository->name);
    put_member(sink, "baseSha", repository->base_sha);
    if (repository->error) {
        put_member(sink, "error", repository->error);
    } else {
        put_member(sink, "headSha", repository->head_sha);
        put(sink, ",\"truncated\":%s,\"omittedFileCount\":%zu",
            repository->omitted ? "true" : "false", repository->omitted);
    }
    put(sink, ",\"files\":[");
}

static void put_repository(struct sink *sink, const struct bundle_repository *repository)
{
    put_repository_head(sink, repository);
    for (size_t i = 0; i < repository->count; i++) {
        if (i > 0)
            put(sink, ",");
        /* Files are many, and measured already. */
        if (sink->out)
            put_file(sink, &repository->files[i]);
        else
            sink->length += repository->files[i].printed;
    }
    put(sink, "]}");
}

static void put_bundle(struct sink *sink, const struct bundle *bundle)
{
    put(sink, "{\"version\":1,\"triggerMessageId\":");
    if (bundle->trigger)
        put_text(sink, bundle->trigger, strlen(bundle->trigger));
    else
        put(sink, "null");
    put(sink, ",\"capturedAt\":%llu,\"repositories\":[",
        (unsigned long long)bundle->captured_at_ms);
    for (size_t i = 0; i < bundle->count; i++) {
        if (i > 0)
            put(sink, ",");
        put_repository(sink, &bundle->repositories[i]);
    }
    put(sink, "]}");
}

void bundle_print(const struct bundle *bundle, struct buf *out)
{
    struct sink sink = {.out = out};

    put_bundle(&sink, bundle);
}

static size_t printed_length(const struct bundle *bundle)
{
    struct sink sink = {0};

    put_bundle(&sink, bundle);
    return sink.length;
}

/* ---- filling ---- */

void bundle_set_id(struct bundle_file *file, const unsigned char random[BUNDLE_ID_RANDOM_BYTES])
{
    static const size_t dashes[] = {4, 6, 8, 10};
    unsigned char bytes[BUNDLE_ID_RANDOM_BYTES];
    char *out = file->id;
    size_t dash = 0;

    memcpy(bytes, random, sizeof bytes);
    bytes[6] = (unsigned char)(0x40 | (bytes[6] & 0x0f)); /* version 4 */
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f)); /* the usual variant */
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (dash < sizeof dashes / sizeof dashes[0] && i == dashes[dash]) {
            *out++ = '-';
            dash++;
        }
        out += snprintf(out, 3, "%02x", bytes[i]);
    }
}

int bundle_add_file(struct bundle_repository *repository, struct bundle_file *file)
{
    if (repository->count == repository->cap) {
        size_t cap = repository->cap ? 2 * repository->cap : FIRST_FILES;
        void *grown = realloc(repository->files, cap * sizeof *repository->files);

        if (!grown) {
            bundle_file_clear(file);
            return -1;
        }
        repository->files = grown;
        repository->cap = cap;
    }
    measure_file(file);
    repository->files[repository->count++] = *file;
    *file = (struct bundle_file){0};
    return 0;
}

void bundle_file_clear(struct bundle_file *file)
{
    free(file->path);
    free(file->old_path);
    free(file->patch);
    *file = (struct bundle_file){0};
}

void bundle_clear(struct bundle *bundle)
{
    for (size_t i = 0; i < bundle->count; i++) {
        struct bundle_repository *repository = &bundle->repositories[i];

        for (size_t j = 0; j < repository->count; j++)
            bundle_file_clear(&repository->files[j]);
        free(repository->files);
        free(repository->error);
    }
    free(bundle->repositories);
    *bundle = (struct bundle){0};
}

/* ---- fitting ---- */

static struct bundle_file *find_largest_patch(const struct bundle *bundle)
{
    struct bundle_file *largest = NULL;

    for (size_t i = 0; i < bundle->count; i++) {
        const struct bundle_repository *repository = &bundle->repositories[i];

        for (size_t j = 0; j < repository->count; j++) {
            struct bundle_file *file = &repository->files[j];

            if (file->patch && (!largest || file->patch_len > largest->patch_len))
                largest = file;
        }
    }
    return largest;
}

static void drop_patch(struct bundle_file *file)
{
    free(file->patch);
    file->patch = NULL;
    file->patch_len = 0;
    file->render_state = BUNDLE_TOO_LARGE;
    measure_file(file);
}

static struct bundle_repository *find_last_with_files(const struct bundle *bundle)
{
    for (size_t i = bundle->count; i > 0; i--) {
        if (bundle->repositories[i - 1].count > 0)
            return &bundle->repositories[i - 1];
    }
    return NULL;
}

int bundle_fit(struct bundle *bundle, size_t max, struct err *err)
{
    struct bundle_repository *repository;
    struct bundle_file *file;

    while (printed_length(bundle) > max && (file = find_largest_patch(bundle)))
        drop_patch(file);
    while (printed_length(bundle) > max && (repository = find_last_with_files(bundle))) {
        bundle_file_clear(&repository->files[--repository->count]);
        repository->omitted++;
    }
    if (printed_length(bundle) > max)
        return err_set(err, ERR_LIMIT, "Session diff metadata exceeded the bundle limit");
    return 0;
}
