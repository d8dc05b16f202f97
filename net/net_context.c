#include "net/net_context.h"

#include "common/cleanup.h"
#include "common/env.h"
#include "net/connection.h"
#include "net/net_context_private.h"

#include <mbedtls/platform.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>

/* Our own timers watch every phase; this one of libwebsockets' only has to be longer. */
#define LWS_PHASE_LIMIT_S 3600
#define LWS_HEADERS_MAX_BYTES (16 * 1024)

/* libwebsockets sizes tables by RLIMIT_NOFILE, which may be a million, unless told a number. */
#define LWS_DESCRIPTORS_MAX 64

static const struct lws_protocols protocols[] = {
    {.name = NET_PROTOCOL_NAME,
     .callback = connection_on_lws,
     .rx_buffer_size = NET_SERVICE_BUFFER_BYTES},
    LWS_PROTOCOL_LIST_TERM,
};

static void fill_info(struct lws_context_creation_info *info)
{
    *info = (struct lws_context_creation_info){
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
        .count_threads = 1,
        .fd_limit_per_thread = LWS_DESCRIPTORS_MAX,
        .pt_serv_buf_size = NET_SERVICE_BUFFER_BYTES,
        .max_http_header_data2 = LWS_HEADERS_MAX_BYTES,
        .timeout_secs = LWS_PHASE_LIMIT_S,
        .connect_timeout_secs = LWS_PHASE_LIMIT_S,
        /* No proxy, not even that of http_proxy. */
        .http_proxy_address = ":0",
    };
}

struct net_context *net_context_new(uv_loop_t *loop, struct err *err)
{
    struct net_context *context = calloc(1, sizeof(*context));
    struct lws_context_creation_info info;
    void *loops[] = {loop};

    if (!context) {
        err_set(err, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    /* It would write to stderr on its own; what matters reaches us as an error. */
    lws_set_log_level(0, NULL);
    proxy_settings_read(&context->proxies);
    trust_locate(env_get("SSL_CERT_FILE"), env_get("SSL_CERT_DIR"), &context->trust_place);
    fill_info(&info);
    info.foreign_loops = loops;
    info.pcontext = &context->lws;
    context->loop = loop;
    context->lws = lws_create_context(&info);
    if (!context->lws) {
        err_set(err, ERR_INTERNAL, "libwebsockets does not start (no memory or descriptors?)");
        free(context);
        return NULL;
    }
    net_timers_init(&context->timers, loop);
    return context;
}

static int open_way(struct net_context *context, enum net_route route, struct err *err)
{
    static const char *const names[] = {
        [NET_ROUTE_DIRECT] = "direct",
        [NET_ROUTE_HTTP_PROXY] = "http-proxy",
        [NET_ROUTE_HTTPS_PROXY] = "https-proxy",
    };
    struct lws_context_creation_info info;

    _Static_assert(ARRAY_LENGTH(names) == NET_ROUTE_COUNT, "a route has no name");
    fill_info(&info);
    /* Without this option the vhost gets no TLS now. */
    info.options &= ~(uint64_t)LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    info.vhost_name = names[route];
    context->ways[route].vhost = lws_create_vhost(context->lws, &info);
    if (!context->ways[route].vhost)
        return err_set(err, ERR_NO_MEMORY, "libwebsockets: no memory");
    return 0;
}

struct candidates {
    mbedtls_x509_crt *list;
    bool has_failed; /* no memory */
};

static void on_candidate(void *user, const unsigned char *der, size_t len)
{
    struct candidates *candidates = user;

    if (!candidates->list) {
        candidates->list = mbedtls_calloc(1, sizeof(*candidates->list));
        if (!candidates->list) {
            candidates->has_failed = true;
            return;
        }
        mbedtls_x509_crt_init(candidates->list);
    }
    /* One that cannot be parsed leaves the list as it was: bundles in the wild hold such. */
    mbedtls_x509_crt_parse_der(candidates->list, der, len);
}

/* The callback of mbed TLS for who may have signed `child`; it frees the list. */
static int on_authorities(void *user, const mbedtls_x509_crt *child, mbedtls_x509_crt **list)
{
    struct net_context *context = user;
    struct candidates candidates = {0};

    trust_find(&context->trust, child->issuer_raw.p, child->issuer_raw.len, on_candidate,
               &candidates);
    *list = candidates.list;
    return candidates.has_failed ? MBEDTLS_ERR_X509_ALLOC_FAILED : 0;
}

int net_context_prepare(struct net_context *context, enum net_route route, bool is_secure,
                        struct err *err)
{
    struct net_way *way = &context->ways[route];
    struct lws_context_creation_info info;

    if (!way->vhost && open_way(context, route, err) != 0)
        return -1;
    if (!is_secure || way->is_secure)
        return 0;
    if (context->trust.certificates.len == 0 &&
        trust_read(&context->trust, &context->trust_place, err) != 0)
        return -1;
    fill_info(&info);
    if (lws_init_vhost_client_ssl(&info, way->vhost) != 0)
        return err_set(err, ERR_NO_MEMORY, "TLS does not start: no memory");
    lws_tls_client_vhost_authorities(way->vhost, on_authorities, context);
    way->is_secure = true;
    return 0;
}

static void on_timers_closed(uv_handle_t *handle)
{
    struct net_timers *timers = handle->data;
    struct net_context *context =
        (struct net_context *)(void *)((char *)timers - offsetof(struct net_context, timers));
    net_context_closed_fn *on_closed = context->on_closed;
    void *user = context->user;

    trust_free(&context->trust);
    free(context);
    if (on_closed)
        on_closed(user);
}

/* On a foreign loop libwebsockets wants to be told more than once: the first call closes its uv
 * handles, the one after their close callbacks frees the rest and sets our pointer to NULL. */
static void on_closing(struct net_timer *timer)
{
    struct net_context *context =
        (struct net_context *)(void *)((char *)timer - offsetof(struct net_context, closing));

    lws_context_destroy(context->lws);
    if (context->lws)
        net_timer_start(&context->timers, timer, 0, on_closing);
    else
        uv_close((uv_handle_t *)&context->timers.uv, on_timers_closed);
}

void net_context_close(struct net_context *context, net_context_closed_fn *on_closed, void *user)
{
    context->on_closed = on_closed;
    context->user = user;
    /* From the loop, for it must not happen inside a callback of libwebsockets. */
    net_timer_start(&context->timers, &context->closing, 0, on_closing);
}

const char *net_context_versions(void)
{
    return "libwebsockets " LWS_LIBRARY_VERSION ", " MBEDTLS_VERSION_STRING_FULL;
}
