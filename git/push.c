#include "git/push.h"

#include "git/auto_git2.h"
#include "git/git_error.h"
#include "git/library.h"
#include "git/push_refspec.h"
#include "git/remote.h"

#include <stdio.h>
#include <string.h>

/* libgit2 has one payload for all callbacks: `remote` is first, so that a pointer to the whole is
 * also what remote.c's callbacks expect. */
struct push {
    struct remote remote;
    const struct push_refspec *refspec;
    struct push_outcome *outcome;
    char reason[512]; /* why the remote refused; "" when it did not */
};

/* Of PUSH_TEXT_MAX, so that room is left for our own words. */
enum { REMOTE_SHARE_MAX = 4 * 1024 };

static int on_pack_progress(int stage, uint32_t current, uint32_t total, void *user)
{
    struct push *push = user;
    struct git_progress progress = {.phase = GIT_PHASE_PACKING, .done = current, .total = total};

    (void)stage;
    remote_report(&push->remote, &progress);
    return 0;
}

static int on_sent(unsigned int current, unsigned int total, size_t bytes, void *user)
{
    struct push *push = user;
    struct git_progress progress = {
        .phase = GIT_PHASE_SENDING, .done = current, .total = total, .bytes = bytes};

    remote_report(&push->remote, &progress);
    return 0;
}

/* What is about to change on the remote. */
static int on_negotiation(const git_push_update **updates, size_t count, void *user)
{
    struct push *push = user;

    if (count != 1)
        return 0;
    push->outcome->up_to_date = git_oid_equal(&updates[0]->src, &updates[0]->dst);
    if (!git_oid_is_zero(&updates[0]->dst))
        git_oid_tostr(push->outcome->commit, REPOSITORY_SHA_SIZE, &updates[0]->dst);
    return 0;
}

static int on_reference_status(const char *name, const char *status, void *user)
{
    struct push *push = user;

    (void)name;
    if (status)
        snprintf(push->reason, sizeof push->reason, "%s", *status ? status : "no reason given");
    return 0;
}

/* "remote: <line>" for each line the remote said; its carriage returns are progress, its escapes are
 * for a terminal. */
static void append_remote_text(struct buf *text, const struct buf *said)
{
    bool at_start = true;

    for (size_t i = 0; i < said->len && text->len < REMOTE_SHARE_MAX; i++) {
        char c = said->data[i];

        if (c == '\n' || c == '\r') {
            if (!at_start)
                buf_putc(text, '\n');
            at_start = true;
        } else if ((unsigned char)c >= ' ') {
            if (at_start)
                buf_puts(text, "remote: ");
            at_start = false;
            buf_putc(text, c);
        }
    }
    if (!at_start)
        buf_putc(text, '\n');
}

/* The remote's or our own refusal in git's words, which people and programs know. */
static int fail_rejected(struct push *push, const char *kind, const char *reason, const char *hint,
                         struct err *err)
{
    const struct push_refspec *refspec = push->refspec;
    struct buf *text = &push->outcome->text;

    push->outcome->rejected = true;
    append_remote_text(text, &push->remote.text);
    buf_printf(text, "! [%s] %s -> %s (%s)\n", kind,
               refspec->source[0] ? refspec->source : "(delete)", push_refspec_short(refspec),
               reason);
    buf_printf(text, "error: failed to push some refs to '%.*s'%s%s", PUSH_REF_MAX,
               push->remote.access->url, *hint ? "\nhint: " : "", hint);
    return err_set(err, ERR_PROTOCOL, "%s %s: %s", push_refspec_short(refspec), kind, reason);
}

static int explain_failure(struct push *push, int code, struct err *err)
{
    const git_error *last = git_error_last();

    if (code == GIT_ENONFASTFORWARD)
        return fail_rejected(push, "rejected",
                             last && strstr(last->message, "not present locally")
                                 ? "fetch first"
                                 : "non-fast-forward",
                             "the remote branch has commits that this one lacks; fetch and merge "
                             "or rebase, then push again",
                             err);
    if (push->reason[0])
        return fail_rejected(push, "remote rejected", push->reason, "", err);
    return remote_error(&push->remote, code, err);
}

static int send(struct push *push, struct err *err)
{
    AUTO_BUF struct buf text = BUF_INIT(3 * PUSH_REF_MAX);
    git_push_options options;
    git_strarray refspecs = {.count = 1};
    int code;

    git_push_options_init(&options, GIT_PUSH_OPTIONS_VERSION);
    push_refspec_print(push->refspec, &text);
    refspecs.strings = &text.data;
    remote_set_callbacks(&push->remote, &options.callbacks);
    options.callbacks.pack_progress = on_pack_progress;
    options.callbacks.push_transfer_progress = on_sent;
    options.callbacks.push_negotiation = on_negotiation;
    options.callbacks.push_update_reference = on_reference_status;
    options.proxy_opts.type = GIT_PROXY_AUTO;
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    code = git_remote_push(push->remote.handle, &refspecs, &options);
    if (code == 0 && !push->reason[0])
        return 0;
    return explain_failure(push, code, err);
}

/* `git push <url> main` means main:refs/heads/main, and HEAD the branch it is on. */
static int complete_destination(git_repository *repository, struct push_refspec *refspec,
                                struct err *err)
{
    AUTO_GIT(reference) git_reference *named = NULL, *resolved = NULL;
    int code;

    if (refspec->destination[0])
        return 0;
    code = git_reference_dwim(&named, repository, refspec->source);
    if (code == 0)
        code = git_reference_resolve(&resolved, named);
    if (code < 0 || strlen(git_reference_name(resolved)) >= PUSH_REF_MAX)
        return err_set(err, ERR_CONFIG, "src refspec %s does not match any", refspec->source);
    strcpy(refspec->destination, git_reference_name(resolved));
    return 0;
}

static int push_over(struct push *push, const struct git_access *access, git_repository *repository,
                     git_remote *handle, struct err *err)
{
    struct push_outcome *outcome = push->outcome;
    int result = -1;

    if (remote_open(&push->remote, access, repository, handle, err) == 0 &&
        remote_connect(&push->remote, GIT_DIRECTION_PUSH, err) == 0)
        result = send(push, err);
    if (result < 0 && !outcome->rejected)
        append_remote_text(&outcome->text, &push->remote.text);
    remote_close(&push->remote);
    return result;
}

static int push_from(const struct git_access *access, const char *path, const char *refspec,
                     bool force, struct push_outcome *outcome, struct err *err)
{
    AUTO_GIT(repository) git_repository *repository = NULL;
    struct push_refspec parsed;
    struct push push = {.refspec = &parsed, .outcome = outcome};
    git_remote *handle = NULL;
    int code;

    if (library_open(path, &repository, err) < 0 || push_refspec_parse(refspec, &parsed, err) < 0 ||
        complete_destination(repository, &parsed, err) < 0)
        return -1;
    parsed.force |= force;
    code = git_remote_create_anonymous(&handle, repository, access->url);
    if (code < 0)
        return git_error_to_err(code, "use the remote's URL", err);
    return push_over(&push, access, repository, handle, err);
}

int push_reference(const struct git_access *access, const char *path, const char *refspec,
                   bool force, struct push_outcome *outcome, struct err *err)
{
    struct err failure = {0};

    *outcome = (struct push_outcome){.text = BUF_INIT(PUSH_TEXT_MAX)};
    if (push_from(access, path, refspec, force, outcome, &failure) == 0)
        return 0;
    if (!outcome->rejected)
        buf_puts(&outcome->text, failure.text);
    if (err)
        *err = failure;
    return -1;
}

void push_outcome_free(struct push_outcome *outcome)
{
    buf_free(&outcome->text);
}
