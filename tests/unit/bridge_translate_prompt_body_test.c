#include "bridge/translate/prompt_body.h"

#include "common/file.h"
#include "common/json.h"
#include "tests/unit/check.h"

#include <stdlib.h>

#define FAMILY_MAX ((size_t)4 * 1024 * 1024)

static cJSON *read_cases(const char *path, cJSON **family)
{
    AUTO_BUF struct buf text = BUF_INIT(FAMILY_MAX);
    struct err err = {0};

    if (file_read(path, &text, &err) != 0)
        printf("  %s\n", err.text);
    *family = json_parse(buf_text(&text), text.len, &err);
    return json_get_array(*family, "cases");
}

static cJSON *file_parts(const cJSON *attachments)
{
    cJSON *parts = cJSON_CreateArray();
    const cJSON *attachment;

    cJSON_ArrayForEach(attachment, attachments) {
        cJSON_AddItemToArray(parts, prompt_body_file_part(json_get_string(attachment, "name"),
                                                          json_get_string(attachment, "mimeType"),
                                                          json_get_string(attachment, "content")));
    }
    return parts;
}

static void check_body(const cJSON *test_case)
{
    struct prompt_body_input input = {
        .message_id = "msg_X",
        .content = "hi",
        .model = json_get_string(test_case, "model"),
        .reasoning_effort = json_get_string(test_case, "reasoningEffort"),
        .file_parts = file_parts(json_get(test_case, "attachments")),
    };
    AUTO_JSON cJSON *body = prompt_body_build(&input);
    AUTO_JSON cJSON *wanted = cJSON_Duplicate(json_get(test_case, "body"), true);
    const char *effort = json_get_nonempty(test_case, "reasoningEffort");
    char *got = json_to_string(body);

    /* D-25: the earlier implementation sent the variant to xai alone. */
    if (effort && json_get(wanted, "model") && !json_get(wanted, "variant"))
        json_add_string(wanted, "variant", effort);
    CHECK(cJSON_Compare(body, wanted, true));
    if (!cJSON_Compare(body, wanted, true))
        printf("  %s\n", got);
    free(got);
}

static void test_bodies(void)
{
    cJSON *family;
    const cJSON *cases = read_cases("tests/vectors/families/request-bodies.json", &family);
    const cJSON *test_case;

    TEST("each model and effort makes the recorded body, and a variant (B-603, B-604, D-25)") {
        CHECK_INT(cJSON_GetArraySize(cases), 56);
        cJSON_ArrayForEach(test_case, cases) {
            check_body(test_case);
        }
    }
    TEST("file parts follow the text in their order, and an absent content is empty (B-601)") {
        struct prompt_body_input input = {.message_id = "msg_X"};
        AUTO_JSON cJSON *body = NULL;
        char *text;

        input.file_parts = json_parse("[{\"n\":1},{\"n\":2}]", 17, NULL);
        body = prompt_body_build(&input);
        text = json_to_string(body);
        CHECK_STR(text, "{\"parts\":[{\"type\":\"text\",\"text\":\"\"},{\"n\":1},{\"n\":2}],"
                        "\"messageID\":\"msg_X\"}");
        free(text);
    }
    cJSON_Delete(family);
}

static void test_ids(void)
{
    static const uint8_t random[PROMPT_MESSAGE_ID_RANDOM_BYTES] = {0,  9,  10, 35, 36,  61, 62,
                                                                   63, 99, 1,  2,  255, 4,  5};
    char id[PROMPT_MESSAGE_ID_LENGTH + 1];
    cJSON *family;
    const cJSON *cases = read_cases("tests/vectors/families/message-ids.json", &family);
    const cJSON *test_case;

    TEST("ids hold the low 48 bits of time and a counter (B-620)") {
        cJSON_ArrayForEach(test_case, cases) {
            struct message_ids ids = {0};
            double epoch_ms = -1;
            double nth = 0;

            json_get_number(test_case, "epoch_ms", &epoch_ms);
            json_get_number(test_case, "nth_in_this_ms", &nth);
            for (int i = 0; i < (int)nth; i++)
                message_ids_next(&ids, (uint64_t)epoch_ms, random, id);
            CHECK_INT(strlen(id), PROMPT_MESSAGE_ID_LENGTH);
            CHECK_STR(id + 16, "09AZaz01b12745");
            id[16] = '\0';
            CHECK_STR(id, json_get_string(test_case, "prefix_16"));
        }
    }
    TEST("the counter starts again with the next millisecond") {
        struct message_ids ids = {0};

        message_ids_next(&ids, 7, random, id);
        message_ids_next(&ids, 7, random, id);
        message_ids_next(&ids, 8, random, id);
        CHECK(strncmp(id, "msg_000000008001", 16) == 0);
    }
    cJSON_Delete(family);
}

int main(void)
{
    test_bodies();
    test_ids();
    return check_done();
}
