/* Push commands of both contracts: the recorded refusals and texts, redaction, the checkout. */
#include "bridge/push/checkout.h"
#include "bridge/push/push_request.h"
#include "common/file.h"
#include "common/json.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <unistd.h>

#define CASES "tests/vectors/families/push.json"
#define TEXT_MAX ((size_t)64 * 1024)

static char workspace[] = "/tmp/oi-push-XXXXXX";
static const struct push_fallbacks NO_FALLBACKS = {0};

static void make_checkout(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s/.git", workspace, name);
    CHECK_INT(file_make_directories(path, 0700, NULL), 0);
}

/* The session of the recorded cases: acme/app is checked out, acme/ghost is not. */
static void session_manifest(struct manifest *manifest)
{
    char text[512];
    AUTO_JSON cJSON *file = NULL;

    snprintf(text, sizeof text,
             "{\"repositories\":[{\"owner\":\"acme\",\"name\":\"app\",\"path\":\"%s/app\"},"
             "{\"owner\":\"acme\",\"name\":\"ghost\",\"path\":\"%s/ghost\"}]}",
             workspace, workspace);
    file = json_parse(text, strlen(text), NULL);
    manifest_parse(file, manifest);
}

/* The text of the refusal for the caller to free, or NULL when the push may be tried. */
static char *refusal_of(const struct push_request *request)
{
    AUTO_MANIFEST struct manifest manifest = {0};
    struct push_refusal refusal = push_request_check(request);
    const char *reason;
    struct err err = {0};
    char *path;

    if (refusal.text)
        return strdup(refusal.text);
    session_manifest(&manifest);
    path = checkout_find(request, &manifest, workspace, &reason, &err);
    if (!path)
        return strdup(err.text);
    free(path);
    return NULL;
}

static void run_refusal(const cJSON *test, const cJSON *expected)
{
    struct push_request request;
    char *refusal;

    CHECK_INT(push_request_parse(json_get(test, "command"), &NO_FALLBACKS, &request), 0);
    refusal = refusal_of(&request);
    CHECK(refusal);
    if (refusal) {
        AUTO_JSON cJSON *event = push_event(&request, refusal, 0);
        const cJSON *field;

        cJSON_ArrayForEach(field, expected)
            CHECK_STR(json_get_string(event, field->string), cJSON_GetStringValue(field));
        CHECK_INT(cJSON_GetArraySize(event), cJSON_GetArraySize(expected) + 1); /* timestamp */
    }
    free(refusal);
    push_request_clear(&request);
}

/* What git said on stderr is what our worker gives as its error. */
static void run_failure(const cJSON *test, const cJSON *expected)
{
    AUTO_BUF struct buf clean = BUF_INIT(TEXT_MAX);
    const char *text = json_get_string(json_get(test, "git_stub"), "stderr");
    const char *wanted = strchr(json_get_string(expected, "error"), ':');
    struct push_request request;

    CHECK_INT(push_request_parse(json_get(test, "command"), &NO_FALLBACKS, &request), 0);
    push_redact(&request, text, &clean);
    CHECK(wanted != NULL);
    CHECK(!strstr(buf_text(&clean), "sekret"));
    if (wanted && !strstr(wanted, "***"))
        CHECK_STR(buf_text(&clean), wanted + 2);
    push_request_clear(&request);
}

static void test_recorded(void)
{
    AUTO_BUF struct buf text = BUF_INIT((size_t)1024 * 1024);
    AUTO_JSON cJSON *file = NULL;
    const cJSON *test;
    int refused = 0, failed = 0;

    if (file_read(CASES, &text, NULL) == 0)
        file = json_parse(text.data, text.len, NULL);
    TEST("the recorded refusals, word for word") {
        cJSON_ArrayForEach(test, json_get(file, "cases")) {
            const cJSON *event = cJSON_GetArrayItem(json_get(test, "expected_events"), 0);
            const cJSON *stub = json_get(test, "git_stub");

            if (!json_get(event, "error") || json_get_object(test, "expected_git_call") ||
                json_get(stub, "empty_workspace") || json_get(stub, "no_git") ||
                !json_get(json_get(test, "command"), "type"))
                continue;
            run_refusal(test, event);
            refused++;
        }
        CHECK(refused >= 10);
    }
    TEST("the recorded failures keep the remote's words and lose its credentials") {
        cJSON_ArrayForEach(test, json_get(file, "cases")) {
            const cJSON *event = cJSON_GetArrayItem(json_get(test, "expected_events"), 0);
            const char *stderr_text = json_get_string(json_get(test, "git_stub"), "stderr");

            if (!stderr_text || !json_get(event, "error") || stderr_text[0] == ' ')
                continue;
            run_failure(test, event);
            failed++;
        }
        CHECK(failed >= 3);
    }
}

static void parse(const char *json, const struct push_fallbacks *fallbacks,
                  struct push_request *request)
{
    AUTO_JSON cJSON *command = json_parse(json, strlen(json), NULL);

    CHECK_INT(push_request_parse(command, fallbacks, request), 0);
}

static void test_older(void)
{
    static const struct push_fallbacks fallbacks = {"envowner", "envname", "env-token"};
    struct push_request request;

    TEST("the older contract pushes by force to github.com, with the token of the command") {
        parse("{\"type\":\"push\",\"branchName\":\"b\",\"repoOwner\":\"o\",\"repoName\":\"n\","
              "\"githubToken\":\"fresh-token\"}",
              &fallbacks, &request);
        CHECK(request.older_contract && request.force);
        CHECK_STR(request.remote_url, "https://x-access-token:fresh-token@github.com/o/n.git");
        CHECK_STR(request.redacted_remote_url, "https://github.com/o/n.git");
        CHECK_STR(request.refspec, "HEAD:refs/heads/b");
        CHECK_STR(request.token_source, "fresh from command");
        push_request_clear(&request);
    }
    TEST("what the command lacks comes from the environment") {
        parse("{\"type\":\"push\",\"branchName\":\"b\"}", &fallbacks, &request);
        CHECK_STR(request.remote_url,
                  "https://x-access-token:env-token@github.com/envowner/envname.git");
        CHECK_STR(request.token_source, "from env");
        push_request_clear(&request);
    }
    TEST("without a token it is refused, and the events name the branch and no repository") {
        AUTO_JSON cJSON *event = NULL;

        parse("{\"type\":\"push\",\"branchName\":\"b\",\"repoOwner\":\"o\",\"repoName\":\"n\"}",
              &NO_FALLBACKS, &request);
        CHECK_STR(push_request_check(&request).text,
                  "Push failed - GitHub authentication token is required");
        event = push_event(&request, "x", 1);
        CHECK_STR(json_get_string(event, "branchName"), "b");
        CHECK(!json_get(event, "repoOwner"));
        push_request_clear(&request);
    }
}

static void test_repaired(void)
{
    struct push_request request;

    TEST("null is absent, not a branch named None (D-37)") {
        parse("{\"type\":\"push\",\"pushSpec\":{\"targetBranch\":null,\"refspec\":\"r\","
              "\"remoteUrl\":\"u\"}}",
              &NO_FALLBACKS, &request);
        CHECK_STR(push_request_check(&request).text, "Push failed - missing target branch");
        push_request_clear(&request);
    }
    TEST("a credential with a slash, and the bare password, are redacted too (D-44)") {
        AUTO_BUF struct buf clean = BUF_INIT(TEXT_MAX);

        parse("{\"type\":\"push\",\"pushSpec\":{\"targetBranch\":\"b\",\"refspec\":\"r\","
              "\"remoteUrl\":\"https://user:pass/word123@h/x.git\"}}",
              &NO_FALLBACKS, &request);
        push_redact(&request, " denied for pass/word123 at user:pass/word123\n", &clean);
        CHECK(!strstr(buf_text(&clean), "word123"));
        CHECK(strncmp(buf_text(&clean), "denied", 6) == 0);
        push_request_clear(&request);
    }
    TEST("a long text of the remote is cut to 8 KiB (D-52)") {
        AUTO_BUF struct buf clean = BUF_INIT(TEXT_MAX);
        char text[20001];

        memset(text, 'e', sizeof text - 1);
        text[sizeof text - 1] = '\0';
        parse("{\"type\":\"push\",\"pushSpec\":{}}", &NO_FALLBACKS, &request);
        push_redact(&request, text, &clean);
        CHECK_INT(clean.len, 8 * 1024);
        push_request_clear(&request);
    }
    TEST("without an identity the first checkout of the workspace is meant, in sorted order") {
        AUTO_MANIFEST struct manifest manifest = {0};
        const char *reason;
        char *path, wanted[64];

        make_checkout("aaa");
        snprintf(wanted, sizeof wanted, "%s/aaa", workspace);
        parse("{\"type\":\"push\",\"pushSpec\":{\"targetBranch\":\"b\",\"refspec\":\"r\","
              "\"remoteUrl\":\"u\"}}",
              &NO_FALLBACKS, &request);
        path = checkout_find(&request, &manifest, workspace, &reason, NULL);
        CHECK_STR(path, wanted);
        free(path);
        push_request_clear(&request);
    }
}

int main(void)
{
    if (!mkdtemp(workspace))
        return 1;
    make_checkout("app");
    test_recorded();
    test_older();
    test_repaired();
    file_remove_tree(workspace, NULL);
    return check_done();
}
