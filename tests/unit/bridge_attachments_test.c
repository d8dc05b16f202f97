/* Attachments: what a command may name, what the bytes are, and the body that holds them. */
#include "bridge/attachments/attachment_list.h"
#include "bridge/attachments/image_type.h"
#include "bridge/attachments/prompt_upload.h"
#include "bridge/translate/prompt_body.h"

#include "common/file.h"
#include "common/json.h"
#include "tests/unit/check.h"

#include <stdlib.h>

#define FAMILY "tests/vectors/families/attachment-validation.json"
#define FAMILY_MAX ((size_t)4 * 1024 * 1024)
#define BODY_MAX ((size_t)1024 * 1024)
#define BIG_BYTES 100000

static void run_validation(const cJSON *test)
{
    const cJSON *accepted = json_get(test, "accepted");
    struct attachment_list list;
    double rejected = -1;

    json_get_number(test, "rejected", &rejected);
    attachment_list_read(json_get(test, "value"), &list);
    CHECK_INT(list.count, cJSON_IsNumber(accepted) ? accepted->valueint : 0);
    CHECK_INT(list.rejected, rejected);
}

static void test_validation(void)
{
    AUTO_BUF struct buf text = BUF_INIT(FAMILY_MAX);
    AUTO_JSON cJSON *family = NULL;
    const cJSON *test;
    struct err err = {0};

    CHECK_INT(file_read(FAMILY, &text, &err), 0);
    family = json_parse(buf_text(&text), text.len, &err);
    TEST("the recorded lists are accepted and rejected as they were (B-701, B-702)") {
        CHECK(cJSON_GetArraySize(json_get(family, "cases")) >= 20);
        cJSON_ArrayForEach(test, json_get(family, "cases")) {
            run_validation(test);
        }
    }
    TEST("no member at all is no attachment") {
        struct attachment_list list;

        attachment_list_read(NULL, &list);
        CHECK_INT(list.count, 0);
        CHECK_INT(list.rejected, 0);
    }
}

static void test_types(void)
{
    TEST("the first bytes tell the four kinds of image (D-43)") {
        CHECK_STR(image_type_detect("\x89PNG\r\n\x1a\n....", 12), "image/png");
        CHECK_STR(image_type_detect("\xff\xd8\xff\xe0", 4), "image/jpeg");
        CHECK_STR(image_type_detect("GIF87a", 6), "image/gif");
        CHECK_STR(image_type_detect("GIF89a", 6), "image/gif");
        CHECK_STR(image_type_detect("RIFF\1\2\3\4WEBP", 12), "image/webp");
    }
    TEST("anything else, and the beginning of one, is none") {
        CHECK(!image_type_detect("\x89PNG\r\n\x1a", 7));
        CHECK(!image_type_detect("RIFF\1\2\3\4WAVE", 12));
        CHECK(!image_type_detect("<html>", 6));
        CHECK(!image_type_detect("", 0));
    }
}

/* An upload of these files; the bytes of each are its letter. */
static struct prompt_upload *upload_of(const char *const *names, const size_t *sizes, size_t count)
{
    struct prompt_upload *upload = prompt_upload_new();
    struct err err = {0};

    for (size_t i = 0; i < count; i++) {
        char *bytes = malloc(sizes[i] + 1);
        struct spool spool;

        memset(bytes, 'a' + (int)i, sizes[i]);
        CHECK_INT(spool_open(&spool, "/tmp", &err), 0);
        CHECK_INT(spool_write(&spool, bytes, sizes[i] / 3, &err), 0);
        CHECK_INT(spool_write(&spool, bytes, sizes[i] - sizes[i] / 3, &err), 0);
        CHECK_INT(spool_finish(&spool, &err), 0);
        CHECK_INT(spool.bytes, sizes[i]);
        CHECK_INT(prompt_upload_add(upload, names[i], "image/png", &spool), 0);
        free(bytes);
    }
    return upload;
}

static char *print_body(const char *content, cJSON *file_parts)
{
    const struct prompt_body_input input = {.message_id = "msg_X",
                                            .content = content,
                                            .model = "\"url\":\"data:/m",
                                            .file_parts = file_parts};
    AUTO_JSON cJSON *body = prompt_body_build(&input);

    return json_to_string(body);
}

/* The body as it has to be, made in memory. */
static char *print_whole_body(const char *content, const char *const *names, const size_t *sizes,
                              size_t count)
{
    cJSON *parts = cJSON_CreateArray();

    for (size_t i = 0; i < count; i++) {
        AUTO_BUF struct buf base64 = BUF_INIT(BODY_MAX);
        struct base64_encoder encoder = {0};
        char letter = (char)('a' + (int)i);

        for (size_t at = 0; at < sizes[i]; at++)
            base64_encoder_feed(&encoder, &letter, 1, &base64);
        base64_encoder_end(&encoder, &base64);
        cJSON_AddItemToArray(parts,
                             prompt_body_file_part(names[i], "image/png", buf_text(&base64)));
    }
    return print_body(content, parts);
}

/* Reads the whole in pieces of `step` bytes and compares. */
static void check_upload(const struct prompt_upload *upload, const char *wanted, size_t step)
{
    char *got = calloc(1, upload->len + 1);
    struct err err = {0};

    CHECK_INT(upload->len, strlen(wanted));
    for (size_t at = 0; at < upload->len; at += step) {
        size_t len = upload->len - at < step ? upload->len - at : step;

        CHECK_INT(prompt_upload_read(upload, at, got + at, len, &err), 0);
    }
    CHECK(strcmp(got, wanted) == 0);
    free(got);
}

static void test_upload(void)
{
    static const char *const names[] = {"one.png", "\"url\":\"data:", "three"};
    static const size_t sizes[] = {1, BIG_BYTES, 5};
    static const char content[] = "{\"url\":\"data:image/png;base64,\"} \\\"";
    struct prompt_upload *upload = upload_of(names, sizes, 3);
    char *wanted = print_whole_body(content, names, sizes, 3);
    struct err err = {0};
    char byte;

    TEST("the files' contents are where their parts are, whatever the texts hold") {
        for (int again = 0; again < 2; again++) {
            char *text = print_body(content, prompt_upload_file_parts(upload));

            CHECK_INT(prompt_upload_set_text(upload, text, &err), 0);
            check_upload(upload, wanted, 1);
            check_upload(upload, wanted, 7);
            check_upload(upload, wanted, 65536);
            check_upload(upload, wanted, upload->len);
        }
    }
    TEST("past the end there is nothing") {
        CHECK_INT(prompt_upload_read(upload, upload->len, &byte, 1, &err), -1);
    }
    TEST("a text without the parts is refused") {
        CHECK_INT(prompt_upload_set_text(upload, print_body("x", NULL), &err), -1);
    }
    TEST("without files the body is the text") {
        struct prompt_upload *plain = prompt_upload_new();
        char *text = print_body(content, prompt_upload_file_parts(plain));
        char *copy = strdup(text);

        CHECK_INT(prompt_upload_set_text(plain, text, &err), 0);
        check_upload(plain, copy, 10);
        free(copy);
        prompt_upload_free(plain);
    }
    free(wanted);
    prompt_upload_free(upload);
}

int main(void)
{
    test_validation();
    test_types();
    test_upload();
    return check_done();
}
