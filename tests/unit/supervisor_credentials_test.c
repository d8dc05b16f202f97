#include "supervisor/credentials/credential_request.h"
#include "supervisor/credentials/credential_source.h"
#include "tests/unit/check.h"

#include <string.h>

#define GOOD "{\"username\":\"u\",\"password\":\"p\",\"expires_at_epoch_ms\":2000000}"

/* ---- git's protocol ---- */

static bool asks_for(const char *text, const char *host)
{
    struct credential_request request;
    bool result;

    if (credential_request_parse(text, strlen(text), &request, NULL) < 0)
        return false;
    result = credential_request_is_for(&request, host);
    credential_request_free(&request);
    return result;
}

static void test_request(void)
{
    TEST("https to the session's host is served, whatever the path (S-230)") {
        CHECK(asks_for("protocol=https\nhost=github.com\npath=acme/app.git\n\n", "github.com"));
        CHECK(asks_for("capability[]=authtype\nprotocol=https\nhost=github.com\n", "github.com"));
        CHECK(asks_for("protocol=HTTPS\nhost= GitHub.com \n\n", "github.com"));
        CHECK(asks_for("protocol=https\nhost=localhost:8443\n\n", "localhost:8443"));
    }
    TEST("other hosts, other ports, other protocols and half a question are not served") {
        CHECK(!asks_for("protocol=https\nhost=github.com.evil.example\n\n", "github.com"));
        CHECK(!asks_for("protocol=https\nhost=evil.github.com\n\n", "github.com"));
        CHECK(!asks_for("protocol=https\nhost=github.com:8443\n\n", "github.com"));
        CHECK(!asks_for("protocol=http\nhost=github.com\n\n", "github.com"));
        CHECK(!asks_for("protocol=ssh\nhost=github.com\n\n", "github.com"));
        CHECK(!asks_for("host=github.com\n\n", "github.com"));
        CHECK(!asks_for("protocol=https\n\n", "github.com"));
        CHECK(!asks_for("", "github.com"));
    }
    TEST("what follows the empty line is not read, and the last of equal keys counts (S-229)") {
        CHECK(!asks_for("protocol=https\n\nhost=github.com\n", "github.com"));
        CHECK(!asks_for("protocol=https\nhost=github.com\nhost=evil.example\n\n", "github.com"));
        CHECK(asks_for("no equals sign\nprotocol=https\nhost=github.com", "github.com"));
    }
}

static void test_credential(void)
{
    struct credential credential;
    struct buf answer = BUF_INIT(1024);

    TEST("the answer is user name, password and an empty line, nothing else (S-238)") {
        CHECK_INT(credential_parse(GOOD, strlen(GOOD), &credential, NULL), 0);
        credential_request_print_answer(&credential, &answer);
        CHECK_STR(buf_text(&answer), "username=u\npassword=p\n\n");
        buf_free(&answer);
    }
    TEST("a credential is good up to five minutes before it ends (S-234)") {
        CHECK(credential_is_fresh(&credential, 2000000 - CREDENTIAL_SPARE_MS - 1));
        CHECK(!credential_is_fresh(&credential, 2000000 - CREDENTIAL_SPARE_MS));
        CHECK(!credential_is_fresh(&credential, 3000000));
        credential_free(&credential);
    }
    TEST("an answer without usable user name, password and expiry is none (S-236)") {
        static const char *const bad[] = {
            "",
            "null",
            "[]",
            "{}",
            "{\"username\":\"\",\"password\":\"p\",\"expires_at_epoch_ms\":1}",
            "{\"username\":\"u\",\"password\":\"\",\"expires_at_epoch_ms\":1}",
            "{\"username\":\"u\",\"password\":7,\"expires_at_epoch_ms\":1}",
            "{\"username\":\"u\",\"password\":\"p\"}",
            "{\"username\":\"u\",\"password\":\"p\",\"expires_at_epoch_ms\":0}",
            "{\"username\":\"u\",\"password\":\"p\",\"expires_at_epoch_ms\":\"9\"}",
        };

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
            CHECK_INT(credential_parse(bad[i], strlen(bad[i]), &credential, NULL), -1);
    }
    TEST("a value that would be a line of its own is refused, and not quoted") {
        static const char *const bad[] = {
            "{\"username\":\"u\",\"password\":\"secret\\nhost=evil\",\"expires_at_epoch_ms\":1}",
            "{\"username\":\"u\\u0000\",\"password\":\"secret\",\"expires_at_epoch_ms\":1}",
        };
        struct err err;

        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            CHECK_INT(credential_parse(bad[i], strlen(bad[i]), &credential, &err), -1);
            CHECK(strstr(err.text, "secret") == NULL);
        }
    }
}

/* ---- the environment ---- */

/* "NAME=value" strings, NULL at the end. */
static const char *get(void *user, const char *name)
{
    const char *const *variables = user;
    size_t len = strlen(name);

    for (; *variables; variables++) {
        if (strncmp(*variables, name, len) == 0 && (*variables)[len] == '=')
            return *variables + len + 1;
    }
    return NULL;
}

#define VARIABLES(...) ((const char *[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
#define SESSION "SESSION_CONFIG={\"session_id\":\"s1\"}"
#define PLANE "CONTROL_PLANE_URL=https://cp.example"
#define BEARER "SANDBOX_AUTH_TOKEN=bearer"

static struct credential_source source;

static enum credential_kind kind_of(bool legacy, const char **variables)
{
    credential_source_free(&source);
    credential_source_read(&source, legacy, get, variables);
    return source.kind;
}

static void test_source(void)
{
    TEST("a live session asks its control plane, at the address of the session (S-231, S-236)") {
        CHECK_INT(kind_of(false, VARIABLES(PLANE "//", BEARER,
                                           "SESSION_CONFIG={\"sessionId\":\"a/b\","
                                           "\"session_id\":\"other\"}")),
                  CREDENTIAL_BROKERED);
        CHECK_STR(source.endpoint, "https://cp.example/sessions/a%2Fb/scm-credentials");
        CHECK_STR(source.token, "bearer");
        CHECK_STR(source.host, "github.com");
    }
    TEST("a live session that lacks something is refused, also when a token lies around") {
        const char *token = "VCS_CLONE_TOKEN=t";

        CHECK_INT(kind_of(false, VARIABLES(PLANE, SESSION, token)), CREDENTIAL_REFUSED);
        CHECK_INT(kind_of(false, VARIABLES(BEARER, SESSION, token)), CREDENTIAL_REFUSED);
        CHECK_INT(kind_of(false, VARIABLES(PLANE, BEARER, token)), CREDENTIAL_REFUSED);
        CHECK_INT(kind_of(false, VARIABLES(PLANE, BEARER, "SESSION_CONFIG=no JSON", token)),
                  CREDENTIAL_REFUSED);
    }
    TEST("without a session the launcher's token serves, for its host (S-232)") {
        CHECK_INT(kind_of(false, VARIABLES("CONTROL_PLANE_URL=  ", "VCS_CLONE_TOKEN=t",
                                           "VCS_HOST=gitlab.com", "VCS_CLONE_USERNAME=oauth2")),
                  CREDENTIAL_STATIC);
        CHECK_STR(source.host, "gitlab.com");
        CHECK_STR(source.username, "oauth2");
        CHECK_STR(source.password, "t");
        CHECK_INT(kind_of(false, VARIABLES("VCS_CLONE_TOKEN=t")), CREDENTIAL_STATIC);
        CHECK_STR(source.username, "x-access-token");
        CHECK_INT(kind_of(false, VARIABLES()), CREDENTIAL_REFUSED);
    }
    TEST("the older contract has its own token, for github.com only (S-233)") {
        CHECK_INT(kind_of(true, VARIABLES(PLANE, BEARER, SESSION, "GITHUB_APP_TOKEN=g",
                                          "VCS_HOST=evil.example")),
                  CREDENTIAL_STATIC);
        CHECK_STR(source.host, "github.com");
        CHECK_STR(source.password, "g");
        CHECK_INT(kind_of(true, VARIABLES(PLANE, BEARER, SESSION)), CREDENTIAL_REFUSED);
        credential_source_free(&source);
    }
    TEST("gh gets a token for github.com, and unless the user has one (S-244)") {
        CHECK(credential_source_serves_gh(get, VARIABLES()));
        CHECK(credential_source_serves_gh(get, VARIABLES("GITHUB_TOKEN=", "VCS_HOST=github.com")));
        CHECK(!credential_source_serves_gh(get, VARIABLES("VCS_HOST=gitlab.com")));
        CHECK(!credential_source_serves_gh(get, VARIABLES("GH_TOKEN=mine")));
        CHECK(!credential_source_serves_gh(get, VARIABLES("GITHUB_TOKEN=mine")));
        CHECK(!credential_source_serves_gh(get, VARIABLES("GITHUB_APP_TOKEN=mine")));
        CHECK(credential_source_serves_gh(
            get, VARIABLES("GITHUB_TOKEN=ours", "OI_GITHUB_TOKEN_IS_FALLBACK=1")));
        CHECK(!credential_source_serves_gh(
            get, VARIABLES("GITHUB_TOKEN=ours", "OI_GITHUB_TOKEN_IS_FALLBACK=true")));
    }
}

int main(void)
{
    test_request();
    test_credential();
    test_source();
    return check_done();
}
