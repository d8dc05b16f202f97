/* What is said first on a connection; the manifest it comes from; the boot warnings. */
#include "bridge/control_plane/addresses.h"
#include "bridge/control_plane/greeting.h"
#include "common/file.h"
#include "common/json.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <unistd.h>

#define LIFECYCLE "tests/vectors/families/lifecycle.json"
#define MANIFESTS "tests/vectors/families/manifest.json"

static cJSON *read_json(const char *path)
{
    AUTO_BUF struct buf text = BUF_INIT((size_t)1024 * 1024);

    return file_read(path, &text, NULL) == 0 ? json_parse(text.data, text.len, NULL) : NULL;
}

static void check_same(const cJSON *got, const cJSON *wanted)
{
    char *got_text = json_to_string(got), *wanted_text = json_to_string(wanted);

    if (!cJSON_Compare(got, wanted, true))
        CHECK_STR(got_text, wanted_text);
    free(got_text);
    free(wanted_text);
}

static void run_ready(const cJSON *test)
{
    AUTO_MANIFEST struct manifest manifest = {0};
    AUTO_JSON cJSON *wanted = cJSON_Duplicate(json_get(test, "event"), true);
    AUTO_JSON cJSON *got = NULL;

    manifest_parse(json_get(test, "manifest"), &manifest);
    got = greeting_ready_event(json_get_string(wanted, "opencodeSessionId"),
                               json_get_string(test, "SANDBOX_VERSION"), &manifest);
    cJSON_DeleteItemFromObject(wanted, "sandboxId");
    check_same(got, wanted);
}

static void test_ready(void)
{
    AUTO_JSON cJSON *file = read_json(LIFECYCLE);
    const cJSON *test;
    int count = 0;

    TEST("the recorded ready events") {
        cJSON_ArrayForEach(test, json_get(file, "cases")) {
            if (strcmp(json_get_string(test, "kind"), "ready") == 0) {
                run_ready(test);
                count++;
            }
        }
        CHECK(count >= 5);
    }
}

static cJSON *manifest_to_json(const struct manifest *manifest)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < manifest->count; i++) {
        const struct manifest_entry *entry = &manifest->entries[i];
        cJSON *item = cJSON_CreateObject();

        json_add_string(item, "owner", entry->owner);
        json_add_string(item, "name", entry->name);
        json_add_string(item, "branch", entry->branch);
        json_add_string(item, "path", entry->path);
        json_put(item, "baseSha",
                 entry->base_sha ? cJSON_CreateString(entry->base_sha) : cJSON_CreateNull());
        cJSON_AddItemToArray(list, item);
    }
    return list;
}

static void run_manifest(const cJSON *test)
{
    AUTO_MANIFEST struct manifest manifest = {0};
    const char *text = json_get_string(test, "file");
    AUTO_JSON cJSON *file = text ? json_parse(text, strlen(text), NULL) : NULL;
    AUTO_JSON cJSON *got = NULL;

    manifest_parse(file, &manifest);
    got = manifest_to_json(&manifest);
    check_same(got, json_get(test, "lenient"));
}

static void run_strict_manifest(const cJSON *test)
{
    AUTO_MANIFEST struct manifest manifest = {0};
    const char *text = json_get_string(test, "file");
    AUTO_JSON cJSON *file = text ? json_parse(text, strlen(text), NULL) : NULL;
    AUTO_JSON cJSON *got = NULL;
    struct err err = {0};
    int result = manifest_parse_strict(file, &manifest, &err);

    CHECK_INT(result, cJSON_IsNull(json_get(test, "strict")) ? -1 : 0);
    if (result != 0) {
        CHECK(err.text[0] && manifest.count == 0);
        return;
    }
    got = manifest_to_json(&manifest);
    check_same(got, json_get(test, "strict"));
}

static void test_manifest(void)
{
    AUTO_JSON cJSON *file = read_json(MANIFESTS);
    const cJSON *test;
    int count = 0;

    TEST("the recorded manifests, read leniently") {
        cJSON_ArrayForEach(test, json_get(file, "cases")) {
            run_manifest(test);
            count++;
        }
        CHECK(count >= 20);
    }
    TEST("the same, read strictly: all of it or nothing (B-1113)") {
        cJSON_ArrayForEach(test, json_get(file, "cases")) {
            run_strict_manifest(test);
        }
    }
    TEST("a repository is found whatever the case of its name") {
        AUTO_MANIFEST struct manifest manifest = {0};
        static const char text[] =
            "{\"repositories\":[{\"owner\":\"Acme\",\"name\":\"App\",\"path\":\"/w\"}]}";
        AUTO_JSON cJSON *parsed = json_parse(text, sizeof text - 1, NULL);

        manifest_parse(parsed, &manifest);
        CHECK(manifest_find(&manifest, "aCME", "aPP"));
        CHECK(!manifest_find(&manifest, "acme", "other"));
    }
}

static void test_warnings(void)
{
    static const char lines[] =
        "{\"scope\":\"sync\",\"message\":\"one\",\"repoOwner\":\"o\",\"repoName\":\"n\"}\n"
        "not json\n\n{\"scope\":\"sync\"}\n[1]\n{\"message\":\"\"}\n"
        "{\"message\":\"two\",\"type\":\"error\",\"extra\":1}\n"
        "{\"scope\":\"elsewhere\",\"message\":\"no newline\"}";
    char path[] = "/tmp/oi-warnings-XXXXXX";
    AUTO_JSON cJSON *events = NULL, *again = NULL;
    struct err err = {0};

    close(mkstemp(path));
    TEST("the file's good lines become warnings, once, with the known members alone (D-38)") {
        const cJSON *second;

        CHECK_INT(file_write_atomic(path, lines, sizeof lines - 1, 0600, false, NULL), 0);
        events = greeting_take_warnings(path, &err);
        CHECK_INT(cJSON_GetArraySize(events), 3);
        CHECK_STR(json_get_string(cJSON_GetArrayItem(events, 0), "repoOwner"), "o");
        second = cJSON_GetArrayItem(events, 1);
        CHECK_STR(json_get_string(second, "type"), "warning");
        CHECK_STR(json_get_string(second, "scope"), "setup");
        CHECK(!json_get(second, "extra"));
        CHECK_STR(json_get_string(cJSON_GetArrayItem(events, 2), "scope"), "setup");
        CHECK(!file_exists(path));
    }
    TEST("without a file there is nothing to warn of") {
        again = greeting_take_warnings(path, &err);
        CHECK(again && cJSON_GetArraySize(again) == 0);
    }
    TEST("a file that cannot be read is an error, and stays") {
        CHECK(!greeting_take_warnings("/proc/self", &err));
        CHECK(err.text[0] != '\0');
    }
}

static void check_address(const char *control_plane, bool in_query, const char *wanted)
{
    AUTO_BUF struct buf url = BUF_INIT(1024);
    const struct address_input input = {.control_plane = control_plane,
                                        .session_id = "a b/c",
                                        .sandbox_id = "s&b",
                                        .token = "t=k",
                                        .credentials_in_query = in_query};

    address_print_websocket(&input, &url);
    CHECK_STR(buf_text(&url), wanted);
}

static void test_addresses(void)
{
    TEST("the WebSocket's address: scheme changed, slash trimmed, id encoded (D-32)") {
        check_address("https://cp.example", false,
                      "wss://cp.example/sessions/a%20b%2Fc/ws?type=sandbox");
        check_address("http://localhost:8787//", false,
                      "ws://localhost:8787/sessions/a%20b%2Fc/ws?type=sandbox");
        check_address("https://cp.example/base/", false,
                      "wss://cp.example/base/sessions/a%20b%2Fc/ws?type=sandbox");
        check_address("wss://already.example", false,
                      "wss://already.example/sessions/a%20b%2Fc/ws?type=sandbox");
        check_address("https://cp.example/base?x=1#part", false,
                      "wss://cp.example/base/sessions/a%20b%2Fc/ws?type=sandbox&x=1");
        check_address("https://cp.example#part?y", false,
                      "wss://cp.example/sessions/a%20b%2Fc/ws?type=sandbox");
    }
    TEST("credentials in the query, after the type, encoded") {
        check_address("https://cp", true,
                      "wss://cp/sessions/a%20b%2Fc/ws?type=sandbox&token=t%3Dk&sandboxId=s%26b");
    }
    TEST("an address that has a token of its own keeps it") {
        CHECK(address_wants_query_auth("https://cp/?token=mine"));
        CHECK(!address_wants_query_auth("https://cp/token"));
        check_address("https://cp/?token=mine", true,
                      "wss://cp/sessions/a%20b%2Fc/ws?type=sandbox&token=mine&sandboxId=s%26b");
    }
}

int main(void)
{
    test_ready();
    test_manifest();
    test_warnings();
    test_addresses();
    return check_done();
}
