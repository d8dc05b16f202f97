#include "supervisor/process/child_log.h"

#include "common/buf.h"

#include <string.h>

#define CUT_MARK " … [line cut]"

void child_log_line(struct log *log, const char *prefix, const char *line, size_t len, bool cut)
{
    AUTO_BUF struct buf marked = BUF_INIT(LOG_LINE_MAX);

    while (len > 0 && strchr(" \t\r", line[len - 1]))
        len--;
    if (!cut) {
        log_forward(log, prefix, line, len);
        return;
    }
    buf_append(&marked, line, len);
    buf_puts(&marked, CUT_MARK);
    log_forward(log, prefix, buf_text(&marked), marked.len);
}
