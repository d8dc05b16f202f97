/* Lines of the log whose fields the contract names one by one. */
#include "common/cleanup.h"
#include "common/file.h"
#include "supervisor/boot/boot_warnings.h"
#include "supervisor/config/config_check.h"
#include "tests/unit/check.h"
#include "tests/unit/root_fixture.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAID_MAX (16 * 1024)

/* A sink that keeps what is logged. */
static bool keep(void *user, const char *line, size_t len, enum log_origin origin)
{
    (void)origin;
    buf_append(user, line, len);
    return true;
}

static const char *get_variable(void *user, const char *name)
{
    return strcmp(name, "EXPECTED_TUNNEL_PORTS") == 0 ? user : NULL;
}

static const char *said_of_ports(struct log *log, struct buf *said, const char *list)
{
    struct flags flags = {.test_root = "", .era = ERA_CHOICE_CURRENT};
    struct config config;

    buf_reset(said);
    config_parse(&config, &flags, get_variable, (void *)list, "0", 0);
    config_check_log(&config, log);
    config_free(&config);
    return buf_text(said);
}

/* Half of what a build's callback needs. */
static const char *get_build_variable(void *user, const char *name)
{
    (void)user;
    if (strcmp(name, "IMAGE_BUILD_MODE") == 0)
        return "true";
    if (strcmp(name, "OI_REPO_IMAGE_CALLBACK_URL") == 0)
        return "https://cp.example/done";
    return strcmp(name, "OI_REPO_IMAGE_BUILD_ID") == 0 ? "b-1" : NULL;
}

static void test_boot_warnings(struct log *log, struct buf *said)
{
    char owner[] = "acme", name[] = "app";
    struct repository repository = {.owner = owner, .name = name};

    root_begin();
    TEST("a boot warning about no repository says null for its owner and name (S-137)") {
        boot_warnings_add("", log, "setup", "slow", NULL);
        CHECK(strstr(buf_text(said), "\"repo_owner\":null,\"repo_name\":null}"));
        buf_reset(said);
        boot_warnings_add("", log, "setup", "slow", &repository);
        CHECK(strstr(buf_text(said), "\"repo_owner\":\"acme\",\"repo_name\":\"app\"}"));
    }
    TEST("a warning goes to a file of ours, whatever a hook put into its place (S-142, S-460)") {
        put_file("elsewhere", "another's");
        CHECK_INT(symlink(in_root("elsewhere"), in_root("warnings")), 0);
        boot_warnings_add(in_root("warnings"), log, "setup", "slow", NULL);
        CHECK_STR(read_text("warnings"), "{\"scope\":\"setup\",\"message\":\"slow\"}\n");
        CHECK_STR(read_text("elsewhere"), "another's");
        unlink(in_root("warnings"));
        CHECK_INT(mkfifo(in_root("warnings"), 0600), 0);
        alarm(10);
        boot_warnings_add(in_root("warnings"), log, "setup", "slow", NULL);
        boot_warnings_add(in_root("warnings"), log, "start", "slow", NULL);
        alarm(0);
        CHECK(strstr(read_text("warnings"), "\n{\"scope\":\"start\""));
    }
    TEST("a warning's line names its repository, in a file that is nobody else's (S-137, S-142)") {
        struct stat st;

        boot_warnings_add(in_root("own"), log, "sync", "stale", &repository);
        CHECK_STR(read_text("own"), "{\"scope\":\"sync\",\"message\":\"stale\","
                                    "\"repoOwner\":\"acme\",\"repoName\":\"app\"}\n");
        CHECK(stat(in_root("own"), &st) == 0 && (st.st_mode & 0777) == 0600);
        boot_warnings_clear(in_root("own"), log);
        CHECK(!file_exists(in_root("own")));
    }
    TEST("a file of warnings that cannot be deleted or written is said, no more (S-137, S-139)") {
        CHECK_INT(mkdir(in_root("taken"), 0700), 0);
        put_file("taken/in-the-way", "");
        buf_reset(said);
        boot_warnings_clear(in_root("taken"), log);
        CHECK(strstr(buf_text(said), "\"event\":\"supervisor.boot_warning_clear_failed\""));
        boot_warnings_clear(in_root("missing"), log);
        boot_warnings_add(in_root("taken"), log, "setup", "slow", NULL);
        CHECK(strstr(buf_text(said), "\"event\":\"supervisor.boot_warning_write_failed\""));
        CHECK(!strstr(buf_text(said), "missing"));
    }
    root_end();
}

int main(void)
{
    struct log *log = log_new(-1, "sandbox", "supervisor");
    AUTO_BUF struct buf said = BUF_INIT(SAID_MAX);

    log_set_sink(log, keep, &said);
    test_boot_warnings(log, &said);
    TEST("each piece of the list of tunnel ports that is no port has its own line (S-26)") {
        const char *text = said_of_ports(log, &said, "3000, x ,,70000");

        CHECK(strstr(text, "\"event\":\"tunnel.expected_ports_parse_failed\""));
        CHECK(strstr(text, "\"value\":\"x\",\"raw\":\"3000, x ,,70000\"}"));
        CHECK(strstr(text, "\"value\":\"70000\",\"raw\":\"3000, x ,,70000\"}"));
        CHECK(!strstr(text, "\"value\":\"3000\""));
        CHECK(!strstr(text, "EXPECTED_TUNNEL_PORTS"));
        CHECK(!strstr(said_of_ports(log, &said, " 3000 ,5173,"), "tunnel."));
    }
    TEST("half a callback is one line that names what is missing (S-424)") {
        struct flags flags = {.test_root = "", .era = ERA_CHOICE_CURRENT};
        struct config config;

        buf_reset(&said);
        config_parse(&config, &flags, get_build_variable, NULL, "0", 0);
        config_check_log(&config, log);
        config_free(&config);
        CHECK(strstr(buf_text(&said), "\"event\":\"repo_image.callback_misconfigured\""));
        CHECK(strstr(buf_text(&said), "\"missing\":[\"OI_REPO_IMAGE_FAILURE_CALLBACK_URL\","
                                      "\"OI_REPO_IMAGE_CALLBACK_TOKEN\","
                                      "\"OI_REPO_IMAGE_PROVIDER_SESSION_ID\"]"));
    }
    log_free(log);
    return check_done();
}
