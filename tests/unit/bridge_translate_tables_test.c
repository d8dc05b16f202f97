#include "bridge/translate/attribution.h"
#include "bridge/translate/held_parts.h"
#include "bridge/translate/id_table.h"
#include "bridge/translate/subtasks.h"
#include "bridge/translate/text_parts.h"

#include "bridge/translate/fields.h"
#include "common/json.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static void test_id_table(void)
{
    struct id_table table;
    char key[16];

    TEST("a full id table forgets its oldest entry") {
        id_table_init(&table, 100, NULL);
        for (int i = 0; i < 1000; i++) {
            snprintf(key, sizeof(key), "k%d", i);
            CHECK(id_table_add(&table, key));
        }
        CHECK_INT(table.count, 100);
        CHECK(!id_table_has(&table, "k899"));
        CHECK(id_table_has(&table, "k900"));
        CHECK(id_table_has(&table, "k999"));
        CHECK(!id_table_add(&table, "k999"));
        id_table_clear(&table);
        CHECK(!id_table_has(&table, "k999"));
    }
    TEST("owned values are freed once, replaced, removed or left") {
        id_table_init(&table, 10, free);
        id_table_put(&table, "a", strdup("1"));
        id_table_put(&table, "a", strdup("2"));
        id_table_put(&table, "b", strdup("3"));
        CHECK_STR(id_table_get(&table, "a"), "2");
        id_table_remove(&table, "a");
        CHECK(id_table_get(&table, "a") == NULL);
        id_table_clear(&table);
    }
}

static void test_held_parts(void)
{
    struct held_parts held;
    struct held_part item = {.size = HELD_PARTS_BYTES_MAX / 2 + 1};

    TEST("held parts are bounded in number and in bytes, and taking them makes room") {
        struct held_part *taken;

        held_parts_init(&held);
        item.part = cJSON_CreateObject();
        CHECK(held_parts_add(&held, "m", &item));
        item.part = cJSON_CreateObject();
        CHECK(!held_parts_add(&held, "m", &item));
        taken = held_parts_take(&held, "m");
        CHECK(taken && !taken->next);
        held_part_free(taken);
        CHECK_INT(held.bytes, 0);
        item.size = 1;
        for (int i = 0; i < HELD_PARTS_MAX + 1; i++) {
            item.part = cJSON_CreateObject();
            CHECK_INT(held_parts_add(&held, i % 2 ? "a" : "b", &item), i < HELD_PARTS_MAX);
        }
        held_parts_clear(&held);
        CHECK_INT(held.count, 0);
    }
}

static void test_subtasks(void)
{
    struct subtasks subtasks;

    TEST("a closed task still owns what its child says late, until a new task takes the child") {
        subtasks_init(&subtasks);
        subtasks_track(&subtasks, "child", NULL);
        CHECK(subtasks_task_of(&subtasks, "child") == NULL);
        subtasks_associate(&subtasks, "child", "t1");
        subtasks_close(&subtasks, "t1");
        CHECK_STR(subtasks_task_of(&subtasks, "child"), "t1");
        subtasks_associate(&subtasks, "child", "t2");
        CHECK_STR(subtasks_task_of(&subtasks, "child"), "t2");
        subtasks_close(&subtasks, "t1");
        CHECK_STR(subtasks_task_of(&subtasks, "child"), "t2");
        CHECK_STR(subtasks_child_of(&subtasks, "t1"), "child");
        subtasks_clear(&subtasks);
    }
    TEST("queued activity is released per child, in order") {
        struct subtask_activity *item;

        subtasks_init(&subtasks);
        subtasks_queue(&subtasks, "c1", "m1", NULL);
        subtasks_queue(&subtasks, "c2", NULL, "broke");
        subtasks_queue(&subtasks, "c1", "m2", NULL);
        CHECK(subtasks_is_queued(&subtasks, "m2"));
        item = subtasks_release(&subtasks, "c1");
        CHECK_STR(item->message_id, "m1");
        CHECK_STR(item->next->message_id, "m2");
        CHECK_INT(subtasks.queue_count, 1);
        subtask_activity_free(item->next);
        subtask_activity_free(item);
        subtasks_clear(&subtasks);
    }
}

static void test_text_parts(void)
{
    struct text_parts texts;
    static char large[FIELD_TEXT_MAX];

    TEST("over the total the oldest texts are forgotten, the newest and the waiting stay") {
        char id[16];

        memset(large, 'y', sizeof(large) - 1);
        text_parts_init(&texts);
        for (int i = 0; i < 40; i++) {
            snprintf(id, sizeof(id), "p%d", i);
            text_parts_replace(&texts, text_parts_open(&texts, id), large);
        }
        CHECK(texts.bytes <= TEXT_PARTS_BYTES_MAX);
        CHECK(text_parts_find(&texts, "p0")->forgotten);
        CHECK(!text_parts_find(&texts, "p39")->forgotten);
        text_parts_clear(&texts);
    }
    TEST("an equal text is no change, another one is") {
        struct text_part *part;

        text_parts_init(&texts);
        part = text_parts_open(&texts, "p");
        CHECK(text_parts_append(&texts, part, "ab"));
        CHECK(!text_parts_append(&texts, part, ""));
        CHECK(!text_parts_replace(&texts, part, "ab"));
        CHECK(text_parts_replace(&texts, part, "a"));
        CHECK_STR(buf_text(&part->text), "a");
        text_parts_clear(&texts);
    }
}

static bool see_user(struct attribution *attribution, const char *id, const char *created)
{
    char text[128];
    cJSON *info;
    bool ours;

    snprintf(text, sizeof(text), "{\"id\":\"%s\",\"time\":{\"created\":%s}}", id, created);
    info = json_parse(text, strlen(text), NULL);
    ours = attribution_see_user(attribution, info);
    cJSON_Delete(info);
    return ours;
}

static void test_attribution(void)
{
    struct attribution attribution;

    TEST("user messages from before the prompt are not its own (D-03)") {
        attribution_init(&attribution);
        attribution_start(&attribution, "own", 1000);
        CHECK(see_user(&attribution, "own", "1"));
        CHECK(!see_user(&attribution, "old", "999"));
        CHECK(see_user(&attribution, "synthetic", "1000"));
        CHECK(see_user(&attribution, "timeless", "null"));
        CHECK(!attribution_is_user(&attribution, "old"));
        attribution_clear(&attribution);
    }
}

int main(void)
{
    test_id_table();
    test_held_parts();
    test_subtasks();
    test_text_parts();
    test_attribution();
    return check_done();
}
