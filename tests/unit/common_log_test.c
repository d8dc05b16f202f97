/* What leaves the process: whole lines, in the promised form, without a secret. */
#include "common/cleanup.h"
#include "common/json.h"
#include "common/log.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static char line[2 * LOG_LINE_MAX];

static const char *read_line(int fd)
{
    ssize_t got = read(fd, line, sizeof line - 1);

    line[got > 0 ? got : 0] = '\0';
    return line;
}

static cJSON *read_json(int fd)
{
    const char *text = read_line(fd);

    return json_parse(text, strlen(text), NULL);
}

static const char *redacted(const struct redact *redact, const char *text)
{
    static char clean[500];
    AUTO_BUF struct buf out = BUF_INIT(sizeof clean - 1);

    redact_text(redact, text, strlen(text), &out);
    strcpy(clean, buf_text(&out));
    return clean;
}

static void test_redaction(void)
{
    struct redact *redact = redact_new();

    TEST("the user part of a URL is masked (S-215)") {
        CHECK_STR(redacted(NULL, "at https://x:tok@host/p and http://u@h"),
                  "at https://***@host/p and http://***@h");
        CHECK_STR(redacted(NULL, "https://host/a@b, mail a@b"), "https://host/a@b, mail a@b");
        CHECK_STR(redacted(NULL, "https://"), "https://");
    }
    TEST("registered secrets are masked wherever they stand, the longest first") {
        redact_add_secret(redact, "ghs_12345678");
        redact_add_secret(redact, "ghs_12345678_longer");
        redact_add_secret(redact, "short");
        redact_add_secret(redact, NULL);
        CHECK_STR(redacted(redact, "aghs_12345678b ghs_12345678_longer short"), "a***b *** short");
    }
    TEST("a secret that was cut in two is not shown") {
        CHECK_STR(redacted(redact, "the token is ghs_12345"), "the token is ***");
        CHECK_STR(redacted(redact, "the token is ghs_12345 "), "the token is ghs_12345 ");
        CHECK_STR(redacted(redact, "a word: ghs_"), "a word: ghs_");
    }
    redact_free(redact);
}

static void test_lines(int in, struct log *log)
{
    TEST("a line has the envelope, then its fields, and no missing field") {
        log_at(log, LOG_INFO, "git.clone_start", LOG_STR("repo_owner", "acme"),
               LOG_STR("gone", NULL), LOG_NUM("ms", 12), LOG_BOOL("ok", true));
        AUTO_JSON cJSON *value = read_json(in);
        double ts = 0;

        CHECK(strncmp(line,
                      "{\"level\":\"info\",\"service\":\"sandbox\",\"component\":\"supervisor\","
                      "\"event\":\"git.clone_start\",\"ts\":",
                      88) == 0);
        CHECK(json_get_number(value, "ts", &ts) && ts > 1.7e12);
        CHECK_STR(json_get_string(value, "sandbox_id"), "sb-1");
        CHECK(strstr(line, "\"repo_owner\":\"acme\",\"ms\":12,\"ok\":true}\n") != NULL);
    }
    TEST("debug lines are not printed") {
        log_at(log, LOG_DEBUG, "quiet");
        log_at(log, LOG_WARNING, "loud");
        CHECK(strstr(read_line(in), "quiet") == NULL);
        CHECK(strstr(line, "loud") != NULL);
    }
    TEST("a registered secret never reaches the line") {
        struct err err = {0};

        redact_add_secret(log_redact(log), "s3cr3t-token");
        err_set(&err, ERR_AUTH, "server says s3cr3t-token is bad");
        log_at(log, LOG_ERROR, "x", LOG_ERR(&err));
        CHECK(strstr(read_line(in), "s3cr3t") == NULL);
        CHECK(strstr(line, "\"error_type\":\"auth\"") != NULL);
        log_forward(log, "[opencode] ", "s3cr3t-token", 12);
        CHECK_STR(read_line(in), "[opencode] ***\n");
    }
}

static void test_bounds(int in, int out, struct log *log)
{
    static char huge[3 * LOG_LINE_MAX];

    TEST("a line is never longer than its limit, and says that it was cut") {
        memset(huge, 'x', sizeof huge - 1);
        log_at(log, LOG_INFO, "big", LOG_STR("a", huge), LOG_STR("b", huge), LOG_STR("c", huge),
               LOG_STR("d", huge), LOG_STR("e", huge), LOG_NUM("last", 1));
        AUTO_JSON cJSON *value = read_json(in);

        CHECK(value != NULL);
        CHECK(strlen(line) <= LOG_LINE_MAX);
        CHECK(strstr(line, "[cut]") != NULL);
        CHECK(strstr(line, "\"last\":1") != NULL);
    }
    TEST("a pipe nobody reads neither stops nor kills, and the loss is counted") {
        int flags = fcntl(out, F_GETFL);

        fcntl(out, F_SETFL, flags | O_NONBLOCK);
        for (int i = 0; i < 100; i++)
            log_at(log, LOG_INFO, "fill", LOG_STR("a", huge));
        while (strlen(read_line(in)) > 0 && strlen(line) == sizeof line - 1)
            continue;
        log_at(log, LOG_INFO, "after");
        CHECK(strstr(read_line(in), "\"event\":\"log.dropped\"") != NULL);
        CHECK(strstr(line, "\"lines\":") != NULL);
        CHECK(strstr(line, "\"event\":\"after\"") > strstr(line, "log.dropped"));
    }
    TEST("a line that the full pipe took half of is not glued to the next one") {
        const char *notice;
        bool ended;
        for (int i = 0; i < 100; i++)
            log_at(log, LOG_INFO, "fill", LOG_STR("a", huge));
        ended = line[strlen(read_line(in)) - 1] == '\n';
        log_forward(log, "[opencode] ", "whole", 5);
        notice = read_line(in) + (ended ? 0 : 1);
        CHECK(ended || line[0] == '\n');
        CHECK(strncmp(notice, "{\"level\":\"warning\"", 18) == 0);
        CHECK_STR(strchr(notice, '\n'), "\n[opencode] whole\n");
    }
}

int main(void)
{
    struct log *log;
    int fds[2];

    signal(SIGPIPE, SIG_IGN);
    if (pipe(fds) != 0)
        return 1;
    fcntl(fds[1], F_SETPIPE_SZ, 2 * LOG_LINE_MAX);
    log = log_new(fds[1], "sandbox", "supervisor");
    log_set_ids(log, "sb-1", NULL);
    test_redaction();
    test_lines(fds[0], log);
    test_bounds(fds[0], fds[1], log);
    log_free(log);
    return check_done();
}
