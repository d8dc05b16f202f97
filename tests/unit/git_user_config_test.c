#include "git/user_config.h"

#include "common/cleanup.h"
#include "git/library.h"
#include "tests/unit/check.h"
#include "tests/unit/git_fixture.h"

#define KEY "credential.helper"

static struct git_fixture fixture;

static const char *replaced_by(const char *const *values, size_t count)
{
    struct err err = {0};

    CHECK_INT(user_config_replace(KEY, values, count, &err), 0);
    CHECK_STR(err.text, "");
    return git_output(&fixture, "git config --global --get-all " KEY " | sed 's/^/|/'");
}

int main(void)
{
    static const char *const one[] = {"/bin/one"};
    static const char *const two[] = {"", "/bin/two --word"};

    git_fixture_init(&fixture);
    TEST("a key gets one value, whatever it had, and all else in the file stays") {
        git_shell(&fixture,
                  "printf '# mine\\n[user]\\n\\tname = Ada\\n[credential]\\n\\thelper = a\\n"
                  "\\thelper = b\\n' >home/.gitconfig");
        CHECK_STR(replaced_by(one, ARRAY_LENGTH(one)), "|/bin/one");
        CHECK_STR(git_output(&fixture, "head -3 home/.gitconfig"), "# mine\n[user]\n\tname = Ada");
    }
    TEST("or several, in their order: the empty one first makes git forget those of the system") {
        CHECK_STR(replaced_by(two, ARRAY_LENGTH(two)), "|\n|/bin/two --word");
        CHECK_STR(replaced_by(one, ARRAY_LENGTH(one)), "|/bin/one");
        CHECK_STR(replaced_by(two, ARRAY_LENGTH(two)), "|\n|/bin/two --word");
    }
    TEST("a file that says so already is not written") {
        char before[64];

        snprintf(before, sizeof before, "%s", git_output(&fixture, "stat -c %%i home/.gitconfig"));
        CHECK_STR(replaced_by(two, ARRAY_LENGTH(two)), "|\n|/bin/two --word");
        CHECK_STR(git_output(&fixture, "stat -c %%i home/.gitconfig"), before);
    }
    TEST("what is no file is left alone: a device would be gone, a pipe would be waited for") {
        static const char *const kinds[] = {"mknod other c 1 3 || mkdir other", "mkfifo other",
                                            "mkdir other"};

        for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
            struct err err = {0};

            git_shell(&fixture, "rm -rf other; %s", kinds[i]);
            setenv("GIT_CONFIG_GLOBAL", git_output(&fixture, "echo $PWD/other"), 1);
            CHECK_INT(user_config_replace(KEY, one, 1, &err), -1);
            CHECK(strstr(err.text, "/other is no file") != NULL);
            unsetenv("GIT_CONFIG_GLOBAL");
        }
    }
    library_stop();
    CHECK_INT(git_fixture_end(&fixture), 0);
    return check_done();
}
