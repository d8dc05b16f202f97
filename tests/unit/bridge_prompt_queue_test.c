/* The queue of prompts. */
#include "bridge/prompt/prompt_queue.h"
#include "common/json.h"
#include "tests/unit/check.h"

static cJSON *prompt(int number)
{
    char text[64];

    snprintf(text, sizeof text, "{\"type\":\"prompt\",\"messageId\":\"m%d\"}", number);
    return json_parse(text, strlen(text), NULL);
}

static void test_queue(void)
{
    struct prompt_queue queue = {0};
    cJSON *one_more = prompt(99);

    TEST("prompts come out in the order they came in, sixteen at most") {
        for (int i = 0; i < PROMPT_QUEUE_MAX; i++)
            CHECK_INT(prompt_queue_add(&queue, prompt(i)), 0);
        CHECK_INT(prompt_queue_add(&queue, one_more), -1);
        CHECK(prompt_queue_has(&queue, "m3"));
        CHECK(!prompt_queue_has(&queue, "m99"));
        for (int round = 0; round < 3; round++) {
            AUTO_JSON cJSON *first = prompt_queue_take(&queue);
            char wanted[16];

            snprintf(wanted, sizeof wanted, "m%d", round);
            CHECK_STR(json_get_string(first, "messageId"), wanted);
            CHECK_INT(prompt_queue_add(&queue, prompt(100 + round)), 0);
        }
        CHECK(prompt_queue_has(&queue, "m102"));
    }
    prompt_queue_clear(&queue);
    CHECK(!prompt_queue_take(&queue));
    cJSON_Delete(one_more);
}

int main(void)
{
    test_queue();
    return check_done();
}
