/* The limits: recorded cases of the two that the contract fixes, and the range of the others. */
#include "bridge/limits.h"
#include "common/file.h"
#include "common/json.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <unistd.h>

#define CASES "tests/vectors/families/timeouts.json"
#define MS_PER_SECOND 1000.0

static struct limits limits;

/* Reads the limits and returns the log's lines as an array. */
static cJSON *read_logged(void)
{
    AUTO_BUF struct buf text = BUF_INIT(256 * 1024);
    cJSON *lines = cJSON_CreateArray();
    FILE *file = tmpfile();
    struct log *log = log_new(fileno(file), "sandbox", "bridge");
    char chunk[4096];
    size_t count;

    limits_read(&limits, log);
    log_free(log);
    rewind(file);
    while ((count = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_append(&text, chunk, count);
    fclose(file);
    for (char *line = text.data, *end; line && (end = strchr(line, '\n')); line = end + 1)
        cJSON_AddItemToArray(lines, json_parse(line, (size_t)(end - line), NULL));
    return lines;
}

/* Every member of `expected` is in `got`. */
static void check_line(const cJSON *got, const cJSON *expected)
{
    const cJSON *field;

    cJSON_ArrayForEach(field, expected) {
        char *wanted = json_to_string(field);
        char *found = json_to_string(json_get(got, field->string));

        CHECK_STR(found, wanted);
        free(wanted);
        free(found);
    }
}

static void run_case(const cJSON *test)
{
    const cJSON *variable, *expected;
    AUTO_JSON cJSON *lines = NULL;
    double seconds = 0;
    int at = 0;

    cJSON_ArrayForEach(variable, json_get(test, "env"))
        setenv(variable->string, variable->valuestring, 1);
    lines = read_logged();
    json_get_number(test, "sse_inactivity_timeout_seconds", &seconds);
    CHECK_INT(limits.sse_inactivity_ms, seconds * MS_PER_SECOND);
    json_get_number(test, "prompt_max_duration_seconds", &seconds);
    CHECK_INT(limits.prompt_max_duration_ms, seconds * MS_PER_SECOND);
    json_get_number(test, "prompt_cleanup_timeout_seconds", &seconds);
    CHECK_INT(limits.prompt_cleanup_ms, seconds * MS_PER_SECOND);
    CHECK_INT(cJSON_GetArraySize(lines), cJSON_GetArraySize(json_get(test, "logs")));
    cJSON_ArrayForEach(expected, json_get(test, "logs"))
        check_line(cJSON_GetArrayItem(lines, at++), expected);
    cJSON_ArrayForEach(variable, json_get(test, "env"))
        unsetenv(variable->string);
}

static void test_recorded(void)
{
    AUTO_BUF struct buf text = BUF_INIT(1024 * 1024);
    AUTO_JSON cJSON *file = NULL;
    const cJSON *test;
    int count = 0;

    TEST("the recorded cases, with their log lines") {
        if (file_read(CASES, &text, NULL) == 0)
            file = json_parse(text.data, text.len, NULL);
        cJSON_ArrayForEach(test, json_get(file, "cases")) {
            run_case(test);
            count++;
        }
        CHECK(count >= 20);
    }
}

static void test_others(void)
{
    AUTO_JSON cJSON *lines = NULL;

    TEST("nan is a bad value, not a crash (D-30)") {
        setenv("BRIDGE_SSE_INACTIVITY_TIMEOUT", "nan", 1);
        cJSON_Delete(read_logged());
        CHECK_INT(limits.sse_inactivity_ms, 120000);
        unsetenv("BRIDGE_SSE_INACTIVITY_TIMEOUT");
    }
    TEST("a life beyond all bounds is a long one, not none (B-106)") {
        setenv("SANDBOX_TIMEOUT_SECONDS", "1e300", 1);
        cJSON_Delete(read_logged());
        CHECK(limits.prompt_max_duration_ms > (uint64_t)86400 * 1000 * 365);
        unsetenv("SANDBOX_TIMEOUT_SECONDS");
    }
    TEST("other limits have defaults, are taken, and are kept within their range") {
        cJSON_Delete(read_logged());
        CHECK_INT(limits.heartbeat_ms, 30000);
        CHECK_INT(limits.outbox_max_bytes, 16 * 1024 * 1024);
        setenv("BRIDGE_HEARTBEAT_INTERVAL_MS", "250", 1);
        setenv("BRIDGE_RECONNECT_FIRST_MS", "1", 1);
        setenv("BRIDGE_RECONNECT_MAX_MS", "999999999", 1);
        setenv("BRIDGE_DRAIN_TIMEOUT_MS", "soon", 1);
        lines = read_logged();
        CHECK_INT(limits.heartbeat_ms, 250);
        CHECK_INT(limits.reconnect_first_ms, 10);
        CHECK_INT(limits.reconnect_max_ms, 600000);
        CHECK_INT(limits.drain_ms, 2000);
        CHECK_INT(cJSON_GetArraySize(lines), 3 + 3);
    }
}

int main(void)
{
    test_recorded();
    test_others();
    return check_done();
}
