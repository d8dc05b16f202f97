/* How managed skills are asked for (S-391..S-394, S-413), against a server that answers as it is told. */
#include "supervisor/skills/skills_fetch.h"

#include "common/clock.h"
#include "tests/unit/check.h"
#include "tests/unit/root_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUEST_MAX 4096
#define SEEN_MAX (64 * 1024)
#define LIMIT_MS 60000
#define SHORT_LIMIT_MS 700
#define ANSWERS_AT_ONCE 4
#define FLOOD "HTTP/1.1 200 OK\r\n\r\n" /* and more than 32 MiB of blanks */
#define FLOOD_CHUNKS (33 * 1024 * 1024 / REQUEST_MAX)
#define CUT "" /* the connection is closed without an answer */
#define SILENCE "..."
#define SKILL_FILE "---\nname: look\n---\n"
#define MANIFEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* One process that gives one answer a connection, and tells us the requests. */
struct server {
    pid_t pid;
    int port;
    int requests;
};

static void flood(int peer)
{
    char blanks[REQUEST_MAX];

    memset(blanks, ' ', sizeof blanks);
    for (int i = 0; i < FLOOD_CHUNKS && write(peer, blanks, sizeof blanks) > 0; i++)
        continue;
}

static void serve(int listener, int told, const char *const *answers)
{
    for (; *answers; answers++) {
        int peer = accept(listener, NULL, NULL);
        char request[REQUEST_MAX];
        ssize_t len = read(peer, request, sizeof request);

        if (len < 0 || write(told, request, (size_t)len) != len)
            _exit(1);
        if (strcmp(*answers, SILENCE) == 0)
            for (;;)
                pause();
        if (write(peer, *answers, strlen(*answers)) < 0)
            _exit(1);
        if (strcmp(*answers, FLOOD) == 0)
            flood(peer);
        close(peer);
    }
    _exit(0);
}

static void server_start(struct server *server, const char *const *answers)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int told[2];

    if (bind(listener, (void *)&address, size) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, (void *)&address, &size) != 0 || pipe(told) != 0)
        abort();
    server->port = ntohs(address.sin_port);
    server->requests = told[0];
    server->pid = fork();
    if (server->pid == 0)
        serve(listener, told[1], answers);
    close(told[1]);
    close(listener);
}

/* All that it was asked. */
static const char *server_end(struct server *server)
{
    static char seen[SEEN_MAX];
    size_t len = 0;
    ssize_t got;

    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    while ((got = read(server->requests, seen + len, sizeof seen - 1 - len)) > 0)
        len += (size_t)got;
    seen[len] = '\0';
    close(server->requests);
    return seen;
}

static unsigned count(const char *text, const char *part)
{
    unsigned found = 0;

    while ((text = strstr(text, part))) {
        found++;
        text += strlen(part);
    }
    return found;
}

/* An answer of ours; good until as many others were asked for as ANSWERS_AT_ONCE says. */
static const char *answer(const char *status, const char *body)
{
    static char texts[ANSWERS_AT_ONCE][REQUEST_MAX];
    static unsigned turn;
    char *text = texts[turn++ % ANSWERS_AT_ONCE];

    snprintf(text, REQUEST_MAX,
             "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n"
             "Location: /elsewhere\r\n\r\n%s",
             status, strlen(body), body);
    return text;
}

static const char *page(const char *skills, const char *cursor)
{
    char body[REQUEST_MAX / 2];

    snprintf(body, sizeof body,
             "{\"schemaVersion\":1,\"manifestSha256\":\"" MANIFEST "\",\"skills\":[%s],"
             "\"nextCursor\":%s}",
             skills, cursor);
    return answer("200 OK", body);
}

static const char *skill(void)
{
    static char text[1024];
    char sha256[SKILL_SHA256_HEX + 1];

    skill_sha256_hex(SKILL_FILE, strlen(SKILL_FILE), sha256);
    snprintf(text, sizeof text,
             "{\"name\":\"look\",\"files\":[{\"path\":\"SKILL.md\",\"content\":\"---\\nname: "
             "look\\n---\\n\",\"sha256\":\"%s\",\"sizeBytes\":%zu,\"executable\":false}]}",
             sha256, strlen(SKILL_FILE));
    return text;
}

struct outcome {
    enum skill_fault fault;
    unsigned requests;
    int unsupported;
    const char *seen;
    struct err err;
};

static struct outcome fetch(const char *const *answers, uint64_t limit_ms)
{
    struct skill_store store;
    struct skills_fetch fetch = {.token = "the-token", .limit_ms = limit_ms};
    struct outcome outcome = {0};
    struct server server;
    char url[128];

    server_start(&server, answers);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/sessions/s1/sandbox-skills", server.port);
    fetch.url = url;
    CHECK_INT(skill_store_open(&store, in_root("config"), NULL), 0);
    CHECK_INT(skill_store_begin(&store, NULL), 0);
    outcome.fault = skills_fetch_run(&fetch, &store, &outcome.err);
    outcome.unsupported = fetch.unsupported;
    skill_store_abort(&store);
    outcome.seen = server_end(&server);
    outcome.requests = count(outcome.seen, "GET ");
    return outcome;
}

#define FETCH(limit_ms, ...) fetch((const char *const[]){__VA_ARGS__, NULL}, (limit_ms))

static void test_retries(void)
{
    TEST("S-391: a refusal that may pass, and a connection that breaks, are tried three times") {
        struct outcome got =
            FETCH(LIMIT_MS, answer("408 Late", ""), answer("429 Often", ""), page("", "null"));

        CHECK_INT(got.fault, SKILL_FAULT_NONE);
        CHECK_INT(got.requests, 3);
        got = FETCH(LIMIT_MS, CUT, page("", "null"));
        CHECK_INT(got.fault, SKILL_FAULT_NONE);
        CHECK_INT(got.requests, 2);
        got = FETCH(LIMIT_MS, answer("503 No", ""), answer("500 No", ""), answer("502 No", ""),
                    page("", "null"));
        CHECK_INT(got.fault, SKILL_FAULT_FETCH);
        CHECK_INT(got.requests, 3);
    }
    TEST("S-391, S-49: any other status fails at once, and no redirect is followed") {
        static const char *const statuses[] = {"400 Bad", "401 No", "403 No", "302 Found"};

        for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
            struct outcome got = FETCH(LIMIT_MS, answer(statuses[i], ""), page("", "null"));

            CHECK_INT(got.fault, SKILL_FAULT_FETCH);
            CHECK_INT(got.requests, 1);
        }
    }
    TEST("S-401: an answer of more than 32 MiB is given up, and not asked for again") {
        struct outcome got = FETCH(LIMIT_MS, FLOOD, page("", "null"));

        CHECK_INT(got.fault, SKILL_FAULT_TOO_LARGE);
        CHECK_INT(got.requests, 1);
    }
    TEST("S-413: all of it has one limit, whoever is silent") {
        uint64_t began_ms = clock_monotonic_ms();
        struct outcome got = FETCH(SHORT_LIMIT_MS, SILENCE);

        CHECK_INT(got.fault, SKILL_FAULT_FETCH);
        CHECK_INT(got.err.class, ERR_TIMEOUT);
        CHECK(clock_monotonic_ms() - began_ms >= SHORT_LIMIT_MS);
    }
}

static void test_pages(void)
{
    TEST("S-392: 404 and 405 mean a control plane without skills, on the first page alone") {
        struct outcome got = FETCH(LIMIT_MS, answer("404 Not found", ""));

        CHECK_INT(got.fault, SKILL_FAULT_NONE);
        CHECK_INT(got.unsupported, 404);
        got = FETCH(LIMIT_MS, answer("405 No", ""));
        CHECK_INT(got.unsupported, 405);
        got = FETCH(LIMIT_MS, page(skill(), "\"next\""), answer("404 Not found", ""));
        CHECK_INT(got.fault, SKILL_FAULT_FETCH);
        CHECK_INT(got.unsupported, 0);
    }
    TEST("S-391: each request names page size, cursor and token") {
        struct outcome got = FETCH(LIMIT_MS, page(skill(), "\"a/b c\""), page("", "null"));

        CHECK_INT(got.fault, SKILL_FAULT_NONE);
        CHECK(strstr(got.seen, "GET /sessions/s1/sandbox-skills?limit=50 HTTP/1.1\r\n"));
        CHECK(strstr(got.seen,
                     "GET /sessions/s1/sandbox-skills?limit=50&cursor=a%2Fb%20c HTTP/1.1\r\n"));
        CHECK_INT(count(got.seen, "uthorization: Bearer the-token\r\n"), 2);
    }
    TEST("S-393 to S-395: what is no page, or says one skill twice, is invalid") {
        CHECK_INT(FETCH(LIMIT_MS, answer("200 OK", "<html>")).fault, SKILL_FAULT_INVALID);
        CHECK_INT(FETCH(LIMIT_MS, answer("200 OK", "[]")).fault, SKILL_FAULT_INVALID);
        CHECK_INT(FETCH(LIMIT_MS, page("", "\"next\"")).fault, SKILL_FAULT_INVALID);
        CHECK_INT(FETCH(LIMIT_MS, page("", "\"\"")).fault, SKILL_FAULT_INVALID);
        CHECK_INT(FETCH(LIMIT_MS, page(skill(), "\"next\""), page(skill(), "null")).fault,
                  SKILL_FAULT_INVALID);
    }
}

int main(void)
{
    root_begin();
    signal(SIGPIPE, SIG_IGN);
    test_retries();
    test_pages();
    root_end();
    return check_done();
}
