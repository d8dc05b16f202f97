#include "git/push.h"

#include "git/library.h"
#include "tests/unit/check.h"
#include "tests/unit/git_fixture.h"

static struct git_fixture fixture;
static struct push_outcome outcome;
static struct err last;

/* Pushes from a shallow checkout of main, as the sandbox has it. */
static int push(const char *refspec, bool force)
{
    push_outcome_free(&outcome);
    err_clear(&last);
    return push_reference(&fixture.access, fixture.checkout, refspec, force, &outcome, &last);
}

static int in_checkout(const char *commands)
{
    return git_shell(&fixture, "cd workspace/app; %s", commands);
}

static const char *remote_tip(const char *branch)
{
    return git_output(&fixture, "git -C repositories/acme/app.git rev-parse -q --verify %s",
                      branch);
}

static void test_success(void)
{
    char commit[REPOSITORY_SHA_SIZE];

    TEST("a new branch is pushed from a shallow checkout, and the remote is sound") {
        in_checkout("echo x >new; git add new; git commit -qm new");
        snprintf(commit, sizeof commit, "%s",
                 git_output(&fixture, "git -C workspace/app rev-parse HEAD"));
        CHECK_INT(push("HEAD:refs/heads/session/1", false), 0);
        CHECK_STR(outcome.commit, commit);
        CHECK(!outcome.up_to_date);
        CHECK_STR(remote_tip("session/1"), commit);
        CHECK_STR(git_output(&fixture, "git -C repositories/acme/app.git fsck 2>&1"), "");
    }
    TEST("pushing the same again is a success that says so") {
        CHECK_INT(push("HEAD:refs/heads/session/1", false), 0);
        CHECK(outcome.up_to_date);
    }
    TEST("the checkout is as before: no token, no new remote, no new ref (D-26)") {
        CHECK_STR(git_output(&fixture, "grep -r %s workspace", TEST_TOKEN), "");
        CHECK_STR(git_output(&fixture, "cd workspace/app; git remote; git for-each-ref "
                                       "--format='%%(refname)'; git status --porcelain"),
                  "origin\nrefs/heads/main\nrefs/remotes/origin/main");
    }
    TEST("a refspec without destination pushes the branch under its own name") {
        CHECK_INT(push("HEAD", false), 0);
        CHECK_STR(remote_tip("main"), outcome.commit);
    }
    TEST("an empty source deletes the branch") {
        CHECK_INT(push(":refs/heads/session/1", false), 0);
        CHECK_STR(outcome.commit, "");
        CHECK_STR(remote_tip("session/1"), "");
    }
}

static void test_refusals(void)
{
    TEST("a push that would lose commits is refused in git's words, and force does it") {
        in_checkout("git commit -q --amend -m rewritten");
        CHECK_INT(push("HEAD:refs/heads/main", false), -1);
        CHECK(outcome.rejected);
        CHECK(strstr(buf_text(&outcome.text),
                     "! [rejected] HEAD -> main (non-fast-forward)\n"
                     "error: failed to push some refs to 'https://") != NULL);
        CHECK_INT(push("HEAD:refs/heads/main", true), 0);
        in_checkout("git commit -q --amend -m again");
        CHECK_INT(push("+HEAD:refs/heads/main", false), 0);
        CHECK_STR(remote_tip("main"), outcome.commit);
    }
    TEST("commits at the remote that were never fetched: fetch first") {
        git_shell(&fixture, "cd source; git fetch -q origin main; git checkout -q FETCH_HEAD;"
                            "git commit -q --allow-empty -m theirs; git push -q origin HEAD:main");
        in_checkout("git commit -q --allow-empty -m mine");
        CHECK_INT(push("HEAD:refs/heads/main", false), -1);
        CHECK(strstr(buf_text(&outcome.text), "(fetch first)") != NULL);
    }
    TEST("what the remote's hook says arrives, and the reference stays as it was") {
        git_shell(&fixture,
                  "cd repositories/acme/app.git/hooks; printf '#!/bin/sh\\necho policy says no;"
                  "exit 1\\n' >pre-receive; chmod +x pre-receive");
        CHECK_INT(push("HEAD:refs/heads/other", false), -1);
        git_shell(&fixture, "rm repositories/acme/app.git/hooks/pre-receive");
        CHECK(outcome.rejected);
        CHECK(strstr(buf_text(&outcome.text), "remote: policy says no\n") != NULL);
        CHECK(strstr(buf_text(&outcome.text), "(pre-receive hook declined)") != NULL);
        CHECK_STR(remote_tip("other"), "");
    }
    TEST("a very talkative hook does not make the text unbounded or empty (D-52)") {
        git_shell(&fixture, "cd repositories/acme/app.git/hooks; printf '#!/bin/sh\\nseq 20000;"
                            "exit 1\\n' >pre-receive; chmod +x pre-receive");
        CHECK_INT(push("HEAD:refs/heads/other", false), -1);
        git_shell(&fixture, "rm repositories/acme/app.git/hooks/pre-receive");
        CHECK(!buf_failed(&outcome.text));
        CHECK(outcome.text.len <= PUSH_TEXT_MAX);
        CHECK(strstr(buf_text(&outcome.text), "pre-receive hook declined") != NULL);
    }
}

static void test_failures(void)
{
    TEST("a server that forbids pushing") {
        git_server_tell(&fixture, "refusePush=true");
        CHECK_INT(push("HEAD:refs/heads/other", false), -1);
        git_server_tell(&fixture, "refusePush=false");
        CHECK_INT(last.class, ERR_AUTH);
        CHECK(!outcome.rejected);
        CHECK(strstr(buf_text(&outcome.text), "HTTP 403") != NULL);
    }
    TEST("a wrong password, and a token that stands in the user's place") {
        fixture.access.password = "not-the-password";
        CHECK_INT(push("HEAD:refs/heads/other", false), -1);
        CHECK_INT(last.class, ERR_AUTH);
        fixture.access.username = TEST_TOKEN;
        fixture.access.password = "";
        CHECK_INT(push("HEAD:refs/heads/other", false), -1);
        CHECK(strstr(buf_text(&outcome.text), TEST_TOKEN) == NULL);
        fixture.access.username = NULL;
        fixture.access.password = TEST_TOKEN;
    }
    TEST("a server that never answers") {
        fixture.access.limits.stall_ms = 300;
        git_server_tell(&fixture, "stall=answer");
        CHECK_INT(push("HEAD:refs/heads/other", false), -1);
        git_server_tell(&fixture, "stall=null");
        fixture.access.limits.stall_ms = 10000;
        CHECK_INT(last.class, ERR_TIMEOUT);
        CHECK_STR(buf_text(&outcome.text), last.text);
    }
    TEST("a source that is not there, and a refspec that is none") {
        CHECK_INT(push("nope:refs/heads/x", false), -1);
        CHECK(strstr(buf_text(&outcome.text), "'nope' does not match any") != NULL);
        CHECK_INT(push("a:b:c", false), -1);
        CHECK_INT(last.class, ERR_CONFIG);
    }
}

int main(void)
{
    git_fixture_init(&fixture);
    git_shell(&fixture, "git clone -q --depth 100 --branch main --no-tags "
                        "file://$PWD/repositories/acme/app.git workspace/app");
    outcome = (struct push_outcome){.text = BUF_INIT(PUSH_TEXT_MAX)};
    test_success();
    test_refusals();
    test_failures();
    push_outcome_free(&outcome);
    library_stop();
    git_fixture_end(&fixture);
    return check_done();
}
