#include "bridge/diff/diff_capture.h"

#include "bridge/diff/diff_text.h"
#include "common/cleanup.h"
#include "common/wtf8.h"
#include "git/diff.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What a text may grow to when it is decoded: a byte becomes at most three. */
#define DECODED_BYTES 3
#define NO_ERROR_TEXT "Repository diff unavailable"

/* What the repositories before have left. */
struct capture {
    const struct capture_input *input;
    size_t files_left;
    size_t patch_bytes_left;
    struct buf raw, decoded; /* one patch */
};

/* ---- one file ---- */

static const enum bundle_status STATUSES[] = {
    [DIFF_ADDED] = BUNDLE_ADDED,
    [DIFF_MODIFIED] = BUNDLE_MODIFIED,
    [DIFF_DELETED] = BUNDLE_DELETED,
    [DIFF_RENAMED] = BUNDLE_RENAMED,
    [DIFF_TYPE_CHANGED] = BUNDLE_TYPE_CHANGED,
};
_Static_assert(sizeof STATUSES / sizeof STATUSES[0] == DIFF_STATUS_COUNT, "one each");

static bool is_submodule(const struct diff_change *change)
{
    return change->old_submodule[0] || change->new_submodule[0];
}

static enum bundle_status status_of(const struct diff_change *change)
{
    if (is_submodule(change))
        return BUNDLE_SUBMODULE;
    if (change->overlaid)
        return BUNDLE_MODIFIED;
    if (change->unmerged)
        return BUNDLE_UNMERGED;
    return STATUSES[change->status];
}

static char *decode_path(const char *path)
{
    size_t len = strlen(path);
    struct buf decoded = BUF_INIT(DECODED_BYTES * len);

    diff_text_decode_path(path, len, &decoded);
    return buf_take(&decoded);
}

static int describe(const struct diff_change *change, const struct diff_counts *counts,
                    struct bundle_file *file)
{
    file->status = status_of(change);
    file->path = decode_path(change->path);
    if (!file->path)
        return -1;
    /* With another status the control plane would refuse the whole bundle (D-50). */
    if (change->old_path && file->status == BUNDLE_RENAMED) {
        file->old_path = decode_path(change->old_path);
        if (!file->old_path)
            return -1;
    }
    file->additions = counts->binary ? BUNDLE_NO_COUNT : (long)counts->additions;
    file->deletions = counts->binary ? BUNDLE_NO_COUNT : (long)counts->deletions;
    if (change->old_mode != change->new_mode) {
        file->old_mode = change->old_mode;
        file->new_mode = change->new_mode;
    }
    snprintf(file->old_submodule, sizeof file->old_submodule, "%s", change->old_submodule);
    snprintf(file->new_submodule, sizeof file->new_submodule, "%s", change->new_submodule);
    return 0;
}

/* Of the patch in `capture->raw` (B-1021). */
static enum bundle_render_state judge_patch(struct capture *capture,
                                            const struct diff_change *change,
                                            const struct diff_counts *counts)
{
    const struct capture_limits *limits = &capture->input->limits;

    if (buf_failed(&capture->raw))
        return BUNDLE_TOO_LARGE;
    buf_reset(&capture->decoded);
    diff_text_decode(buf_text(&capture->raw), capture->raw.len, &capture->decoded);
    if (!change->untracked && counts->additions == 0 && counts->deletions == 0 &&
        !counts->has_hunks)
        return BUNDLE_METADATA_ONLY;
    if (buf_failed(&capture->decoded) || capture->decoded.len > limits->max_patch_bytes ||
        capture->decoded.len > capture->patch_bytes_left)
        return BUNDLE_TOO_LARGE;
    return capture->decoded.len == 0 ? BUNDLE_METADATA_ONLY : BUNDLE_RENDERABLE;
}

static int add_patch(struct capture *capture, const struct diff_change *change,
                     const struct diff_counts *counts, struct bundle_file *file)
{
    if (is_submodule(change) || (change->overlaid && !counts->binary))
        file->render_state = BUNDLE_METADATA_ONLY;
    else if (counts->binary)
        file->render_state = BUNDLE_BINARY;
    else
        file->render_state = judge_patch(capture, change, counts);
    if (file->render_state != BUNDLE_RENDERABLE)
        return 0;
    capture->patch_bytes_left -= capture->decoded.len;
    file->patch_len = capture->decoded.len;
    file->patch = malloc(capture->decoded.len + 1);
    if (!file->patch)
        return -1;
    memcpy(file->patch, buf_text(&capture->decoded), capture->decoded.len + 1);
    return 0;
}

static int capture_file(struct capture *capture, struct diff *diff, size_t index,
                        struct bundle_repository *repository, struct err *err)
{
    const struct diff_change *change = diff_at(diff, index);
    unsigned char random[BUNDLE_ID_RANDOM_BYTES];
    struct bundle_file file = {0};
    struct diff_counts counts;

    buf_reset(&capture->raw);
    if (diff_render(diff, index, &counts, &capture->raw, err) != 0)
        return -1;
    capture->input->fill_random(random, sizeof random);
    bundle_set_id(&file, random);
    if (describe(change, &counts, &file) != 0 || add_patch(capture, change, &counts, &file) != 0) {
        bundle_file_clear(&file);
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    }
    if (bundle_add_file(repository, &file) != 0)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    return 0;
}

/* ---- one repository ---- */

static int capture_checkout(struct capture *capture, const struct manifest_entry *entry,
                            struct bundle_repository *repository, struct err *err)
{
    AUTO_DIFF struct diff *diff = NULL;
    const struct diff_options options = {.path = entry->path,
                                         .base = entry->base_sha,
                                         .listing_max = capture->input->limits.max_listing_bytes,
                                         .step_ms = capture->input->limits.step_ms};
    size_t count;

    if (diff_open(&options, &diff, err) != 0)
        return -1;
    snprintf(repository->head_sha, sizeof repository->head_sha, "%s", diff_head(diff));
    count = diff_count(diff);
    if (count > capture->files_left) {
        repository->omitted = count - capture->files_left;
        count = capture->files_left;
    }
    for (size_t i = 0; i < count; i++) {
        if (capture_file(capture, diff, i, repository, err) != 0)
            return -1;
    }
    capture->files_left -= count;
    return 0;
}

/* The texts of B-1012 and B-1013. */
static void describe_failure(const struct manifest_entry *entry, const struct err *err,
                             struct buf *text)
{
    if (err->class == ERR_TIMEOUT)
        buf_printf(text, "Git command timed out for %s/%s", entry->owner, entry->name);
    else if (err->class == ERR_LIMIT)
        buf_puts(text, err->text);
    else
        buf_printf(text, "Git command failed for %s/%s: %s", entry->owner, entry->name, err->text);
}

static int set_unavailable(struct bundle_repository *repository, const struct buf *text)
{
    const char *shown = text->len && !buf_failed(text) ? buf_text(text) : NO_ERROR_TEXT;
    struct buf decoded = BUF_INIT(DECODED_BYTES * strlen(shown));
    size_t cut = wtf8_cut(shown, strlen(shown), BUNDLE_ERROR_MAX);

    for (size_t i = 0; i < repository->count; i++)
        bundle_file_clear(&repository->files[i]);
    repository->count = 0;
    repository->omitted = 0;
    diff_text_decode(shown, cut, &decoded);
    repository->error = buf_take(&decoded);
    return repository->error ? 0 : -1;
}

static bool is_directory(const char *path)
{
    struct stat found;

    return stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

/* Only lack of memory is a failure here. */
static int capture_repository(struct capture *capture, const struct manifest_entry *entry,
                              struct bundle_repository *repository)
{
    AUTO_BUF struct buf text = BUF_INIT(2 * PATH_MAX);
    size_t files_before = capture->files_left, bytes_before = capture->patch_bytes_left;
    struct err err = {0};

    *repository = (struct bundle_repository){.position = entry->position,
                                             .owner = entry->owner,
                                             .name = entry->name,
                                             .base_sha = entry->base_sha};
    if (!is_directory(entry->path))
        buf_printf(&text, "Repository checkout is missing: %s", entry->path);
    else if (capture_checkout(capture, entry, repository, &err) == 0)
        return 0;
    else
        describe_failure(entry, &err, &text);
    /* What it used up is the next one's again. */
    capture->files_left = files_before;
    capture->patch_bytes_left = bytes_before;
    return set_unavailable(repository, &text);
}

/* ---- all of them ---- */

static int capture_all(struct capture *capture, struct bundle *bundle, struct err *err)
{
    const struct manifest *manifest = capture->input->manifest;
    size_t unavailable = 0;

    for (size_t i = 0; i < manifest->count; i++) {
        bundle->count = i + 1;
        if (capture_repository(capture, &manifest->entries[i], &bundle->repositories[i]) != 0)
            return err_set(err, ERR_NO_MEMORY, "out of memory");
        unavailable += bundle->repositories[i].error != NULL;
    }
    if (unavailable == manifest->count)
        return err_set(err, ERR_IO, "All repositories failed to collect changes");
    return bundle_fit(bundle, capture->input->limits.max_bundle_bytes, err);
}

int capture_repositories(const struct capture_input *input, struct bundle *bundle, struct err *err)
{
    const struct manifest *manifest = input->manifest;
    const struct capture_limits *limits = &input->limits;
    struct capture capture = {.input = input,
                              .files_left = limits->max_files,
                              .patch_bytes_left = limits->max_capture_bytes,
                              .raw = BUF_INIT(limits->max_patch_bytes),
                              .decoded = BUF_INIT(DECODED_BYTES * limits->max_patch_bytes)};
    int code;

    *bundle = (struct bundle){.trigger = input->trigger, .captured_at_ms = input->now_ms};
    for (size_t i = 0; i < manifest->count; i++) {
        if (!manifest->entries[i].base_sha)
            return err_set(err, ERR_CONFIG, "Session start baseline is unavailable");
    }
    bundle->repositories =
        calloc(manifest->count ? manifest->count : 1, sizeof *bundle->repositories);
    if (!bundle->repositories)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    code = capture_all(&capture, bundle, err);
    buf_free(&capture.raw);
    buf_free(&capture.decoded);
    return code;
}
