#include "bridge/signer/git_sign.h"

#include "bridge/control_plane/session_request.h"
#include "bridge/identity/signer_path.h"
#include "bridge/loose_text.h"
#include "bridge/signer/sign_arguments.h"
#include "bridge/signer/ssh_format.h"
#include "common/cleanup.h"
#include "common/env.h"
#include "common/file.h"
#include "common/json.h"
#include "common/trim.h"
#include "net/net_context.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define STOCK_PROGRAM "/usr/bin/ssh-keygen"
#define LITERAL_KEY "key::"
#define FINGERPRINT_HEADER "X-Open-Inspect-Signing-Fingerprint"

#define KEY_MAX_BYTES ((size_t)16 * 1024)
#define PAYLOAD_MAX_BYTES ((size_t)1024 * 1024)
#define SIGNATURE_MAX_BYTES ((size_t)16 * 1024)
#define SIGNATURE_MODE 0644
#define LIMIT_MS 30000
#define STATUS_OK 200

/* What the control plane is asked, and its answer. */
struct signing {
    uv_loop_t loop;
    struct net_context *net;
    char *control_plane, *session_id;
    const char *token;
    char fingerprint[SSH_FINGERPRINT_SIZE];
    struct buf payload;
    struct buf signature;
    bool signed_well;
    struct err err;
};

bool git_sign_is_meant(const char *argv0)
{
    const char *slash = argv0 ? strrchr(argv0, '/') : NULL;

    return argv0 && strcmp(slash ? slash + 1 : argv0, SIGNER_NAME) == 0;
}

/* ---- what is needed ---- */

/* NULL when there is none. */
static char *read_session_id(void)
{
    const char *text = env_get("SESSION_CONFIG");
    AUTO_JSON cJSON *config = text ? json_parse(text, strlen(text), NULL) : NULL;
    char *id = loose_text(config, "sessionId");

    if (id && !*id) {
        free(id);
        id = loose_text(config, "session_id");
    }
    if (id && *id)
        return id;
    free(id);
    return NULL;
}

static int read_environment(struct signing *signing, struct err *err)
{
    signing->control_plane = trim_copy(env_get("CONTROL_PLANE_URL"));
    signing->token = env_get("SANDBOX_AUTH_TOKEN");
    signing->session_id = read_session_id();
    if (!signing->control_plane || !signing->token || !signing->session_id)
        return err_set(err, ERR_CONFIG, "Commit signing session configuration is unavailable");
    return 0;
}

static int read_key(struct signing *signing, const char *key, struct err *err)
{
    AUTO_BUF struct buf text = BUF_INIT(KEY_MAX_BYTES);

    if (strncmp(key, LITERAL_KEY, sizeof LITERAL_KEY - 1) == 0) {
        buf_puts(&text, key + sizeof LITERAL_KEY - 1);
    } else if (file_read(key, &text, err) != 0) {
        return err_add_context(err, "Commit signing key cannot be read");
    }
    if (buf_failed(&text) || ssh_key_fingerprint(buf_text(&text), signing->fingerprint) != 0)
        return err_set(err, ERR_CONFIG, "Commit signing key is no ssh-ed25519 public key");
    return 0;
}

static int read_payload(struct signing *signing, const char *path, struct err *err)
{
    signing->payload = BUF_INIT(PAYLOAD_MAX_BYTES);
    if (file_read(path, &signing->payload, err) != 0)
        return err_add_context(err, "Commit signing payload cannot be read");
    if (signing->payload.len == 0)
        return err_set(err, ERR_CONFIG, "Commit signing payload is empty");
    return 0;
}

/* ---- the control plane ---- */

static void check_answer(struct signing *signing, struct http_response *response)
{
    struct buf *body = &response->body;

    if (response->status != STATUS_OK) {
        err_set(&signing->err, ERR_PROTOCOL,
                "Commit signing was refused: the control plane answered %d", response->status);
    } else if (!ssh_signature_is_armoured(buf_text(body), body->len)) {
        err_set(&signing->err, ERR_PROTOCOL,
                "Commit signing failed: the control plane's answer is no SSH signature");
    } else {
        signing->signature = *body;
        *body = BUF_INIT(0);
        signing->signed_well = true;
    }
}

static void on_net_closed(void *user)
{
    struct signing *signing = user;

    /* A name look-up that cannot be stopped may be left; nobody waits for it. */
    uv_stop(&signing->loop);
}

static void on_answer(void *user, struct http_response *response, const struct err *err)
{
    struct signing *signing = user;

    if (response) {
        check_answer(signing, response);
    } else {
        signing->err = *err;
        err_add_context(&signing->err, "Commit signing failed");
    }
    net_context_close(signing->net, on_net_closed, signing);
}

static int ask(struct signing *signing, struct err *err)
{
    const struct net_header headers[] = {
        {"Content-Type", "application/octet-stream"},
        {FINGERPRINT_HEADER, signing->fingerprint},
    };
    const struct session_request request = {
        .method = "POST",
        .control_plane = signing->control_plane,
        .session_id = signing->session_id,
        .token = signing->token,
        .path = "/commit-signing",
        .headers = headers,
        .header_count = ARRAY_LENGTH(headers),
        .body = signing->payload.data,
        .body_len = signing->payload.len,
        .max_body = SIGNATURE_MAX_BYTES,
        .limit_ms = LIMIT_MS,
    };
    int status = uv_loop_init(&signing->loop);

    if (status != 0)
        return err_set(err, ERR_IO, "Commit signing failed: %s", uv_strerror(status));
    signing->net = net_context_new(&signing->loop, err);
    if (!signing->net)
        return err_add_context(err, "Commit signing failed");
    if (!session_request_start(signing->net, &request, on_answer, signing, &signing->err)) {
        err_add_context(&signing->err, "Commit signing failed");
        net_context_close(signing->net, on_net_closed, signing);
    }
    uv_run(&signing->loop, UV_RUN_DEFAULT);
    uv_loop_close(&signing->loop);
    if (signing->signed_well)
        return 0;
    *err = signing->err;
    return -1;
}

/* ---- the process ---- */

static int sign(struct signing *signing, const struct sign_arguments *arguments, struct err *err)
{
    char path[PATH_MAX];

    if ((size_t)snprintf(path, sizeof path, "%s.sig", arguments->buffer) >= sizeof path)
        return err_set(err, ERR_LIMIT, "Commit signing payload has too long a path");
    if (unlink(path) != 0 && errno != ENOENT)
        return err_set_sys(err, errno, "remove %s", path);
    if (read_environment(signing, err) != 0 || read_key(signing, arguments->key, err) != 0 ||
        read_payload(signing, arguments->buffer, err) != 0 || ask(signing, err) != 0)
        return -1;
    return file_write_atomic(path, signing->signature.data, signing->signature.len, SIGNATURE_MODE,
                             true, err);
}

static int fail(const struct err *err)
{
    fprintf(stderr, SIGNER_NAME ": %s\n", err->text);
    return EXIT_FAILURE;
}

static int run_stock(char **argv)
{
    struct err err = {0};

    execv(STOCK_PROGRAM, argv);
    err_set_sys(&err, errno, "run " STOCK_PROGRAM);
    return fail(&err);
}

int git_sign_main(int argc, char **argv)
{
    struct sign_arguments arguments;
    struct signing signing = {0};
    struct err err = {0};
    int result;

    switch (sign_arguments_parse(argc, argv, &arguments)) {
    case SIGN_CALL_OTHER:
        return run_stock(argv);
    case SIGN_CALL_UNSUPPORTED:
        err_set(&err, ERR_CONFIG, "Unsupported Git SSH signing invocation");
        return fail(&err);
    case SIGN_CALL_SIGN:
        break;
    }
    signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of the write */
    result = sign(&signing, &arguments, &err);
    free(signing.control_plane);
    free(signing.session_id);
    buf_free(&signing.payload);
    buf_free(&signing.signature);
    return result == 0 ? EXIT_SUCCESS : fail(&err);
}
