/* A launcher that stops reading our standard output: nothing blocks, and little is lost (S-316). */
#include "common/log.h"
#include "supervisor/log_output.h"
#include "supervisor/process/child_log.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_LENGTH 1000

struct launcher {
    struct log_output output;
    struct log *log;
    uv_loop_t loop;
    int in;
    int out;
};

/* Our standard output is the test's report; the log's is `fds[1]` from its opening on. */
static void open_on(struct launcher *launcher, const int fds[2])
{
    int report = dup(STDOUT_FILENO);

    fflush(stdout);
    dup2(fds[1], STDOUT_FILENO);
    log_output_open(&launcher->output);
    launcher->in = fds[0];
    launcher->out = fds[1];
    if (!launcher->output.is_ours)
        launcher->output.fd = fds[1];
    dup2(report, STDOUT_FILENO);
    close(report);
    launcher->log = log_new(STDERR_FILENO, "sandbox", "supervisor");
    log_set_sink(launcher->log, log_output_write, &launcher->output);
    fcntl(launcher->in, F_SETFL, O_NONBLOCK);
    uv_loop_init(&launcher->loop);
    log_output_watch(&launcher->output, &launcher->loop);
    /* The supervisor's loop has other handles; this one would not turn for one that does not count. */
    if (launcher->output.watched)
        uv_ref((uv_handle_t *)&launcher->output.poll);
}

static void close_all(struct launcher *launcher)
{
    log_output_unwatch(&launcher->output);
    uv_run(&launcher->loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&launcher->loop), 0);
    log_output_close(&launcher->output);
    log_free(launcher->log);
    close(launcher->in);
    close(launcher->out);
}

static void write_lines(struct launcher *launcher, int first, int count)
{
    char text[LINE_LENGTH];

    memset(text, 'x', sizeof text);
    for (int i = first; i < first + count; i++) {
        int digits = snprintf(text, sizeof text, "%06d", i);

        text[digits] = 'x';
        log_forward(launcher->log, "", text, sizeof text);
    }
}

struct seen {
    int lines;
    int next; /* the number that the next line should have */
    int gaps;
    bool dropped_said;
    bool own_said;
};

static void look_at_line(const char *line, struct seen *seen)
{
    seen->dropped_said |= strstr(line, "log.dropped") != NULL;
    seen->own_said |= strstr(line, "supervisor.fatal") != NULL;
    if (line[0] == '{')
        return;
    seen->gaps += atoi(line) != seen->next;
    seen->next = atoi(line) + 1;
    seen->lines++;
}

/* Reads until nothing is left, giving the loop its turns; looks at what came line by line. */
static struct seen read_all(struct launcher *launcher)
{
    AUTO_BUF struct buf all = BUF_INIT(4 * LOG_OUTPUT_QUEUE_MAX);
    struct seen seen = {0};
    ssize_t got;

    do {
        char *room = buf_reserve(&all, 65536);

        got = room ? read(launcher->in, room, 65536) : -1;
        if (got > 0)
            buf_commit(&all, (size_t)got);
        uv_run(&launcher->loop, UV_RUN_NOWAIT);
    } while (got > 0 || launcher->output.waiting.len);
    for (char *line = all.data, *end; line && (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        look_at_line(line, &seen);
    }
    return seen;
}

static void test_waiting(const int fds[2])
{
    struct launcher launcher;

    open_on(&launcher, fds);
    TEST("what a launcher does not read for a while waits, and comes whole and in order") {
        struct seen seen;

        write_lines(&launcher, 0, 900);
        CHECK(launcher.output.waiting.len > LOG_OUTPUT_QUEUE_MAX / 2);
        seen = read_all(&launcher);
        CHECK_INT(seen.lines, 900);
        CHECK_INT(seen.gaps, 0);
        CHECK(!seen.dropped_said);
    }
    TEST("memory goes back once the lines are out") {
        CHECK(launcher.output.waiting.data == NULL);
    }
    TEST(
        "past the limit whole lines are dropped and counted, and what was said before them stays") {
        struct seen seen;

        write_lines(&launcher, 0, 3000);
        CHECK(launcher.output.waiting.len <= LOG_OUTPUT_QUEUE_MAX);
        seen = read_all(&launcher);
        CHECK(seen.lines > 900 && seen.lines < 3000);
        CHECK_INT(seen.gaps, 0);
        CHECK(!seen.own_said);
        write_lines(&launcher, 3000, 1);
        CHECK(read_all(&launcher).dropped_said);
    }
    TEST("a child that prints without end does not hide what is said of it") {
        struct seen seen;

        write_lines(&launcher, 0, 3000);
        log_at_of_child(launcher.log, "supervisor.fatal", LOG_STR("line", "a child says so"));
        CHECK_INT(read_all(&launcher).own_said, false);
        write_lines(&launcher, 0, 3000);
        log_at(launcher.log, LOG_ERROR, "supervisor.fatal", LOG_STR("error_message", "timeout"));
        seen = read_all(&launcher);
        CHECK(seen.own_said && seen.dropped_said);
    }
    close_all(&launcher);
}

static void test_child_lines(const int fds[2])
{
    struct log *log = log_new(fds[1], "sandbox", "supervisor");
    char seen[100] = "";

    TEST("a child's bytes that are no text become U+FFFD, its trailing blanks go (S-313)") {
        child_log_line(log, "[opencode] ", "a\xff\xc3(\xe2\x82\xac\xed\xa0\x80 \r", 13, 0);
        CHECK(read(fds[0], seen, sizeof seen - 1) > 0);
        CHECK_STR(seen, "[opencode] a\ufffd\ufffd(\u20ac\ufffd\n");
    }
    log_free(log);
}

/* `sh -c 'echo starting; oi-supervisor; echo ended' >log`, as nohup in a launcher does. */
static void test_file(void)
{
    char path[] = "/tmp/oi-log-output-XXXXXX";
    char all[200] = "";
    struct launcher launcher;
    int file = mkstemp(path);
    const int fds[2] = {open(path, O_RDONLY), file};

    unlink(path);
    TEST("a plain file is written where its other writers left off, and they go on behind us") {
        dprintf(file, "starting\n");
        open_on(&launcher, fds);
        log_forward(launcher.log, "", "ours", 4);
        dprintf(file, "ended\n");
        CHECK(read(fds[0], all, sizeof all - 1) > 0);
        CHECK_STR(all, "starting\nours\nended\n");
        close_all(&launcher);
    }
}

int main(void)
{
    struct launcher launcher;
    int fds[2];

    if (pipe(fds) != 0)
        return 1;
    test_child_lines(fds);
    close(fds[0]);
    close(fds[1]);

    if (pipe(fds) != 0)
        return 1;
    test_waiting(fds);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        return 1;
    TEST("a socket as standard output does not block us either") {
        open_on(&launcher, fds);
        CHECK(launcher.output.is_socket && !launcher.output.is_ours);
        write_lines(&launcher, 0, 2000);
        CHECK(launcher.output.waiting.len > LOG_OUTPUT_QUEUE_MAX / 2);
        close_all(&launcher);
    }
    test_file();
    return check_done();
}
