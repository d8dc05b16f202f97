#include "bridge/push/push_worker_process.h"

#include "bridge/worker_process.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

#define MS_PER_SECOND 1000.0

/* The worker ends itself at its limit, with a better text; this is for one that hangs. */
#define GRACE_MS 1000

struct push_worker_process {
    struct worker_process *worker;
    push_worker_done_fn *on_done;
    void *user;
    uint64_t limit_ms;
};

static void on_worker_done(void *user, const struct worker_process_end *end)
{
    struct push_worker_process *self = user;
    const char *class = json_get_string(end->result, "error_class");
    const char *error = json_get_string(end->result, "error");
    struct push_result result = {.limit_ms = self->limit_ms,
                                 .error = end->result ? (error ? error : "") : end->text};

    result.git_for = json_get_string(end->result, "git_for");
    result.ok = json_get_bool(end->result, "ok", false);
    /* The worker's other limits, connecting and stalling, have texts of their own. */
    result.timed_out = !result.ok && (end->killed || (class && strcmp(class, "timeout") == 0 &&
                                                      end->lasted_ms >= self->limit_ms));
    self->on_done(self->user, &result);
    free(self);
}

static cJSON *make_input(const struct push_worker_input *input)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *limits = cJSON_AddObjectToObject(object, "limits");

    json_add_string(object, "path", input->path);
    json_add_string(object, "remote_url", input->remote_url);
    json_add_string(object, "refspec", input->refspec);
    json_add_bool(object, "force", input->force);
    json_add_number(limits, "total_s", (double)input->limit_ms / MS_PER_SECOND);
    return object;
}

struct push_worker_process *push_worker_process_start(const struct push_worker_input *input,
                                                      push_worker_done_fn *on_done, void *user,
                                                      struct err *err)
{
    const struct worker_process_options options = {
        .loop = input->loop,
        .log = input->log,
        .name = "push",
        .limit_ms = input->limit_ms + GRACE_MS,
        .kill_ms = input->kill_ms,
        .kill_event = "git.push_kill",
    };
    struct push_worker_process *self = calloc(1, sizeof *self);
    AUTO_JSON cJSON *object = make_input(input);

    if (!self) {
        err_set(err, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    *self =
        (struct push_worker_process){.on_done = on_done, .user = user, .limit_ms = input->limit_ms};
    self->worker = worker_process_start(&options, object, on_worker_done, self, err);
    if (!self->worker) {
        err_add_context(err, "Push failed");
        free(self);
        return NULL;
    }
    return self;
}

void push_worker_process_close(struct push_worker_process *self)
{
    if (!self)
        return;
    worker_process_close(self->worker);
    free(self);
}
