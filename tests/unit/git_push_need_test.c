#include "git/push_need.h"

#include "git/library.h"
#include "tests/unit/check.h"
#include "tests/unit/git_fixture.h"

static struct git_fixture fixture;

/* What the git program is needed for, "" for nothing. */
static const char *need(const char *name)
{
    static struct buf why = BUF_INIT(4096);
    char path[PATH_MAX];
    bool needed;

    snprintf(path, sizeof path, "%s/%s", fixture.root, name);
    buf_reset(&why);
    needed = push_needs_program(path, &why);
    return needed ? buf_text(&why) : "";
}

static bool names(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

static void test_hooks(void)
{
    TEST("a plain checkout does not need git, nor do the samples in its hooks") {
        git_shell(&fixture, "git init -q app; touch app/.git/hooks/pre-push.sample");
        CHECK_STR(need("app"), "");
        CHECK_STR(need("nowhere"), "");
    }
    TEST("a pre-push hook does, when it is executable") {
        git_shell(&fixture, "cd app/.git/hooks; printf '#!/bin/sh\\n' >pre-push");
        CHECK_STR(need("app"), "");
        git_shell(&fixture, "chmod +x app/.git/hooks/pre-push");
        CHECK(names(need("app"), "/app/.git/hooks/pre-push"));
    }
    TEST("core.hooksPath counts: absolute, relative to the checkout, below the home directory") {
        git_shell(&fixture, "mkdir app/.husky elsewhere home/hooks; cd app;"
                            "git config core.hooksPath .husky");
        CHECK_STR(need("app"), "");
        git_shell(&fixture, "cp app/.git/hooks/pre-push app/.husky");
        CHECK(names(need("app"), "/app/.husky/pre-push"));
        git_shell(&fixture, "git -C app config core.hooksPath $PWD/elsewhere");
        CHECK_STR(need("app"), "");
        git_shell(&fixture, "cp app/.git/hooks/pre-push elsewhere");
        CHECK(names(need("app"), "/elsewhere/pre-push"));
        git_shell(&fixture, "git -C app config core.hooksPath '~/hooks'");
        CHECK_STR(need("app"), "");
        git_shell(&fixture, "cp app/.git/hooks/pre-push home/hooks");
        CHECK(names(need("app"), "/home/hooks/pre-push"));
        git_shell(&fixture, "git -C app config --unset core.hooksPath; rm app/.git/hooks/pre-push");
        CHECK_STR(need("app"), "");
    }
    TEST("the hooks of a linked work tree are those of its repository") {
        git_shell(&fixture,
                  "cd app; git commit -q --allow-empty -m x; git worktree add -q ../linked;"
                  "printf '#!/bin/sh\\n' >.git/hooks/pre-push;"
                  "chmod +x .git/hooks/pre-push");
        CHECK(names(need("linked"), "/app/.git/hooks/pre-push"));
        git_shell(&fixture, "rm app/.git/hooks/pre-push");
    }
}

static void test_others(void)
{
    TEST("submodules that are to be pushed or looked at do") {
        git_shell(&fixture, "git -C app config push.recurseSubmodules on-demand");
        CHECK_STR(need("app"), "push.recurseSubmodules");
        git_shell(&fixture, "git -C app config push.recurseSubmodules no");
        CHECK_STR(need("app"), "");
        git_shell(&fixture, "git -C app config --unset push.recurseSubmodules;"
                            "git -C app config submodule.recurse true");
        CHECK_STR(need("app"), "push.recurseSubmodules");
        git_shell(&fixture, "git -C app config --unset submodule.recurse");
    }
    TEST("tags that are to follow, and options for the server, do (B-811)") {
        git_shell(&fixture, "git -C app config push.followTags true");
        CHECK_STR(need("app"), "push.followTags");
        git_shell(&fixture, "git -C app config push.followTags false");
        CHECK_STR(need("app"), "");
        git_shell(&fixture, "git -C app config --add push.pushOption ci.skip");
        CHECK_STR(need("app"), "push.pushOption");
        git_shell(&fixture, "git -C app config --add push.pushOption ''");
        CHECK_STR(need("app"), "");
        git_shell(&fixture, "git -C app config --remove-section push");
    }
    TEST("repositories that libgit2 cannot open do: SHA-256, partial clone") {
        git_shell(&fixture, "git init -q --object-format=sha256 sha256; git init -q partial;"
                            "cd partial; git config core.repositoryFormatVersion 1;"
                            "git config extensions.partialClone origin");
        CHECK(*need("sha256"));
        CHECK(*need("partial"));
    }
}

int main(void)
{
    git_fixture_init(&fixture);
    test_hooks();
    test_others();
    library_stop();
    git_fixture_end(&fixture);
    return check_done();
}
