/*
 * One run of the git-sync worker on the fixture's acme/app and its checkout, and what the checkout looks
 * like afterwards. For the worker's tests alone; `fixture` and `run` are each program's own.
 */
#ifndef TESTS_UNIT_GIT_SYNC_RUN_H
#define TESTS_UNIT_GIT_SYNC_RUN_H

#include "supervisor/git_sync/git_sync_worker.h"

#include "tests/unit/check.h"
#include "tests/unit/git_fixture.h"
#include "tests/unit/worker_fixture.h"

static struct git_fixture fixture;
static struct worker_run run;

static inline cJSON *input(const char *action, const char *branch)
{
    cJSON *object = cJSON_CreateObject(), *limits = cJSON_CreateObject();

    json_add_string(object, "action", action);
    json_add_string(object, "path", fixture.checkout);
    json_add_string(object, "repository", "acme/app");
    json_add_string(object, "url", fixture.url);
    json_add_string(object, "branch", branch);
    json_add_string(object, "password", TEST_TOKEN);
    json_add_number(limits, "stall_s", 10);
    json_put(object, "limits", limits);
    return object;
}

/* Runs the worker; "ok", or the class of its failure. */
static inline const char *work(cJSON *object)
{
    return worker_run_outcome(git_sync_worker_main, object, &run, "error_class");
}

static inline const char *shown(const char *commands)
{
    return git_output(&fixture, "cd workspace/app; %s", commands);
}

static inline void new_commit(void)
{
    git_shell(&fixture, "cd source; git checkout -q main; echo $(date +%%s%%N) >file;"
                        "git commit -qam theirs; git push -q origin main");
}

#endif
