/* JSON as OpenCode writes it goes in and comes out whole (B-431, library-traps 1 to 4). */
#include "common/cleanup.h"
#include "common/json.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static cJSON *parse(const char *text)
{
    return json_parse(text, strlen(text), NULL);
}

/* Parses and prints again. */
static const char *round_trip(const char *text)
{
    static char printed[4096];
    AUTO_JSON cJSON *value = parse(text);
    AUTO_BUF struct buf out = BUF_INIT(sizeof printed - 1);

    if (!value)
        return NULL;
    json_print(value, &out);
    strcpy(printed, buf_text(&out));
    return printed;
}

static const char *joined(const char *first, const char *second)
{
    static char printed[256];
    AUTO_JSON cJSON *a = parse(first);
    AUTO_JSON cJSON *b = parse(second);
    AUTO_BUF struct buf text = BUF_INIT(100);
    AUTO_BUF struct buf out = BUF_INIT(200);

    json_join(&text, a->valuestring, strlen(a->valuestring));
    json_join(&text, b->valuestring, strlen(b->valuestring));
    json_print_string(buf_text(&text), text.len, &out);
    strcpy(printed, buf_text(&out));
    return printed;
}

static void test_surrogates(void)
{
    TEST("a lone surrogate survives as its escape") {
        CHECK_STR(round_trip("\"a\\ud83d\""), "\"a\\ud83d\"");
        CHECK_STR(round_trip("\"\\uDE80b\""), "\"\\ude80b\"");
        CHECK_STR(round_trip("{\"\\ud83d\":1}"), "{\"\\ud83d\":1}");
    }
    TEST("a pair of escapes becomes the character") {
        CHECK_STR(round_trip("\"\\ud83d\\ude80\""), "\"\xf0\x9f\x9a\x80\"");
    }
    TEST("two high surrogates in a row both survive") {
        CHECK_STR(round_trip("\"\\ud83d\\ud83d\\ude80\""), "\"\\ud83d\xf0\x9f\x9a\x80\"");
    }
    TEST("an emoji cut over two deltas is whole again when they are joined") {
        CHECK_STR(joined("\"a\\ud83d\"", "\"\\ude80b\""), "\"a\xf0\x9f\x9a\x80"
                                                          "b\"");
        CHECK_STR(joined("\"a\\ud83d\"", "\"b\""), "\"a\\ud83db\"");
        CHECK_STR(joined("\"\"", "\"\\ude80\""), "\"\\ude80\"");
    }
    TEST("U+0000 does not cut a string short") {
        CHECK_STR(round_trip("\"a\\u0000b\""), "\"a\\u0000b\"");
    }
    TEST("an escaped backslash before u is no escape") {
        CHECK_STR(round_trip("\"\\\\ud83d\""), "\"\\\\ud83d\"");
    }
}

/* Every length up to `max`, with the byte at every place. */
static bool is_found_everywhere(unsigned char byte, size_t max, bool is_plain)
{
    char text[64];

    for (size_t len = 1; len <= max; len++) {
        for (size_t at = 0; at < len; at++) {
            memset(text, 'x', sizeof text);
            text[at] = (char)byte;
            if (json_plain_length(text, len) != (is_plain ? len : at))
                return false;
        }
    }
    return true;
}

static void test_plain_text(void)
{
    TEST("what a string must escape is found wherever it stands, and nothing else is") {
        for (int byte = 0; byte <= UINT8_MAX; byte++) {
            bool is_plain = byte >= ' ' && byte < 0x80 && byte != '"' && byte != '\\';

            CHECK(is_found_everywhere((unsigned char)byte, 20, is_plain));
        }
        CHECK_INT(json_plain_length("", 0), 0);
        CHECK_INT(json_plain_length("\xff\x01\"\\\x80zzzz", 9), 0);
    }
    TEST("escapes at every place of a long string survive, also behind shortened ones") {
        CHECK_STR(round_trip(
                      "{\"a key of length\":\"\\n12345678\\t\\\\ab\\\"cdefgh\\u0000ij\\ud83dkl\"}"),
                  "{\"a key of length\":\"\\n12345678\\t\\\\ab\\\"cdefgh\\u0000ij\\ud83dkl\"}");
        CHECK_STR(round_trip("\"12345678901234567\\u00e9\""), "\"12345678901234567\xc3\xa9\"");
        CHECK_STR(round_trip("\"12345678\\u000190\""), "\"12345678\\u000190\"");
    }
    TEST("a text that does not fit poisons the buffer, wherever it ends") {
        for (size_t max = 0; max < 14; max++) {
            AUTO_BUF struct buf out = BUF_INIT(max);

            json_print_string("123456\"8901", 11, &out);
            CHECK(buf_failed(&out));
        }
    }
}

static void test_bad_input(void)
{
    char deep[2 * JSON_DEPTH_MAX + 4];

    TEST("bytes that are no UTF-8 leave as U+FFFD") {
        CHECK_STR(round_trip("\"a\xff"
                             "b\xc3\""),
                  "\"a\xef\xbf\xbd"
                  "b\xef\xbf\xbd\"");
        CHECK_STR(round_trip("\"\xc0\xaf\""), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    }
    TEST("what follows the value is refused, blanks are not") {
        CHECK(round_trip("{} x") == NULL);
        CHECK(round_trip("{}{}") == NULL);
        CHECK_STR(round_trip(" {} \r\n"), "{}");
    }
    TEST("broken documents are refused with where they broke") {
        struct err err = {0};

        CHECK(json_parse("{\"a\":", 5, &err) == NULL);
        CHECK_INT(err.class, ERR_PROTOCOL);
        CHECK(strstr(err.text, "at byte") != NULL);
        CHECK(round_trip("") == NULL);
        CHECK(round_trip("\"\\u12\"") == NULL);
        CHECK(round_trip("\"\\") == NULL);
        CHECK(round_trip("\"\\ud83d\\u") == NULL);
    }
    TEST("nesting has a limit") {
        memset(deep, '[', JSON_DEPTH_MAX + 1);
        memset(deep + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
        CHECK(json_parse(deep, 2 * JSON_DEPTH_MAX + 2, NULL) == NULL);
        AUTO_JSON cJSON *fits = json_parse(deep + 1, 2 * JSON_DEPTH_MAX, NULL);
        CHECK(fits != NULL);
    }
}

static void test_values(void)
{
    TEST("numbers keep their value") {
        CHECK_STR(round_trip("[0,-1,1770000000123,0.25,1e21,9007199254740991,0.1]"),
                  "[0,-1,1770000000123,0.25,1e+21,9007199254740991,0.1]");
    }
    TEST("a number that is none becomes null") {
        CHECK_STR(round_trip("[1e999]"), "[null]");
    }
    TEST("control characters leave as escapes") {
        CHECK_STR(round_trip("\"\\n\\t\\u0001\\\"\\\\/\""), "\"\\n\\t\\u0001\\\"\\\\/\"");
    }
    TEST("getters look at the type and at the case of a key") {
        AUTO_JSON cJSON *object = parse("{\"a\":1,\"A\":\"x\",\"e\":\"\",\"n\":null}");
        double number = 0;

        CHECK(json_get_string(object, "a") == NULL);
        CHECK_STR(json_get_string(object, "A"), "x");
        CHECK(json_get_number(object, "a", &number) && number == 1);
        CHECK(json_get_nonempty(object, "e") == NULL);
        CHECK(json_get_string(object, "n") == NULL);
        CHECK(json_get_string(NULL, "a") == NULL);
    }
    TEST("an optional text that is missing leaves no member") {
        AUTO_JSON cJSON *object = cJSON_CreateObject();
        AUTO_FREE char *text = NULL;

        json_add_string(object, "gone", NULL);
        json_add_string(object, "here", "");
        text = json_to_string(object);
        CHECK_STR(text, "{\"here\":\"\"}");
    }
}

#define SECRET "token-0123456789"

static unsigned wiped, leaked;

/* What cJSON gives back; each block knows its size. */
static void *allocate_sized(size_t size)
{
    size_t *block = malloc(sizeof *block + size);

    *block = size;
    return block + 1;
}

static void look_and_free(void *memory)
{
    size_t *block = (size_t *)memory - 1;

    if (!memory)
        return;
    wiped += *block == sizeof SECRET && memchr(memory, 0, *block) == memory;
    leaked += memmem(memory, *block, SECRET, strlen(SECRET)) != NULL;
    free(block);
}

static void test_wiping(void)
{
    cJSON_Hooks hooks = {.malloc_fn = allocate_sized, .free_fn = look_and_free};

    TEST("a tree that held a secret leaves nothing of it in memory, at any depth") {
        cJSON_InitHooks(&hooks);
        {
            AUTO_SECRET_JSON cJSON *request = cJSON_CreateObject();
            cJSON *servers = cJSON_CreateArray(), *server = cJSON_CreateObject();

            json_add_string(request, "password", SECRET);
            json_add_string(server, "token", SECRET);
            cJSON_AddItemToArray(servers, cJSON_CreateNumber(1));
            cJSON_AddItemToArray(servers, server);
            json_put(request, "servers", servers);
        }
        json_wipe(NULL);
        cJSON_InitHooks(NULL);
        CHECK_INT(leaked, 0);
        CHECK_INT(wiped, 2);
    }
}

int main(void)
{
    test_surrogates();
    test_plain_text();
    test_bad_input();
    test_values();
    test_wiping();
    return check_done();
}
