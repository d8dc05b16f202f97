#include "git/git_error.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/redact.h"
#include "git/ca_bundle.h"
#include "git/socket_stream.h"

#include <git2.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* mbedTLS's bits of a rejected certificate, as libgit2 prints them ("... is invalid: 0x08 - ..."). */
enum {
    CERTIFICATE_EXPIRED = 0x01,
    CERTIFICATE_REVOKED = 0x02,
    CERTIFICATE_OTHER_HOST = 0x04,
    CERTIFICATE_NOT_TRUSTED = 0x08,
    CERTIFICATE_FUTURE = 0x0200,
};

enum {
    HTTP_FORBIDDEN = 403,
    HTTP_NOT_FOUND = 404,
    HTTP_PROXY = 407,
    HTTP_TOO_MANY = 429,
    HTTP_SERVER_ERROR = 500,
};

static const char *last_message(void)
{
    const git_error *last = git_error_last();

    return last && last->message ? last->message : "no reason given";
}

static int last_class(void)
{
    const git_error *last = git_error_last();

    return last ? last->klass : GIT_ERROR_NONE;
}

/* The number after `prefix` in libgit2's message; 0 when it is not there. */
static unsigned long number_after(const char *message, const char *prefix)
{
    const char *found = strstr(message, prefix);

    return found ? strtoul(found + strlen(prefix), NULL, 0) : 0;
}

/* libgit2 adds strerror() to what it could not do; its own errno is gone by then. */
static int system_error_in(const char *message)
{
    static const int known[] = {ENOSPC, EDQUOT, EROFS, EACCES, EPERM, ENOMEM, EFBIG};

    for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
        if (strstr(message, strerror(known[i])))
            return known[i];
    return 0;
}

static enum err_class class_of(int code, int klass, int sys)
{
    if (sys)
        return sys == ENOMEM ? ERR_NO_MEMORY : ERR_IO;
    if (code == GIT_ENOTFOUND)
        return ERR_NOT_FOUND;
    if (code == GIT_EAUTH)
        return ERR_AUTH;
    if (code == GIT_TIMEOUT)
        return ERR_TIMEOUT;
    switch (klass) {
    case GIT_ERROR_NOMEMORY:
        return ERR_NO_MEMORY;
    case GIT_ERROR_OS:
    case GIT_ERROR_FILESYSTEM:
        return ERR_IO;
    case GIT_ERROR_NET:
        return ERR_NETWORK;
    case GIT_ERROR_SSL:
        return ERR_TLS;
    case GIT_ERROR_CONFIG:
    case GIT_ERROR_INVALID:
        return ERR_CONFIG;
    default:
        return ERR_PROTOCOL;
    }
}

/* Takes the credentials of URLs and the given secret out of the text. */
static void redact(struct err *err, const char *secret)
{
    AUTO_BUF struct buf clean = BUF_INIT(4 * ERR_TEXT_MAX);
    struct redact *secrets = redact_new();

    if (secrets)
        redact_add_secret(secrets, secret);
    redact_text(secrets, err->text, strlen(err->text), &clean);
    redact_free(secrets);
    snprintf(err->text, sizeof err->text, "%s", buf_text(&clean));
}

int git_error_to_err(int code, const char *doing, struct err *err)
{
    const char *message = last_message();
    int sys = system_error_in(message);

    if (!err)
        return -1;
    err_set(err, class_of(code, last_class(), sys), "%s", message);
    err->sys = sys;
    redact(err, NULL);
    if (sys == ENOSPC || sys == EDQUOT)
        err_add_context(err, "the disk is full");
    return doing ? err_add_context(err, "%s", doing) : -1;
}

static void explain_certificate(unsigned long bits, const char *host, struct err *err)
{
    AUTO_BUF struct buf text = BUF_INIT(ERR_TEXT_MAX);

    buf_printf(&text, "certificate of %s rejected:", host);
    if (bits & CERTIFICATE_NOT_TRUSTED)
        buf_printf(&text, " no CA of %s signed it, name a bundle that has its CA in SSL_CERT_FILE;",
                   ca_bundle_in_use());
    if (bits & CERTIFICATE_OTHER_HOST)
        buf_puts(&text, " it is for another host name;");
    if (bits & CERTIFICATE_EXPIRED)
        buf_puts(&text, " it has expired;");
    if (bits & CERTIFICATE_FUTURE)
        buf_puts(&text, " it is not valid yet (check the clock);");
    if (bits & CERTIFICATE_REVOKED)
        buf_puts(&text, " it was revoked;");
    if (text.len && text.data[text.len - 1] == ';')
        text.len--;
    else
        buf_printf(&text, " reason 0x%lx ", bits);
    err_set(err, ERR_TLS, "%.*s", (int)text.len, buf_text(&text));
}

static void explain_status(unsigned long status, const struct git_access *access, struct err *err)
{
    switch (status) {
    case HTTP_FORBIDDEN:
        err_set(err, ERR_AUTH,
                "the server forbids access to %s (HTTP 403): the token lacks the rights, or the "
                "organisation blocks it",
                access->url);
        return;
    case HTTP_NOT_FOUND:
        err_set(err, ERR_NOT_FOUND,
                "no repository at %s (HTTP 404): check owner and name, and that the token may "
                "see it",
                access->url);
        return;
    case HTTP_PROXY:
        err_set(err, ERR_AUTH, "the proxy wants credentials (HTTP 407)");
        return;
    default:
        err_set(err,
                status >= HTTP_SERVER_ERROR || status == HTTP_TOO_MANY ? ERR_NETWORK : ERR_PROTOCOL,
                "the server answered HTTP %lu at %s", status, access->url);
    }
}

static void explain_credentials(const struct git_network_context *context, struct err *err)
{
    if (context->no_credentials->class != ERR_NONE)
        *err = *context->no_credentials;
    else if (!context->gave_credentials)
        err_set(err, ERR_AUTH, "%s wants credentials, and there are none for it (HTTP 401)",
                context->host ? context->host : context->access->url);
    else if (!context->password[0])
        /* The user's name is the token then. */
        err_set(err, ERR_AUTH, "the server rejected the credentials (HTTP 401)");
    else
        err_set(err, ERR_AUTH,
                "the server rejected the credentials of user %s (HTTP 401): the token is wrong, "
                "expired, or for another host",
                context->username);
}

int git_network_error_to_err(int code, const struct git_network_context *context, struct err *err)
{
    const struct err *network = socket_stream_failure();
    const char *host = context->host ? context->host : "the server";
    const char *message = last_message();
    unsigned long certificate = number_after(message, "certificate is invalid: ");
    unsigned long status = number_after(message, "unexpected http status code: ");

    if (!err)
        return -1;
    if (network)
        *err = *network;
    else if (certificate)
        explain_certificate(certificate, host, err);
    else if (status)
        explain_status(status, context->access, err);
    else if (code == GIT_EAUTH && context->asked_credentials)
        explain_credentials(context, err);
    else if (strstr(message, "proxy authentication required"))
        err_set(err, ERR_AUTH,
                "the proxy wants a user and a password: put them into its URL (http.proxy or "
                "https_proxy)");
    else if (strstr(message, "EOF"))
        err_set(err, ERR_NETWORK, "%s closed the connection too early", host);
    else if (strstr(message, "invalid content-type"))
        err_set(err, ERR_PROTOCOL, "%s is no git repository: the server answered with a web page",
                context->access->url);
    else {
        git_error_to_err(code, NULL, err);
        if (err->class == ERR_TLS)
            err_add_context(err, "TLS with %s failed", host);
    }
    redact(err, context->password ? context->password : context->access->password);
    return -1;
}
