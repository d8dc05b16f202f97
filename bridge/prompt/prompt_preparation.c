#include "bridge/prompt/prompt_preparation.h"

#include "bridge/control_plane/greeting.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>

#define WARNING_MAX_BYTES 128

struct prompt_preparation {
    struct prompt_preparation_options options;
    struct attachment_fetch *fetch;
    cJSON *held; /* warnings, until the identity is settled; NULL when there are none */
    bool identity_done;
    prompt_preparation_done_fn *on_done;
    void *user;
};

/* A prompt that fails at its identity says nothing of its attachments (B-313): they are fetched at the
 * same time, but what there is to tell waits. */
static void on_warning(void *user, cJSON *event)
{
    struct prompt_preparation *self = user;

    if (self->identity_done) {
        self->options.attachments.on_event(self->options.attachments.event_user, event);
        return;
    }
    if (!self->held)
        self->held = cJSON_CreateArray();
    cJSON_AddItemToArray(self->held, event);
}

static void settle_identity(struct prompt_preparation *self)
{
    AUTO_JSON cJSON *held = TAKE_PTR(self->held);
    cJSON *event;

    self->identity_done = true;
    while ((event = cJSON_DetachItemFromArray(held, 0)))
        on_warning(self, event);
}

/* B-703. */
static void warn_of_rejected(struct prompt_preparation *self, const struct prompt_command *prompt,
                             size_t rejected)
{
    cJSON *warning = cJSON_CreateObject();
    char text[WARNING_MAX_BYTES];

    log_at(self->options.attachments.log, LOG_WARNING, "prompt.invalid_attachments",
           LOG_STR("message_id", prompt->message_id), LOG_NUM("rejected_count", rejected));
    snprintf(text, sizeof text, "%zu invalid attachment(s) were skipped.", rejected);
    json_add_string(warning, "scope", "media");
    json_add_string(warning, "message", text);
    on_warning(self, greeting_warning_event(warning));
    cJSON_Delete(warning);
}

static void on_fetched(void *user)
{
    struct prompt_preparation *self = user;

    if (self->identity_done)
        self->on_done(self->user, NULL);
}

static void on_identity(void *user, const char *error)
{
    struct prompt_preparation *self = user;

    if (!error)
        settle_identity(self);
    if (error || attachment_fetch_is_done(self->fetch))
        self->on_done(self->user, error);
}

struct prompt_preparation *
prompt_preparation_start(const struct prompt_preparation_options *options,
                         const struct prompt_command *prompt, prompt_preparation_done_fn *on_done,
                         void *user, struct err *err)
{
    struct prompt_preparation *self = calloc(1, sizeof *self);
    struct attachment_fetch_options fetch = options->attachments;
    struct attachment_list list;
    enum git_identity_step step;

    if (!self) {
        err_set(err, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    *self = (struct prompt_preparation){.options = *options, .on_done = on_done, .user = user};
    step = git_identity_refresh(options->identity, prompt->author, on_identity, self, err);
    self->identity_done = step == GIT_IDENTITY_DONE;
    if (step == GIT_IDENTITY_FAILED) {
        free(self);
        return NULL;
    }
    attachment_list_read(prompt->attachments, &list);
    if (list.rejected > 0)
        warn_of_rejected(self, prompt, list.rejected);
    fetch.on_event = on_warning;
    fetch.event_user = self;
    self->fetch = attachment_fetch_start(&fetch, &list, on_fetched, self);
    if (!self->fetch) {
        prompt_preparation_free(self);
        err_set(err, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    return self;
}

bool prompt_preparation_is_done(const struct prompt_preparation *self)
{
    return self->identity_done && attachment_fetch_is_done(self->fetch);
}

struct prompt_upload *prompt_preparation_take_upload(struct prompt_preparation *self)
{
    struct prompt_upload *upload = prompt_upload_new();

    if (upload)
        attachment_fetch_move(self->fetch, upload);
    return upload;
}

void prompt_preparation_free(struct prompt_preparation *self)
{
    if (!self)
        return;
    git_identity_cancel(self->options.identity);
    attachment_fetch_free(self->fetch);
    cJSON_Delete(self->held);
    free(self);
}
