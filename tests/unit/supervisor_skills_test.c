/* Managed skills: what is taken, where it may lie, and how it takes its place (section 9). */
#include "common/cleanup.h"
#include "common/json.h"
#include "supervisor/skills/skill_collisions.h"
#include "supervisor/skills/skill_page.h"
#include "supervisor/skills/skill_rules.h"
#include "supervisor/skills/skill_store.h"
#include "tests/unit/check.h"
#include "tests/unit/root_fixture.h"

#include <sys/stat.h>

#define GOOD_SKILL "---\nname: look\ndescription: d\n---\ntext\n"

static char manifest[SKILL_SHA256_HEX + 1] =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static bool holds(const char *path, const char *text)
{
    AUTO_BUF struct buf found = BUF_INIT(4096);

    return file_read(in_root(path), &found, NULL) == 0 && strcmp(buf_text(&found), text) == 0;
}

static void test_rules(void)
{
    static const char *const bad_names[] = {"",     "-a",  "a-", "a--b", "A",   "a_b",
                                            "../x", "a/b", ".",  "a.b",  "a\nb"};
    static const char *const bad_paths[] = {
        "",    "/etc/passwd", "a//b", "../x", "a/../b", "a/..",          "./a",
        "a/.", "a/",          "a\\b", "a\nb", "a\x7f",  "a\xed\xa0\x80", "1/2/3/4/5/6/7/8/9/10/11"};
    char name[SKILL_NAME_MAX + 1];

    TEST("a skill's name is a directory's and never a way out of it") {
        CHECK(skill_name_is_valid("a") && skill_name_is_valid("look-at-2"));
        for (size_t i = 0; i < ARRAY_LENGTH(bad_names); i++)
            CHECK(!skill_name_is_valid(bad_names[i]));
    }
    TEST("a file's path stays in its skill") {
        CHECK(skill_path_is_valid("SKILL.md") && skill_path_is_valid("a/b/..c"));
        CHECK(skill_path_is_valid("\xed\x9f\xbf")); /* the last before the halves */
        for (size_t i = 0; i < ARRAY_LENGTH(bad_paths); i++)
            CHECK(!skill_path_is_valid(bad_paths[i]));
    }
    TEST("the name in the front matter is found, bare or quoted, and nowhere else") {
        static const char *const good[] = {"---\nname: look\n---\n", "---\n\"name\": 'look'\n---",
                                           "---\na: b\n  name : look  \n---\nx",
                                           "---\r\nname: look\r\n---\r\n"};
        static const char *const bad[] = {"name: look\n",
                                          "---\nname: look\n",
                                          "--- \nname: look\n---\n",
                                          "---\nname: look x\n---",
                                          "---\nname: 'look\n---\n",
                                          "---\nnames: look\n---\n",
                                          "---\nname:\n---\n",
                                          ""};

        for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
            CHECK(skill_front_matter_name(good[i], strlen(good[i]), name) &&
                  strcmp(name, "look") == 0);
        for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
            CHECK(!skill_front_matter_name(bad[i], strlen(bad[i]), name));
    }
}

static cJSON *file_new(const char *path, const char *content)
{
    cJSON *file = cJSON_CreateObject();
    char sha256[SKILL_SHA256_HEX + 1];

    skill_sha256_hex(content, strlen(content), sha256);
    json_add_string(file, "path", path);
    json_add_string(file, "content", content);
    json_add_string(file, "sha256", sha256);
    json_add_number(file, "sizeBytes", (double)strlen(content));
    json_add_bool(file, "executable", false);
    return file;
}

static cJSON *skill_new(const char *name, const char *text)
{
    cJSON *skill = cJSON_CreateObject();
    cJSON *files = cJSON_CreateArray();

    json_add_string(skill, "name", name);
    cJSON_AddItemToArray(files, file_new("SKILL.md", text));
    json_put(skill, "files", files);
    return skill;
}

static cJSON *page_new(cJSON *skill)
{
    cJSON *page = cJSON_CreateObject();
    cJSON *skills = cJSON_CreateArray();

    json_add_number(page, "schemaVersion", 1);
    json_add_string(page, "manifestSha256", manifest);
    if (skill)
        cJSON_AddItemToArray(skills, skill);
    json_put(page, "skills", skills);
    return page;
}

static enum skill_fault check(const cJSON *page)
{
    struct skill_pages pages = {0};
    const char *cursor;

    return skill_page_check(page, &pages, &cursor, NULL);
}

/* A page with one good skill whose file number `at` has `key` replaced by `value`. */
static enum skill_fault check_with(size_t at, const char *key, cJSON *value)
{
    AUTO_JSON cJSON *page = NULL;
    cJSON *skill = skill_new("look", GOOD_SKILL);
    cJSON *files = json_get_array(skill, "files");

    cJSON_AddItemToArray(files, file_new("scripts/run.sh", "echo hi"));
    json_put(cJSON_GetArrayItem(files, (int)at), key, value);
    page = page_new(skill);
    return check(page);
}

static void test_page(void)
{
    TEST("a good page is taken, also an empty last one") {
        AUTO_JSON cJSON *good = page_new(skill_new("look", GOOD_SKILL));
        AUTO_JSON cJSON *empty = page_new(NULL);

        CHECK_INT(check(good), SKILL_FAULT_NONE);
        CHECK_INT(check(empty), SKILL_FAULT_NONE);
        CHECK_INT(check_with(1, "executable", cJSON_CreateTrue()), SKILL_FAULT_NONE);
        json_add_string(empty, "nextCursor", "more");
        CHECK_INT(check(empty), SKILL_FAULT_INVALID);
        json_put(good, "schemaVersion", cJSON_CreateTrue());
        CHECK_INT(check(good), SKILL_FAULT_INVALID);
    }
    TEST("each kind of fault is told by its name") {
        CHECK_INT(check_with(1, "path", cJSON_CreateString("../run.sh")), SKILL_FAULT_PATH);
        CHECK_INT(check_with(1, "path", cJSON_CreateString("SKILL.md")), SKILL_FAULT_PATH);
        CHECK_INT(check_with(1, "path", cJSON_CreateString("SKILL.md/x")), SKILL_FAULT_PATH);
        CHECK_INT(check_with(0, "executable", cJSON_CreateTrue()), SKILL_FAULT_PATH);
        CHECK_INT(check_with(1, "content", cJSON_CreateString("other")), SKILL_FAULT_HASH);
        CHECK_INT(check_with(1, "sizeBytes", cJSON_CreateNumber(6)), SKILL_FAULT_HASH);
        CHECK_INT(check_with(1, "sizeBytes", cJSON_CreateTrue()), SKILL_FAULT_INVALID);
        CHECK_INT(check_with(1, "sha256", cJSON_CreateString("ABC")), SKILL_FAULT_INVALID);
        CHECK_INT(check_with(0, "path", cJSON_CreateString("README.md")), SKILL_FAULT_INVALID);
        CHECK_STR(skill_fault_name(SKILL_FAULT_HASH), "hash_mismatch");
    }
    TEST("SKILL.md must say the skill's own name") {
        AUTO_JSON cJSON *page = page_new(skill_new("other", GOOD_SKILL));

        CHECK_INT(check(page), SKILL_FAULT_INVALID);
    }
}

static void test_pages_together(void)
{
    TEST("a file over 256 KiB is too large, and so is what is too large together") {
        AUTO_FREE char *text = malloc(262146);
        AUTO_JSON cJSON *page = page_new(skill_new("look", GOOD_SKILL));
        cJSON *files = json_get_array(json_get_array(page, "skills")->child, "files");

        memset(text, 'x', 262145);
        text[262144] = '\0';
        for (int i = 0; i < 3; i++) {
            char path[16];

            snprintf(path, sizeof path, "%d", i);
            cJSON_AddItemToArray(files, file_new(path, text));
        }
        CHECK_INT(check(page), SKILL_FAULT_NONE);
        cJSON_AddItemToArray(files, file_new("last", text));
        CHECK_INT(check(page), SKILL_FAULT_TOO_LARGE);
        cJSON_DeleteItemFromArray(files, 4);
        text[262144] = 'x';
        text[262145] = '\0';
        cJSON_AddItemToArray(files, file_new("last", text));
        CHECK_INT(check(page), SKILL_FAULT_TOO_LARGE);
    }
    TEST("pages of two different states do not mix") {
        AUTO_JSON cJSON *page = page_new(NULL);
        struct skill_pages pages = {0};
        const char *cursor;

        CHECK_INT(skill_page_check(page, &pages, &cursor, NULL), SKILL_FAULT_NONE);
        manifest[0] = 'f';
        json_add_string(page, "x", "y");
        json_put(page, "manifestSha256", cJSON_CreateString(manifest));
        CHECK_INT(skill_page_check(page, &pages, &cursor, NULL), SKILL_FAULT_INVALID);
    }
}

static void test_store(void)
{
    AUTO_JSON cJSON *one = skill_new("look", GOOD_SKILL);
    AUTO_JSON cJSON *two = skill_new("taken", "---\nname: taken\n---\n");
    struct skill_store store;
    struct stat st;
    struct err err;

    TEST("staged skills take the place of the earlier ones, and nothing else is left") {
        put_file("config/skills/old/SKILL.md", "old");
        CHECK_INT(skill_store_open(&store, in_root("config"), NULL), 0);
        CHECK_INT(skill_store_begin(&store, NULL), 0);
        CHECK_INT(skill_store_add(&store, one, NULL), 0);
        CHECK(holds("config/skills/old/SKILL.md", "old"));
        CHECK_INT(skill_store_commit(&store, NULL), 0);
        CHECK(holds("config/skills/look/SKILL.md", GOOD_SKILL));
        CHECK(stat(in_root("config/skills/look/SKILL.md"), &st) == 0 &&
              (st.st_mode & 0777) == 0400);
        CHECK(!file_exists(in_root("config/skills/old")));
        CHECK(!file_exists(store.staging) && !file_exists(store.backup) &&
              !file_exists(store.journal));
    }
    TEST("a name that comes twice is refused, and the earlier skills stay") {
        CHECK_INT(skill_store_begin(&store, NULL), 0);
        CHECK_INT(skill_store_add(&store, two, NULL), 0);
        CHECK_INT(skill_store_add(&store, two, &err), -1);
        CHECK_INT(err.class, ERR_PROTOCOL); /* the control plane's fault, not the disk's */
        skill_store_abort(&store);
        CHECK(holds("config/skills/look/SKILL.md", GOOD_SKILL) && !file_exists(store.staging));
    }
    TEST("a death in the middle of the exchange is put right at the next start") {
        CHECK_INT(rename(store.target, store.backup), 0);
        put_file("config/.managed-skills-swap", "");
        CHECK_INT(skill_store_begin(&store, NULL), 0);
        CHECK(holds("config/skills/look/SKILL.md", GOOD_SKILL));
        CHECK(!file_exists(store.backup) && !file_exists(store.journal));
        skill_store_abort(&store);
    }
    TEST("skills that the user has already are left out, under both of their names") {
        AUTO_JSON cJSON *searched = cJSON_CreateArray();
        AUTO_JSON cJSON *dropped = NULL;
        AUTO_FREE char *text = NULL;

        put_file("app/.claude/skills/mine/SKILL.md", "---\nname: taken\n---\n");
        put_file("app/.claude/skills/free/SKILL.md", "x");
        CHECK_INT(skill_store_begin(&store, NULL), 0);
        CHECK_INT(skill_store_add(&store, one, NULL), 0);
        CHECK_INT(skill_store_add(&store, two, NULL), 0);
        cJSON_AddItemToArray(searched, cJSON_CreateString(in_root("app/.claude/skills")));
        cJSON_AddItemToArray(searched, cJSON_CreateString(in_root("app/./.claude/skills")));
        cJSON_AddItemToArray(searched, cJSON_CreateString(store.target));
        cJSON_AddItemToArray(searched, cJSON_CreateString("/nowhere"));
        dropped = skill_collisions_drop(store.staging, store.target, searched, NULL);
        CHECK_INT(cJSON_GetArraySize(dropped), 1);
        text = json_to_string(dropped);
        CHECK(strstr(text, "{\"name\":\"taken\",\"paths\":[\"") && strstr(text, "skills/mine\"]"));
        CHECK_INT(skill_store_commit(&store, NULL), 0);
        CHECK(file_exists(in_root("config/skills/look")));
        CHECK(!file_exists(in_root("config/skills/taken")));
    }
}

static void test_store_at_link(void)
{
    struct skill_store store;

    TEST("a target that is a link is refused") {
        CHECK_INT(symlink("/tmp", in_root("app/skills")), 0);
        CHECK_INT(skill_store_open(&store, in_root("app"), NULL), -1);
    }
}

int main(void)
{
    root_begin();
    test_rules();
    test_page();
    test_pages_together();
    test_store();
    test_store_at_link();
    root_end();
    return check_done();
}
