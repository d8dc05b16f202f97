#include "supervisor/process/child_log.h"

#include "common/buf.h"

#include <string.h>

#define CUT_MARK " … [%zu bytes dropped]"

void child_log_line(struct log *log, const char *prefix, const char *line, size_t len,
                    size_t dropped)
{
    AUTO_BUF struct buf marked = BUF_INIT(LOG_LINE_MAX);

    while (len > 0 && strchr(" \t\r", line[len - 1]))
        len--;
    if (dropped == 0) {
        log_forward(log, prefix, line, len);
        return;
    }
    /* Before the mark, which would hide that the line ends in the middle of a secret. */
    redact_text(log_redact(log), line, len, &marked);
    buf_printf(&marked, CUT_MARK, dropped);
    log_forward(log, prefix, buf_text(&marked), marked.len);
}
