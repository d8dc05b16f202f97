/*
 * Fuzzer of what the control plane sends: any bytes are parsed or refused without harm, prompts and
 * pushes have the texts that others rely on, and no push text holds the credential.
 */
#include "bridge/control_plane/command.h"
#include "bridge/push/push_request.h"
#include "common/json.h"
#include "common/redact.h"
#include "tests/fuzz/require.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 * 1024)
#define TOKEN "a-token-of-the-environment"

static void check_prompt(const cJSON *body)
{
    struct prompt_command prompt = command_prompt(body);

    require(prompt.message_id && *prompt.message_id && prompt.content);
    require(!prompt.model || *prompt.model);
}

static void check_push(const cJSON *body)
{
    static const struct push_fallbacks fallbacks = {.owner = "o", .name = "n", .token = TOKEN};
    AUTO_BUF struct buf clean = BUF_INIT(TEXT_MAX);
    struct push_request request;
    cJSON *event;

    if (push_request_parse(body, &fallbacks, &request) != 0)
        return;
    push_redact(&request, request.remote_url, &clean);
    /* The token of the command, else of the environment. The mask may make what looks like one. */
    if (strlen(request.token) >= REDACT_SECRET_MIN && !strchr(request.token, '*'))
        require(!strstr(buf_text(&clean), request.token));
    event = push_event(&request, push_request_check(&request).text, 1);
    require(json_get_string(event, "type") && json_get_string(event, "branchName"));
    cJSON_Delete(event);
    push_request_clear(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct command command;

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (command_parse(text, size, &command, NULL) == 0) {
        command_shows_current_contract(&command);
        check_prompt(command.body);
        check_push(command.body);
        command_clear(&command);
    }
    free(text);
    return 0;
}
