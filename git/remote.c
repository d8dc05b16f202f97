#include "git/remote.h"

#include "common/clock.h"
#include "git/ca_bundle.h"
#include "git/git_error.h"
#include "git/socket_stream.h"

#include <string.h>
#include <strings.h>

int remote_open(struct remote *remote, const struct git_access *access, git_repository *repository,
                git_remote *handle, struct err *err)
{
    *remote = (struct remote){.access = access, .repository = repository, .handle = handle};
    buf_init(&remote->text, REMOTE_TEXT_MAX);
    /* Other schemes than http are for tests (file://): neither TLS nor credentials there. */
    url_parse(access->url, &remote->wanted, NULL);
    url_parse(git_remote_url(handle), &remote->effective, NULL);
    return ca_bundle_load(repository, git_remote_url(handle), err);
}

void remote_close(struct remote *remote)
{
    git_remote_free(remote->handle);
    url_free(&remote->wanted);
    url_free(&remote->effective);
    buf_free(&remote->text);
}

int remote_error(const struct remote *remote, int code, struct err *err)
{
    struct git_network_context context = {
        .access = remote->access,
        .host = remote->effective.host,
        .asked_credentials = remote->asked_credentials,
        .gave_credentials = remote->gave_credentials,
        .username = remote->username,
        .password = remote->password,
        .no_credentials = &remote->no_credentials,
    };

    return git_network_error_to_err(code, &context, err);
}

void remote_report(struct remote *remote, const struct git_progress *progress)
{
    if (remote->access->on_progress &&
        progress_passes(&remote->throttle, progress, clock_monotonic_ms()))
        remote->access->on_progress(remote->access->user, progress);
}

/* url.*.insteadOf may lead to a mirror: the token is for the host it was given for. */
static bool may_have_credentials(const struct remote *remote)
{
    const struct url *wanted = &remote->wanted, *effective = &remote->effective;

    return wanted->host && effective->host && strcasecmp(wanted->host, effective->host) == 0 &&
           wanted->port == effective->port && strcmp(wanted->scheme, effective->scheme) == 0;
}

/* What the caller gave, or what is got now that it is needed (S-230). */
static int get_credentials(struct remote *remote)
{
    const struct git_access *access = remote->access;
    const char *name = access->username, *password = access->password;

    if (!password && (!access->get_credentials ||
                      access->get_credentials(access->credentials_user, &name, &password,
                                              &remote->no_credentials) < 0))
        return -1;
    remote->username = name ? name : GIT_DEFAULT_USERNAME;
    remote->password = password;
    return 0;
}

static int on_credentials(git_credential **out, const char *url, const char *username_from_url,
                          unsigned int allowed, void *user)
{
    struct remote *remote = user;

    (void)url, (void)username_from_url;
    remote->asked_credentials = true;
    /* A second question means that the first answer was wrong: asking for ever helps nobody. */
    if (remote->gave_credentials || !(allowed & GIT_CREDENTIAL_USERPASS_PLAINTEXT) ||
        !may_have_credentials(remote) || get_credentials(remote) < 0)
        return GIT_EAUTH;
    remote->gave_credentials = true;
    return git_credential_userpass_plaintext_new(out, remote->username, remote->password);
}

static int on_transfer(const git_indexer_progress *stats, void *user)
{
    struct remote *remote = user;
    bool resolving = stats->received_objects == stats->total_objects && stats->total_deltas;
    struct git_progress progress = {
        .phase = resolving ? GIT_PHASE_RESOLVING : GIT_PHASE_RECEIVING,
        .done = resolving ? stats->indexed_deltas : stats->received_objects,
        .total = resolving ? stats->total_deltas : stats->total_objects,
        .indexed = stats->indexed_objects,
        .bytes = stats->received_bytes,
    };

    remote_report(remote, &progress);
    return 0;
}

static int on_remote_text(const char *text, int len, void *user)
{
    struct remote *remote = user;

    /* A chatty remote must not push out what it said first: the rest is dropped. */
    if (len > 0 && remote->text.len + (size_t)len <= REMOTE_TEXT_MAX)
        buf_append(&remote->text, text, (size_t)len);
    return 0;
}

void remote_set_callbacks(struct remote *remote, git_remote_callbacks *callbacks)
{
    callbacks->credentials = on_credentials;
    callbacks->transfer_progress = on_transfer;
    callbacks->sideband_progress = on_remote_text;
    callbacks->payload = remote;
}

/* remote.*.pushUrl and url.*.pushInsteadOf hold for a push only. */
static void use_push_url(struct remote *remote)
{
    const char *push_url = git_remote_pushurl(remote->handle);

    if (!push_url)
        return;
    url_free(&remote->effective);
    url_parse(push_url, &remote->effective, NULL);
}

int remote_connect(struct remote *remote, git_direction direction, struct err *err)
{
    git_remote_connect_options options;
    struct git_progress progress = {.phase = GIT_PHASE_CONNECTING};
    int code;

    git_remote_connect_options_init(&options, GIT_REMOTE_CONNECT_OPTIONS_VERSION);
    remote_set_callbacks(remote, &options.callbacks);
    options.proxy_opts.type = GIT_PROXY_AUTO;
    /* Redirects within the host are followed even so (a renamed repository); to another host the
     * token must not travel. */
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    if (direction == GIT_DIRECTION_PUSH)
        use_push_url(remote);
    remote_report(remote, &progress);
    socket_stream_begin(&remote->access->limits);
    code = git_remote_connect_ext(remote->handle, direction, &options);
    return code < 0 ? remote_error(remote, code, err) : 0;
}
