/* The journal: what it keeps, what a crash at any byte leaves of it, whose it is. */
#include "bridge/journal/journal.h"
#include "common/file.h"
#include "common/json.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/oi-journal-XXXXXX";
static char path[64];

static struct journal *open_as(const char *sandbox_id)
{
    return journal_open(path, sandbox_id, "session", NULL);
}

static void add(struct journal *journal, const char *ack_id)
{
    journal_event_added(journal, ack_id, "{\"type\":\"error\",\"error\":\"\\ud83d half\"}");
}

static void take(struct journal *journal, const char *message_id)
{
    AUTO_JSON cJSON *command = cJSON_CreateObject();

    json_add_string(command, "messageId", message_id);
    journal_prompt_taken(journal, message_id, command);
}

static void begin_push(struct journal *journal, const char *push_id)
{
    AUTO_JSON cJSON *answer = cJSON_CreateObject();

    json_add_string(answer, "type", "push_error");
    json_add_string(answer, "branchName", push_id);
    journal_push_started(journal, push_id, answer);
}

static size_t count_events(const struct journal *journal)
{
    size_t count = 0;

    for (const struct journal_event *event = journal_contents(journal)->events; event;
         event = event->next)
        count++;
    return count;
}

static void test_keeping(void)
{
    struct journal *journal;
    const struct journal_contents *contents;

    TEST("what is owed is there again after a crash, in order, with what is known of it") {
        unlink(path);
        journal = open_as("sb");
        add(journal, "error:a");
        add(journal, "error:b");
        add(journal, "error:c");
        journal_event_sent(journal, "error:b");
        journal_event_gone(journal, "error:a");
        journal_acks_expected(journal);
        journal_close(journal);
        journal = open_as("sb");
        contents = journal_contents(journal);
        CHECK_INT(count_events(journal), 2);
        CHECK_STR(contents->events->ack_id, "error:b");
        CHECK(contents->events->sent);
        CHECK_STR(contents->events->next->ack_id, "error:c");
        CHECK(!contents->events->next->sent);
        CHECK(contents->acks);
        CHECK_STR(contents->events->text, "{\"type\":\"error\",\"error\":\"\\ud83d half\"}");
        journal_close(journal);
    }
    TEST("a prompt is kept until its completion is owed, then only that is") {
        unlink(path);
        journal = open_as("sb");
        take(journal, "m1");
        journal_prompt_posted(journal, "m1", "ses", "msg", 1234);
        take(journal, "m2");
        journal_close(journal);
        journal = open_as("sb");
        contents = journal_contents(journal);
        CHECK_STR(contents->prompts->message_id, "m1");
        CHECK_STR(contents->prompts->session_id, "ses");
        CHECK_STR(contents->prompts->user_message_id, "msg");
        CHECK_INT(contents->prompts->started_wall_ms, 1234);
        CHECK_STR(contents->prompts->next->message_id, "m2");
        CHECK(!contents->prompts->next->user_message_id);
        add(journal, "execution_complete:m1");
        CHECK_STR(contents->prompts->message_id, "m2");
        journal_close(journal);
        journal = open_as("sb");
        CHECK_STR(journal_contents(journal)->prompts->message_id, "m2");
        CHECK_INT(count_events(journal), 1);
        journal_close(journal);
    }
}

static void test_other_owners(void)
{
    struct journal *journal;

    TEST("a snapshot restored as another sandbox owes nothing old") {
        unlink(path);
        journal = open_as("sb");
        add(journal, "error:a");
        take(journal, "m1");
        begin_push(journal, "p1");
        journal_close(journal);
        journal = open_as("another");
        CHECK_INT(count_events(journal), 0);
        CHECK(!journal_contents(journal)->prompts);
        CHECK(!journal_contents(journal)->pushes);
        journal_close(journal);
        journal = open_as("sb");
        CHECK_INT(count_events(journal), 0);
        journal_close(journal);
    }
}

static void test_errors(void)
{
    struct journal *journal;
    const cJSON *errors;

    TEST("a prompt's errors are remembered with it, also after their events were acknowledged") {
        unlink(path);
        journal = open_as("sb");
        take(journal, "m1");
        journal_event_added(journal, "error:m1",
                            "{\"type\":\"error\",\"messageId\":\"m1\",\"error\":\"no credit\"}");
        journal_event_added(journal, "error:m1#2",
                            "{\"type\":\"error\",\"messageId\":\"m1\",\"error\":\"a sub-task's\","
                            "\"isSubtask\":true}");
        journal_event_gone(journal, "error:m1");
        /* Read from what was appended, then from the file that the first reading wrote anew. */
        for (int reading = 0; reading < 2; reading++) {
            journal_close(journal);
            journal = open_as("sb");
            errors = journal_contents(journal)->prompts->errors;
            CHECK_INT(cJSON_GetArraySize(errors), 2);
            CHECK_STR(cJSON_GetStringValue(cJSON_GetArrayItem(errors, 0)), "no credit");
            CHECK(cJSON_IsNull(cJSON_GetArrayItem(errors, 1)));
        }
        CHECK_INT(count_events(journal), 1);
        journal_close(journal);
    }
}

static void test_pushes(void)
{
    struct journal *journal;
    const struct journal_contents *contents;

    TEST("a push is kept with its answer until it is answered, well or badly") {
        unlink(path);
        journal = open_as("sb");
        begin_push(journal, "p1");
        begin_push(journal, "p2");
        begin_push(journal, "p3");
        add(journal, "push_complete:p1");
        journal_close(journal);
        journal = open_as("sb");
        contents = journal_contents(journal);
        CHECK_STR(contents->pushes->push_id, "p2");
        CHECK_STR(contents->pushes->event, "{\"type\":\"push_error\",\"branchName\":\"p2\"}");
        CHECK_STR(contents->pushes->next->push_id, "p3");
        add(journal, "push_error:p2");
        CHECK_STR(contents->pushes->push_id, "p3");
        CHECK(!contents->pushes->next);
        journal_close(journal);
    }
}

static void test_file(void)
{
    struct journal *journal;
    struct stat st;

    TEST("the file belongs to us alone, and does not grow with what is settled") {
        unlink(path);
        journal = open_as("sb");
        for (int i = 0; i < 20000; i++) {
            char id[32];

            snprintf(id, sizeof id, "error:%d", i);
            add(journal, id);
            journal_event_sent(journal, id);
            journal_event_gone(journal, id);
        }
        journal_close(journal);
        CHECK_INT(stat(path, &st), 0);
        CHECK_INT(st.st_mode & 0777, 0600);
        CHECK(st.st_size < 256 * 1024);
    }
    TEST("a symbolic link in its place is not followed") {
        char victim[80];

        snprintf(victim, sizeof victim, "%s/victim", directory);
        CHECK_INT(file_write_atomic(victim, "keep", 4, 0600, false, NULL), 0);
        unlink(path);
        CHECK_INT(symlink(victim, path), 0);
        journal = open_as("sb");
        add(journal, "error:a");
        journal_close(journal);
        CHECK_INT(stat(victim, &st), 0);
        CHECK_INT(st.st_size, 4);
        unlink(victim);
    }
    TEST("a place that cannot be written to is no reason to fail") {
        journal = journal_open("/proc/no/such/place", "sb", "session", NULL);
        CHECK(journal);
        add(journal, "error:a");
        CHECK_INT(count_events(journal), 1);
        journal_close(journal);
    }
}

static bool on_line(void *user, const char *line, size_t len, enum log_origin origin)
{
    (void)origin;
    buf_append(user, line, len);
    return true;
}

static size_t count_in(struct buf *text, const char *word)
{
    size_t count = 0;

    for (const char *at = strstr(buf_text(text), word); at; at = strstr(at + 1, word))
        count++;
    return count;
}

static void test_full(void)
{
    TEST("what does not fit is said, once, and what fits is kept") {
        AUTO_BUF struct buf said = BUF_INIT(64 * 1024);
        char *huge = malloc(JOURNAL_CONTENTS_MAX_BYTES + 1);
        AUTO_JSON cJSON *command = cJSON_CreateObject();
        struct journal *journal;
        struct log *log = log_new(-1, "sandbox", "bridge");

        log_set_sink(log, on_line, &said);
        memset(huge, 'x', JOURNAL_CONTENTS_MAX_BYTES);
        huge[JOURNAL_CONTENTS_MAX_BYTES] = '\0';
        json_add_string(command, "content", huge);
        free(huge);
        unlink(path);
        journal = journal_open(path, "sb", "session", log);
        journal_prompt_ended(journal, "unknown");
        journal_prompt_taken(journal, "m1", command);
        journal_prompt_taken(journal, "m2", command);
        take(journal, "m3");
        CHECK_STR(journal_contents(journal)->prompts->message_id, "m3");
        journal_close(journal);
        log_free(log);
        CHECK_INT(count_in(&said, "bridge.journal_full"), 1);
    }
}

/* A journal with two events, a prompt and a push, as text. */
static void sample(struct buf *text)
{
    struct journal *journal;

    unlink(path);
    journal = open_as("sb");
    add(journal, "error:a");
    take(journal, "m1");
    journal_prompt_posted(journal, "m1", "ses", "msg", 1);
    begin_push(journal, "p1");
    add(journal, "error:b");
    journal_event_sent(journal, "error:b");
    journal_close(journal);
    CHECK_INT(file_read(path, text, NULL), 0);
}

/* Everything that was read is whole, and nothing is there that was never written. */
static bool is_sane(const struct journal_contents *contents)
{
    for (const struct journal_event *event = contents->events; event; event = event->next) {
        if (strcmp(event->ack_id, "error:a") != 0 && strcmp(event->ack_id, "error:b") != 0)
            return false;
    }
    if (contents->pushes && strcmp(contents->pushes->push_id, "p1") != 0)
        return false;
    return !contents->prompts || strcmp(contents->prompts->message_id, "m1") == 0;
}

static void test_damage(void)
{
    AUTO_BUF struct buf text = BUF_INIT(64 * 1024);
    struct journal_contents contents = {0};

    sample(&text);
    TEST("cut at any byte, what stands before the cut is there") {
        for (size_t len = 0; len <= text.len; len++) {
            journal_contents_read(&contents, text.data, len, "sb", "session");
            CHECK(is_sane(&contents));
            if (len == text.len)
                CHECK(contents.events && contents.events->next && contents.prompts &&
                      contents.pushes);
            journal_contents_clear(&contents);
        }
    }
    TEST("with any bit flipped, every other record is there and none is false") {
        for (size_t at = 0; at < text.len; at++) {
            for (int bit = 0; bit < 8; bit++) {
                text.data[at] ^= (char)(1 << bit);
                journal_contents_read(&contents, text.data, text.len, "sb", "session");
                CHECK(is_sane(&contents));
                journal_contents_clear(&contents);
                text.data[at] ^= (char)(1 << bit);
            }
        }
    }
}

int main(void)
{
    if (!mkdtemp(directory))
        return 1;
    snprintf(path, sizeof path, "%s/journal", directory);
    test_keeping();
    test_other_owners();
    test_errors();
    test_pushes();
    test_file();
    test_full();
    test_damage();
    file_remove_tree(directory, NULL);
    return check_done();
}
