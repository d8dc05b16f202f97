#include "supervisor/config/repositories.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <string.h>

#define PROBLEMS_MAX 4096

/* The scalar pair, beside SESSION_CONFIG's `session`. */
static bool accepts(const char *session, const char *owner, const char *name)
{
    AUTO_BUF struct buf problems = BUF_INIT(PROBLEMS_MAX);
    AUTO_JSON cJSON *object = json_parse(session, strlen(session), NULL);
    struct repository_list list = {.count = 0};
    bool good = repositories_parse(object, owner, name, "/workspace", &list, &problems) == 0 &&
                problems.len == 0;

    repositories_free(&list);
    return good;
}

static bool accepts_both(const char *one, const char *other)
{
    char session[256];

    snprintf(session, sizeof session,
             "{\"repositories\":[{\"repo_owner\":\"a\",\"repo_name\":\"%s\"},"
             "{\"repo_owner\":\"a\",\"repo_name\":\"%s\"}]}",
             one, other);
    return accepts(session, NULL, NULL);
}

int main(void)
{
    TEST("a name is one safe segment: none leads out of the workspace (S-176)") {
        static const char *const bad[] = {"..", ".", "a/b", "../b", "a b", "a\\\\b", "\\u0000"};

        CHECK(accepts_both("app", ".github"));
        CHECK(accepts_both("app", "-x.Y_1"));
        for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
            CHECK_STR(accepts_both("app", bad[i]) ? bad[i] : "", "");
    }
    TEST("an owner is one or more, and a newline at the end of either is seen (S-176)") {
        CHECK(accepts("{}", "group/sub.group", "app"));
        CHECK(!accepts("{}", "group//sub", "app"));
        CHECK(!accepts("{}", "group/..", "app"));
        CHECK(!accepts("{}", "/group", "app"));
        CHECK(!accepts("{}", "group/", "app"));
        CHECK(!accepts("{}", "group\n", "app"));
        CHECK(!accepts("{}", "group", "app\n"));
    }
    TEST("no two names share a directory, nor one with what we make in the workspace (S-177)") {
        CHECK(!accepts_both("app", "APP"));
        CHECK(!accepts_both("app", ".app.oi-clone"));
        CHECK(!accepts_both(".APP.oi-clone", "app"));
        CHECK(accepts_both(".other.oi-clone", "app"));
        CHECK(!accepts_both("app", ".opencode"));
        CHECK(accepts("{}", "acme", ".opencode"));
    }
    return check_done();
}
