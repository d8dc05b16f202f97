/*
 * Fuzzer of what strangers can put into the credential helper: git's question (a URL of a repository
 * decides what is in it) and the control plane's answer. An answer that is taken must come out as
 * exactly two lines and an empty one.
 */
#include "supervisor/credentials/credential_request.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX (4 * 1024 * 1024)

static size_t count(const char *text, char wanted)
{
    size_t found = 0;

    for (; *text; text++)
        found += *text == wanted;
    return found;
}

static void check_answer(const char *bytes, size_t size)
{
    struct credential credential;
    struct buf answer = BUF_INIT(ANSWER_MAX);

    if (credential_parse(bytes, size, &credential, NULL) < 0)
        return;
    credential_request_print_answer(&credential, &answer);
    if (buf_failed(&answer) || strlen(buf_text(&answer)) != answer.len ||
        count(buf_text(&answer), '\n') != 3 || strncmp(answer.data, "username=", 9) != 0 ||
        !strstr(answer.data, "\npassword=") || strcmp(answer.data + answer.len - 2, "\n\n") != 0)
        abort();
    credential_free(&credential);
    buf_free(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct credential_request request;
    const char *bytes = (const char *)data;

    if (credential_request_parse(bytes, size, &request, NULL) == 0) {
        if (credential_request_is_for(&request, "git.example") &&
            (!request.host || !strcasestr(request.host, "git.example")))
            abort();
        credential_request_free(&request);
    }
    check_answer(bytes, size);
    return 0;
}
