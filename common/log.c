#include "common/log.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/wtf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THRESHOLD LOG_INFO /* less than this is not printed (S-463) */
#define CUT_MARK "… [cut]"

struct log {
    int fd;
    log_sink *sink; /* NULL: the descriptor */
    void *sink_user;
    char *service;
    char *component;
    char *sandbox_id;
    char *session_id;
    struct redact *redact;
    unsigned long dropped;
    bool last_was_cut; /* a line began and did not end */
};

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARNING] = "warning",
    [LOG_ERROR] = "error",
};
_Static_assert(ARRAY_LENGTH(level_names) == LOG_LEVEL_COUNT, "every level has a name");

struct log *log_new(int fd, const char *service, const char *component)
{
    struct log *log = calloc(1, sizeof *log);

    if (!log)
        return NULL;
    log->fd = fd;
    log->service = strdup(service);
    log->component = strdup(component);
    log->redact = redact_new();
    if (!log->service || !log->component || !log->redact) {
        log_free(log);
        return NULL;
    }
    return log;
}

void log_free(struct log *log)
{
    if (!log)
        return;
    free(log->service);
    free(log->component);
    free(log->sandbox_id);
    free(log->session_id);
    redact_free(log->redact);
    free(log);
}

void log_set_ids(struct log *log, const char *sandbox_id, const char *session_id)
{
    free(log->sandbox_id);
    free(log->session_id);
    log->sandbox_id = sandbox_id && *sandbox_id ? strdup(sandbox_id) : NULL;
    log->session_id = session_id && *session_id ? strdup(session_id) : NULL;
}

void log_set_sink(struct log *log, log_sink *sink, void *user)
{
    log->sink = sink;
    log->sink_user = user;
}

struct redact *log_redact(struct log *log)
{
    return log ? log->redact : NULL;
}

static void print_text(const struct log *log, const char *text, struct buf *line)
{
    struct buf clean = BUF_INIT(LOG_LINE_MAX * 4);
    size_t len = strlen(text);
    size_t kept = wtf8_cut(text, len, LOG_VALUE_MAX);

    redact_text(log->redact, text, kept, &clean);
    if (kept < len)
        buf_puts(&clean, CUT_MARK);
    json_print_string(buf_text(&clean), strlen(buf_text(&clean)), line);
    buf_free(&clean);
}

static void print_pair(const struct log *log, const char *name, const char *text, struct buf *line)
{
    if (!text)
        return;
    buf_printf(line, ",\"%s\":", name);
    print_text(log, text, line);
}

static void print_field(const struct log *log, const struct log_field *field, struct buf *line)
{
    size_t before = line->len;
    cJSON number = {.type = cJSON_Number, .valuedouble = field->value.number};

    switch (field->type) {
    case LOG_FIELD_TEXT:
        print_pair(log, field->name, field->value.text, line);
        break;
    case LOG_FIELD_NUMBER:
        buf_printf(line, ",\"%s\":", field->name);
        json_print(&number, line);
        break;
    case LOG_FIELD_BOOL:
        buf_printf(line, ",\"%s\":%s", field->name, field->value.truth ? "true" : "false");
        break;
    case LOG_FIELD_JSON:
        if (field->value.text)
            buf_printf(line, ",\"%s\":%s", field->name, field->value.text);
        break;
    }
    if (!buf_failed(line))
        return;
    /* The field does not fit: the line goes out without it rather than not at all. */
    line->failed = false;
    line->len = before;
    line->data[before] = '\0';
}

/* A descriptor that does not block may take the beginning of a line and no more: the next line must
 * not be glued to it. */
static bool end_cut_line(struct log *log)
{
    if (log->last_was_cut)
        log->last_was_cut = file_write_all(log->fd, "\n", 1) != 0;
    return !log->last_was_cut;
}

static bool write_to_descriptor(struct log *log, const struct buf *line)
{
    ssize_t put;

    if (!end_cut_line(log))
        return false;
    do
        put = write(log->fd, line->data, line->len);
    while (put < 0 && errno == EINTR);
    if (put > 0 && (size_t)put < line->len)
        log->last_was_cut = file_write_all(log->fd, line->data + put, line->len - (size_t)put) != 0;
    return put > 0 && !log->last_was_cut;
}

static bool write_line(struct log *log, struct buf *line, enum log_origin origin)
{
    line->max = LOG_LINE_MAX;
    buf_putc(line, '\n');
    if (buf_failed(line))
        return false;
    return log->sink ? log->sink(log->sink_user, line->data, line->len, origin)
                     : write_to_descriptor(log, line);
}

/* Two bytes are kept for the end of the line. */
#define EVENT_LINE_MAX (LOG_LINE_MAX - 2)

static void begin_event(const struct log *log, enum log_level level, const char *event,
                        struct buf *line)
{
    buf_printf(line, "{\"level\":\"%s\"", level_names[level]);
    print_pair(log, "service", log->service, line);
    print_pair(log, "component", log->component, line);
    print_pair(log, "event", event, line);
    buf_printf(line, ",\"ts\":%llu", (unsigned long long)clock_wall_ms());
    print_pair(log, "sandbox_id", log->sandbox_id, line);
    print_pair(log, "session_id", log->session_id, line);
}

static bool end_event(struct log *log, struct buf *line, enum log_origin origin)
{
    line->max = LOG_LINE_MAX;
    buf_putc(line, '}');
    return write_line(log, line, origin);
}

/* What was lost is said where it is missing, before the first line that passes again. */
static void put_line(struct log *log, struct buf *line, enum log_origin origin,
                     bool (*put)(struct log *, struct buf *, enum log_origin))
{
    if (log->dropped) {
        AUTO_BUF struct buf notice = BUF_INIT(EVENT_LINE_MAX);

        begin_event(log, LOG_WARNING, "log.dropped", &notice);
        buf_printf(&notice, ",\"lines\":%lu", log->dropped);
        if (end_event(log, &notice, origin))
            log->dropped = 0;
    }
    if (!put(log, line, origin))
        log->dropped++;
}

static void write_event(struct log *log, enum log_origin origin, enum log_level level,
                        const char *event, const struct log_field *fields, size_t count)
{
    AUTO_BUF struct buf line = BUF_INIT(EVENT_LINE_MAX);

    if (!log || level < THRESHOLD)
        return;
    begin_event(log, level, event, &line);
    for (size_t i = 0; i < count; i++)
        print_field(log, &fields[i], &line);
    put_line(log, &line, origin, end_event);
}

void log_write(struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, size_t count)
{
    write_event(log, LOG_OWN, level, event, fields, count);
}

void log_write_of_child(struct log *log, const char *event, const struct log_field *fields,
                        size_t count)
{
    write_event(log, LOG_OF_CHILD, LOG_INFO, event, fields, count);
}

void log_forward(struct log *log, const char *prefix, const char *text, size_t len)
{
    AUTO_BUF struct buf line = BUF_INIT(LOG_LINE_MAX - 1);
    size_t kept = wtf8_cut(text, len, LOG_LINE_MAX / 2);

    if (!log)
        return;
    buf_puts(&line, prefix);
    redact_text(log->redact, text, kept, &line);
    if (kept < len)
        buf_puts(&line, CUT_MARK);
    put_line(log, &line, LOG_OF_CHILD, write_line);
}
