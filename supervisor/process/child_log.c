#include "supervisor/process/child_log.h"

#include "common/buf.h"
#include "common/wtf8.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"
#define CUT_MARK " … [%zu bytes dropped]"

/* A log that is read as text must not break on a byte that is none (S-313). */
static void append_text(const char *line, size_t len, struct buf *out)
{
    while (len > 0) {
        uint32_t code = 0;
        size_t bytes = wtf8_decode(line, len, &code);
        bool is_surrogate = code >= 0xd800 && code <= 0xdfff;

        if (bytes == 0 || is_surrogate)
            buf_puts(out, REPLACEMENT);
        else
            buf_append(out, line, bytes);
        bytes = bytes ? bytes : 1;
        line += bytes;
        len -= bytes;
    }
}

void child_log_line(struct log *log, const char *prefix, const char *line, size_t len,
                    size_t dropped)
{
    AUTO_BUF struct buf text = BUF_INIT(sizeof REPLACEMENT * LOG_LINE_MAX);
    AUTO_BUF struct buf marked = BUF_INIT(sizeof REPLACEMENT * LOG_LINE_MAX);

    while (len > 0 && strchr(" \t\r", line[len - 1]))
        len--;
    append_text(line, len, &text);
    if (dropped == 0) {
        log_forward(log, prefix, buf_text(&text), text.len);
        return;
    }
    /* Before the mark, which would hide that the line ends in the middle of a secret. */
    redact_text(log_redact(log), buf_text(&text), text.len, &marked);
    buf_printf(&marked, CUT_MARK, dropped);
    log_forward(log, prefix, buf_text(&marked), marked.len);
}
