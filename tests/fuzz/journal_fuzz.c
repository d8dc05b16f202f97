/*
 * Fuzzer of the journal's recovery: any bytes are read without harm; what was understood survives
 * being written down and read again unchanged; and of a journal with one flipped bit, or cut
 * somewhere, exactly the lines that were not hit are understood. (Every bit and every cut of one
 * journal: tests/unit/bridge_journal_damage_test.c.)
 */
#include "bridge/journal/journal_contents.h"
#include "tests/fuzz/require.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 * 1024 * 1024)
#define SANDBOX "sb"
#define SESSION "session"
#define CHECKSUM_DIGITS 8
#define DAMAGES_MAX 2
#define DAMAGED_BYTES_MAX 2048 /* reading is slow: a checksum bit by bit */

static void print(const struct journal_contents *contents, struct buf *text)
{
    journal_contents_print(contents, SANDBOX, SESSION, text);
    require(!buf_failed(text) && contents->bytes <= JOURNAL_CONTENTS_MAX_BYTES);
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
    require(journal_contents_read(&again, first.data, first.len, SANDBOX, SESSION) == 0);
    print(&again, &second);
    require(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    journal_contents_clear(&contents);
    journal_contents_clear(&again);
}

static bool is_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
    struct journal_contents contents = {0};
    AUTO_BUF struct buf first = BUF_INIT(TEXT_MAX);
    AUTO_BUF struct buf second = BUF_INIT(TEXT_MAX);

    journal_contents_read(&contents, a, a_len, SANDBOX, SESSION);
    print(&contents, &first);
    journal_contents_clear(&contents);
    journal_contents_read(&contents, b, b_len, SANDBOX, SESSION);
    print(&contents, &second);
    journal_contents_clear(&contents);
    return first.len == second.len && memcmp(first.data, second.data, first.len) == 0;
}

static size_t line_begin(const char *text, size_t at)
{
    const char *newline = at > 0 ? memrchr(text, '\n', at) : NULL;

    return newline ? (size_t)(newline + 1 - text) : 0;
}

static size_t line_end(const char *text, size_t len, size_t at)
{
    const char *newline = at < len ? memchr(text + at, '\n', len - at) : NULL;

    return newline ? (size_t)(newline + 1 - text) : len;
}

/* A sound journal, hit at `at`. Without the owner's line nothing of it counts. */
static void check_damage(const struct buf *sound, size_t at, int bit)
{
    size_t begin = line_begin(sound->data, at);
    size_t end = line_end(sound->data, sound->len, at);
    AUTO_BUF struct buf hit = BUF_INIT(TEXT_MAX);
    AUTO_BUF struct buf rest = BUF_INIT(TEXT_MAX);

    if (sound->data[at] == '\n')
        end = line_end(sound->data, sound->len, end);
    buf_append(&hit, sound->data, sound->len);
    hit.data[at] ^= (char)(1 << bit);
    if (begin > 0) {
        buf_append(&rest, sound->data, begin);
        buf_append(&rest, sound->data + end, sound->len - end);
    }
    require(is_same(hit.data, hit.len, buf_text(&rest), rest.len) ||
            /* A digit of the checksum in another spelling. */
            (at - begin < CHECKSUM_DIGITS && is_same(hit.data, hit.len, sound->data, sound->len)));
    /* Cut before `at`; a record that lacks only its line feed is whole. */
    if (sound->data[at] != '\n')
        require(is_same(sound->data, at, sound->data, begin));
    else
        require(is_same(sound->data, at, sound->data, at + 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF struct buf sealed = BUF_INIT(TEXT_MAX);

    check_round_trip((const char *)data, size);
    seal(data, size, &sealed);
    check_round_trip(sealed.data, sealed.len);
    for (size_t i = 0; i < size && i < DAMAGES_MAX && sealed.len < DAMAGED_BYTES_MAX; i++)
        check_damage(&sealed, (data[i] * (size_t)256 + data[size - 1 - i]) % sealed.len,
                     data[i] % 8);
    return 0;
}
