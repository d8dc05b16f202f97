#include "bridge/journal/journal.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "common/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Rewritten when the file is this much bigger than what it says. */
#define SLACK_BYTES ((size_t)64 * 1024)
/* Contents, their escapes and their slack; a longer file is not ours. */
#define FILE_MAX_BYTES ((size_t)64 * 1024 * 1024)
#define FILE_MODE 0600
/* More than any contents are worth: the next record writes the file anew. */
#define FILE_BYTES_SPOILED SIZE_MAX

struct journal {
    char *path;
    char *sandbox_id;
    char *session_id;
    struct log *log;
    struct journal_contents contents;
    int fd; /* -1: cannot be written */
    size_t file_bytes;
    bool complained;
    bool complained_full;
};

static void complain(struct journal *journal, const struct err *err)
{
    if (!journal->complained)
        log_at(journal->log, LOG_WARNING, "bridge.journal_write_failed", LOG_ERR(err));
    journal->complained = true;
}

/* In a world-writable directory the name may belong to somebody else (S-460). */
static int open_own_file(const char *path, struct err *err)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return err_set_sys(err, errno, "open %s", path);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid())
        return err_set(err, ERR_IO, "%s is not a regular file of ours", path);
    return take_fd(&fd);
}

/* Writes the contents as a new file and appends to that from now on. */
static void rewrite(struct journal *journal)
{
    AUTO_BUF struct buf text = BUF_INIT(FILE_MAX_BYTES);
    struct err err = {0};

    if (journal->fd >= 0)
        close(journal->fd);
    journal->fd = -1;
    journal_contents_print(&journal->contents, journal->sandbox_id, journal->session_id, &text);
    if (buf_failed(&text))
        err_set(&err, ERR_LIMIT, "the journal does not fit %zu bytes", FILE_MAX_BYTES);
    else if (file_write_atomic(journal->path, text.data, text.len, FILE_MODE, false, &err) == 0)
        journal->fd = open_own_file(journal->path, &err);
    journal->file_bytes = journal->fd >= 0 ? text.len : FILE_BYTES_SPOILED;
    if (journal->fd < 0)
        complain(journal, &err);
}

static bool is_own_file(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid();
}

static void read_file(struct journal *journal)
{
    AUTO_BUF struct buf text = BUF_INIT(FILE_MAX_BYTES);
    struct err err = {0};
    size_t damaged;

    if (!is_own_file(journal->path))
        return;
    if (file_read(journal->path, &text, &err) != 0) {
        log_at(journal->log, LOG_WARNING, "bridge.journal_read_failed", LOG_ERR(&err));
        return;
    }
    damaged = journal_contents_read(&journal->contents, buf_text(&text), text.len,
                                    journal->sandbox_id, journal->session_id);
    if (damaged > 0)
        log_at(journal->log, LOG_WARNING, "bridge.journal_damaged", LOG_NUM("lines", damaged));
}

struct journal *journal_open(const char *path, const char *sandbox_id, const char *session_id,
                             struct log *log)
{
    struct journal *journal = calloc(1, sizeof *journal);

    if (!journal)
        return NULL;
    journal->fd = -1;
    journal->log = log;
    journal->path = strdup(path);
    journal->sandbox_id = strdup(sandbox_id);
    journal->session_id = strdup(session_id);
    if (!journal->path || !journal->sandbox_id || !journal->session_id) {
        journal_close(journal);
        return NULL;
    }
    read_file(journal);
    rewrite(journal);
    return journal;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    if (journal->fd >= 0)
        close(journal->fd);
    journal_contents_clear(&journal->contents);
    free(journal->path);
    free(journal->sandbox_id);
    free(journal->session_id);
    free(journal);
}

const struct journal_contents *journal_contents(const struct journal *journal)
{
    return &journal->contents;
}

static void append(struct journal *journal, const cJSON *fields)
{
    AUTO_BUF struct buf line = BUF_INIT(FILE_MAX_BYTES);
    struct err err = {0};

    journal_print_record(fields, &line);
    if (journal->fd < 0 || buf_failed(&line))
        return;
    if (file_write_all(journal->fd, line.data, line.len) != 0) {
        err_set_sys(&err, errno, "write %s", journal->path);
        complain(journal, &err);
        /* Half a line may stand there, and would spoil the next: that one writes all anew. */
        journal->file_bytes = FILE_BYTES_SPOILED;
        return;
    }
    journal->file_bytes += line.len;
}

static bool is_worth_rewriting(const struct journal *journal)
{
    return journal->file_bytes > journal->contents.bytes * 2 + SLACK_BYTES;
}

static void complain_full(struct journal *journal)
{
    if (!journal->complained_full)
        log_at(journal->log, LOG_WARNING, "bridge.journal_full",
               LOG_NUM("max_bytes", JOURNAL_CONTENTS_MAX_BYTES),
               LOG_STR("detail", "something larger is not kept: it is lost if the bridge dies"));
    journal->complained_full = true;
}

/* Applies the record, writes it down and deletes it. */
static void record(struct journal *journal, cJSON *fields)
{
    if (journal_contents_apply(&journal->contents, fields) == 0) {
        if (is_worth_rewriting(journal))
            rewrite(journal);
        else
            append(journal, fields);
    } else if (journal->contents.is_full) {
        complain_full(journal);
    }
    cJSON_Delete(fields);
}

void journal_event_added(struct journal *journal, const char *ack_id, const char *text)
{
    cJSON *fields = journal_record_new("event", "ackId", ack_id);

    json_put(fields, "event", json_parse(text, strlen(text), NULL));
    record(journal, fields);
}

void journal_event_sent(struct journal *journal, const char *ack_id)
{
    record(journal, journal_record_new("sent", "ackId", ack_id));
}

void journal_event_gone(struct journal *journal, const char *ack_id)
{
    record(journal, journal_record_new("gone", "ackId", ack_id));
}

void journal_acks_expected(struct journal *journal)
{
    if (!journal->contents.acks)
        record(journal, journal_record_new("acks", "", NULL));
}

void journal_prompt_taken(struct journal *journal, const char *message_id, const cJSON *command)
{
    cJSON *fields = journal_record_new("prompt", "messageId", message_id);

    json_put(fields, "command", cJSON_Duplicate(command, true));
    record(journal, fields);
}

void journal_prompt_posted(struct journal *journal, const char *message_id, const char *session_id,
                           const char *user_message_id, uint64_t started_wall_ms)
{
    cJSON *fields = journal_record_new("posted", "messageId", message_id);

    json_add_string(fields, "sessionId", session_id);
    json_add_string(fields, "userMessageId", user_message_id);
    json_add_number(fields, "startedMs", (double)started_wall_ms);
    record(journal, fields);
}

void journal_prompt_ended(struct journal *journal, const char *message_id)
{
    record(journal, journal_record_new("ended", "messageId", message_id));
}

void journal_push_started(struct journal *journal, const char *push_id, const cJSON *answer)
{
    cJSON *fields = journal_record_new("push", "pushId", push_id);

    json_put(fields, "event", cJSON_Duplicate(answer, true));
    record(journal, fields);
}
