#include "supervisor/process/process_state.h"

#include "common/file.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX_BYTES (16 * 1024)

static bool read_file(const char *proc, pid_t pid, const char *name, struct buf *out)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%d/%s", proc, (int)pid, name);
    return file_read(path, out, NULL) == 0;
}

/* What stands behind "Name:" in a status file, to the end of the line. */
static void read_field(const char *status, const char *name, char *out, size_t size)
{
    size_t name_len = strlen(name);

    out[0] = '\0';
    for (const char *line = status; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, name_len) == 0 && line[name_len] == ':') {
            line += name_len + 1;
            line += strspn(line, " \t");
            snprintf(out, size, "%.*s", (int)strcspn(line, "\n"), line);
            return;
        }
    }
}

static uint64_t read_number(const char *status, const char *name)
{
    char text[PROCESS_STATE_TEXT_MAX];

    read_field(status, name, text, sizeof text);
    return strtoull(text, NULL, 10);
}

static void read_line(const char *proc, pid_t pid, const char *name, char *out, size_t size)
{
    AUTO_BUF struct buf text = BUF_INIT(FILE_MAX_BYTES);
    bool there = read_file(proc, pid, name, &text);

    snprintf(out, size, "%.*s", there ? (int)strcspn(buf_text(&text), "\n") : 0, buf_text(&text));
}

/* "[<0>] futex_wait+0x6b/0x110" a line: the names, joined. */
static void read_stack(const char *proc, pid_t pid, char *out, size_t size)
{
    AUTO_BUF struct buf text = BUF_INIT(FILE_MAX_BYTES);
    AUTO_BUF struct buf joined = BUF_INIT(FILE_MAX_BYTES);

    read_file(proc, pid, "stack", &text);
    for (const char *line = buf_text(&text); *line; line += *line == '\n') {
        size_t len = strcspn(line, "\n");
        const char *blank = memchr(line, ' ', len);
        const char *name = blank ? blank + 1 : line;

        if (joined.len > 0)
            buf_puts(&joined, " < ");
        buf_append(&joined, name, strcspn(name, "+\n"));
        line += len;
    }
    snprintf(out, size, "%s", buf_text(&joined));
}

void process_state_read(const char *proc, pid_t pid, struct process_state *state)
{
    AUTO_BUF struct buf status = BUF_INIT(FILE_MAX_BYTES);

    read_file(proc, pid, "status", &status);
    read_field(buf_text(&status), "State", state->state, sizeof state->state);
    state->threads = read_number(buf_text(&status), "Threads");
    state->rss_kib = read_number(buf_text(&status), "VmRSS");
    read_line(proc, pid, "wchan", state->wchan, sizeof state->wchan);
    read_line(proc, pid, "syscall", state->syscall, sizeof state->syscall);
    read_stack(proc, pid, state->stack, sizeof state->stack);
}

uint64_t process_state_rss_kib(const char *proc, pid_t pid)
{
    AUTO_BUF struct buf status = BUF_INIT(FILE_MAX_BYTES);

    read_file(proc, pid, "status", &status);
    return read_number(buf_text(&status), "VmRSS");
}
