/* The recorded addresses and log lines of the earlier implementation (tests/vectors/families): where ours differ on
 * purpose, what is wanted stands beside, under "repaired", with the reason. */
#include "bridge/control_plane/addresses.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"
#include "tests/unit/check.h"

#include <unistd.h>

#define ADDRESSES "tests/vectors/families/urls.json"
#define LOG_LINES "tests/vectors/families/log-lines.json"
#define FILE_MAX_BYTES ((size_t)64 * 1024)

static cJSON *read_cases(const char *path, cJSON **cases)
{
    AUTO_BUF struct buf text = BUF_INIT(FILE_MAX_BYTES);
    cJSON *family =
        file_read(path, &text, NULL) == 0 ? json_parse(text.data, text.len, NULL) : NULL;

    *cases = json_get_array(family, "cases");
    CHECK(cJSON_GetArraySize(*cases) > 0);
    return family;
}

static const char *wanted(const cJSON *one, const char *key)
{
    const char *repaired = json_get_string(json_get_object(one, "repaired"), key);

    return repaired ? repaired : json_get_string(one, key);
}

static void check_address(const cJSON *one)
{
    const struct address_input input = {
        .control_plane = json_get_string(one, "control_plane"),
        .session_id = json_get_string(one, "session_id"),
        .sandbox_id = "sb",
        .token = "tok",
    };
    AUTO_BUF struct buf socket = BUF_INIT(1024), diff = BUF_INIT(1024), attachment = BUF_INIT(1024);

    address_print_websocket(&input, &socket);
    CHECK_STR(buf_text(&socket), wanted(one, "ws_url"));
    address_print_endpoint(&input, "/diff", NULL, &diff);
    CHECK_STR(buf_text(&diff), wanted(one, "diff_url"));
    address_print_endpoint(&input, "/attachments/", "att", &attachment);
    CHECK_STR(buf_text(&attachment), wanted(one, "attachment_url"));
}

static void test_addresses(void)
{
    TEST("urls.json: the addresses of a session, with D-32 repaired") {
        cJSON *cases;
        AUTO_JSON cJSON *family = read_cases(ADDRESSES, &cases);
        const cJSON *one;

        CHECK(family != NULL);
        cJSON_ArrayForEach(one, cases)
            check_address(one);
    }
}

/* What the case's line was made of. */
static void log_case(struct log *log, const char *name)
{
    struct err err = {.class = ERR_INTERNAL};

    snprintf(err.text, sizeof err.text, "went wrong");
    if (strcmp(name, "info") == 0)
        log_at(log, LOG_INFO, "bridge.stop");
    else if (strcmp(name, "fields") == 0)
        log_at(log, LOG_INFO, "prompt.run", LOG_STR("message_id", "m"), LOG_STR("model", NULL),
               LOG_STR("outcome", "success"), LOG_NUM("duration_ms", 12));
    else if (strcmp(name, "warn") == 0)
        log_at(log, LOG_WARNING, "bridge.connect_error", LOG_STR("detail", "caf\u00e9 \"q\"\n"));
    else if (strcmp(name, "debug-not-printed") == 0)
        log_at(log, LOG_DEBUG, "bridge.unknown_command");
    else if (strcmp(name, "exception") == 0)
        log_at(log, LOG_ERROR, "prompt.error", LOG_STR("message_id", "m"), LOG_ERR(&err));
    else
        log_at(log, LOG_WARNING, "bridge.send_error", LOG_STR("event_type", "token"),
               LOG_ERR(&err));
}

static void check_log_line(struct log *log, int in, const cJSON *one)
{
    const cJSON *line = json_get_object(json_get_object(one, "repaired"), "line");
    char text[1024] = "";
    ssize_t got;

    log_case(log, json_get_string(one, "name"));
    /* A line of its own after it, so that there is something to read when none was printed. */
    log_at(log, LOG_INFO, "end");
    got = read(in, text, sizeof text - 1);
    CHECK(got > 0);
    if (!line) {
        CHECK(strstr(text, "\"event\":\"end\"") < strchr(text, '\n'));
        return;
    }
    AUTO_JSON cJSON *seen = json_parse(text, (size_t)(strchr(text, '\n') - text), NULL);

    cJSON_ReplaceItemInObject(seen, "ts", cJSON_CreateNumber(0));
    if (json_get_string(line, "error_type"))
        cJSON_ReplaceItemInObject(seen, "error_type", cJSON_CreateString("ValueError"));
    AUTO_BUF struct buf ours = BUF_INIT(2048), theirs = BUF_INIT(2048);

    json_print(seen, &ours);
    json_print(line, &theirs);
    CHECK_STR(buf_text(&ours), buf_text(&theirs));
}

static void test_log_lines(void)
{
    int fds[2];
    struct log *log;

    if (pipe(fds) != 0)
        abort();
    log = log_new(fds[1], "sandbox", "bridge");
    log_set_ids(log, "sb", "se");
    TEST("log-lines.json: envelope, order and escapes of a line, with D-39 repaired") {
        cJSON *cases;
        AUTO_JSON cJSON *family = read_cases(LOG_LINES, &cases);
        const cJSON *one;

        CHECK(family != NULL);
        cJSON_ArrayForEach(one, cases)
            check_log_line(log, fds[0], one);
    }
    log_free(log);
}

int main(void)
{
    test_addresses();
    test_log_lines();
    return check_done();
}
