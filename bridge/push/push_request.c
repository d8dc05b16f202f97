#include "bridge/push/push_request.h"

#include "bridge/loose_text.h"
#include "common/json.h"
#include "common/redact.h"
#include "common/wtf8.h"

#include <stdlib.h>
#include <string.h>

#define REMOTE_TEXT_MAX_BYTES ((size_t)8 * 1024)
/* Before it is cut: a worker's line is at most this long. */
#define REDACTED_MAX_BYTES ((size_t)256 * 1024)
#define URL_MAX_BYTES 4096

#define OLDER_HOST "github.com"
#define OLDER_USER "x-access-token"

static char *older_refspec(const char *branch)
{
    AUTO_BUF struct buf text = BUF_INIT(URL_MAX_BYTES);

    buf_printf(&text, "HEAD:refs/heads/%s", branch);
    return buf_take(&text);
}

/* `credentials` is "" or "user:password@". */
static char *older_url(const char *credentials, const char *owner, const char *name)
{
    AUTO_BUF struct buf text = BUF_INIT(URL_MAX_BYTES);

    buf_printf(&text, "https://%s" OLDER_HOST "/%s/%s.git", credentials, owner, name);
    return buf_take(&text);
}

/* Truthiness, as the older implementations had it (B-801). */
static bool is_truthy(const cJSON *value)
{
    if (!value || cJSON_IsNull(value) || cJSON_IsFalse(value))
        return false;
    if (cJSON_IsNumber(value))
        return value->valuedouble != 0;
    if (cJSON_IsString(value))
        return *value->valuestring != '\0';
    return cJSON_IsTrue(value) || cJSON_GetArraySize(value) > 0;
}

static bool is_whole(const struct push_request *request)
{
    return request->branch && request->owner && request->name && request->refspec &&
           request->remote_url && request->redacted_remote_url && request->token;
}

static void parse_spec(const cJSON *spec, struct push_request *request)
{
    request->has_spec = cJSON_IsObject(spec);
    request->branch = loose_text(spec, "targetBranch");
    request->owner = loose_text(spec, "repoOwner");
    request->name = loose_text(spec, "repoName");
    request->refspec = loose_text(spec, "refspec");
    request->remote_url = loose_text(spec, "remoteUrl");
    request->redacted_remote_url = loose_text(spec, "redactedRemoteUrl");
    request->token = strdup("");
    request->force = is_truthy(json_get(spec, "force"));
}

/* The member, else the fall-back, else "". */
static char *text_or(const cJSON *command, const char *key, const char *fallback)
{
    char *text = loose_text(command, key);

    if (!text || *text || !fallback)
        return text;
    free(text);
    return strdup(fallback);
}

/* B-840, B-843: always forced, always github.com. */
static void parse_older(const cJSON *command, const struct push_fallbacks *fallbacks,
                        struct push_request *request)
{
    AUTO_BUF struct buf credentials = BUF_INIT(URL_MAX_BYTES);

    request->older_contract = true;
    request->force = true;
    request->branch = loose_text(command, "branchName");
    request->owner = text_or(command, "repoOwner", fallbacks->owner);
    request->name = text_or(command, "repoName", fallbacks->name);
    request->token = text_or(command, "githubToken", fallbacks->token);
    request->token_source = json_get_nonempty(command, "githubToken") ? "fresh from command"
                            : fallbacks->token                        ? "from env"
                                                                      : "none";
    if (!request->branch || !request->owner || !request->name || !request->token)
        return;
    buf_printf(&credentials, OLDER_USER ":%s@", request->token);
    request->refspec = older_refspec(request->branch);
    request->redacted_remote_url = older_url("", request->owner, request->name);
    request->remote_url = older_url(buf_text(&credentials), request->owner, request->name);
}

int push_request_parse(const cJSON *command, const struct push_fallbacks *fallbacks,
                       struct push_request *request)
{
    const cJSON *spec = json_get(command, "pushSpec");

    *request = (struct push_request){0};
    if (!spec && json_get(command, "branchName"))
        parse_older(command, fallbacks, request);
    else
        parse_spec(cJSON_IsObject(spec) ? spec : NULL, request);
    if (is_whole(request))
        return 0;
    push_request_clear(request);
    return -1;
}

void push_request_clear(struct push_request *request)
{
    free(request->branch);
    free(request->owner);
    free(request->name);
    free(request->refspec);
    free(request->remote_url);
    free(request->redacted_remote_url);
    free(request->token);
    *request = (struct push_request){0};
}

static struct push_refusal check_older(const struct push_request *request)
{
    if (!*request->token || !*request->owner || !*request->name)
        return (struct push_refusal){"Push failed - GitHub authentication token is required",
                                     "missing_token"};
    return (struct push_refusal){0};
}

struct push_refusal push_request_check(const struct push_request *request)
{
    if (request->older_contract)
        return check_older(request);
    if (!request->has_spec)
        return (struct push_refusal){"Push failed - missing push specification",
                                     "missing_push_spec"};
    if (!*request->owner != !*request->name)
        return (struct push_refusal){
            "Push failed - pushSpec must carry both repoOwner and repoName",
            "partial_repo_identity"};
    if (!*request->branch)
        return (struct push_refusal){"Push failed - missing target branch",
                                     "missing_target_branch"};
    if (!*request->refspec || !*request->remote_url)
        return (struct push_refusal){"Push failed - invalid push specification",
                                     "invalid_push_spec"};
    return (struct push_refusal){0};
}

cJSON *push_event(const struct push_request *request, const char *error, double timestamp_s)
{
    cJSON *event = cJSON_CreateObject();

    json_add_string(event, "type", error ? "push_error" : "push_complete");
    json_add_string(event, "error", error);
    json_add_string(event, "branchName", request->branch);
    /* The older contract's events name no repository (B-844). */
    if (!request->older_contract) {
        json_add_string(event, "repoOwner", *request->owner ? request->owner : NULL);
        json_add_string(event, "repoName", *request->name ? request->name : NULL);
    }
    json_add_number(event, "timestamp", timestamp_s);
    return event;
}

/* Appends `text` with every `what` replaced. */
static void replace_all(const char *text, const char *what, const char *with, struct buf *out)
{
    size_t len = strlen(what);
    const char *found;

    while (len > 0 && (found = strstr(text, what))) {
        buf_append(out, text, (size_t)(found - text));
        buf_puts(out, with);
        text = found + len;
    }
    buf_puts(out, text);
}

/* The user part of the remote's URL, and the password alone: hosts echo either (D-44). */
static void add_credentials(const struct push_request *request, struct redact *redact)
{
    const char *start = strstr(request->remote_url, "://");
    const char *at = start ? strrchr(start, '@') : NULL;
    AUTO_BUF struct buf user = BUF_INIT(URL_MAX_BYTES);
    const char *colon;

    redact_add_secret(redact, request->token);
    if (!at)
        return;
    buf_append(&user, start + 3, (size_t)(at - start - 3));
    redact_add_secret(redact, buf_text(&user));
    colon = strchr(buf_text(&user), ':');
    if (colon)
        redact_add_secret(redact, colon + 1);
}

void push_redact(const struct push_request *request, const char *text, struct buf *out)
{
    static const char blanks[] = " \t\r\n\f\v";
    AUTO_BUF struct buf known = BUF_INIT(REDACTED_MAX_BYTES);
    AUTO_BUF struct buf clean = BUF_INIT(REDACTED_MAX_BYTES);
    struct redact *redact = redact_new();
    const char *start;
    size_t len;

    if (*request->remote_url && *request->redacted_remote_url)
        replace_all(text, request->remote_url, request->redacted_remote_url, &known);
    else
        buf_puts(&known, text);
    if (redact)
        add_credentials(request, redact);
    redact_text(redact, buf_text(&known), known.len, &clean);
    redact_free(redact);

    start = buf_text(&clean) + strspn(buf_text(&clean), blanks);
    len = strlen(start);
    while (len > 0 && strchr(blanks, start[len - 1]))
        len--;
    if (len > REMOTE_TEXT_MAX_BYTES)
        len = wtf8_cut(start, len, REMOTE_TEXT_MAX_BYTES);
    buf_append(out, start, len);
}
