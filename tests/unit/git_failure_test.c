/* Each way in which a remote can fail gives another error, within its limit, without the token. */

#include "git/clone.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "git/library.h"
#include "git/repository.h"
#include "tests/unit/check.h"
#include "tests/unit/git_fixture.h"

static struct git_fixture fixture;
static struct err last;

enum { LIMIT_MS = 300, GRACE_MS = 5000 };

static void fails(enum err_class class, const char *words)
{
    struct branch_choice branch = {.wanted = "main"};
    uint64_t begun = clock_monotonic_ms();

    err_clear(&last);
    CHECK_INT(clone_repository(&fixture.access, fixture.checkout, &branch, &last), -1);
    CHECK_STR(err_class_name(last.class), err_class_name(class));
    if (!strstr(last.text, words))
        CHECK_STR(last.text, words);
    CHECK(strstr(last.text, TEST_TOKEN) == NULL);
    CHECK(clock_monotonic_ms() - begun < LIMIT_MS + GRACE_MS);
    CHECK_STR(git_output(&fixture, "ls -A workspace"), "");
}

static void fails_at(const char *url, enum err_class class, const char *words)
{
    fixture.access.url = url;
    fails(class, words);
    fixture.access.url = fixture.url;
}

static void test_credentials(void)
{
    TEST("a wrong password") {
        fixture.access.password = "not-the-password";
        fails(ERR_AUTH, "rejected the credentials of user x-access-token (HTTP 401)");
        CHECK(strstr(last.text, "not-the-password") == NULL);
    }
    TEST("no password where one is wanted") {
        fixture.access.password = NULL;
        fails(ERR_AUTH, "localhost wants credentials, and there are none");
        fixture.access.password = TEST_TOKEN;
    }
    TEST("the token does not go to a host that url.*.insteadOf leads to") {
        git_shell(&fixture,
                  "git config --global url.https://localhost:%d/.insteadOf https://github.com/",
                  fixture.port);
        fails_at("https://github.com/acme/app.git", ERR_AUTH,
                 "localhost wants credentials, and there are none");
        /* Where a push would go does not matter for a fetch. */
        git_shell(&fixture, "git config --global url.https://github.com/.pushInsteadOf "
                            "https://github.com/");
        fails_at("https://github.com/acme/app.git", ERR_AUTH,
                 "localhost wants credentials, and there are none");
        git_shell(&fixture, "rm home/.gitconfig");
    }
}

static void test_certificates(void)
{
    char url[128];

    TEST("a certificate of an unknown CA") {
        setenv("SSL_CERT_FILE", fixture.stranger, 1);
        fails(ERR_TLS, "signed it");
        CHECK(strstr(last.text, fixture.stranger) != NULL);
    }
    TEST("a CA file that is not there") {
        setenv("SSL_CERT_FILE", "/nowhere/ca.pem", 1);
        fails(ERR_CONFIG, "SSL_CERT_FILE: no usable CA certificates in /nowhere/ca.pem");
    }
    TEST("http.sslVerify=false and GIT_SSL_NO_VERIFY turn nothing off (S-48)") {
        setenv("SSL_CERT_FILE", fixture.stranger, 1);
        setenv("GIT_SSL_NO_VERIFY", "1", 1);
        git_shell(&fixture, "git config --global http.sslVerify false");
        fails(ERR_TLS, "signed it");
        git_shell(&fixture, "rm home/.gitconfig");
        unsetenv("GIT_SSL_NO_VERIFY");
        setenv("SSL_CERT_FILE", fixture.authority, 1);
    }
    TEST("a certificate for another host name") {
        snprintf(url, sizeof url, "https://127.0.0.1:%d/acme/app.git", fixture.port);
        fails_at(url, ERR_TLS, "it is for another host name");
    }
}

static void test_places(void)
{
    char url[128];

    TEST("a repository that is not there") {
        snprintf(url, sizeof url, "https://localhost:%d/acme/none.git", fixture.port);
        fails_at(url, ERR_NOT_FOUND, "(HTTP 404)");
    }
    TEST("a host name without an address") {
        fails_at("https://no.such.host.invalid/a/b.git", ERR_NETWORK,
                 "cannot find the address of host no.such.host.invalid");
    }
    TEST("a port where nobody listens") {
        fails_at("https://localhost:1/a/b.git", ERR_NETWORK, "Connection refused");
    }
    TEST("a scheme that there is no support for") {
        fails_at("ssh://localhost/a/b.git", ERR_NETWORK, "unsupported URL protocol");
    }
}

static void test_redirects(void)
{
    struct branch_choice branch = {.wanted = "main"};
    char url[128];

    TEST("a repository that was renamed on its host is found") {
        snprintf(url, sizeof url, "https://localhost:%d/moved/app.git", fixture.port);
        fixture.access.url = url;
        CHECK_INT(clone_repository(&fixture.access, fixture.checkout, &branch, &last), 0);
        fixture.access.url = fixture.url;
        git_shell(&fixture, "rm -rf workspace/app");
    }
    TEST("a repository that went to another host is not followed, for the token would be too") {
        snprintf(url, sizeof url, "https://localhost:%d/away/app.git", fixture.port);
        fails_at(url, ERR_NETWORK, "cannot redirect from 'localhost' to '127.0.0.1'");
    }
}

static void test_silence(void)
{
    static const char *const stalls[] = {"stall=connect", "stall=answer", "stall=pack"};

    fixture.access.limits.stall_ms = LIMIT_MS;
    git_server_tell(&fixture, "stallAfterBytes=1000");
    for (size_t i = 0; i < sizeof stalls / sizeof stalls[0]; i++) {
        TEST("a server that goes silent: in the handshake, before the answer, in the pack") {
            git_server_tell(&fixture, stalls[i]);
            fails(ERR_TIMEOUT, "sent nothing for 0.3 s");
        }
    }
    git_server_tell(&fixture, "stall=null");
    fixture.access.limits.stall_ms = 10000;
    TEST("a server that dribbles for ever reaches the total limit") {
        fixture.access.limits.total_ms = LIMIT_MS;
        git_server_tell(&fixture, "bytesPerSecond=100");
        fails(ERR_TIMEOUT, "not finished within");
        git_server_tell(&fixture, "bytesPerSecond=0");
        fixture.access.limits.total_ms = 60000;
    }
}

static void test_configuration_elsewhere(void)
{
    struct branch_choice branch = {.wanted = "main"};

    TEST("GIT_CONFIG_GLOBAL names the user's configuration") {
        git_shell(&fixture, "git config -f other.config http.sslCAInfo %s", fixture.stranger);
        setenv("GIT_CONFIG_GLOBAL", git_output(&fixture, "realpath other.config"), 1);
        fails(ERR_TLS, "signed it");
        unsetenv("GIT_CONFIG_GLOBAL");
    }
    TEST("and is only read: what a clone and a new origin write stands in the checkout's own") {
        static const char *const places[] = {"$PWD/other.config", "$PWD/none/none",
                                             "$PWD/other.config/none"};

        git_shell(&fixture, "git config -f other.config --unset http.sslCAInfo");
        setenv("GIT_CONFIG_SYSTEM", git_output(&fixture, "echo $PWD/system.config"), 1);
        for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
            setenv("GIT_CONFIG_GLOBAL", git_output(&fixture, "echo %s", places[i]), 1);
            CHECK_INT(clone_repository(&fixture.access, fixture.checkout, &branch, &last), 0);
            CHECK_INT(repository_set_origin(fixture.checkout, "https://h/x.git", &last), 0);
            CHECK_STR(git_output(&fixture, "cd workspace/app; git config --local remote.origin.url;"
                                           "git config --local branch.main.merge"),
                      "https://h/x.git\nrefs/heads/main");
            git_shell(&fixture, "rm -rf workspace/app");
        }
        CHECK_STR(git_output(&fixture, "grep -l origin other.config system.config 2>&-"), "");
        unsetenv("GIT_CONFIG_GLOBAL");
        unsetenv("GIT_CONFIG_SYSTEM");
    }
}

static void test_settings(void)
{
    struct branch_choice branch = {.wanted = "main"};

    TEST("http.<url>.sslCAInfo of the user's configuration wins over SSL_CERT_FILE, as for git") {
        setenv("SSL_CERT_FILE", fixture.stranger, 1);
        git_shell(&fixture,
                  "git config --global http.https://localhost:%d/acme.sslCAInfo %s;"
                  "git config --global http.https://localhost:%d/other.sslCAInfo /nowhere",
                  fixture.port, fixture.authority, fixture.port);
        CHECK_INT(clone_repository(&fixture.access, fixture.checkout, &branch, &last), 0);
        git_shell(&fixture, "rm -rf workspace/app home/.gitconfig");
        setenv("SSL_CERT_FILE", fixture.authority, 1);
    }
    TEST("url.*.insteadOf with credentials of its own works, and origin keeps the plain URL") {
        git_shell(&fixture,
                  "git config --global url.https://x-access-token:%s@localhost:%d/.insteadOf "
                  "https://github.com/",
                  TEST_TOKEN, fixture.port);
        fixture.access.url = "https://github.com/acme/app.git";
        CHECK_INT(clone_repository(&fixture.access, fixture.checkout, &branch, &last), 0);
        fixture.access.url = fixture.url;
        CHECK_STR(git_output(&fixture, "git config -f workspace/app/.git/config remote.origin.url"),
                  "https://github.com/acme/app.git");
        git_shell(&fixture, "rm -rf workspace/app home/.gitconfig");
    }
    TEST("http.proxy and https_proxy are used, and no_proxy exempts a host") {
        git_shell(&fixture, "git config --global http.proxy http://localhost:1");
        fails(ERR_NETWORK, "cannot connect to localhost port 1");
        git_shell(&fixture, "rm home/.gitconfig");
        setenv("https_proxy", "http://localhost:1", 1);
        fails(ERR_NETWORK, "cannot connect to localhost port 1");
        setenv("no_proxy", "localhost", 1);
        CHECK_INT(clone_repository(&fixture.access, fixture.checkout, &branch, &last), 0);
        git_shell(&fixture, "rm -rf workspace/app");
        unsetenv("no_proxy");
    }
    TEST("a proxy that wants credentials gets those of its URL, and says so without them") {
        char proxy[128];

        snprintf(proxy, sizeof proxy, "http://localhost:%d", fixture.proxy_port);
        setenv("https_proxy", proxy, 1);
        fails(ERR_AUTH, "the proxy wants a user and a password");
        snprintf(proxy, sizeof proxy, "http://user:secret@localhost:%d", fixture.proxy_port);
        setenv("https_proxy", proxy, 1);
        CHECK_INT(clone_repository(&fixture.access, fixture.checkout, &branch, &last), 0);
        git_shell(&fixture, "rm -rf workspace/app");
        unsetenv("https_proxy");
    }
}

int main(void)
{
    git_fixture_init(&fixture);
    test_credentials();
    test_certificates();
    test_places();
    test_redirects();
    test_silence();
    test_settings();
    test_configuration_elsewhere();
    library_stop();
    git_fixture_end(&fixture);
    return check_done();
}
