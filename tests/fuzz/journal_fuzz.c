/*
 * Fuzzer of the journal's recovery: any bytes are read without harm, and what was understood
 * survives being written down and read again unchanged.
 */
#include "bridge/journal/journal_contents.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 * 1024 * 1024)
#define SANDBOX "sb"
#define SESSION "session"

static void print(const struct journal_contents *contents, struct buf *text)
{
    journal_contents_print(contents, SANDBOX, SESSION, text);
    if (buf_failed(text) || contents->bytes > JOURNAL_CONTENTS_MAX_BYTES)
        abort();
}

/* The input's lines as records with a right checksum, after the owner's: so that more than the
 * checksum is tried. */
static void seal(const uint8_t *data, size_t size, struct buf *text)
{
    const struct journal_contents none = {0};
    const char *line = (const char *)data, *end = line + size;

    journal_contents_print(&none, SANDBOX, SESSION, text);
    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t len = (size_t)((newline ? newline : end) - line);
        cJSON *record = cJSON_ParseWithLength(line, len);

        if (record)
            journal_print_record(record, text);
        cJSON_Delete(record);
        line += len + 1;
    }
}

static void check_round_trip(const char *text, size_t len)
{
    struct journal_contents contents = {0}, again = {0};
    AUTO_BUF struct buf first = BUF_INIT(TEXT_MAX);
    AUTO_BUF struct buf second = BUF_INIT(TEXT_MAX);

    journal_contents_read(&contents, text, len, SANDBOX, SESSION);
    print(&contents, &first);
    if (journal_contents_read(&again, first.data, first.len, SANDBOX, SESSION) != 0)
        abort();
    print(&again, &second);
    if (first.len != second.len || memcmp(first.data, second.data, first.len) != 0)
        abort();
    journal_contents_clear(&contents);
    journal_contents_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF struct buf sealed = BUF_INIT(TEXT_MAX);

    check_round_trip((const char *)data, size);
    seal(data, size, &sealed);
    check_round_trip(sealed.data, sealed.len);
    return 0;
}
