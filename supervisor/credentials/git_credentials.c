#include "supervisor/credentials/git_credentials.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "supervisor/credentials/credential_cache.h"
#include "supervisor/credentials/credential_provider.h"
#include "supervisor/credentials/credential_request.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_CHUNK 4096
#define ANSWER_MAX (128 * 1024)
#define REMARKS_MAX 4096

static const char *get_variable(void *user, const char *name)
{
    (void)user;
    return getenv(name);
}

static void say(const char *text)
{
    fprintf(stderr, "[%s] %s\n", GIT_CREDENTIALS_NAME, text);
}

/* All of standard input, so that git never meets a closed pipe. What is too long is dropped. */
static void read_input(struct buf *input)
{
    char rest[READ_CHUNK];

    for (;;) {
        ssize_t got = read(STDIN_FILENO, rest, sizeof rest);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        buf_append(input, rest, (size_t)got);
    }
    explicit_bzero(rest, sizeof rest);
}

/* Gets the credential; what there is to say is said. */
static int obtain(const struct credential_source *source, struct credential *credential)
{
    AUTO_BUF struct buf remarks = BUF_INIT(REMARKS_MAX);
    char directory[PATH_MAX];
    struct err err = {0};
    int result;

    credential_cache_choose_directory("", directory);
    result = credential_provider_get(source, directory, credential, &remarks, &err);
    if (remarks.len > 0) {
        remarks.data[remarks.len - 1] = '\0';
        say(buf_text(&remarks));
    }
    if (result < 0)
        say(err.text);
    return result;
}

static int put_out(const char *text, size_t len)
{
    if (file_write_all(STDOUT_FILENO, text, len) == 0)
        return 0;
    say("cannot write the answer: git is gone");
    return -1;
}

static int answer_git(const struct credential_source *source,
                      const struct credential_request *request)
{
    AUTO_CREDENTIAL struct credential credential = {0};
    struct buf answer = BUF_INIT(ANSWER_MAX);
    char text[REMARKS_MAX];
    int result;

    if (!source->host || !credential_request_is_for(request, source->host)) {
        snprintf(text, sizeof text, "not for %s://%s: only https://%s is served",
                 request->protocol ? request->protocol : "?", request->host ? request->host : "?",
                 source->host ? source->host : "?");
        say(text);
        return EXIT_SUCCESS; /* git asks its next helper */
    }
    if (obtain(source, &credential) < 0)
        return EXIT_FAILURE;
    credential_request_print_answer(&credential, &answer);
    result = buf_failed(&answer) ? -1 : put_out(answer.data, answer.len);
    buf_wipe(&answer);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_get(const struct credential_source *source, struct buf *input)
{
    struct credential_request request;
    struct err err;
    int status;

    if (buf_failed(input) ||
        credential_request_parse(buf_text(input), input->len, &request, &err) < 0) {
        say(buf_failed(input) ? "git's question is too long" : err.text);
        return EXIT_FAILURE;
    }
    status = answer_git(source, &request);
    credential_request_free(&request);
    return status;
}

/* git erases what the host refused: the next question must not get the same from the cache. */
static void run_erase(const struct credential_source *source, struct buf *input)
{
    struct credential_request request;
    struct credential_cache cache;
    char directory[PATH_MAX];

    if (source->kind != CREDENTIAL_BROKERED || buf_failed(input) ||
        credential_request_parse(buf_text(input), input->len, &request, NULL) < 0)
        return;
    credential_cache_choose_directory("", directory);
    if (request.password && credential_request_is_for(&request, source->host) &&
        credential_cache_open(&cache, directory, source->endpoint, NULL) == 0) {
        credential_cache_reject(&cache, request.password);
        credential_cache_close(&cache);
    }
    credential_request_free(&request);
}

int git_credentials_for_gh(struct credential *credential)
{
    struct credential_source source;
    int result = -1;

    *credential = (struct credential){0};
    if (!credential_source_serves_gh(get_variable, NULL))
        return -1;
    credential_source_read(&source, false, get_variable, NULL);
    result = obtain(&source, credential);
    credential_source_free(&source);
    return result;
}

/* S-244: whatever happens, gh goes on with what it has. */
static void run_gh_token(void)
{
    AUTO_CREDENTIAL struct credential credential = {0};

    if (git_credentials_for_gh(&credential) == 0)
        put_out(credential.password, strlen(credential.password));
}

/* For a person at a terminal; git never asks for it. */
static int print_help(void)
{
    say("git's credential helper: get, store or erase, as gitcredentials(7) has it, and gh-token.\n"
        "oi-supervisor makes it the credential.helper of the user's git configuration (git config "
        "--global).");
    return EXIT_SUCCESS;
}

int git_credentials_main(int count, char *const words[])
{
    bool legacy = count > 0 && strcmp(words[0], GIT_CREDENTIALS_LEGACY) == 0;
    const char *word = count > legacy ? words[legacy] : "get";
    struct credential_source source;
    struct buf input = BUF_INIT(CREDENTIAL_REQUEST_MAX);
    int status = EXIT_SUCCESS;

    if (strcmp(word, "--help") == 0)
        return print_help();
    signal(SIGPIPE, SIG_IGN);
    credential_source_read(&source, legacy, get_variable, NULL);
    if (strcmp(word, "gh-token") == 0) {
        if (!legacy) /* S-105: there is nobody to be asked */
            run_gh_token();
    } else {
        read_input(&input);
        if (strcmp(word, "get") == 0)
            status = run_get(&source, &input);
        else if (strcmp(word, "erase") == 0)
            run_erase(&source, &input);
    }
    buf_wipe(&input);
    credential_source_free(&source);
    return status;
}
