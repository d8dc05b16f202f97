#include "common/worker.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/json.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { READ_CHUNK = 4096, MS_PER_S = 1000, LONGEST_LIMIT_S = 24 * 60 * 60 };

static int read_to_end(int fd, struct buf *input, struct err *err)
{
    for (;;) {
        char *into = buf_reserve(input, READ_CHUNK);
        ssize_t got;

        if (!into)
            return err_set(err, ERR_LIMIT, "worker input is longer than %d bytes",
                           WORKER_INPUT_MAX - READ_CHUNK);
        got = read(fd, into, READ_CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set_sys(err, errno, "read worker input");
        if (got == 0)
            return 0;
        buf_commit(input, (size_t)got);
    }
}

cJSON *worker_read_input(int fd, struct err *err)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct buf input = BUF_INIT(WORKER_INPUT_MAX);
    cJSON *object = NULL;

    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
    if (read_to_end(fd, &input, err) == 0) {
        object = json_parse(buf_text(&input), input.len, NULL);
        if (!cJSON_IsObject(object)) {
            cJSON_Delete(object);
            object = NULL;
            err_set(err, ERR_PROTOCOL,
                    "worker input is no JSON object (a worker is started by its program only)");
        }
    }
    buf_wipe(&input);
    return object;
}

bool worker_is_orphan(int fd)
{
    struct pollfd reader = {.fd = fd};

    /* A pipe without a reader says ERR, a socket without its peer HUP. */
    return poll(&reader, 1, 0) > 0 && (reader.revents & (POLLERR | POLLHUP));
}

uint32_t worker_limit_ms(const cJSON *limits, const char *name, unsigned otherwise_s)
{
    double seconds;

    if (!json_get_number(limits, name, &seconds) || !(seconds > 0) || seconds > LONGEST_LIMIT_S)
        seconds = otherwise_s;
    return (uint32_t)(seconds * MS_PER_S);
}

cJSON *worker_line_new(const char *type)
{
    cJSON *line = cJSON_CreateObject();

    json_add_string(line, "type", type);
    return line;
}

int worker_emit(int fd, cJSON *line)
{
    AUTO_BUF struct buf text = BUF_INIT(WORKER_LINE_MAX);

    json_print(line, &text);
    cJSON_Delete(line);
    buf_putc(&text, '\n');
    if (buf_failed(&text))
        return -1;
    return file_write_all(fd, text.data, text.len);
}

cJSON *worker_result_new(const struct err *failure)
{
    cJSON *line = worker_line_new("result");

    json_add_bool(line, "ok", !failure);
    if (failure) {
        json_add_string(line, "error_class", err_class_name(failure->class));
        json_add_string(line, "error", failure->text);
    }
    return line;
}
