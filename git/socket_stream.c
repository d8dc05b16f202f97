#include "git/socket_stream.h"

#include "common/cleanup.h"
#include "common/clock.h"

#include <git2.h>
#include <git2/sys/stream.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT_TEXT_MAX = 16, HOST_TEXT_MAX = 256 };

/* See the header for why this is not passed around. */
static struct {
    struct git_limits limits;
    uint64_t begun_ms;
    bool failed;
    struct err failure;
} operation;

struct socket_stream {
    git_stream parent; /* first: libgit2 knows the stream by it */
    int fd;
    char host[HOST_TEXT_MAX];
    char port[PORT_TEXT_MAX];
};

void socket_stream_begin(const struct git_limits *limits)
{
    operation.limits = *limits;
    operation.begun_ms = clock_monotonic_ms();
    operation.failed = false;
    err_clear(&operation.failure);
}

const struct err *socket_stream_failure(void)
{
    return operation.failed ? &operation.failure : NULL;
}

/* Where a failure is written: the first one of an operation is the cause of the others. */
static struct err *failure_slot(void)
{
    if (operation.failed)
        return NULL;
    operation.failed = true;
    return &operation.failure;
}

/* Milliseconds that poll may wait when `limit_ms` bounds this wait: -1 for ever, 0 when the whole
 * operation has run out of time. */
static int wait_time(uint32_t limit_ms)
{
    uint64_t wait = limit_ms, spent = clock_monotonic_ms() - operation.begun_ms;
    uint32_t total = operation.limits.total_ms;

    if (total && spent >= total)
        return 0;
    if (total && (!wait || total - spent < wait))
        wait = total - spent;
    return wait ? (int)wait : -1;
}

static bool out_of_time(void)
{
    return operation.limits.total_ms &&
           clock_monotonic_ms() - operation.begun_ms >= operation.limits.total_ms;
}

static int fail_timeout(const struct socket_stream *stream, const char *what, uint32_t limit_ms)
{
    if (out_of_time())
        err_set(failure_slot(), ERR_TIMEOUT, "%s port %s: not finished within %u s", stream->host,
                stream->port, operation.limits.total_ms / 1000);
    else
        err_set(failure_slot(), ERR_TIMEOUT, "%s port %s %s for %g s", stream->host, stream->port,
                what, limit_ms / 1000.0);
    return GIT_TIMEOUT;
}

static int fail_network(const struct socket_stream *stream, const char *what, int sys)
{
    err_set_sys(failure_slot(), sys, "%s %s port %s", what, stream->host, stream->port);
    if (operation.failure.class == ERR_IO)
        operation.failure.class = ERR_NETWORK;
    return GIT_ERROR;
}

/* Waits for `events`; 0 when they came, else the errno (ETIMEDOUT for a limit). */
static int wait_for(int fd, short events, int wait_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    uint64_t until = clock_monotonic_ms() + (uint64_t)(wait_ms > 0 ? wait_ms : 0);

    if (wait_ms == 0)
        return ETIMEDOUT;
    for (;;) {
        int ready = poll(&poll_fd, 1, wait_ms);
        uint64_t now;

        if (ready > 0)
            return 0;
        if (ready == 0)
            return ETIMEDOUT;
        if (errno != EINTR)
            return errno;
        now = clock_monotonic_ms();
        if (wait_ms > 0 && now >= until)
            return ETIMEDOUT;
        if (wait_ms > 0)
            wait_ms = (int)(until - now);
    }
}

/* Connects to one address within `wait_ms`; returns the errno and leaves a descriptor in `fd`. */
static int connect_address(const struct addrinfo *address, int wait_ms, int *fd)
{
    socklen_t len = sizeof(int);
    int failure = 0;

    *fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                 address->ai_protocol);
    if (*fd < 0)
        return errno;
    if (connect(*fd, address->ai_addr, address->ai_addrlen) == 0)
        return 0;
    failure = errno;
    if (failure == EINPROGRESS) {
        failure = wait_for(*fd, POLLOUT, wait_ms);
        if (!failure && getsockopt(*fd, SOL_SOCKET, SO_ERROR, &failure, &len) < 0)
            failure = errno;
    }
    if (failure) {
        close(*fd);
        *fd = -1;
    }
    return failure;
}

/* Tries the addresses in order. The limit is shared out, so that a dead IPv6 route does not eat the
 * time of the IPv4 address after it. */
static int connect_any(const struct addrinfo *addresses, int *fd)
{
    const struct addrinfo *address;
    int left = 0, failure = EADDRNOTAVAIL;
    uint64_t until = clock_monotonic_ms() + operation.limits.connect_ms;

    for (address = addresses; address; address = address->ai_next)
        left++;
    for (address = addresses; address; address = address->ai_next, left--) {
        uint64_t now = clock_monotonic_ms();
        uint32_t share = 0;

        if (operation.limits.connect_ms)
            share = now < until ? (uint32_t)((until - now) / (uint64_t)left) + 1 : 1;
        failure = connect_address(address, wait_time(share), fd);
        if (!failure)
            break;
    }
    return failure;
}

static int fail_resolve(const struct socket_stream *stream, int code)
{
    const char *why = code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code);

    err_set(failure_slot(), ERR_NETWORK,
            "cannot find the address of host %s: %s (check the host name and the sandbox's DNS)",
            stream->host, why);
    return GIT_ERROR;
}

static int on_connect(git_stream *base)
{
    struct socket_stream *stream = (struct socket_stream *)base;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    struct addrinfo *addresses = NULL;
    int failure = getaddrinfo(stream->host, stream->port, &hints, &addresses);

    if (failure)
        return fail_resolve(stream, failure);
    failure = connect_any(addresses, &stream->fd);
    freeaddrinfo(addresses);
    if (failure == ETIMEDOUT)
        return fail_timeout(stream, "accepted no connection", operation.limits.connect_ms);
    if (failure)
        return fail_network(stream, "cannot connect to", failure);
    return 0;
}

static ssize_t on_read(git_stream *base, void *data, size_t len)
{
    struct socket_stream *stream = (struct socket_stream *)base;

    for (;;) {
        ssize_t got;
        int failure;

        /* A peer that dribbles never waits long, so the whole limit is looked at each time. */
        if (out_of_time())
            return fail_timeout(stream, "", 0);
        got = recv(stream->fd, data, len, 0);
        if (got >= 0)
            return got;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return fail_network(stream, "lost the connection to", errno);
        failure = wait_for(stream->fd, POLLIN, wait_time(operation.limits.stall_ms));
        if (failure == ETIMEDOUT)
            return fail_timeout(stream, "sent nothing", operation.limits.stall_ms);
        if (failure)
            return fail_network(stream, "lost the connection to", failure);
    }
}

static ssize_t on_write(git_stream *base, const char *data, size_t len, int flags)
{
    struct socket_stream *stream = (struct socket_stream *)base;

    (void)flags;
    for (;;) {
        ssize_t sent;
        int failure;

        if (out_of_time())
            return fail_timeout(stream, "", 0);
        sent = send(stream->fd, data, len, MSG_NOSIGNAL);
        if (sent >= 0)
            return sent;
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return fail_network(stream, "lost the connection to", errno);
        failure = wait_for(stream->fd, POLLOUT, wait_time(operation.limits.stall_ms));
        if (failure == ETIMEDOUT)
            return fail_timeout(stream, "took nothing", operation.limits.stall_ms);
        if (failure)
            return fail_network(stream, "lost the connection to", failure);
    }
}

static int on_close(git_stream *base)
{
    struct socket_stream *stream = (struct socket_stream *)base;

    if (stream->fd >= 0)
        close(take_fd(&stream->fd));
    return 0;
}

static void on_free(git_stream *base)
{
    on_close(base);
    free(base);
}

static int on_new_stream(git_stream **out, const char *host, const char *port)
{
    struct socket_stream *stream = calloc(1, sizeof *stream);

    if (!stream) {
        err_set(failure_slot(), ERR_NO_MEMORY, "out of memory for a connection");
        return GIT_ERROR;
    }
    if (strlen(host) >= sizeof stream->host || strlen(port) >= sizeof stream->port) {
        err_set(failure_slot(), ERR_CONFIG, "the URL's host name or port is too long");
        free(stream);
        return GIT_ERROR;
    }
    strcpy(stream->host, host);
    strcpy(stream->port, port);
    stream->fd = -1;
    stream->parent.version = GIT_STREAM_VERSION;
    stream->parent.connect = on_connect;
    stream->parent.read = on_read;
    stream->parent.write = on_write;
    stream->parent.close = on_close;
    stream->parent.free = on_free;
    *out = &stream->parent;
    return 0;
}

int socket_stream_register(struct err *err)
{
    git_stream_registration registration = {.version = GIT_STREAM_VERSION, .init = on_new_stream};

    if (git_stream_register(GIT_STREAM_STANDARD, &registration) < 0)
        return err_set(err, ERR_INTERNAL, "libgit2 does not take our sockets");
    return 0;
}
