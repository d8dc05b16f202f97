#include "bridge/opencode/message_pages.h"

#include "bridge/opencode/stored_messages.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

#define STATUS_OK 200

struct message_pages {
    struct opencode_api *api;
    char *session_id;
    struct message_pages_since since;
    message_pages_fn *on_done;
    void *user;
    struct http_request *request;
    cJSON *messages; /* oldest first */
    size_t bytes;
    unsigned limit;
    char before[HTTP_HEADER_MAX]; /* the cursor of the page that is being read */
};

static void free_pages(struct message_pages *pages)
{
    cJSON_Delete(pages->messages);
    free(pages->session_id);
    free(pages);
}

static void finish(struct message_pages *pages, int status, const struct err *err)
{
    cJSON *messages = err ? NULL : pages->messages;

    if (!err)
        pages->messages = NULL;
    pages->on_done(pages->user, messages, status, err);
    free_pages(pages);
}

static void fail(struct message_pages *pages, int status, const char *text)
{
    struct err err = {0};

    err_set(&err, ERR_PROTOCOL, "OpenCode answered %d - %s", status, text);
    finish(pages, status, &err);
}

static int read_page(struct message_pages *pages, struct err *err);
static void read_next(struct message_pages *pages);

/* Takes the page in front of what is there. False: reading has ended. */
static bool add_page(struct message_pages *pages, struct http_response *response)
{
    struct err err = {0};
    cJSON *page =
        stored_messages_parse(response->body.data, response->body.len, response->body_cut, &err);
    bool reaches;

    if (!page) {
        finish(pages, 0, &err);
        return false;
    }
    pages->bytes += stored_messages_prune(page);
    reaches = stored_messages_reach(page, pages->since.user_message_id, pages->since.wall_ms);
    pages->messages = stored_messages_join(page, pages->messages);
    if (!reaches && response->header[0] != '\0' && pages->bytes < MESSAGE_PAGES_MAX_BYTES &&
        cJSON_GetArraySize(pages->messages) < MESSAGE_PAGES_MAX)
        return true;
    finish(pages, 0, NULL);
    return false;
}

static void on_page(void *user, struct http_response *response, const struct err *err)
{
    struct message_pages *pages = user;

    pages->request = NULL;
    if (!response) {
        finish(pages, 0, err);
        return;
    }
    if (response->status != STATUS_OK) {
        fail(pages, response->status, buf_text(&response->body));
        return;
    }
    if (response->body_cut && pages->limit > 1) {
        pages->limit = 1;
        read_next(pages);
        return;
    }
    if (!add_page(pages, response))
        return;
    strcpy(pages->before, response->header);
    pages->limit = pages->limit < MESSAGE_PAGE_MOST ? 2 * pages->limit : MESSAGE_PAGE_MOST;
    read_next(pages);
}

static int read_page(struct message_pages *pages, struct err *err)
{
    const struct opencode_page page = {
        .limit = pages->limit,
        .before = pages->before,
        .max_body = pages->limit == 1 ? MESSAGE_MAX_BYTES : MESSAGE_PAGE_MAX_BYTES,
    };

    pages->request =
        opencode_get_messages(pages->api, pages->session_id, &page, on_page, pages, err);
    return pages->request ? 0 : -1;
}

static void read_next(struct message_pages *pages)
{
    struct err err = {0};

    if (read_page(pages, &err) != 0)
        finish(pages, 0, &err);
}

struct message_pages *message_pages_read(struct opencode_api *api, const char *session_id,
                                         const struct message_pages_since *since,
                                         message_pages_fn *on_done, void *user, struct err *err)
{
    struct message_pages *pages = calloc(1, sizeof *pages);

    if (!pages || !(pages->session_id = strdup(session_id))) {
        free(pages);
        err_set(err, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    pages->api = api;
    pages->since = *since;
    pages->on_done = on_done;
    pages->user = user;
    pages->limit = MESSAGE_PAGE_FIRST;
    if (read_page(pages, err) != 0) {
        free_pages(pages);
        return NULL;
    }
    return pages;
}

void message_pages_cancel(struct message_pages *pages)
{
    if (!pages)
        return;
    http_request_cancel(pages->request);
    free_pages(pages);
}
