/* What is put where OpenCode looks: links, npm guard, sentinel, commands; and what is masked. */
#include "common/cleanup.h"
#include "common/json.h"
#include "supervisor/config/secrets.h"
#include "supervisor/staging/npm_guard.h"
#include "supervisor/staging/oauth_sentinel.h"
#include "supervisor/staging/staging.h"
#include "tests/unit/check.h"
#include "tests/unit/root_fixture.h"

#include <sys/stat.h>

static bool is_link_to(const char *path, const char *target)
{
    char found[PATH_MAX];
    ssize_t len = readlink(in_root(path), found, sizeof found - 1);

    if (len < 0)
        return false;
    found[len] = '\0';
    return strcmp(found, in_root(target)) == 0;
}

static const char *get_variable(void *user, const char *name)
{
    (void)user;
    return strcmp(name, "HOME") == 0 ? in_root("root") : NULL;
}

/* The configuration of a sandbox below our root; the caller frees it. */
static struct config parse_config(void)
{
    struct flags flags = {.test_root = root, .era = ERA_CHOICE_CURRENT};
    struct config config;

    CHECK_INT(config_parse(&config, &flags, get_variable, NULL, "0", 0), 0);
    return config;
}

static int stage(const struct config *config)
{
    struct err err;
    int rc = staging_prepare(config, NULL, &err);

    if (rc != 0)
        printf("  %s\n", err.text);
    return rc;
}

static void test_links(void)
{
    struct config config = parse_config();

    put_file("app/sandbox_runtime/tools/spawn-child.js", "x");
    put_file("app/sandbox_runtime/tools/create-pull-request.js", "x");
    put_file("app/sandbox_runtime/tools/slack-notify.js", "x");
    put_file("app/sandbox_runtime/tools/lib/part.js", "x");
    put_file("app/sandbox_runtime/tools/notes.md", "x");
    put_file("app/sandbox_runtime/skills/look/SKILL.md", "x");
    put_file("app/sandbox_runtime/plugins/codex-auth-plugin.js", "x");
    put_file("app/sandbox_runtime/plugins/xai-auth-plugin.js", "x");
    put_file("app/sandbox_runtime/bin/upload-media.js", "x");
    put_file("app/sandbox_runtime/bin/README.md", "x");
    put_file("app/sandbox_runtime/bin/look.at.js", "x");
    put_file("app/sandbox_runtime/skills/v1.2/SKILL.md", "x");
    put_file("app/sandbox_runtime/skills/notes/README", "x");
    TEST("tools, skills and commands of the image are linked, and only those that belong") {
        CHECK_INT(stage(&config), 0);
        CHECK(is_link_to("root/.config/opencode/tool/spawn-child.js",
                         "app/sandbox_runtime/tools/spawn-child.js"));
        CHECK(is_link_to("root/.config/opencode/skill/look", "app/sandbox_runtime/skills/look"));
        CHECK(is_link_to("usr/local/bin/upload-media", "app/sandbox_runtime/bin/upload-media.js"));
        CHECK(!file_exists(in_root("root/.config/opencode/tool/create-pull-request.js")));
        CHECK(!file_exists(in_root("root/.config/opencode/tool/slack-notify.js")));
        CHECK(!file_exists(in_root("root/.config/opencode/tool/lib")));
        CHECK(!file_exists(in_root("root/.config/opencode/plugins/codex-auth-plugin.js")));
        CHECK(!file_exists(in_root("usr/local/bin/README")));
        CHECK(file_exists(in_root("usr/local/bin/look.at")));
        CHECK(file_exists(in_root("root/.config/opencode/skill/v1.2")));
        CHECK(!file_exists(in_root("root/.config/opencode/skill/notes")));
    }
    TEST("what was asked for in one boot and not in the next is gone, a user's own files stay") {
        config.slack_notify = config.openai_managed = true;
        CHECK_INT(stage(&config), 0);
        CHECK(file_exists(in_root("root/.config/opencode/tool/slack-notify.js")));
        CHECK(file_exists(in_root("root/.config/opencode/plugins/codex-auth-plugin.js")));
        CHECK(!file_exists(in_root("root/.config/opencode/plugins/xai-auth-plugin.js")));
        put_file("root/.config/opencode/tool/mine.js", "mine");
        CHECK_INT(symlink(in_root("app/sandbox_runtime/tools-of-mine/x.js"),
                          in_root("root/.config/opencode/tool/theirs.js")),
                  0);
        config.slack_notify = config.openai_managed = false;
        CHECK_INT(stage(&config), 0);
        CHECK(!file_exists(in_root("root/.config/opencode/tool/slack-notify.js")));
        CHECK(!file_exists(in_root("root/.config/opencode/plugins/codex-auth-plugin.js")));
        CHECK(file_exists(in_root("root/.config/opencode/tool/mine.js")));
        CHECK(is_link_to("root/.config/opencode/tool/theirs.js",
                         "app/sandbox_runtime/tools-of-mine/x.js"));
    }
    TEST("a control plane of the older era has no routes for children: their tools are not there") {
        config.era = ERA_LEGACY;
        CHECK_INT(stage(&config), 0);
        CHECK(!file_exists(in_root("root/.config/opencode/tool/spawn-child.js")));
        config.era = ERA_CURRENT;
    }
    config_free(&config);
}

/* After test_links(). */
static void test_own_skill(void)
{
    struct config config = parse_config();

    TEST("a directory of the user that is named like a skill of ours wins") {
        CHECK_INT(unlink(in_root("root/.config/opencode/skill/look")), 0);
        put_file("root/.config/opencode/skill/look/SKILL.md", "mine");
        CHECK_INT(stage(&config), 0);
        CHECK(file_exists(in_root("root/.config/opencode/skill/look/SKILL.md")));
    }
    config_free(&config);
}

/* After test_own_skill(). */
static void test_check(void)
{
    struct config config = parse_config();

    TEST("what somebody removed is there again before OpenCode is started again (S-272)") {
        CHECK_INT(unlink(in_root("root/.config/opencode/tool/spawn-child.js")), 0);
        staging_check(&config, NULL);
        CHECK(file_exists(in_root("root/.config/opencode/tool/spawn-child.js")));
        CHECK_INT(file_remove_tree(in_root("root/.config"), NULL), 0);
        staging_check(&config, NULL);
        CHECK(file_exists(in_root("root/.config/opencode/skill/look/SKILL.md")));
        CHECK(file_exists(in_root("root/.config/opencode/package-lock.json")));
        /* Nothing is done when nothing is missing. */
        CHECK_INT(unlink(in_root("root/.config/opencode/package-lock.json")), 0);
        staging_check(&config, NULL);
        CHECK(!file_exists(in_root("root/.config/opencode/package-lock.json")));
    }
    config_free(&config);
}

static void test_legacy_tool(void)
{
    struct config config = parse_config();
    const char *tool = "root/.config/opencode/tool/create-pull-request.js";

    CHECK_INT(file_remove_tree(in_root("root/.config"), NULL), 0);
    CHECK_INT(file_remove_tree(in_root("app"), NULL), 0);
    put_file("app/inspect-plugin.js", "import { tool } from '@opencode-ai/plugin'");
    TEST("the tool of an image of the older contract is staged in its era only (S-318)") {
        CHECK_INT(stage(&config), 0);
        CHECK(!file_exists(in_root(tool)));
        CHECK_INT(file_remove_tree(in_root("root/.config"), NULL), 0);
        config.era = ERA_LEGACY;
        CHECK_INT(stage(&config), 0);
        CHECK_STR(read_text(tool), "import { tool } from '@opencode-ai/plugin'");
        /* S-319: OpenCode installs what it imports. */
        CHECK(!file_exists(in_root("root/.config/opencode/node_modules")));
        CHECK_INT(unlink(in_root(tool)), 0);
        staging_check(&config, NULL); /* S-272 */
        CHECK(file_exists(in_root(tool)));
    }
    TEST("its modules are the image's; ours is staged where we have one") {
        put_file("usr/lib/node_modules/@opencode-ai/plugin/package.json", "{}");
        CHECK_INT(stage(&config), 0);
        CHECK(is_link_to("root/.config/opencode/node_modules", "usr/lib/node_modules"));
        put_file("app/sandbox_runtime/tools/create-pull-request.js", "ours");
        put_file("workspace/app/x", "");
        config.repositories.count = 1;
        CHECK_INT(stage(&config), 0);
        CHECK_STR(read_text(tool), "ours");
        config.repositories.count = 0;
    }
    config_free(&config);
}

static void test_npm_guard(void)
{
    struct err err;

    TEST("without a tree to share, an empty node_modules stops npm where nothing imports from it") {
        put_file("a/AGENTS.md", "x");
        CHECK_INT(npm_guard_put(in_root("a"), in_root("deps"), &err), NPM_GUARD_PUT);
        CHECK(file_exists(in_root("a/node_modules")) &&
              file_exists(in_root("a/package-lock.json")));
        CHECK_INT(npm_guard_put(in_root("a"), in_root("deps"), &err), NPM_GUARD_PRESENT);
    }
    TEST("a user's tool that imports nothing works with an empty one") {
        put_file("d/tool/x.js", "export default {}");
        CHECK_INT(npm_guard_put(in_root("d"), in_root("deps"), &err), NPM_GUARD_PUT);
    }
    TEST("a user's tool that imports the package needs it: then npm has to run") {
        put_file("b/tool/x.ts", "import { tool } from '@opencode-ai/plugin'");
        CHECK_INT(npm_guard_put(in_root("b"), in_root("deps"), &err), NPM_GUARD_NEEDED);
        CHECK(!file_exists(in_root("b/node_modules")));
    }
    TEST("a user's package.json is what counts") {
        put_file("c/package.json", "{}");
        CHECK_INT(npm_guard_put(in_root("c"), in_root("deps"), &err), NPM_GUARD_FOREIGN);
    }
    TEST("the image's tree is linked, not copied, and serves a user's tools") {
        put_file("deps/node_modules/@opencode-ai/plugin/package.json", "{}");
        CHECK_INT(npm_guard_put(in_root("b"), in_root("deps"), &err), NPM_GUARD_PUT);
        CHECK(is_link_to("b/node_modules", "deps/node_modules"));
    }
}

/* What a supervisor before us left (S-283, S-318). */
static void test_npm_guard_of_others(void)
{
    struct err err;

    put_file("deps/node_modules/@opencode-ai/plugin/package.json", "{}");
    TEST("a tree of an earlier supervisor without its lock file gets one, or npm would run") {
        put_file("g/tool/x.js", "import { tool } from '@opencode-ai/plugin'");
        put_file("g/node_modules/@opencode-ai/plugin/package.json", "{}");
        CHECK_INT(npm_guard_put(in_root("g"), in_root("deps"), &err), NPM_GUARD_PUT);
        CHECK(strstr(read_text("g/package-lock.json"), "@opencode-ai/plugin"));
        CHECK(!is_link_to("g/node_modules", "deps/node_modules"));
        CHECK_INT(npm_guard_put(in_root("g"), in_root("deps"), &err), NPM_GUARD_PRESENT);
        put_file("h/tool/x.js", "import { tool } from '@opencode-ai/plugin'");
        put_file("h/node_modules/other/package.json", "{}");
        CHECK_INT(npm_guard_put(in_root("h"), in_root("deps"), &err), NPM_GUARD_NEEDED);
    }
    TEST("the image's own manifest beside it is no user's: what a killed supervisor left is made "
         "whole (S-285)") {
        put_file("deps/package.json", "{\"dependencies\":{\"@opencode-ai/plugin\":\"1\"}}");
        put_file("deps/package-lock.json", "the image's @opencode-ai/plugin");
        put_file("i/package.json", "{\"dependencies\":{\"@opencode-ai/plugin\":\"1\"}}");
        CHECK_INT(npm_guard_put(in_root("i"), in_root("deps"), &err), NPM_GUARD_PUT);
        CHECK(is_link_to("i/node_modules", "deps/node_modules"));
        CHECK_STR(read_text("i/package-lock.json"), "the image's @opencode-ai/plugin");
        CHECK_INT(npm_guard_put(in_root("i"), in_root("deps"), &err), NPM_GUARD_PRESENT);
    }
    TEST("so is the older contract's, whose modules are a link without a lock file (S-318)") {
        put_file("j/package.json", "{\"name\":\"opencode-tools\",\"type\":\"module\"}");
        CHECK_INT(symlink(in_root("deps/node_modules"), in_root("j/node_modules")), 0);
        CHECK_INT(npm_guard_put(in_root("j"), in_root("deps"), &err), NPM_GUARD_PUT);
        CHECK(strstr(read_text("j/package-lock.json"), "@opencode-ai/plugin"));
        put_file("k/package.json", "{\"name\":\"opencode-tools\",\"dependencies\":{}}");
        CHECK_INT(npm_guard_put(in_root("k"), in_root("deps"), &err), NPM_GUARD_FOREIGN);
    }
}

static cJSON *parse(const char *text)
{
    return json_parse(text, strlen(text), NULL);
}

struct said {
    bool invalid;
    int setups;
};

static bool on_log_line(void *user, const char *line, size_t len, enum log_origin origin)
{
    struct said *said = user;

    (void)len;
    (void)origin;
    said->invalid = said->invalid || strstr(line, "managed_oauth.existing_auth_invalid");
    said->setups +=
        strstr(line, "\"managed_oauth.setup\"") && strstr(line, "\"providers\":[\"xai\"]");
    return true;
}

static void test_sentinel(void)
{
    TEST("a managed provider gets an entry without a secret, others are left alone") {
        AUTO_JSON cJSON *auth = parse("{\"github\":{\"type\":\"oauth\",\"refresh\":\"r\"}}");
        AUTO_FREE char *text = NULL;

        CHECK(oauth_sentinel_edit(auth, true, false));
        CHECK(!oauth_sentinel_edit(auth, true, false));
        text = json_to_string(auth);
        CHECK_STR(
            text,
            "{\"github\":{\"type\":\"oauth\",\"refresh\":\"r\"},\"openai\":{\"type\":\"oauth\","
            "\"refresh\":\"managed-by-control-plane\",\"access\":\"\",\"expires\":0}}");
        CHECK(oauth_sentinel_edit(auth, false, false));
        CHECK(!json_get(auth, "openai") && json_get(auth, "github"));
    }
    TEST("a user's own account of a provider is not taken away when it is not managed") {
        AUTO_JSON cJSON *auth = parse("{\"xai\":{\"type\":\"api\",\"key\":\"k\"}}");

        CHECK(!oauth_sentinel_edit(auth, false, false));
        CHECK(json_get(auth, "xai") != NULL);
    }
    TEST("a token that the plugin left in its entry goes, and so does any other entry of ours "
         "(S-295, S-296)") {
        AUTO_JSON cJSON *auth = parse(
            "{\"other\":{\"type\":\"oauth\",\"refresh\":\"managed-by-control-plane\"},\"openai\":{"
            "\"type\":"
            "\"oauth\",\"refresh\":\"managed-by-control-plane\",\"access\":\"real\",\"expires\":9,"
            "\"accountId\":\"acc\"}}");
        AUTO_FREE char *text = NULL;

        CHECK(oauth_sentinel_edit(auth, true, false));
        text = json_to_string(auth);
        CHECK_STR(text, "{\"openai\":{\"type\":\"oauth\",\"refresh\":\"managed-by-control-plane\","
                        "\"access\":\"\",\"expires\":0}}");
    }
}

static void test_sentinel_file(void)
{
    struct config config = parse_config();
    struct stat st;

    TEST("the file is the user's alone; an unreadable one is replaced, none is made for nothing") {
        unlink(config.paths.opencode_auth);
        oauth_sentinel_update(&config, NULL);
        CHECK(!file_exists(config.paths.opencode_auth));
        put_file("root/.local/share/opencode/auth.json", "{no json");
        config.xai_managed = true;
        oauth_sentinel_update(&config, NULL);
        CHECK(stat(config.paths.opencode_auth, &st) == 0 && (st.st_mode & 0777) == 0600);
        CHECK_INT(chmod(config.paths.opencode_auth, 0644), 0);
        oauth_sentinel_update(&config, NULL);
        CHECK(stat(config.paths.opencode_auth, &st) == 0 && (st.st_mode & 0777) == 0600);
        config.xai_managed = false;
        oauth_sentinel_update(&config, NULL);
        CHECK(stat(config.paths.opencode_auth, &st) == 0 && st.st_size == 2);
    }
    TEST("a file that is JSON but no object is replaced too, with a warning; a missing one has "
         "none") {
        struct log *log = log_new(-1, "sandbox", "supervisor");
        struct said said = {0};

        log_set_sink(log, on_log_line, &said);
        config.xai_managed = true;
        unlink(config.paths.opencode_auth);
        oauth_sentinel_update(&config, log);
        CHECK(!said.invalid);
        put_file("root/.local/share/opencode/auth.json", "[1]");
        oauth_sentinel_update(&config, log);
        CHECK(said.invalid);
        oauth_sentinel_update(&config, log);
        CHECK_INT(said.setups, 3); /* at each boot (S-297) */
        CHECK(stat(config.paths.opencode_auth, &st) == 0 && st.st_size > 3);
        log_free(log);
    }
    config_free(&config);
}

static void test_secrets(void)
{
    TEST("provider keys, tokens and what MCP servers are authorised with are masked") {
        char *variables[] = {(char[]){"ANTHROPIC_API_KEY=sk-ant-1234"},
                             (char[]){"MY_DEPLOY_TOKEN=deploy-1234"},
                             (char[]){"HOME=/home/somebody"}, (char[]){"DB_PASSWORD="}, NULL};
        AUTO_JSON cJSON *session =
            parse("{\"mcp_servers\":[{\"headers\":{\"Authorization\":\"Bearer mcp-12345678\"}},"
                  "{\"url\":\"https://h/"
                  "x?a=1&key=query-12345678#f\"},{\"env\":{\"PAT\":\"pat-12345678\",\"ROOT\":\"/"
                  "workspace/app\",\"N\":1}}]}");
        struct config config = {.auth_token = (char[]){"sandbox-token"}, .session = session};
        static const char text[] = "sk-ant-1234 deploy-1234 /home/somebody mcp-12345678 "
                                   "pat-12345678 /workspace/app sandbox-token query-12345678";
        AUTO_BUF struct buf out = BUF_INIT(1024);
        struct redact *redact = redact_new();

        secrets_register(redact, &config, variables);
        redact_text(redact, text, strlen(text), &out);
        CHECK_STR(buf_text(&out), "*** *** /home/somebody *** *** /workspace/app *** ***");
        redact_free(redact);
    }
}

int main(void)
{
    root_begin();
    test_links();
    test_own_skill();
    test_check();
    test_legacy_tool();
    test_npm_guard();
    test_npm_guard_of_others();
    test_sentinel();
    test_sentinel_file();
    test_secrets();
    root_end();
    return check_done();
}
