#include "bridge/attachments/attachment_fetch.h"

#include "bridge/control_plane/addresses.h"
#include "bridge/control_plane/greeting.h"
#include "bridge/control_plane/session_request.h"
#include "common/json.h"
#include "net/http_request.h"

#include <stdio.h>
#include <stdlib.h>

#define AT_A_TIME 2 /* B-710 */
#define STATUS_OK 200
#define WARNING_MAX_BYTES 2048

struct download {
    struct attachment_fetch *fetch;
    struct attachment attachment;
    struct http_request *request;
    struct spool spool;
    int status;       /* of the answer, when it had a body; or 0 */
    const char *mime; /* what it is; NULL: not fetched */
};

struct attachment_fetch {
    struct attachment_fetch_options options;
    struct download downloads[ATTACHMENTS_MAX];
    size_t count;
    size_t started;
    size_t settled;
    bool starting; /* inside attachment_fetch_start() */
    attachment_fetch_done_fn *on_done;
    void *user;
};

static void start_more(struct attachment_fetch *fetch);

/* "Attachment <name> <why>" */
static void warn_user(struct attachment_fetch *fetch, const char *name, const char *why)
{
    cJSON *warning = cJSON_CreateObject();
    char text[WARNING_MAX_BYTES];

    snprintf(text, sizeof text, "Attachment %s %s", name, why);
    json_add_string(warning, "scope", "media");
    json_add_string(warning, "message", text);
    fetch->options.on_event(fetch->options.event_user, greeting_warning_event(warning));
    cJSON_Delete(warning);
}

static void log_failure(const struct download *download, const struct http_response *response,
                        const struct err *err)
{
    struct log *log = download->fetch->options.log;
    const char *id = download->attachment.id;
    int status = response ? response->status : download->status;

    if (status != 0 && status != STATUS_OK)
        log_at(log, LOG_WARNING, "attachments.http_status", LOG_STR("attachment_id", id),
               LOG_NUM("status", status));
    else if (err && err->class == ERR_LIMIT)
        log_at(log, LOG_WARNING, "attachments.too_large", LOG_STR("attachment_id", id),
               LOG_NUM("max_bytes", ATTACHMENT_MAX_BYTES));
    else if (err)
        log_at(log, LOG_WARNING, "attachments.download_error", LOG_STR("attachment_id", id),
               LOG_ERR(err));
}

static void give_up(struct download *download, const char *why)
{
    log_at(download->fetch->options.log, LOG_WARNING, "attachments.fetch_failed",
           LOG_STR("attachment_name", download->attachment.name),
           LOG_STR("attachment_id", download->attachment.id));
    warn_user(download->fetch, download->attachment.name, why);
    spool_close(&download->spool);
}

/* The whole body is in the spool. */
static void take(struct download *download)
{
    const struct attachment *attachment = &download->attachment;
    struct log *log = download->fetch->options.log;

    /* The model's provider refuses an image that is not what its type says: the bytes decide. */
    download->mime = image_type_detect(download->spool.head, download->spool.head_len);
    if (!download->mime) {
        log_at(log, LOG_WARNING, "attachments.no_image", LOG_STR("attachment_id", attachment->id),
               LOG_STR("mime_type", attachment->mime));
        give_up(download, "is no PNG, JPEG, GIF or WebP image and was skipped.");
        return;
    }
    log_at(log, LOG_INFO, "attachments.fetched", LOG_STR("attachment_name", attachment->name),
           LOG_STR("attachment_id", attachment->id), LOG_NUM("size_bytes", download->spool.bytes));
}

static void settle(struct download *download, const struct http_response *response,
                   const struct err *err)
{
    struct attachment_fetch *fetch = download->fetch;
    struct err why = {0};

    if (response && response->status == STATUS_OK && download->spool.bytes > 0 &&
        spool_finish(&download->spool, &why) == 0) {
        take(download);
    } else {
        log_failure(download, response, why.class ? &why : err);
        give_up(download, "could not be fetched and was skipped.");
    }
    fetch->settled++;
}

static void on_done(void *user, struct http_response *response, const struct err *err)
{
    struct download *download = user;
    struct attachment_fetch *fetch = download->fetch;

    download->request = NULL;
    settle(download, response, err);
    start_more(fetch);
    if (attachment_fetch_is_done(fetch) && !fetch->starting)
        fetch->on_done(fetch->user);
}

static int on_data(void *user, int status, const char *data, size_t len, struct err *err)
{
    struct download *download = user;

    download->status = status;
    if (status != STATUS_OK)
        return err_set(err, ERR_PROTOCOL, "the control plane answered %d", status);
    return spool_write(&download->spool, data, len, err);
}

static int start(struct download *download, struct err *err)
{
    const struct attachment_fetch_options *options = &download->fetch->options;
    const struct session_request request = {
        .method = "GET",
        .control_plane = options->control_plane,
        .session_id = options->session_id,
        .token = options->token,
        .path = "/attachments/",
        .id = download->attachment.id,
        .on_data = on_data,
        .max_body = ATTACHMENT_MAX_BYTES,
        .silence_limit_ms = options->limit_ms,
    };

    if (spool_open(&download->spool, options->directory, err) != 0)
        return -1;
    download->request = session_request_start(options->net, &request, on_done, download, err);
    return download->request ? 0 : -1;
}

static void start_more(struct attachment_fetch *fetch)
{
    while (fetch->started < fetch->count && fetch->started - fetch->settled < AT_A_TIME) {
        struct download *download = &fetch->downloads[fetch->started++];
        struct err err = {0};

        if (start(download, &err) != 0)
            settle(download, NULL, &err);
    }
}

struct attachment_fetch *attachment_fetch_start(const struct attachment_fetch_options *options,
                                                const struct attachment_list *list,
                                                attachment_fetch_done_fn *done, void *user)
{
    struct attachment_fetch *fetch = calloc(1, sizeof *fetch);

    if (!fetch)
        return NULL;
    fetch->options = *options;
    fetch->on_done = done;
    fetch->user = user;
    fetch->count = list->count;
    for (size_t i = 0; i < list->count; i++)
        fetch->downloads[i] =
            (struct download){.fetch = fetch, .attachment = list->items[i], .spool = {.fd = -1}};
    fetch->starting = true;
    start_more(fetch);
    fetch->starting = false;
    return fetch;
}

bool attachment_fetch_is_done(const struct attachment_fetch *fetch)
{
    return fetch->settled == fetch->count;
}

void attachment_fetch_move(struct attachment_fetch *fetch, struct prompt_upload *upload)
{
    for (size_t i = 0; i < fetch->count; i++) {
        struct download *download = &fetch->downloads[i];

        if (download->mime && prompt_upload_add(upload, download->attachment.name, download->mime,
                                                &download->spool) != 0)
            give_up(download, "was skipped: out of memory.");
    }
}

void attachment_fetch_free(struct attachment_fetch *fetch)
{
    if (!fetch)
        return;
    for (size_t i = 0; i < fetch->count; i++) {
        http_request_cancel(fetch->downloads[i].request);
        spool_close(&fetch->downloads[i].spool);
    }
    free(fetch);
}
