/*
 * One JSON object per line on a descriptor: level, service, component, event, ts, sandbox_id,
 * session_id, then the line's own fields (S-462, B-1201). Each line is one write() of at most
 * LOG_LINE_MAX bytes, so that lines of several processes do not mix; a longer value is cut and
 * marked (S-468). A failing write never stops the program: lines are counted as dropped and the
 * next line that passes has a log.dropped with the count before it (S-316). Strings pass through
 * redact.h on their way out.
 *
 * A struct log is created in main and passed to whoever logs. It copies what it is given.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include "common/err.h"
#include "common/redact.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX (64 * 1024)
/* What one value may take of a line, so that the envelope and some others still fit; what is longer is
 * cut at its end. */
#define LOG_VALUE_MAX (LOG_LINE_MAX / 4)

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_LEVEL_COUNT };

enum log_field_type { LOG_FIELD_TEXT, LOG_FIELD_NUMBER, LOG_FIELD_BOOL, LOG_FIELD_JSON };

/* Made with the LOG_* macros below. Pointers need to live only during the call. */
struct log_field {
    const char *name;
    enum log_field_type type;
    union {
        const char *text; /* NULL: the field is left out */
        double number;
        bool truth;
    } value;
};

#define LOG_STR(field_name, string) \
    ((struct log_field){(field_name), LOG_FIELD_TEXT, {.text = (string)}})
#define LOG_NUM(field_name, amount) \
    ((struct log_field){(field_name), LOG_FIELD_NUMBER, {.number = (double)(amount)}})
#define LOG_BOOL(field_name, is_true) \
    ((struct log_field){(field_name), LOG_FIELD_BOOL, {.truth = (is_true)}})
/* Text that is JSON already; it must hold no secret, for it is not redacted. */
#define LOG_JSON(field_name, json) \
    ((struct log_field){(field_name), LOG_FIELD_JSON, {.text = (json)}})
/* The pair that S-466 wants of a failure. */
#define LOG_ERR(error) \
    LOG_STR("error_type", err_class_name((error)->class)), LOG_STR("error_message", (error)->text)

struct log;

/* `fd` stays the caller's. NULL ids are left out of the lines. NULL when out of memory. */
struct log *log_new(int fd, const char *service, const char *component);
void log_free(struct log *log);
void log_set_ids(struct log *log, const char *sandbox_id, const char *session_id);

/* Whose words a line has. When nobody reads the log, a child's are given up first: one that prints
 * without end must not hide what became of it. */
enum log_origin { LOG_OWN, LOG_OF_CHILD };

/* Takes a whole line instead of the descriptor; false: it was dropped. */
typedef bool log_sink(void *user, const char *line, size_t len, enum log_origin origin);
void log_set_sink(struct log *log, log_sink *sink, void *user);

/* Where secrets are registered; lives as long as the log. */
struct redact *log_redact(struct log *log);

/* LOG_DEBUG is not printed (S-463). */
void log_write(struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, size_t count);
void log_write_of_child(struct log *log, const char *event, const struct log_field *fields,
                        size_t count);

#define LOG_FIELDS(...)                                                                      \
    (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ) LOG_STR(NULL, NULL)},              \
        sizeof((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ) LOG_STR(NULL, NULL)}) / \
                sizeof(struct log_field) -                                                   \
            1

/* log_at(log, LOG_INFO, "git.clone_complete", LOG_STR("repo_path", path)); a NULL log is silent. */
#define log_at(log, level, event, ...) log_write((log), (level), (event), LOG_FIELDS(__VA_ARGS__))

/* An event, of level info, with what a child said in it. */
#define log_at_of_child(log, event, ...) log_write_of_child((log), (event), LOG_FIELDS(__VA_ARGS__))

/* Forwards a child's own line as it is, redacted, after `prefix` (S-467). No newline in `line`. */
void log_forward(struct log *log, const char *prefix, const char *line, size_t len);

#endif
