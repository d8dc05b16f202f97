/*
 * What a crash or a bad disk leaves of the journal: after every truncation and every single flipped
 * bit of a file with every kind of record, all that was not hit is recovered, and nothing else.
 */
#include "bridge/journal/journal_contents.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 * 1024)
#define LINES_MAX 32
#define BITS_PER_BYTE 8
#define CHECKSUM_DIGITS 8
#define SANDBOX "sandbox-1"
#define SESSION "session-1"

static const char *const records[] = {
    "{\"op\":\"owner\",\"sandboxId\":\"" SANDBOX "\",\"sessionId\":\"" SESSION "\"}",
    "{\"op\":\"prompt\",\"messageId\":\"m1\",\"command\":{\"content\":\"a \\ud83d b\"}}",
    "{\"op\":\"posted\",\"messageId\":\"m1\",\"sessionId\":\"s\",\"userMessageId\":\"u\","
    "\"startedMs\":17}",
    "{\"op\":\"event\",\"ackId\":\"error:a\",\"event\":{\"type\":\"error\"}}",
    "{\"op\":\"sent\",\"ackId\":\"error:a\"}",
    "{\"op\":\"acks\"}",
    "{\"op\":\"gone\",\"ackId\":\"error:a\"}",
    "{\"op\":\"event\",\"ackId\":\"execution_complete:m1\",\"event\":{\"success\":true}}",
    "{\"op\":\"prompt\",\"messageId\":\"m2\",\"command\":{}}",
    "{\"op\":\"prompt\",\"messageId\":\"m3\",\"command\":{\"content\":\"\"}}",
    "{\"op\":\"ended\",\"messageId\":\"m2\"}",
    "{\"op\":\"push\",\"pushId\":\"p1\",\"event\":{\"type\":\"push_error\"}}",
    "{\"op\":\"push\",\"pushId\":\"p2\",\"event\":{\"type\":\"push_error\"}}",
    "{\"op\":\"event\",\"ackId\":\"push_complete:p1\",\"event\":{}}",
    "{\"op\":\"event\",\"ackId\":\"error:b\",\"event\":{\"type\":\"error\"}}",
};
#define RECORDS ARRAY_LENGTH(records)

struct sample {
    struct buf text;
    size_t line_end[LINES_MAX]; /* behind its line feed */
};

static void sample_init(struct sample *sample)
{
    buf_init(&sample->text, TEXT_MAX);
    for (size_t i = 0; i < RECORDS; i++) {
        AUTO_JSON cJSON *record = json_parse(records[i], strlen(records[i]), NULL);

        journal_print_record(record, &sample->text);
        sample->line_end[i] = sample->text.len;
    }
}

/* What is understood of `text`, as text. */
static char *recovered(const char *text, size_t len)
{
    struct journal_contents contents = {0};
    struct buf out = BUF_INIT(TEXT_MAX);

    journal_contents_read(&contents, text, len, SANDBOX, SESSION);
    journal_contents_print(&contents, SANDBOX, SESSION, &out);
    journal_contents_clear(&contents);
    return buf_take(&out);
}

/* What should be, without the lines `first` to `last`; without the owner's there is nothing. */
static char *recovered_without(const struct sample *sample, size_t first, size_t last)
{
    size_t begin = first > 0 ? sample->line_end[first - 1] : 0;
    AUTO_BUF struct buf rest = BUF_INIT(TEXT_MAX);

    if (first > 0) {
        buf_append(&rest, sample->text.data, begin);
        buf_append(&rest, sample->text.data + sample->line_end[last],
                   sample->text.len - sample->line_end[last]);
    }
    return recovered(rest.data, rest.len);
}

static bool is_same(char *a, char *b)
{
    bool same = a && b && strcmp(a, b) == 0;

    free(a);
    free(b);
    return same;
}

static size_t line_of(const struct sample *sample, size_t at)
{
    size_t line = 0;

    while (at >= sample->line_end[line])
        line++;
    return line;
}

static void test_truncation(const struct sample *sample)
{
    TEST("cut at any byte: every whole line before the cut is recovered") {
        size_t wrong = 0;

        for (size_t len = 0; len < sample->text.len; len++) {
            size_t line = line_of(sample, len);
            /* Only its line feed is missing: the record is whole. */
            bool is_whole = len + 1 == sample->line_end[line];
            AUTO_BUF struct buf before = BUF_INIT(TEXT_MAX);
            size_t keep =
                is_whole ? sample->line_end[line] : (line > 0 ? sample->line_end[line - 1] : 0);

            buf_append(&before, sample->text.data, keep);
            wrong += !is_same(recovered(sample->text.data, len), recovered(before.data, keep));
        }
        CHECK_INT(wrong, 0);
    }
}

static bool flip_is_survived(const struct sample *sample, char *damaged, size_t at)
{
    size_t line = line_of(sample, at);
    size_t begin = line > 0 ? sample->line_end[line - 1] : 0;
    bool was_line_feed = sample->text.data[at] == '\n';
    size_t last = was_line_feed && line + 1 < RECORDS ? line + 1 : line;

    if (is_same(recovered(damaged, sample->text.len), recovered_without(sample, line, last)))
        return true;
    /* A digit of the checksum in another spelling: the record itself is whole. */
    return at - begin < CHECKSUM_DIGITS && is_same(recovered(damaged, sample->text.len),
                                                   recovered(sample->text.data, sample->text.len));
}

static void test_bit_flips(const struct sample *sample)
{
    char *damaged = malloc(sample->text.len);

    TEST("any one bit flipped: the line that it hit is skipped, every other is recovered") {
        size_t wrong = 0;

        memcpy(damaged, sample->text.data, sample->text.len);
        for (size_t bit = 0; bit < sample->text.len * BITS_PER_BYTE; bit++) {
            char mask = (char)(1 << bit % BITS_PER_BYTE);

            damaged[bit / BITS_PER_BYTE] ^= mask;
            wrong += !flip_is_survived(sample, damaged, bit / BITS_PER_BYTE);
            damaged[bit / BITS_PER_BYTE] ^= mask;
        }
        CHECK_INT(wrong, 0);
    }
    free(damaged);
}

static void test_sample(const struct sample *sample)
{
    TEST("the undamaged file holds what is owed: two answers, an error, a prompt and a push") {
        char *text = recovered(sample->text.data, sample->text.len);

        CHECK(strstr(text, "execution_complete:m1") && strstr(text, "push_complete:p1"));
        CHECK(strstr(text, "error:b") && strstr(text, "\"m3\"") && strstr(text, "\"p2\""));
        CHECK(!strstr(text, "error:a") && !strstr(text, "\"m2\"") && !strstr(text, "\"p1\""));
        free(text);
    }
}

int main(void)
{
    struct sample sample;

    sample_init(&sample);
    test_sample(&sample);
    test_truncation(&sample);
    test_bit_flips(&sample);
    buf_free(&sample.text);
    return check_done();
}
