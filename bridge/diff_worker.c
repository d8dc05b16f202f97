#include "bridge/diff_worker.h"

#include "bridge/diff/diff_capture.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/random.h"
#include "common/worker.h"
#include "git/library.h"

#include <errno.h>

/* B-1010; used for what the input leaves out. */
#define DEFAULT_MAX_FILES 1000
#define DEFAULT_MAX_PATCH_BYTES 524288
#define DEFAULT_MAX_CAPTURE_BYTES 1048576
#define DEFAULT_MAX_LISTING_BYTES 8000000
#define DEFAULT_MAX_BUNDLE_BYTES 1572864
#define DEFAULT_STEP_S 20

static size_t read_size(const cJSON *limits, const char *name, size_t otherwise)
{
    double size;

    return json_get_number(limits, name, &size) && size >= 0 ? (size_t)size : otherwise;
}

static struct capture_limits read_limits(const cJSON *limits)
{
    return (struct capture_limits){
        .max_files = read_size(limits, "max_files", DEFAULT_MAX_FILES),
        .max_patch_bytes = read_size(limits, "max_patch_bytes", DEFAULT_MAX_PATCH_BYTES),
        .max_capture_bytes = read_size(limits, "max_capture_bytes", DEFAULT_MAX_CAPTURE_BYTES),
        .max_listing_bytes = read_size(limits, "max_listing_bytes", DEFAULT_MAX_LISTING_BYTES),
        .max_bundle_bytes = read_size(limits, "max_bundle_bytes", DEFAULT_MAX_BUNDLE_BYTES),
        .step_ms = worker_limit_ms(limits, "step_s", DEFAULT_STEP_S),
    };
}

static int write_bundle(const struct bundle *bundle, size_t max, size_t *bytes, struct err *err)
{
    AUTO_BUF struct buf text = BUF_INIT(max);

    bundle_print(bundle, &text);
    if (buf_failed(&text))
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    if (file_write_all(WORKER_BULK_FD, text.data, text.len) != 0)
        return err_set_sys(err, errno, "hand the bundle over");
    *bytes = text.len;
    return 0;
}

static int capture(const cJSON *input, cJSON *result, struct err *err)
{
    AUTO_MANIFEST struct manifest manifest = {0};
    struct bundle bundle = {0};
    struct capture_input capture = {
        .manifest = &manifest,
        .trigger = json_get_nonempty(input, "trigger"),
        .now_ms = clock_wall_ms(),
        .fill_random = random_fill,
        .limits = read_limits(json_get_object(input, "limits")),
    };
    size_t bytes = 0;
    int code;

    manifest_parse(json_get_object(input, "manifest"), &manifest);
    code = capture_repositories(&capture, &bundle, err);
    if (code == 0)
        code = write_bundle(&bundle, capture.limits.max_bundle_bytes, &bytes, err);
    json_add_number(result, "repository_count", (double)bundle.count);
    json_add_number(result, "encoded_bytes", (double)bytes);
    bundle_clear(&bundle);
    return code;
}

int diff_worker_main(void)
{
    struct err err = {0};
    AUTO_JSON cJSON *input = worker_read_input(WORKER_INPUT_FD, &err);
    cJSON *result = worker_result_new(NULL);
    int code = input ? capture(input, result, &err) : -1;

    if (code != 0) {
        cJSON_Delete(result);
        result = worker_result_new(&err);
    }
    worker_emit(WORKER_OUTPUT_FD, result);
    library_stop();
    return code == 0 ? 0 : 1;
}
