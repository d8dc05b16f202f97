/*
 * One TLS connection by one of our libraries, as the tests of deps/patches want it.
 *     tls_probe git  URL CA_FILE               libgit2 asks for the refs
 *     tls_probe https HOST PORT CA_FILE        libwebsockets sends GET /
 * Prints "answer: ..." when a server answered over TLS (whatever it said), else "error: ..." with
 * the library's reason. Exits 0 in both cases.
 */
#include <git2.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_S 20

static int probe_git(const char *url, const char *ca_file)
{
    git_remote *remote = NULL;
    const git_error *error;

    git_libgit2_init();
    if (git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, ca_file, NULL) < 0 ||
        git_remote_create_detached(&remote, url) < 0 ||
        git_remote_connect(remote, GIT_DIRECTION_FETCH, NULL, NULL, NULL) < 0) {
        error = git_error_last();
        /* The test's server speaks no git: an answer that is not git's came over TLS all the same. */
        printf("%s: %s\n", error && error->klass == GIT_ERROR_HTTP ? "answer" : "error",
               error ? error->message : "no reason");
    } else {
        printf("answer: refs\n");
    }
    git_remote_free(remote);
    git_libgit2_shutdown();
    return 0;
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                  size_t len)
{
    int *done = lws_context_user(lws_get_context(wsi));

    (void)user;
    if (reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR) {
        printf("error: %.*s\n", in ? (int)len : 0, in ? (const char *)in : "");
        *done = 1;
    } else if (reason == LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP) {
        printf("answer: %u\n", lws_http_client_http_response(wsi));
        *done = 1;
        return -1;
    }
    return 0;
}

static int probe_https(const char *host, int port, const char *ca_file)
{
    static const struct lws_protocols protocols[] = {{.name = "probe", .callback = on_lws},
                                                     LWS_PROTOCOL_LIST_TERM};
    int done = 0;
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
        .client_ssl_ca_filepath = ca_file,
        .fd_limit_per_thread = 32,
        .timeout_secs = LIMIT_S,
        .user = &done,
    };
    struct lws_client_connect_info connect = {
        .address = "127.0.0.1",
        .host = host,
        .origin = host,
        .port = port,
        .path = "/",
        .method = "GET",
        .alpn = "http/1.1",
        .ssl_connection = LCCSCF_USE_SSL,
        .local_protocol_name = "probe",
    };

    lws_set_log_level(0, NULL);
    connect.context = lws_create_context(&info);
    if (!connect.context || !lws_client_connect_via_info(&connect))
        done = 1;
    while (!done && lws_service(connect.context, 0) >= 0)
        ;
    lws_context_destroy(connect.context);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "git") == 0)
        return probe_git(argv[2], argv[3]);
    if (argc == 5 && strcmp(argv[1], "https") == 0)
        return probe_https(argv[2], atoi(argv[3]), argv[4]);
    fprintf(stderr, "usage: tls_probe git URL CA_FILE | https HOST PORT CA_FILE\n");
    return 2;
}
