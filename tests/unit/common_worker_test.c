#include "common/worker.h"

#include "common/file.h"
#include "common/json.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A descriptor from which `text`, `repeat` times, can be read up to its end. */
static int readable(const char *text, size_t repeat)
{
    char path[] = "/tmp/oi-worker-test-XXXXXX";
    int fd = mkstemp(path);

    unlink(path);
    while (repeat--)
        file_write_all(fd, text, strlen(text));
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static cJSON *read_input(const char *text, size_t repeat, struct err *err)
{
    int fd = readable(text, repeat);
    cJSON *object;

    err_clear(err);
    object = worker_read_input(fd, err);
    close(fd);
    return object;
}

static void test_input(void)
{
    struct err err;
    cJSON *object;

    TEST("the input is one JSON object up to the end of file") {
        object = read_input(" {\"a\":1}\n", 1, &err);
        CHECK(object != NULL);
        cJSON_Delete(object);
    }
    TEST("other input is an error that quotes nothing of it") {
        CHECK(!read_input("", 1, &err));
        CHECK(!read_input("[\"secret\"]", 1, &err));
        CHECK(!read_input("{\"secret\"", 1, &err));
        CHECK_INT(err.class, ERR_PROTOCOL);
        CHECK(strstr(err.text, "secret") == NULL);
    }
    TEST("input that is too long is an error, not memory") {
        CHECK(!read_input("          ", WORKER_INPUT_MAX / 10 + 1, &err));
        CHECK_INT(err.class, ERR_LIMIT);
    }
    TEST("limits are in seconds, and nonsense gives the default") {
        static const char text[] = "{\"a\":0.5,\"b\":-1,\"c\":\"x\",\"d\":1e300,\"e\":7}";

        object = json_parse(text, strlen(text), NULL);
        CHECK_INT(worker_limit_ms(object, "a", 3), 500);
        CHECK_INT(worker_limit_ms(object, "b", 3), 3000);
        CHECK_INT(worker_limit_ms(object, "c", 3), 3000);
        CHECK_INT(worker_limit_ms(object, "d", 3), 3000);
        CHECK_INT(worker_limit_ms(object, "e", 3), 7000);
        CHECK_INT(worker_limit_ms(NULL, "a", 3), 3000);
        cJSON_Delete(object);
    }
}

static void test_output(void)
{
    struct err failure = {.class = ERR_AUTH, .text = "no"};
    char line[256], *long_text;
    int fds[2];
    ssize_t got;

    CHECK_INT(pipe(fds), 0);
    TEST("a result is one line with the class and the text of a failure") {
        CHECK_INT(worker_emit(fds[1], worker_result_new(&failure)), 0);
        got = read(fds[0], line, sizeof line - 1);
        line[got > 0 ? got : 0] = '\0';
        CHECK_STR(line,
                  "{\"type\":\"result\",\"ok\":false,\"error_class\":\"auth\",\"error\":\"no\"}\n");
        CHECK_INT(worker_emit(fds[1], worker_result_new(NULL)), 0);
        got = read(fds[0], line, sizeof line - 1);
        line[got > 0 ? got : 0] = '\0';
        CHECK_STR(line, "{\"type\":\"result\",\"ok\":true}\n");
    }
    TEST("a line that is too long is not written in part") {
        cJSON *object = worker_line_new("event");

        long_text = calloc(1, WORKER_LINE_MAX + 1);
        memset(long_text, 'x', WORKER_LINE_MAX);
        json_add_string(object, "text", long_text);
        free(long_text);
        CHECK_INT(worker_emit(fds[1], object), -1);
        fcntl(fds[0], F_SETFL, O_NONBLOCK);
        CHECK_INT(read(fds[0], line, sizeof line), -1);
    }
    TEST("a parent that is gone is a failed write, not a signal") {
        struct err err;

        cJSON_Delete(read_input("{}", 1, &err));
        CHECK(!worker_is_orphan(fds[1]));
        close(fds[0]);
        CHECK(worker_is_orphan(fds[1]));
        CHECK_INT(worker_emit(fds[1], worker_result_new(NULL)), -1);
    }
    close(fds[1]);
}

int main(void)
{
    test_input();
    test_output();
    return check_done();
}
