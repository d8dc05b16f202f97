#include "git/quoted_path.h"

#include "common/ascii.h"

#include <string.h>

#define FIRST_PRINTABLE 0x20
#define FIRST_HIGH 0x80

static const char short_escapes[] = {
    ['\a'] = 'a', ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n',  ['\v'] = 'v',
    ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\',
};

static bool must_escape(unsigned char byte, bool quote_high)
{
    return byte < FIRST_PRINTABLE || byte == ASCII_DELETE || byte == '"' || byte == '\\' ||
           (byte >= FIRST_HIGH && quote_high);
}

static bool must_quote(const char *path, bool quote_high)
{
    for (; *path; path++) {
        if (must_escape((unsigned char)*path, quote_high))
            return true;
    }
    return false;
}

static void print_byte(unsigned char byte, bool quote_high, struct buf *out)
{
    if (!must_escape(byte, quote_high))
        buf_putc(out, (char)byte);
    else if (byte < sizeof short_escapes && short_escapes[byte])
        buf_printf(out, "\\%c", short_escapes[byte]);
    else
        buf_printf(out, "\\%03o", byte);
}

void quoted_path_print(const char *prefix, const char *path, bool quote_high, struct buf *out)
{
    if (!must_quote(path, quote_high)) {
        buf_puts(out, prefix);
        buf_puts(out, path);
        return;
    }
    buf_putc(out, '"');
    buf_puts(out, prefix);
    for (; *path; path++)
        print_byte((unsigned char)*path, quote_high, out);
    buf_putc(out, '"');
}
