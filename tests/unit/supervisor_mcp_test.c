/* Which packages of MCP servers are installed before OpenCode starts them (S-301, S-303). */
#include "common/cleanup.h"
#include "common/file.h"
#include "common/json.h"
#include "supervisor/mcp/mcp_install.h"
#include "tests/unit/check.h"
#include "tests/unit/root_fixture.h"

#include <stdlib.h>
#include <sys/stat.h>

/* The valid packages of a session's servers, then the invalid ones, as JSON. */
static const char *packages_of(const char *servers)
{
    static char seen[1024];
    char text[2048];
    AUTO_JSON cJSON *session = NULL;
    struct mcp_packages packages;
    char *valid, *invalid;

    snprintf(text, sizeof text, "{\"mcp_servers\":%s}", servers);
    session = json_parse(text, strlen(text), NULL);
    packages = mcp_packages_of(session);
    valid = json_to_string(packages.valid);
    invalid = json_to_string(packages.invalid);
    snprintf(seen, sizeof seen, "%s%s", valid, invalid);
    free(valid);
    free(invalid);
    mcp_packages_free(&packages);
    return seen;
}

static void on_done(void *user)
{
    *(int *)user += 1;
}

/* Lets npm of `path` install the package "a", for `limit_ms` at most; what was logged goes to `lines`. */
static void install(const char *path, uint64_t limit_ms, struct buf *lines)
{
    char log_path[] = "/tmp/oi-mcp-XXXXXX";
    static const char text[] = "{\"mcp_servers\":[{\"name\":\"a\",\"command\":[\"npx\",\"a\"]}]}";
    AUTO_JSON cJSON *session = json_parse(text, strlen(text), NULL);
    AUTO_CLOSE int fd = mkstemp(log_path);
    struct log *log = log_new(fd, "test", "test");
    struct config config = {.session = session};
    struct mcp_install install;
    struct reaper reaper;
    uv_loop_t loop;
    int done = 0;

    setenv("PATH", path, 1);
    uv_loop_init(&loop);
    CHECK_INT(reaper_init(&reaper, &loop, log, NULL), 0);
    mcp_install_init(&install, &loop, &reaper, log, &config, on_done, &done);
    CHECK(mcp_install_is_wanted(&config));
    mcp_install_start(&install, limit_ms);
    while (done == 0)
        uv_run(&loop, UV_RUN_ONCE);
    CHECK_INT(done, 1);
    CHECK(!mcp_install_is_running(&install));
    mcp_install_close(&install);
    reaper_close(&reaper);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    CHECK_INT(file_read(log_path, lines, NULL), 0);
    unlink(log_path);
    log_free(log);
}

static void test_failures_of_npm(void)
{
    TEST("without npm there is a warning, and the boot goes on") {
        AUTO_BUF struct buf lines = BUF_INIT(LOG_LINE_MAX);

        install("/nowhere", MCP_INSTALL_LIMIT_MS, &lines);
        CHECK(strstr(buf_text(&lines), "\"level\":\"warning\"") != NULL);
        CHECK(strstr(buf_text(&lines), "mcp.packages_install_error") != NULL);
    }
    TEST("an npm that does not end is ended, and the warning says after which time (S-503)") {
        AUTO_BUF struct buf lines = BUF_INIT(LOG_LINE_MAX);

        put_file("bin/npm", "#!/bin/sh\nexec /bin/sleep 1000\n");
        CHECK_INT(chmod(in_root("bin/npm"), 0755), 0);
        install(in_root("bin"), 250, &lines);
        CHECK(strstr(buf_text(&lines), "\"mcp.packages_install_timeout\"") != NULL);
        CHECK(strstr(buf_text(&lines), "\"packages\":[\"a\"],\"timeout_seconds\":0.25}") != NULL);
    }
}

int main(void)
{
    root_begin();
    test_failures_of_npm();
    root_end();
    TEST("the package is what npx runs, or what -p and --package name, each once") {
        CHECK_STR(
            packages_of(
                "[{\"name\":\"a\",\"command\":[\"npx\",\"-y\",\"@x/server@1.2.3\",\"-p\",\"80\"]},"
                "{\"name\":\"b\",\"command\":[\"npx\",\"-y\",\"@x/server@1.2.3\"]},"
                "{\"name\":\"c\",\"type\":\"local\",\"command\":[\"npx\",\"-p\",\"one\",\"--"
                "package\",\"two\",\"cmd\"]},"
                "{\"name\":\"d\",\"command\":[\"npx\",\"--package=three\",\"cmd\"]},"
                "{\"name\":\"e\",\"command\":[\"npx\",\"--registry\",\"https://r\",\"four\"]},"
                "{\"name\":\"f\",\"command\":[\"npx\",\"-p\"]}]"),
            "[\"@x/server@1.2.3\",\"one\",\"two\",\"three\",\"four\"][]");
    }
    TEST("servers without a name, remote ones and other programs have none") {
        CHECK_STR(packages_of(
                      "[{\"command\":[\"npx\",\"a\"]},{\"name\":\"b\",\"type\":\"remote\","
                      "\"command\":[\"npx\",\"a\"]},{\"name\":\"c\",\"command\":[\"node\",\"a\"]},"
                      "{\"name\":\"d\",\"command\":[]},{\"name\":\"e\",\"command\":\"npx a\"},7]"),
                  "[][]");
    }
    TEST("what is no package's name never reaches npm's command line") {
        CHECK_STR(packages_of("[{\"name\":\"a\",\"command\":[\"npx\",\"../x\"]},"
                              "{\"name\":\"b\",\"command\":[\"npx\",\"-p\",\"--global\",\"x\"]},"
                              "{\"name\":\"c\",\"command\":[\"npx\",\"git+https://h/x\"]}]"),
                  "[][\"../x\",\"--global\",\"git+https://h/x\"]");
        CHECK(mcp_package_is_valid("a") && mcp_package_is_valid("@a/b.c-d@latest"));
        CHECK(!mcp_package_is_valid("") && !mcp_package_is_valid("@a") &&
              !mcp_package_is_valid("@a/") && !mcp_package_is_valid("a@") &&
              !mcp_package_is_valid("-a") && !mcp_package_is_valid("a b") &&
              !mcp_package_is_valid("@/a") && !mcp_package_is_valid("a@^1"));
    }
    return check_done();
}
