#include "bridge/identity/git_identity.h"

#include "bridge/control_plane/session_request.h"
#include "bridge/identity/prompt_author.h"
#include "bridge/identity/signer_path.h"
#include "bridge/identity/signing_config.h"
#include "bridge/manifest.h"
#include "bridge/worker_process.h"
#include "bridge/workspace.h"
#include "common/backoff.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/random.h"
#include "net/http_request.h"

#include <limits.h>
#include <stdlib.h>

#define STATUS_OK 200
#define STATUS_NOT_FOUND 404
#define ANSWER_MAX_BYTES ((size_t)64 * 1024)

/* A connection that breaks is no answer: within the limit it is asked again. A try may take all that
 * is left of it, for a control plane that starts cold is slow (B-910). */
#define RETRY_FIRST_MS 100
#define TRY_LEAST_MS 1000
#define RETRY_MOST_MS 2000
#define RETRY_JITTER_PERCENT 20

#define UNAVAILABLE_TEXT "Commit signing configuration unavailable"
#define TIMED_OUT_TEXT "Git signing configuration timed out"
#define FAILED_TEXT "Git signing configuration failed"
#define INVALID_MANIFEST_TEXT "Invalid repository manifest"
#define INVALID_AUTHOR_TEXT "Invalid prompt Git identity"

/* What the control plane is known to be. */
enum signing {
    SIGNING_UNKNOWN,
    SIGNING_ABSENT,
    SIGNING_PRESENT,
};

struct git_identity {
    uv_timer_t retry;
    struct git_identity_options options;
    enum signing signing;
    bool initialised; /* the checkouts have a configuration of ours */
    struct prompt_author author;
    struct http_request *fetch;
    struct backoff backoff;
    uint64_t fetch_until_ms;
    struct worker_process *worker;
    /* A worker is not stopped in the middle: the lock file of a config would stay. What is wanted
     * next waits for its end. */
    cJSON *next_input;
    bool is_stale;                 /* the worker's: nobody wants to know its end any more */
    bool optional;                 /* of the newest input: failures are logged only */
    git_identity_done_fn *on_done; /* NULL: nobody waits */
    void *user;
};

struct git_identity *git_identity_new(const struct git_identity_options *options)
{
    struct git_identity *self = calloc(1, sizeof *self);

    if (!self)
        return NULL;
    self->options = *options;
    uv_timer_init(options->loop, &self->retry);
    self->retry.data = self;
    return self;
}

/* A prompt without an author waited to hear whether this control plane has signing. */
static const char *prompt_error(const struct git_identity *self, const char *error)
{
    if (self->author.kind == PROMPT_AUTHOR_ABSENT)
        return self->signing == SIGNING_PRESENT ? INVALID_AUTHOR_TEXT : NULL;
    return self->optional ? NULL : error;
}

/* The end of a refresh. `detail` is for the log. */
static void finish(struct git_identity *self, const char *error, const char *detail)
{
    git_identity_done_fn *on_done = self->on_done;

    if (error)
        log_at(self->options.log, LOG_WARNING, "git.identity_error",
               LOG_STR("error_message", error), LOG_STR("detail", detail));
    else
        self->initialised = true;
    self->on_done = NULL;
    if (on_done)
        on_done(self->user, prompt_error(self, error));
}

/* ---- writing ---- */

static void start_worker(struct git_identity *self);

static void on_worker_done(void *user, const struct worker_process_end *end)
{
    struct git_identity *self = user;
    const char *error = json_get_string(end->result, "error");
    const char *detail = json_get_string(end->result, "detail");

    self->worker = NULL;
    if (self->next_input)
        start_worker(self);
    else if (self->is_stale)
        return;
    else if (json_get_bool(end->result, "ok", false))
        finish(self, NULL, NULL);
    else if (end->killed)
        finish(self, TIMED_OUT_TEXT, NULL);
    else
        finish(self, error ? error : FAILED_TEXT, detail ? detail : end->text);
}

/* With the next input, which is deleted. */
static void start_worker(struct git_identity *self)
{
    AUTO_JSON cJSON *input = TAKE_PTR(self->next_input);
    int checkouts = cJSON_GetArraySize(json_get_array(input, "checkouts"));
    const struct worker_process_options options = {
        .loop = self->options.loop,
        .log = self->options.log,
        .name = "git-config",
        .limit_ms = self->options.config_limit_ms * (uint64_t)checkouts,
        .kill_ms = self->options.kill_ms,
    };
    struct err err = {0};

    self->is_stale = false;
    self->worker = worker_process_start(&options, input, on_worker_done, self, &err);
    if (!self->worker)
        finish(self, FAILED_TEXT, err.text);
}

/* Takes both over. Returns true when there is something to do; finish() comes then. */
static bool write_config(struct git_identity *self, cJSON *checkouts, cJSON *changes, bool optional)
{
    cJSON *input;

    self->optional = optional;
    if (cJSON_GetArraySize(checkouts) == 0) {
        cJSON_Delete(checkouts);
        cJSON_Delete(changes);
        return false;
    }
    input = cJSON_CreateObject();
    json_put(input, "checkouts", checkouts);
    json_put(input, "changes", changes);
    json_add_bool(input, "optional", optional);
    cJSON_Delete(self->next_input);
    self->next_input = input;
    if (!self->worker)
        start_worker(self);
    return true;
}

/* ---- without signing ---- */

static bool write_identity(struct git_identity *self)
{
    /* The oldest contract knew one repository (B-950). */
    bool only_first = self->author.kind == PROMPT_AUTHOR_OLDER;

    return write_config(self,
                        workspace_checkouts(self->options.workspace, only_first ? 1 : INT_MAX),
                        signing_config_identity_changes(&self->author), true);
}

/* ---- with signing ---- */

static cJSON *list_checkouts(const struct manifest *manifest)
{
    cJSON *list = cJSON_CreateArray();

    for (size_t i = 0; i < manifest->count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateString(manifest->entries[i].path));
    return list;
}

/* A sandbox without a manifest has no repository that we know of. That is only an error when commits
 * have to be signed: a bridge that is started by hand would run no prompt at all (D-42, B-918). */
static void write_signing(struct git_identity *self, const struct signing_config *config)
{
    AUTO_MANIFEST struct manifest manifest = {0};
    char signer[PATH_MAX];
    struct err err = {0};

    self->optional = false;
    /* With signing on and nobody to sign, the agent could not commit at all. */
    if (config->enabled &&
        signer_path_prepare(self->options.bin_directory, self->options.temp_directory, signer,
                            sizeof signer, &err) != 0) {
        log_at(self->options.log, LOG_WARNING, "git.signer_missing", LOG_ERR(&err));
        finish(self, err.text, NULL);
        return;
    }
    if (manifest_read_strict(self->options.manifest_path, &manifest, &err) != 0 &&
        (config->enabled || err.class != ERR_NOT_FOUND)) {
        finish(self, INVALID_MANIFEST_TEXT, err.text);
        return;
    }
    if (!write_config(self, list_checkouts(&manifest),
                      signing_config_changes(config, &self->author, signer), false))
        finish(self, NULL, NULL);
}

static void on_answer(struct git_identity *self, const struct buf *body)
{
    AUTO_JSON cJSON *answer = json_parse(buf_text(body), body->len, NULL);
    struct signing_config config;
    struct err err = {0};

    if (!answer) {
        finish(self, UNAVAILABLE_TEXT, "the answer is no JSON");
        return;
    }
    self->signing = SIGNING_PRESENT;
    if (signing_config_read(answer, &config, &err) != 0)
        finish(self, err.text, NULL);
    else
        write_signing(self, &config);
}

static void on_absent(struct git_identity *self)
{
    self->signing = SIGNING_ABSENT;
    log_at(self->options.log, LOG_INFO, "git.signing_absent");
    if (self->author.kind == PROMPT_AUTHOR_ABSENT || !write_identity(self))
        finish(self, NULL, NULL);
}

static int ask(struct git_identity *self, struct err *err);

static void on_retry(uv_timer_t *timer)
{
    struct git_identity *self = timer->data;
    struct err err = {0};

    if (ask(self, &err) != 0)
        finish(self, UNAVAILABLE_TEXT, err.text);
}

/* A prompt waits, and there is time for one more question. */
static bool retry(struct git_identity *self, const struct err *err)
{
    uint64_t now = uv_now(self->options.loop);
    uint64_t wait_ms = backoff_next(&self->backoff, random_u32());

    if (!self->on_done || now + wait_ms >= self->fetch_until_ms)
        return false;
    log_at(self->options.log, LOG_INFO, "git.identity_retry", LOG_ERR(err));
    uv_timer_start(&self->retry, on_retry, wait_ms, 0);
    return true;
}

static void on_fetched(void *user, struct http_response *response, const struct err *err)
{
    struct git_identity *self = user;
    struct err why = {0};

    self->fetch = NULL;
    self->optional = false;
    if (!response && retry(self, err))
        return;
    if (response && response->status == STATUS_NOT_FOUND && self->signing == SIGNING_UNKNOWN) {
        on_absent(self);
    } else if (response && response->status >= STATUS_OK && response->status < 300) {
        on_answer(self, &response->body);
    } else {
        if (response)
            err_set(&why, ERR_PROTOCOL, "the control plane answered %d", response->status);
        finish(self, UNAVAILABLE_TEXT, response ? why.text : err->text);
    }
}

static int ask(struct git_identity *self, struct err *err)
{
    uint64_t now = uv_now(self->options.loop);
    /* A retry may come too late when the sandbox stood still. */
    uint64_t left_ms =
        self->fetch_until_ms > now + TRY_LEAST_MS ? self->fetch_until_ms - now : TRY_LEAST_MS;
    const struct session_request request = {
        .method = "GET",
        .control_plane = self->options.control_plane,
        .session_id = self->options.session_id,
        .token = self->options.token,
        .path = "/commit-signing",
        .max_body = ANSWER_MAX_BYTES,
        .limit_ms = left_ms,
    };

    self->fetch = session_request_start(self->options.net, &request, on_fetched, self, err);
    return self->fetch ? 0 : -1;
}

static int fetch(struct git_identity *self, struct err *err)
{
    self->backoff = (struct backoff){.first_ms = RETRY_FIRST_MS,
                                     .most_ms = RETRY_MOST_MS,
                                     .jitter_percent = RETRY_JITTER_PERCENT};
    self->fetch_until_ms = uv_now(self->options.loop) + self->options.fetch_limit_ms;
    return ask(self, err);
}

/* ---- when ---- */

void git_identity_initialise(struct git_identity *self)
{
    struct err err = {0};

    if (self->initialised || self->signing == SIGNING_ABSENT || self->fetch || self->on_done ||
        self->worker)
        return;
    prompt_author_clear(&self->author);
    if (fetch(self, &err) != 0)
        finish(self, UNAVAILABLE_TEXT, err.text);
}

/* Whether the author alone decides; then nothing else happens, and a fetch of the beginning goes on. */
static bool is_settled(const struct git_identity *self, enum prompt_author_kind kind,
                       enum git_identity_step *step)
{
    *step = GIT_IDENTITY_FAILED;
    if (kind == PROMPT_AUTHOR_INVALID)
        return true;
    if (kind == PROMPT_AUTHOR_ABSENT && self->signing == SIGNING_ABSENT)
        *step = GIT_IDENTITY_DONE;
    return kind == PROMPT_AUTHOR_ABSENT && self->signing != SIGNING_UNKNOWN;
}

static enum git_identity_step start(struct git_identity *self, struct err *err)
{
    bool is_older =
        self->author.kind == PROMPT_AUTHOR_MIDDLE || self->author.kind == PROMPT_AUTHOR_OLDER;
    struct err why = {0};

    if (is_older || self->signing == SIGNING_ABSENT)
        return write_identity(self) ? GIT_IDENTITY_STARTED : GIT_IDENTITY_DONE;
    if (fetch(self, &why) == 0)
        return GIT_IDENTITY_STARTED;
    log_at(self->options.log, LOG_WARNING, "git.identity_error", LOG_ERR(&why));
    if (self->author.kind == PROMPT_AUTHOR_ABSENT)
        return GIT_IDENTITY_DONE;
    err_set(err, ERR_NETWORK, UNAVAILABLE_TEXT);
    return GIT_IDENTITY_FAILED;
}

enum git_identity_step git_identity_refresh(struct git_identity *self, const cJSON *author,
                                            git_identity_done_fn *on_done, void *user,
                                            struct err *err)
{
    struct prompt_author wanted;
    enum git_identity_step step;

    prompt_author_read(author, &wanted);
    if (is_settled(self, wanted.kind, &step)) {
        prompt_author_clear(&wanted);
        if (step == GIT_IDENTITY_FAILED)
            err_set(err, ERR_PROTOCOL, INVALID_AUTHOR_TEXT);
        return step;
    }
    git_identity_cancel(self);
    prompt_author_clear(&self->author);
    self->author = wanted;
    step = start(self, err);
    /* A worker that cannot be started has finished already; so on_done is set last. */
    if (step == GIT_IDENTITY_STARTED && (self->fetch || self->worker)) {
        self->on_done = on_done;
        self->user = user;
        return step;
    }
    return step == GIT_IDENTITY_STARTED ? GIT_IDENTITY_DONE : step;
}

void git_identity_cancel(struct git_identity *self)
{
    http_request_cancel(self->fetch);
    uv_timer_stop(&self->retry);
    self->fetch = NULL;
    self->on_done = NULL;
    cJSON_Delete(self->next_input);
    self->next_input = NULL;
    self->is_stale = self->worker != NULL;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void git_identity_close(struct git_identity *self)
{
    if (!self)
        return;
    git_identity_cancel(self);
    worker_process_leave(self->worker);
    prompt_author_clear(&self->author);
    uv_close((uv_handle_t *)&self->retry, on_closed);
}
