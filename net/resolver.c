#include "net/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct resolver_lookup {
    uv_getaddrinfo_t uv;
    resolver_fn *on_done; /* NULL: cancelled */
    void *user;
    char host[256];
};

bool resolver_knows(const char *host, struct resolver_addresses *addresses)
{
    static const struct resolver_addresses loopbacks = {.text = {"127.0.0.1", "::1"}, .count = 2};
    unsigned char address[sizeof(struct in6_addr)];

    if (strcasecmp(host, "localhost") == 0) {
        *addresses = loopbacks;
        return true;
    }
    if (inet_pton(AF_INET, host, address) != 1 && inet_pton(AF_INET6, host, address) != 1)
        return false;
    *addresses = (struct resolver_addresses){.count = 1};
    strcpy(addresses->text[0], host);
    return true;
}

static void collect(const struct addrinfo *found, struct resolver_addresses *addresses)
{
    for (; found && addresses->count < RESOLVER_ADDRESSES_MAX; found = found->ai_next) {
        char *text = addresses->text[addresses->count];
        const void *address = NULL;

        if (found->ai_family == AF_INET)
            address = &((const struct sockaddr_in *)(const void *)found->ai_addr)->sin_addr;
        else if (found->ai_family == AF_INET6)
            address = &((const struct sockaddr_in6 *)(const void *)found->ai_addr)->sin6_addr;
        if (address && inet_ntop(found->ai_family, address, text, INET6_ADDRSTRLEN))
            addresses->count++;
    }
}

static void describe(int status, const char *host, struct err *err)
{
    if (status == UV_EAI_NONAME || status == UV_EAI_NODATA)
        err_set(err, ERR_NOT_FOUND, "the host name %s is not known", host);
    else
        err_set(err, ERR_NETWORK, "looking up the host name %s failed: %s", host,
                uv_strerror(status));
}

static void on_looked_up(uv_getaddrinfo_t *uv, int status, struct addrinfo *found)
{
    struct resolver_lookup *lookup = uv->data;

    if (lookup->on_done) {
        struct resolver_addresses addresses = {0};
        struct err err = {0};

        if (status == 0)
            collect(found, &addresses);
        if (addresses.count == 0)
            describe(status == 0 ? UV_EAI_NODATA : status, lookup->host, &err);
        lookup->on_done(lookup->user, &addresses, addresses.count > 0 ? NULL : &err);
    }
    uv_freeaddrinfo(found);
    free(lookup);
}

struct resolver_lookup *resolver_start(uv_loop_t *loop, const char *host, resolver_fn *on_done,
                                       void *user, struct err *err)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct resolver_lookup *lookup = calloc(1, sizeof(*lookup));
    int status;

    if (!lookup) {
        err_set(err, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    if (strlen(host) >= sizeof(lookup->host)) {
        err_set(err, ERR_CONFIG, "the host name is longer than %zu characters",
                sizeof(lookup->host) - 1);
        free(lookup);
        return NULL;
    }
    strcpy(lookup->host, host);
    lookup->on_done = on_done;
    lookup->user = user;
    lookup->uv.data = lookup;
    status = uv_getaddrinfo(loop, &lookup->uv, on_looked_up, host, NULL, &hints);
    if (status != 0) {
        describe(status, host, err);
        free(lookup);
        return NULL;
    }
    return lookup;
}

void resolver_cancel(struct resolver_lookup *lookup)
{
    lookup->on_done = NULL;
    uv_cancel((uv_req_t *)&lookup->uv);
}
