/* JSON trees from kept blocks: as good as any, and bounded. */
#include "common/json_pool.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "tests/unit/check.h"

#include <stdio.h>

#define MANY 10000 /* more than the pool keeps */

static void test_trees(void)
{
    static const char text[] =
        "{\"a\":[1,\"two\",{\"three\":null}],\"long\":\"0123456789012345678901"
        "234567890123456789012345678901234567890123456789012345678901234567"
        "890123456789012345678901234567890123456789\"}";

    TEST("a tree is whole, also when it is built from blocks of earlier ones") {
        for (int round = 0; round < 3; round++) {
            AUTO_JSON cJSON *tree = json_parse(text, sizeof text - 1, NULL);
            AUTO_FREE char *printed = json_to_string(tree);

            CHECK_STR(printed, text);
        }
    }
    TEST("members that change hands keep their texts while others come and go") {
        AUTO_JSON cJSON *first = json_parse("{\"keep\":\"this\"}", 15, NULL);
        AUTO_JSON cJSON *kept = cJSON_DetachItemFromObject(first, "keep");

        for (int i = 0; i < 100; i++)
            cJSON_Delete(json_parse("{\"keep\":\"that\"}", 15, NULL));
        CHECK_STR(kept->valuestring, "this");
    }
    TEST("a list of very many items is freed, and another one works") {
        for (int round = 0; round < 2; round++) {
            AUTO_JSON cJSON *list = cJSON_CreateArray();

            for (int i = 0; i < MANY; i++)
                cJSON_AddItemToArray(list, cJSON_CreateString("item"));
            CHECK_INT(cJSON_GetArraySize(list), MANY);
        }
    }
}

int main(void)
{
    json_pool_install();
    test_trees();
    return check_done();
}
