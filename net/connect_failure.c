#include "net/connect_failure.h"

#include "common/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 256

#define UNTRUSTED " is not signed by a trusted authority (SSL_CERT_FILE names the trusted ones)"
#define TOO_NEW " is not valid yet (or this machine's clock is wrong)"
#define NO_ANSWER " closed the connection without an answer"

static const struct {
    const char *contains; /* words of libwebsockets' texts, and of mbed TLS's in them */
    enum err_class class;
    const char *before; /* the host's name goes between these two */
    const char *after;
} meanings[] = {
    {"hostname", ERR_TLS, "the server's certificate is not for ", ""},
    {"Common Name (CN) does not match", ERR_TLS, "the server's certificate is not for ", ""},
    {"invalidca", ERR_TLS, "the certificate of ", UNTRUSTED},
    {"not correctly signed", ERR_TLS, "the certificate of ", UNTRUSTED},
    {"expired", ERR_TLS, "the certificate of ", " has expired (or this machine's clock is wrong)"},
    {"notyetvalid", ERR_TLS, "the certificate of ", TOO_NEW},
    {"in the future", ERR_TLS, "the certificate of ", TOO_NEW},
    {"no peer cert", ERR_TLS, "", " showed no certificate"},
    {"http_proxy -> 407", ERR_AUTH, "",
     " was not reached: the proxy wants another user and password (HTTP 407)"},
    {"http_proxy fail", ERR_PROTOCOL, "", " was not reached: the proxy does not answer in HTTP"},
    {"proxy conn dead", ERR_NETWORK, "", " was not reached: the proxy closed the connection"},
    {"Peer hung up", ERR_NETWORK, "", NO_ANSWER},
    {"read failed", ERR_NETWORK, "", NO_ANSWER},
    {"losed before", ERR_NETWORK, "", NO_ANSWER},
    {"problems parsing header", ERR_PROTOCOL, "", " does not answer in HTTP"},
    {"HS: ", ERR_PROTOCOL, "", " answered the WebSocket handshake wrongly"},
};

static const char proxy_mark[] = "http_proxy -> ";

static int errno_in(const char *text)
{
    static const char *const marks[] = {"conn fail: errno ", "conn fail: "};

    for (size_t i = 0; i < ARRAY_LENGTH(marks); i++) {
        if (strncmp(text, marks[i], strlen(marks[i])) == 0)
            return atoi(text + strlen(marks[i]));
    }
    return 0;
}

void connect_failure_describe(const char *text, size_t len, int sys, const char *host,
                              struct err *err)
{
    char copy[TEXT_MAX];

    snprintf(copy, sizeof(copy), "%.*s", (int)(len < TEXT_MAX ? len : TEXT_MAX - 1),
             text ? text : "");
    copy[strcspn(copy, "\r\n")] = '\0';
    if (errno_in(copy) != 0)
        sys = errno_in(copy);
    for (size_t i = 0; i < ARRAY_LENGTH(meanings); i++) {
        /* A refused connection also "closed before established": the errno says more. */
        if (meanings[i].class == ERR_NETWORK && sys != 0)
            continue;
        if (strstr(copy, meanings[i].contains)) {
            err_set(err, meanings[i].class, "%s%s%s", meanings[i].before, host, meanings[i].after);
            return;
        }
    }
    if (strncmp(copy, proxy_mark, strlen(proxy_mark)) == 0) {
        err_set(err, ERR_NETWORK, "%s was not reached: the proxy answered HTTP %s", host,
                copy + strlen(proxy_mark));
        return;
    }
    if (strstr(copy, "tls") || strstr(copy, "TLS") || strstr(copy, "ssl")) {
        err_set(err, ERR_TLS, "the TLS handshake with %s failed: %s", host, copy);
    } else if (sys != 0) {
        err_set(err, ERR_NETWORK, "%s", strerror(sys));
        if (err)
            err->sys = sys;
    } else if (*copy) {
        err_set(err, ERR_NETWORK, "%s", copy);
    } else {
        err_set(err, ERR_NETWORK, "no connection");
    }
}
