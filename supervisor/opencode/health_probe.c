#include "supervisor/opencode/health_probe.h"

#include "supervisor/opencode/opencode_address.h"

#include <stdio.h>
#include <string.h>

static int build_request(struct health_probe *probe, int port, const char *username,
                         const char *password, struct err *err)
{
    AUTO_BUF struct buf authorization = BUF_INIT(2 * OPENCODE_CREDENTIALS_MAX);
    int len;

    if (password) {
        buf_puts(&authorization, "Authorization: ");
        opencode_address_authorization(username, password, &authorization);
        buf_puts(&authorization, "\r\n");
    }
    if (buf_failed(&authorization))
        return err_set(err, ERR_CONFIG, "OPENCODE_SERVER_PASSWORD: longer than %d bytes",
                       OPENCODE_CREDENTIALS_MAX);
    len =
        snprintf(probe->request, sizeof probe->request,
                 "GET /global/health HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: application/json\r\n"
                 "%sConnection: close\r\n\r\n",
                 port, buf_text(&authorization));
    if (len < 0 || (size_t)len >= sizeof probe->request)
        return err_set(err, ERR_INTERNAL, "the health request does not fit");
    return 0;
}

int health_probe_init(struct health_probe *probe, uv_loop_t *loop, const char *host, int port,
                      const char *username, const char *password, health_result_fn *on_result,
                      void *user, struct err *err)
{
    const char *address = opencode_address_reachable(host);

    *probe = (struct health_probe){.loop = loop, .on_result = on_result, .user = user};
    uv_timer_init(loop, &probe->limit);
    probe->limit.data = probe;
    if (uv_ip4_addr(address, port, (struct sockaddr_in *)&probe->address) != 0 &&
        uv_ip6_addr(address, port, (struct sockaddr_in6 *)&probe->address) != 0)
        return err_set(err, ERR_CONFIG, "--opencode-host, OPENCODE_HOSTNAME: \"%s\" is no address",
                       host);
    return build_request(probe, port, username, password, err);
}

static void on_socket_closed(uv_handle_t *handle)
{
    struct health_probe *probe = handle->data;
    uint64_t restart_ms = probe->restart_ms;

    probe->socket_open = false;
    probe->restart_ms = 0;
    if (restart_ms > 0)
        health_probe_start(probe, restart_ms);
}

static void close_socket(struct health_probe *probe)
{
    uv_timer_stop(&probe->limit);
    if (probe->socket_open && !uv_is_closing((uv_handle_t *)&probe->socket))
        uv_close((uv_handle_t *)&probe->socket, on_socket_closed);
}

static void finish(struct health_probe *probe, enum health_result result)
{
    if (!probe->active)
        return;
    probe->active = false;
    close_socket(probe);
    probe->on_result(probe->user, result);
}

static void on_limit(uv_timer_t *timer)
{
    finish(timer->data, HEALTH_RESULT_SILENT);
}

static void on_buffer_wanted(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct health_probe *probe = handle->data;

    (void)suggested;
    *buffer =
        uv_buf_init(probe->answer + probe->len, (unsigned)(sizeof probe->answer - probe->len));
}

static void on_answer(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    struct health_probe *probe = stream->data;

    (void)buffer;
    if (got > 0)
        probe->len += (size_t)got;
    switch (health_answer_read(probe->answer, probe->len, got < 0)) {
    case HEALTH_ANSWER_INCOMPLETE:
        break;
    case HEALTH_ANSWER_HEALTHY:
        finish(probe, HEALTH_RESULT_HEALTHY);
        break;
    case HEALTH_ANSWER_OTHER:
        finish(probe, HEALTH_RESULT_OTHER);
        break;
    }
}

static void on_written(uv_write_t *write, int status)
{
    if (status != 0 && status != UV_ECANCELED)
        finish(write->data, HEALTH_RESULT_OTHER);
}

static void on_connected(uv_connect_t *connect, int status)
{
    struct health_probe *probe = connect->data;
    uv_buf_t request = uv_buf_init(probe->request, (unsigned)strlen(probe->request));

    if (status == UV_ECANCELED)
        return;
    probe->write.data = probe;
    if (status != 0)
        finish(probe, HEALTH_RESULT_REFUSED);
    else if (uv_write(&probe->write, (uv_stream_t *)&probe->socket, &request, 1, on_written) != 0 ||
             uv_read_start((uv_stream_t *)&probe->socket, on_buffer_wanted, on_answer) != 0)
        finish(probe, HEALTH_RESULT_OTHER);
}

void health_probe_start(struct health_probe *probe, uint64_t limit_ms)
{
    health_probe_cancel(probe);
    if (probe->socket_open) {
        /* The old connection's memory is in use until the loop has closed it. */
        probe->restart_ms = limit_ms;
        return;
    }
    probe->active = true;
    probe->len = 0;
    uv_tcp_init(probe->loop, &probe->socket);
    probe->socket.data = probe;
    probe->socket_open = true;
    probe->connect.data = probe;
    uv_timer_start(&probe->limit, on_limit, limit_ms, 0);
    if (uv_tcp_connect(&probe->connect, &probe->socket, (struct sockaddr *)&probe->address,
                       on_connected) != 0)
        finish(probe, HEALTH_RESULT_REFUSED);
}

void health_probe_cancel(struct health_probe *probe)
{
    probe->active = false;
    probe->restart_ms = 0;
    close_socket(probe);
}

void health_probe_close(struct health_probe *probe)
{
    health_probe_cancel(probe);
    uv_close((uv_handle_t *)&probe->limit, NULL);
}
