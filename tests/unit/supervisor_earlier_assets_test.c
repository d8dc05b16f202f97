/* What an earlier supervisor left in a checkout or workspace, and our block in git's excludes. */
#include "supervisor/staging/earlier_assets.h"
#include "supervisor/staging/git_exclude.h"
#include "tests/unit/root_fixture.h"

#include <unistd.h>

#define BEGIN "# BEGIN Open-Inspect runtime assets\n"
#define END "# END Open-Inspect runtime assets\n"

/* A checkout that git knows, made below our root. */
static int make_checkout(const char *name)
{
    char command[2 * PATH_MAX];

    snprintf(command, sizeof command,
             "cd %s && mkdir -p %s && git init -q %s && git -C %s add -A 2>/dev/null", root, name,
             name, name);
    return system(command);
}

static void test_earlier_assets(void)
{
    struct err err;

    TEST("what an earlier supervisor staged into a checkout goes, with its patterns") {
        CHECK_INT(make_checkout("e"), 0);
        put_file("e/.opencode/tool/slack-notify.js", "old");
        put_file("e/.opencode/tool/_bridge-client.js", "old");
        put_file("e/.opencode/skills/record-video/SKILL.md", "old");
        put_file("e/.opencode/package.json", "{}");
        CHECK_INT(file_make_directories(in_root("e/.opencode/plugins"), 0755, NULL), 0);
        CHECK_INT(symlink("/nowhere", in_root("e/.opencode/plugins/codex-auth-plugin.js")), 0);
        put_file("e/.git/info/exclude", "*.log\n" BEGIN "/.opencode/package.json\n"
                                        "/.opencode/plugins/codex-auth-plugin.js\n"
                                        "/.opencode/skills/record-video/SKILL.md\n"
                                        "/.opencode/tool/_bridge-client.js\n"
                                        "/.opencode/tool/slack-notify.js\n"
                                        "/.opencode/tool/spawn-child.js\n" END);
        CHECK_INT(earlier_assets_remove(in_root("e"), &err), 0);
        CHECK(!file_exists(in_root("e/.opencode/tool")));
        CHECK(!file_exists(in_root("e/.opencode/skills")));
        CHECK(!file_exists(in_root("e/.opencode/plugins")));
        CHECK(file_exists(in_root("e/.opencode/package.json")));
        CHECK_STR(read_text("e/.git/info/exclude"),
                  "*.log\n" BEGIN "/.opencode/package.json\n" END);
    }
}

static void test_what_stays(void)
{
    struct err err;

    TEST("what the user has there stays: other names, no pattern, in git, a directory") {
        put_file("u/.opencode/tool/cancel-child.js", "tracked");
        CHECK_INT(make_checkout("u"), 0);
        put_file("u/.opencode/tool/mine.js", "mine");
        put_file("u/.opencode/tool/slack-notify.js", "without a pattern");
        put_file("u/.opencode/tool/spawn-child.js/deep", "a directory");
        put_file("u/.opencode/skills/my-own/SKILL.md", "mine");
        put_file("u/.git/info/exclude", BEGIN "/.opencode/skills/my-own/SKILL.md\n"
                                              "/.opencode/tool/cancel-child.js\n"
                                              "/.opencode/tool/mine.js\n"
                                              "/.opencode/tool/spawn-child.js\n" END);
        CHECK_INT(earlier_assets_remove(in_root("u"), &err), 0);
        CHECK_STR(read_text("u/.opencode/tool/cancel-child.js"), "tracked");
        CHECK_STR(read_text("u/.opencode/tool/mine.js"), "mine");
        CHECK(file_exists(in_root("u/.opencode/tool/slack-notify.js")));
        CHECK(file_exists(in_root("u/.opencode/tool/spawn-child.js/deep")));
        CHECK(file_exists(in_root("u/.opencode/skills/my-own/SKILL.md")));
        CHECK(strstr(read_text("u/.git/info/exclude"), "/.opencode/tool/cancel-child.js\n"));
    }
    TEST("nothing is removed through a link that the checkout put on the way (S-282)") {
        CHECK_INT(make_checkout("l"), 0);
        put_file("elsewhere/slack-notify.js", "another's");
        put_file("l/.opencode/x", "");
        CHECK_INT(symlink(in_root("elsewhere"), in_root("l/.opencode/tool")), 0);
        put_file("l/.git/info/exclude", BEGIN "/.opencode/tool/slack-notify.js\n"
                                              "/.opencode/skills/record-video/../../x\n" END);
        CHECK_INT(earlier_assets_remove(in_root("l"), &err), 0);
        CHECK(file_exists(in_root("elsewhere/slack-notify.js")));
        CHECK(file_exists(in_root("l/.opencode/x")));
    }
}

static void test_other_places(void)
{
    struct err err;

    TEST("a linked worktree, whose .git is a file, has the block where git looks for it (S-248)") {
        static const char *const patterns[] = {"/.opencode/package-lock.json"};
        char command[2 * PATH_MAX];

        snprintf(command, sizeof command,
                 "cd %s && git -C e -c user.name=A -c user.email=a@b commit -q --allow-empty -m x "
                 "&& git -C e worktree add -q ../w && cd w && mkdir .opencode "
                 "&& touch .opencode/package-lock.json",
                 root);
        CHECK_INT(system(command), 0);
        CHECK_INT(git_exclude_add(in_root("w"), patterns, 1, &err), 0);
        snprintf(command, sizeof command, "test -z \"$(git -C %s/w status --porcelain)\"", root);
        CHECK_INT(system(command), 0);
        CHECK(strstr(read_text("e/.git/info/exclude"), "/.opencode/package-lock.json\n"));
        put_file("w/.opencode/tool/slack-notify.js", "old");
        put_file("e/.git/info/exclude", BEGIN "/.opencode/tool/slack-notify.js\n" END);
        CHECK_INT(earlier_assets_remove(in_root("w"), &err), 0);
        CHECK(!file_exists(in_root("w/.opencode/tool")));
    }
    TEST("a workspace that is no checkout loses the tools and plugins that were staged by name") {
        put_file("n/.opencode/tool/slack-notify.js", "old");
        put_file("n/.opencode/tool/mine.js", "mine");
        put_file("n/.opencode/plugins/codex-auth-plugin.js", "old");
        earlier_assets_remove_from_workspace(in_root("n"));
        CHECK(!file_exists(in_root("n/.opencode/tool/slack-notify.js")));
        CHECK(!file_exists(in_root("n/.opencode/plugins")));
        CHECK_STR(read_text("n/.opencode/tool/mine.js"), "mine");
    }
    TEST("a directory that is no checkout, or is not there, is no failure") {
        CHECK_INT(earlier_assets_remove(in_root("n"), &err), 0);
        CHECK_INT(earlier_assets_remove(in_root("absent"), &err), 0);
    }
}

int main(void)
{
    root_begin();
    test_earlier_assets();
    test_what_stays();
    test_other_places();
    root_end();
    return check_done();
}
