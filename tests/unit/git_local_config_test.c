#include "git/local_config.h"

#include "common/clock.h"
#include "git/library.h"
#include "tests/unit/check.h"
#include "tests/unit/git_fixture.h"

static struct git_fixture fixture;
static struct err last;

static int set_name(const char *value)
{
    const struct local_config_change changes[] = {{"user.name", value}, {"user.email", NULL}};

    err_clear(&last);
    return local_config_apply(fixture.checkout, changes, 2, &last);
}

static const char *name(void)
{
    return git_output(&fixture, "git -C workspace/app config --local --get-all user.name");
}

int main(void)
{
    uint64_t started;

    git_fixture_init(&fixture);
    git_shell(&fixture, "git init -q workspace/app");
    TEST("a key is written, replaced as a whole, removed") {
        CHECK_INT(set_name("Ada"), 0);
        CHECK_STR(name(), "Ada");
        git_shell(&fixture, "git -C workspace/app config --add user.name Eve");
        CHECK_INT(set_name("Ada"), 0);
        CHECK_STR(name(), "Ada");
        CHECK_INT(set_name(NULL), 0);
        CHECK_STR(name(), "");
    }
    TEST("a key without a value, as a slip of the hand leaves it, is replaced too") {
        git_shell(&fixture, "printf '[user]\\n\\tname\\n' >>workspace/app/.git/config");
        CHECK_INT(set_name("Ada"), 0);
        CHECK_STR(name(), "Ada");
        git_shell(&fixture, "printf '[user]\\n\\tname\\n' >>workspace/app/.git/config");
        CHECK_INT(set_name("Eve"), -1);
        CHECK(strstr(last.text, "once without a value") != NULL);
        git_shell(&fixture, "sed -i '/^.name$/d' workspace/app/.git/config");
        CHECK_INT(set_name(NULL), 0);
    }
    TEST("a lock that another git gives back in time is waited for") {
        git_shell(&fixture, "touch workspace/app/.git/config.lock;"
                            "(sleep 0.5; rm workspace/app/.git/config.lock) >&- 2>&- &");
        CHECK_INT(set_name("Ada"), 0);
        CHECK_STR(name(), "Ada");
    }
    TEST("a lock that stays is an error that names it, in time, and stays") {
        git_shell(&fixture, "touch workspace/app/.git/config.lock");
        started = clock_monotonic_ms();
        CHECK_INT(set_name("Eve"), -1);
        CHECK(clock_monotonic_ms() - started >= LOCAL_CONFIG_LOCK_MS);
        CHECK(strstr(last.text, "config.lock") != NULL);
        CHECK(strstr(last.text, "Eve") == NULL);
        CHECK_STR(git_output(&fixture, "ls workspace/app/.git/config.lock"),
                  "workspace/app/.git/config.lock");
    }
    TEST("what is right already needs no lock") {
        CHECK_INT(set_name("Ada"), 0);
        git_shell(&fixture, "rm workspace/app/.git/config.lock");
    }
    library_stop();
    git_fixture_end(&fixture);
    return check_done();
}
