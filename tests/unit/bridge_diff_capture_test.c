/* The recorded bundles of the earlier implementation (tests/vectors/families/diff.json), made again
 * from the same repositories, and what several repositories share. */
#include "bridge/diff/diff_capture.h"

#include "common/file.h"
#include "common/json.h"
#include "git/library.h"
#include "tests/unit/check.h"
#include "tests/unit/diff_fixture.h"

#include <limits.h>

#define FAMILY_MAX ((size_t)4 * 1024 * 1024)
#define NOW_MS 1754000000000
#define MS_PER_SECOND 1000
#define CASES 20

static struct diff_fixture fixture;

static void fill_zero(void *bytes, size_t len)
{
    memset(bytes, 0, len);
}

static size_t number(const cJSON *limits, const char *name)
{
    double value = 0;

    json_get_number(limits, name, &value);
    return (size_t)value;
}

static struct capture_limits read_limits(const cJSON *limits)
{
    return (struct capture_limits){
        .max_files = number(limits, "max_files"),
        .max_patch_bytes = number(limits, "max_patch_bytes"),
        .max_capture_bytes = number(limits, "max_capture_bytes"),
        .max_listing_bytes = number(limits, "max_metadata_bytes"),
        .max_bundle_bytes = number(limits, "max_bundle_bytes"),
        .step_ms = (uint32_t)number(limits, "command_timeout_seconds") * MS_PER_SECOND,
    };
}

static const struct capture_limits DEFAULTS = {.max_files = 1000,
                                               .max_patch_bytes = 524288,
                                               .max_capture_bytes = 1048576,
                                               .max_listing_bytes = 8000000,
                                               .max_bundle_bytes = 1572864,
                                               .step_ms = 20000};

/* Captures the repositories of the manifest; the bundle as JSON, and its length. */
static cJSON *capture(const struct manifest *manifest, struct capture_limits limits, size_t *length,
                      struct err *err)
{
    const struct capture_input input = {.manifest = manifest,
                                        .trigger = "m-1",
                                        .now_ms = NOW_MS,
                                        .fill_random = fill_zero,
                                        .limits = limits};
    struct buf text = BUF_INIT(FAMILY_MAX);
    struct bundle bundle;
    cJSON *value = NULL;

    if (capture_repositories(&input, &bundle, err) == 0) {
        bundle_print(&bundle, &text);
        value = json_parse(buf_text(&text), text.len, NULL);
        *length = text.len;
    }
    bundle_clear(&bundle);
    buf_free(&text);
    return value;
}

static void run_script(const cJSON *commands)
{
    const cJSON *command;

    cJSON_ArrayForEach(command, commands) {
        if (strncmp(command->valuestring, "$BASE ", 6) == 0)
            snprintf(fixture.base, sizeof fixture.base, "%s", command->valuestring + 6);
        else
            diff_shell(&fixture, "%s", command->valuestring);
    }
}

/* Commits were made under another name, so that their ids differ; files' ids are random. */
static void take_over(cJSON *wanted, const cJSON *got)
{
    cJSON *repository, *file;
    int at = 0;

    cJSON_ArrayForEach(repository, json_get(wanted, "repositories")) {
        const cJSON *ours = cJSON_GetArrayItem(json_get(got, "repositories"), at++);

        json_put(repository, "baseSha", cJSON_CreateString(fixture.base));
        if (json_get(repository, "headSha"))
            json_put(repository, "headSha", cJSON_Duplicate(json_get(ours, "headSha"), true));
        cJSON_ArrayForEach(file, json_get(repository, "files")) {
            CHECK_STR(json_get_string(file, "id"), "$UUID4");
            json_put(file, "id", cJSON_CreateString("00000000-0000-4000-8000-000000000000"));
        }
    }
}

static void check_same(const cJSON *got, const cJSON *wanted)
{
    char *got_text, *wanted_text;

    if (cJSON_Compare(got, wanted, true))
        return;
    got_text = json_to_string(got);
    wanted_text = json_to_string(wanted);
    CHECK_STR(got_text, wanted_text);
    free(got_text);
    free(wanted_text);
}

/* A capture fails when no repository works (B-1028); the recording has the one entry alone. So one that
 * works is put behind it. */
static void check_failing_case(struct manifest_entry *entry, const char *head, const cJSON *wanted)
{
    struct manifest_entry entries[] = {*entry, *entry};
    const struct manifest manifest = {.entries = entries, .count = 2};
    AUTO_JSON cJSON *got = NULL;
    struct err err = {0};
    size_t length;
    char base[DIFF_SHA_SIZE];

    snprintf(base, sizeof base, "%s", head);
    entries[1].base_sha = base;
    got = capture(&manifest, DEFAULTS, &length, &err);
    cJSON_DeleteItemFromArray(json_get(got, "repositories"), 1);
    check_same(got, wanted);
}

static void check_case(const cJSON *test_case)
{
    AUTO_JSON cJSON *wanted = cJSON_Duplicate(json_get(test_case, "bundle"), true), *got = NULL;
    struct manifest_entry entry = {.owner = "acme", .name = "r", .path = fixture.path};
    const struct manifest manifest = {.entries = &entry, .count = 1};
    char head[DIFF_SHA_SIZE];
    size_t length = 0;
    struct err err = {0};

    diff_begin(&fixture);
    run_script(json_get(test_case, "setup"));
    diff_set_base(&fixture);
    snprintf(head, sizeof head, "%s", fixture.base);
    run_script(json_get(test_case, "then"));
    entry.base_sha = fixture.base;
    got = capture(&manifest, read_limits(json_get(test_case, "limits")), &length, &err);
    if (!got) {
        check_failing_case(&entry, head, wanted);
        return;
    }
    take_over(wanted, got);
    check_same(got, wanted);
    CHECK_INT(length, number(test_case, "encoded_bytes"));
}

static void test_recorded(void)
{
    struct buf text = BUF_INIT(FAMILY_MAX);
    AUTO_JSON cJSON *family = NULL;
    const cJSON *cases, *test_case;
    static char titles[CASES][128];
    int at = 0;

    file_read("tests/vectors/families/diff.json", &text, NULL);
    family = json_parse(buf_text(&text), text.len, NULL);
    buf_free(&text);
    cases = json_get_array(family, "cases");
    cJSON_ArrayForEach(test_case, cases) {
        char *title = titles[at++ % CASES];

        snprintf(title, sizeof titles[0], "the recorded bundle \"%s\"",
                 json_get_string(test_case, "name"));
        TEST(title) {
            check_case(test_case);
        }
    }
    TEST("there are 20 recorded bundles") {
        CHECK_INT(at, CASES);
    }
}

static const cJSON *repository_at(const cJSON *bundle, int index)
{
    return cJSON_GetArrayItem(json_get(bundle, "repositories"), index);
}

static int count_files(const cJSON *bundle, int index)
{
    return cJSON_GetArraySize(json_get(repository_at(bundle, index), "files"));
}

static void test_several(void)
{
    char second_path[128], missing[128];
    struct manifest_entry entries[] = {
        {.position = 0, .owner = "acme", .name = "missing", .path = missing},
        {.position = 2, .owner = "acme", .name = "a", .path = fixture.path},
        {.position = 3, .owner = "acme", .name = "b", .path = second_path},
    };
    const struct manifest manifest = {.entries = entries, .count = 3};
    struct manifest first = {.entries = entries, .count = 1};
    struct capture_limits limits = DEFAULTS;
    struct err err = {0};
    size_t length;
    cJSON *bundle;

    snprintf(missing, sizeof missing, "%s/missing", fixture.root);
    snprintf(second_path, sizeof second_path, "%s/second", fixture.root);
    diff_begin(&fixture);
    diff_shell(&fixture, "echo a >a; git add .; git commit -qm a; git clone -q . ../second;"
                         "for d in . ../second; do for i in 1 2 3; do echo $i >$d/f$i; done; done");
    diff_set_base(&fixture);
    for (size_t i = 0; i < manifest.count; i++)
        entries[i].base_sha = fixture.base;
    TEST("a repository that fails is told as unavailable, the others count (B-1027)") {
        char wanted[256];

        bundle = capture(&manifest, DEFAULTS, &length, &err);
        snprintf(wanted, sizeof wanted, "Repository checkout is missing: %s", missing);
        CHECK_STR(json_get_string(repository_at(bundle, 0), "status"), "unavailable");
        CHECK_STR(json_get_string(repository_at(bundle, 0), "error"), wanted);
        CHECK_INT(number(repository_at(bundle, 1), "position"), 2);
        CHECK_INT(count_files(bundle, 1), 3);
        CHECK_INT(count_files(bundle, 2), 3);
        cJSON_Delete(bundle);
    }
    TEST("each repository gets what the earlier ones left of files and patches") {
        limits.max_files = 4;
        limits.max_capture_bytes = 4 * 140;
        bundle = capture(&manifest, limits, &length, &err);
        CHECK_INT(count_files(bundle, 1), 3);
        CHECK_INT(count_files(bundle, 2), 1);
        CHECK(json_get_bool(repository_at(bundle, 2), "truncated", false));
        CHECK_INT(number(repository_at(bundle, 2), "omittedFileCount"), 2);
        cJSON_Delete(bundle);
        limits.max_files = 1000;
        limits.max_capture_bytes = 3 * 140;
        bundle = capture(&manifest, limits, &length, &err);
        CHECK_STR(
            json_get_string(cJSON_GetArrayItem(json_get(repository_at(bundle, 2), "files"), 2),
                            "renderState"),
            "too_large");
        cJSON_Delete(bundle);
    }
    TEST("a repository without baseline, or no repository that works, fails the capture (B-1028)") {
        CHECK(capture(&first, DEFAULTS, &length, &err) == NULL);
        CHECK_STR(err.text, "All repositories failed to collect changes");
        entries[2].base_sha = NULL;
        CHECK(capture(&manifest, DEFAULTS, &length, &err) == NULL);
        CHECK_STR(err.text, "Session start baseline is unavailable");
    }
}

/* Why the one repository was left out, for the caller to free. */
static char *why_unavailable(struct manifest_entry *entry, struct capture_limits limits)
{
    const struct manifest manifest = {.entries = entry, .count = 1};
    const struct capture_input input = {.manifest = &manifest, .limits = limits};
    struct bundle bundle;
    struct err err = {0};
    char *why;

    CHECK_INT(capture_repositories(&input, &bundle, &err), -1);
    why = strdup(bundle.repositories[0].error);
    bundle_clear(&bundle);
    return why;
}

static void test_reasons(void)
{
    static char too_long[4 * PATH_MAX];
    struct manifest_entry entry = {.owner = "acme", .name = "r", .path = fixture.path};
    struct capture_limits limits = DEFAULTS;
    char *why;

    diff_begin(&fixture);
    diff_shell(&fixture, "echo a >a; git add .; git commit -qm base");
    diff_set_base(&fixture);
    entry.base_sha = fixture.base;
    TEST("a repository that takes too long is told so (B-1012)") {
        limits.step_ms = 0;
        why = why_unavailable(&entry, limits);
        CHECK_STR(why, "Git command timed out for acme/r");
        free(why);
    }
    TEST("a reason that cannot be told has a text all the same (B-1027)") {
        memset(too_long, 'x', sizeof too_long - 1);
        entry.path = too_long;
        why = why_unavailable(&entry, DEFAULTS);
        CHECK_STR(why, "Repository diff unavailable");
        free(why);
    }
}

static void test_conflict(void)
{
    struct manifest_entry entry = {.owner = "acme", .name = "r", .path = fixture.path};
    const struct manifest manifest = {.entries = &entry, .count = 1};
    AUTO_JSON cJSON *bundle = NULL;
    const cJSON *file;
    struct err err = {0};
    size_t length;

    diff_begin(&fixture);
    diff_shell(&fixture, "seq 1 40 >a; git add .; git commit -qm base");
    diff_set_base(&fixture);
    diff_shell(&fixture, "git checkout -qb other; sed -i 's/^5$/o/' a; git commit -qam o;"
                         "git checkout -q main; git mv a b; sed -i 's/^5$/m/' b; git commit -qam m;"
                         "git merge -q other || true");
    entry.base_sha = fixture.base;
    TEST("a renamed file in conflict has no old path, for the bundle would be refused (D-50)") {
        bundle = capture(&manifest, DEFAULTS, &length, &err);
        CHECK_INT(count_files(bundle, 0), 1);
        file = cJSON_GetArrayItem(json_get(repository_at(bundle, 0), "files"), 0);
        CHECK_STR(json_get_string(file, "path"), "b");
        CHECK_STR(json_get_string(file, "status"), "unmerged");
        CHECK(json_get(file, "oldPath") == NULL);
        CHECK(strstr(json_get_string(file, "patch"), "rename from a\n") != NULL);
    }
}

int main(void)
{
    diff_fixture_init(&fixture);
    test_recorded();
    test_several();
    test_reasons();
    test_conflict();
    diff_fixture_end(&fixture);
    library_stop();
    return check_done();
}
