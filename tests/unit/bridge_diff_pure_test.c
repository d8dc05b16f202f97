#include "bridge/diff/diff_bundle.h"
#include "bridge/diff/diff_schedule.h"
#include "bridge/diff/diff_text.h"

#include "tests/unit/check.h"

#include <stdlib.h>

#define TEXT_MAX ((size_t)1024 * 1024)

/* ---- texts ---- */

static char printed[4096];

static const char *print(const struct buf *text)
{
    struct buf out = BUF_INIT(TEXT_MAX);

    diff_text_print(buf_text(text), text->len, &out);
    CHECK_INT(diff_text_printed_length(buf_text(text), text->len), out.len);
    snprintf(printed, sizeof printed, "%s", buf_text(&out));
    buf_free(&out);
    return printed;
}

static const char *patch_of(const char *bytes, size_t len)
{
    struct buf text = BUF_INIT(TEXT_MAX);

    diff_text_decode(bytes, len, &text);
    print(&text);
    buf_free(&text);
    return printed;
}

static const char *path_of(const char *bytes)
{
    struct buf text = BUF_INIT(TEXT_MAX);

    diff_text_decode_path(bytes, strlen(bytes), &text);
    print(&text);
    buf_free(&text);
    return printed;
}

#define PATCH(bytes) patch_of(bytes, sizeof(bytes) - 1)

static void test_text(void)
{
    TEST("a patch is printed in ASCII, with short escapes where JSON has them") {
        CHECK_STR(PATCH("a\"\\/\b\f\n\r\t\x01\x7f~"),
                  "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u007f~\"");
        CHECK_STR(PATCH("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\x80"),
                  "\"caf\\u00e9 \\u20ac \\ud83d\\ude80\"");
        CHECK_STR(PATCH("a\0b"), "\"a\\u0000b\"");
    }
    TEST("what is no UTF-8 becomes one U+FFFD for each beginning of a character (B-1021)") {
        CHECK_STR(PATCH("\xff-\xe9-"), "\"\\ufffd-\\ufffd-\"");
        CHECK_STR(PATCH("\xe2\x82-"), "\"\\ufffd-\"");
        CHECK_STR(PATCH("\xf0\x9f\x9a"), "\"\\ufffd\"");
        CHECK_STR(PATCH("\xc0\x80"), "\"\\ufffd\\ufffd\"");
        CHECK_STR(PATCH("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\"");
        CHECK_STR(PATCH("\xf4\x90\x80\x80"), "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
    }
    TEST("bytes of a path that are no UTF-8 stay tellable (B-1022)") {
        CHECK_STR(path_of("caf\xc3\xa9/\xff\xe2\x82x"), "\"caf\\u00e9/\\udcff\\udce2\\udc82x\"");
    }
}

/* ---- bundles ---- */

static void add_file(struct bundle_repository *repository, const char *path, size_t patch_len)
{
    struct bundle_file file = {.path = strdup(path), .render_state = BUNDLE_METADATA_ONLY};

    if (patch_len) {
        file.render_state = BUNDLE_RENDERABLE;
        file.patch = malloc(patch_len + 1);
        memset(file.patch, 'p', patch_len);
        file.patch[patch_len] = '\0';
        file.patch_len = patch_len;
    }
    CHECK_INT(bundle_add_file(repository, &file), 0);
}

static size_t length_of(const struct bundle *bundle)
{
    struct buf out = BUF_INIT(TEXT_MAX);
    size_t length;

    bundle_print(bundle, &out);
    length = out.len;
    buf_free(&out);
    return length;
}

static void make_bundle(struct bundle *bundle)
{
    *bundle = (struct bundle){.captured_at_ms = 1, .count = 2};
    bundle->repositories = calloc(2, sizeof *bundle->repositories);
    for (size_t i = 0; i < 2; i++) {
        bundle->repositories[i].owner = "o";
        bundle->repositories[i].name = "n";
        bundle->repositories[i].base_sha = "b";
    }
    add_file(&bundle->repositories[0], "small", 100);
    add_file(&bundle->repositories[0], "large", 900);
    add_file(&bundle->repositories[1], "middle", 500);
}

static void test_bundle(void)
{
    struct bundle bundle;
    struct err err = {0};

    TEST("a bundle that fits exactly is left as it is; one byte less costs the largest patch") {
        size_t whole;

        make_bundle(&bundle);
        whole = length_of(&bundle);
        CHECK_INT(bundle_fit(&bundle, whole, &err), 0);
        CHECK_INT(length_of(&bundle), whole);
        CHECK_INT(bundle_fit(&bundle, whole - 1, &err), 0);
        CHECK_INT(bundle.repositories[0].files[1].render_state, BUNDLE_TOO_LARGE);
        CHECK_INT(bundle.repositories[1].files[0].render_state, BUNDLE_RENDERABLE);
        /* The patch with its key is gone, and "too_large" is a byte shorter than "renderable". */
        CHECK_INT(length_of(&bundle), whole - 900 - strlen(",\"patch\":\"\"") - 1);
        bundle_clear(&bundle);
    }
    TEST("without patches files are left out, from the end, and counted (B-1029)") {
        size_t bare;

        make_bundle(&bundle);
        add_file(&bundle.repositories[0], "last", 0);
        bundle_fit(&bundle, length_of(&bundle) - 1200, &err);
        bundle_fit(&bundle, length_of(&bundle) - 60, &err);
        bare = length_of(&bundle);
        CHECK_INT(bundle_fit(&bundle, bare - 1, &err), 0);
        CHECK_INT(bundle.repositories[1].count, 0);
        CHECK_INT(bundle.repositories[1].omitted, 1);
        CHECK_INT(bundle.repositories[0].count, 3);
        CHECK_INT(bundle_fit(&bundle, length_of(&bundle) - 1, &err), 0);
        CHECK_INT(bundle.repositories[0].count, 2);
        CHECK_INT(bundle.repositories[0].omitted, 1);
        CHECK_INT(bundle_fit(&bundle, 20, &err), -1);
        CHECK_STR(err.text, "Session diff metadata exceeded the bundle limit");
        bundle_clear(&bundle);
    }
    TEST("ids are UUIDs of version 4") {
        static const unsigned char random[BUNDLE_ID_RANDOM_BYTES] = {
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 1, 2, 3, 4, 5};
        struct bundle_file file = {0};

        bundle_set_id(&file, random);
        CHECK_STR(file.id, "ffffffff-ffff-4fff-bfff-000102030405");
    }
}

/* ---- when ---- */

static void test_schedule(void)
{
    TEST("a request waits until no prompt runs, and one capture answers several") {
        struct diff_schedule schedule = {0};

        CHECK(!diff_schedule_is_due(&schedule));
        diff_schedule_prompt_started(&schedule);
        diff_schedule_request(&schedule, NULL);
        CHECK(!diff_schedule_is_due(&schedule));
        diff_schedule_request(&schedule, "m-1");
        diff_schedule_prompt_ended(&schedule);
        CHECK(diff_schedule_is_due(&schedule));
        diff_schedule_begin(&schedule);
        CHECK(!diff_schedule_is_due(&schedule));
        CHECK_STR(schedule.noted_trigger, "m-1");
        CHECK(!diff_schedule_is_stale(&schedule));
        diff_schedule_end(&schedule, true);
        CHECK(!diff_schedule_is_due(&schedule));
    }
    TEST("a capture is stale when a prompt began, also one that is over, or a request came") {
        struct diff_schedule schedule = {0};

        diff_schedule_request(&schedule, "m-1");
        diff_schedule_begin(&schedule);
        diff_schedule_prompt_started(&schedule);
        CHECK(diff_schedule_is_stale(&schedule));
        diff_schedule_prompt_ended(&schedule);
        CHECK(diff_schedule_is_stale(&schedule));
        diff_schedule_end(&schedule, false);
        CHECK(diff_schedule_is_due(&schedule));
        diff_schedule_begin(&schedule);
        CHECK(!diff_schedule_is_stale(&schedule));
        diff_schedule_request(&schedule, NULL);
        CHECK(diff_schedule_is_stale(&schedule));
        diff_schedule_end(&schedule, false);
        diff_schedule_begin(&schedule);
        CHECK_STR(schedule.noted_trigger, "");
    }
    TEST("a request that came during the upload is answered by the next capture") {
        struct diff_schedule schedule = {0};

        diff_schedule_request(&schedule, "m-1");
        diff_schedule_begin(&schedule);
        diff_schedule_request(&schedule, "m-2");
        diff_schedule_end(&schedule, true);
        CHECK(diff_schedule_is_due(&schedule));
    }
}

static void test_schedule_that_is_over(void)
{
    TEST("nothing is due once the control plane knows no diffs, or the bridge ends") {
        struct diff_schedule schedule = {0}, other = {0};

        diff_schedule_request(&schedule, "m-1");
        diff_schedule_set_unsupported(&schedule);
        CHECK(!diff_schedule_is_due(&schedule));
        diff_schedule_request(&schedule, "m-2");
        CHECK_INT(schedule.requested, 1);
        diff_schedule_close(&other);
        diff_schedule_request(&other, "m-1");
        CHECK(!diff_schedule_is_due(&other));
    }
    TEST("an end without a beginning, and a trigger that is too long, do no harm") {
        struct diff_schedule schedule = {0};
        char id[DIFF_TRIGGER_MAX + 2];

        memset(id, 'x', sizeof id - 1);
        id[sizeof id - 1] = '\0';
        diff_schedule_prompt_ended(&schedule);
        diff_schedule_request(&schedule, id);
        diff_schedule_begin(&schedule);
        CHECK_STR(schedule.noted_trigger, "");
        CHECK_INT(schedule.active, 0);
    }
}

int main(void)
{
    test_text();
    test_bundle();
    test_schedule();
    test_schedule_that_is_over();
    return check_done();
}
