/* Git identity and commit signing: authors of every era, the control plane's answer, and the effect
 * on a real checkout, compared with the real git. */
#include "bridge/git_config_worker.h"
#include "bridge/identity/prompt_author.h"
#include "bridge/identity/signing_config.h"

#include "common/file.h"
#include "tests/unit/check.h"
#include "tests/unit/git_fixture.h"
#include "tests/unit/worker_fixture.h"

#define FAMILY "tests/vectors/families/signing.json"
#define FAMILY_MAX ((size_t)1024 * 1024)
#define SIGNER "/usr/local/bin/oi-git-sign"

static struct git_fixture fixture = {.root = "/tmp/oi-identity-test-XXXXXX"};

static struct prompt_author author_of(const char *text)
{
    AUTO_JSON cJSON *json = json_parse(text, strlen(text), NULL);
    struct prompt_author author;

    prompt_author_read(json, &author);
    return author;
}

static void check_author(const char *text, enum prompt_author_kind kind, const char *name,
                         const char *email)
{
    struct prompt_author author = author_of(text);

    CHECK_INT(author.kind, kind);
    CHECK_STR(author.name, name);
    CHECK_STR(author.email, email);
    prompt_author_clear(&author);
}

static void test_authors(void)
{
    TEST("the current shape: a user, trimmed, or the agent alone (B-901)") {
        check_author("{\"gitIdentity\":{\"mode\":\"attributed-user\",\"name\":\" Ada L \","
                     "\"email\":\"a@b.c\\n\"}}",
                     PROMPT_AUTHOR_USER, "Ada L", "a@b.c");
        check_author("{\"gitIdentity\":{\"mode\":\"agent-only\",\"name\":\"x\"},\"scmName\":\"y\"}",
                     PROMPT_AUTHOR_AGENT, NULL, NULL);
    }
    TEST("anything else of the current shape is invalid") {
        check_author("{\"gitIdentity\":{}}", PROMPT_AUTHOR_INVALID, NULL, NULL);
        check_author("{\"gitIdentity\":7}", PROMPT_AUTHOR_INVALID, NULL, NULL);
        check_author("{\"gitIdentity\":{\"mode\":\"attributed-user\",\"name\":\"x\",\"email\":1}}",
                     PROMPT_AUTHOR_INVALID, "x", NULL);
        check_author(
            "{\"gitIdentity\":{\"mode\":\"attributed-user\",\"name\":\" \",\"email\":\"e\"}"
            "}",
            PROMPT_AUTHOR_INVALID, NULL, "e");
    }
    TEST("white space is Unicode's, as Python's strip() takes it (B-901)") {
        check_author("{\"gitIdentity\":{\"mode\":\"attributed-user\",\"name\":\"\\u00a0\","
                     "\"email\":\"a@b.c\"}}",
                     PROMPT_AUTHOR_INVALID, NULL, "a@b.c");
        check_author("{\"gitIdentity\":{\"mode\":\"attributed-user\",\"name\":"
                     "\"\\u3000\\u00e9 \\u00a0z\\u2029\\u001f\",\"email\":\"a@b.c\\u0085\"}}",
                     PROMPT_AUTHOR_USER, "\u00e9 \u00a0z", "a@b.c");
    }
    TEST("the shape of the middle has the bot where something is empty (B-951)") {
        check_author("{\"scmName\":\"Ada\",\"scmEmail\":\"a@b.c\",\"githubName\":\"x\"}",
                     PROMPT_AUTHOR_MIDDLE, "Ada", "a@b.c");
        check_author("{\"scmName\":null,\"scmEmail\":\"a@b.c\"}", PROMPT_AUTHOR_MIDDLE,
                     PROMPT_AUTHOR_BOT_NAME, "a@b.c");
        check_author("{\"scmName\":\"\"}", PROMPT_AUTHOR_MIDDLE, PROMPT_AUTHOR_BOT_NAME,
                     PROMPT_AUTHOR_BOT_EMAIL);
    }
    TEST("the oldest shape needs both (B-950)") {
        check_author("{\"githubName\":\"Ada\",\"githubEmail\":\"a@b.c\"}", PROMPT_AUTHOR_OLDER,
                     "Ada", "a@b.c");
        check_author("{\"githubName\":\"Ada\",\"githubEmail\":null}", PROMPT_AUTHOR_ABSENT, NULL,
                     NULL);
        check_author("{}", PROMPT_AUTHOR_ABSENT, NULL, NULL);
        check_author("null", PROMPT_AUTHOR_ABSENT, NULL, NULL);
    }
}

/* ---- the worker, on a checkout ---- */

static struct worker_run run;

static const char *apply(cJSON *checkouts, cJSON *changes, bool optional)
{
    cJSON *input = cJSON_CreateObject();

    json_put(input, "checkouts", checkouts);
    json_put(input, "changes", changes);
    json_add_bool(input, "optional", optional);
    worker_run_free(&run);
    worker_run_json(git_config_worker_main, input, &run);
    CHECK_INT(WEXITSTATUS(run.status), json_get_bool(run.result, "ok", false) ? 0 : 1);
    return json_get_string(run.result, "error");
}

static cJSON *checkouts(const char *first, const char *second)
{
    cJSON *list = cJSON_CreateArray();

    for (int i = 0; i < 2; i++) {
        const char *name = i == 0 ? first : second;
        AUTO_BUF struct buf path = BUF_INIT(PATH_MAX);

        buf_printf(&path, "%s/%s", fixture.root, name ? name : "");
        if (name)
            cJSON_AddItemToArray(list, cJSON_CreateString(buf_text(&path)));
    }
    return list;
}

static void fresh_checkout(const cJSON *before)
{
    const cJSON *pair;

    git_shell(&fixture, "chmod -R u+w .; rm -rf app; git init -q app");
    cJSON_ArrayForEach(pair, before) {
        git_shell(&fixture, "git -C app config --local --add '%s' '%s'",
                  cJSON_GetArrayItem(pair, 0)->valuestring,
                  cJSON_GetArrayItem(pair, 1)->valuestring);
    }
}

/* What the real git reads, without what `git init` wrote, sorted. */
static const char *config_now(void)
{
    return git_output(&fixture, "git -C app config --local --list | grep -v ^core | LC_ALL=C sort");
}

static const char *config_wanted(const cJSON *list)
{
    static char text[FIXTURE_COMMAND_MAX];
    const cJSON *line;

    text[0] = '\0';
    cJSON_ArrayForEach(line, list) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", text[0] ? "\n" : "",
                 line->valuestring);
    }
    return text;
}

static void run_effect(const cJSON *test, const struct signing_config *config)
{
    struct prompt_author author = {
        .name = (char *)json_get_string(json_get(test, "author"), "name"),
        .email = (char *)json_get_string(json_get(test, "author"), "email"),
    };

    fresh_checkout(json_get(test, "before"));
    for (int again = 0; again < 2; again++) {
        CHECK_STR(
            apply(checkouts("app", NULL), signing_config_changes(config, &author, SIGNER), false),
            NULL);
        CHECK_STR(config_now(), config_wanted(json_get(test, "git_config_after")));
    }
}

static void test_recorded(void)
{
    AUTO_BUF struct buf text = BUF_INIT(FAMILY_MAX);
    AUTO_JSON cJSON *family = NULL;
    struct signing_config config;
    struct err err = {0};
    const cJSON *test;

    CHECK_INT(file_read(FAMILY, &text, &err), 0);
    family = json_parse(buf_text(&text), text.len, &err);
    TEST(
        "the recorded answers are valid or not, and change a checkout as they did (B-912..B-916)") {
        CHECK(cJSON_GetArraySize(json_get(family, "cases")) >= 20);
        cJSON_ArrayForEach(test, json_get(family, "cases")) {
            err_clear(&err);
            signing_config_read(json_get(test, "configuration"), &config, &err);
            CHECK_STR(err.text[0] ? err.text : NULL, json_get_string(test, "error"));
            if (json_get(test, "git_config_after"))
                run_effect(test, &config);
        }
    }
}

static bool is_valid(const char *email, const char *key)
{
    AUTO_JSON cJSON *answer = cJSON_CreateObject();
    struct signing_config config;

    json_add_bool(answer, "enabled", true);
    json_add_string(answer, "committerName", "n");
    json_add_string(answer, "committerEmail", email);
    json_add_string(answer, "publicKey", key);
    return signing_config_read(answer, &config, NULL) == 0;
}

static void test_answers(void)
{
    static const char key[] = "ssh-ed25519 AAAA";

    TEST("addresses have one @ and a dot with something around it") {
        CHECK(is_valid("a@b.c", key));
        CHECK(is_valid("a+b@c.d.e", key));
        CHECK(!is_valid("a@.c", key));
        CHECK(!is_valid("a@b.", key));
        CHECK(!is_valid("@b.c", key));
        CHECK(!is_valid("a@b@c.d", key));
        CHECK(!is_valid("a b@c.d", key));
        CHECK(!is_valid("a\u2003b@c.d", key));
        CHECK(!is_valid("a@", key));
        CHECK(!is_valid("", key));
    }
    TEST("a key has at most two = at its end and nothing after") {
        CHECK(is_valid("a@b.c", "ssh-ed25519 AA=="));
        CHECK(!is_valid("a@b.c", "ssh-ed25519 A==="));
        CHECK(!is_valid("a@b.c", "ssh-ed25519 A=A"));
        CHECK(!is_valid("a@b.c", "ssh-ed25519 "));
        CHECK(!is_valid("a@b.c", "ssh-ed25519 AAAA\n"));
    }
}

static void test_worker(void)
{
    struct prompt_author author = {.name = "Ada \"quoted\" # ;", .email = "a@b.c"};

    TEST("a value with quotes and comment signs arrives as it is, in a linked worktree too") {
        fresh_checkout(NULL);
        git_shell(&fixture,
                  "git -C app commit -q --allow-empty -m x; git -C app worktree add -q ../tree");
        CHECK_STR(apply(checkouts("tree", NULL), signing_config_identity_changes(&author), false),
                  NULL);
        CHECK_STR(config_now(), "user.email=a@b.c\nuser.name=Ada \"quoted\" # ;");
        git_shell(&fixture, "rm -rf tree");
    }
    TEST("a file that is right already is not written") {
        fresh_checkout(NULL);
        apply(checkouts("app", NULL), signing_config_identity_changes(&author), false);
        git_shell(&fixture, "stat -c %%z app/.git/config >changed");
        apply(checkouts("app", NULL), signing_config_identity_changes(&author), false);
        CHECK_STR(git_output(&fixture, "stat -c %%z app/.git/config | diff - changed"), "");
    }
    TEST("a key with several values gets one, also when the last is right") {
        fresh_checkout(NULL);
        git_shell(&fixture, "git -C app config --add user.email old;"
                            "git -C app config --add user.email a@b.c");
        apply(checkouts("app", NULL), signing_config_identity_changes(&author), false);
        CHECK_STR(git_output(&fixture, "git -C app config --get-all user.email"), "a@b.c");
    }
    TEST("the first failure ends it, unless it is optional; texts name no value") {
        fresh_checkout(NULL);
        CHECK_STR(apply(checkouts("gone", "app"), signing_config_identity_changes(&author), false),
                  "Session repository is unavailable for Git configuration");
        CHECK_STR(config_now(), "");
        apply(checkouts("gone", "app"), signing_config_identity_changes(&author), true);
        CHECK_STR(config_now(), "user.email=a@b.c\nuser.name=Ada \"quoted\" # ;");
        git_shell(&fixture, "touch app/.git/config.lock");
        author.name = "Grace";
        CHECK_STR(apply(checkouts("app", NULL), signing_config_identity_changes(&author), false),
                  "Git signing configuration failed");
        CHECK(!strstr(buf_text(&run.output), "Grace"));
        CHECK(strstr(json_get_string(run.result, "path"), "/app"));
    }
}

int main(void)
{
    if (!mkdtemp(fixture.root))
        return 1;
    git_fixture_isolate(&fixture);
    test_authors();
    test_recorded();
    test_answers();
    test_worker();
    worker_run_free(&run);
    git_shell(&fixture, "rm -rf %s", fixture.root);
    return check_done();
}
