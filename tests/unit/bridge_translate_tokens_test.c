#include "bridge/translate/text_parts.h"
#include "tests/unit/check.h"
#include "tests/unit/translate_fixture.h"

#define INTERVAL_MS 100

static void test_coalescing(void)
{
    struct fixture fixture;

    TEST("the first token of a part leaves at once, the next after the interval (D-09)") {
        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        fixture_delta(&fixture, "Hel");
        CHECK_STR(fixture_look(&fixture), "token:Hel\n");
        fixture_delta(&fixture, "lo");
        fixture_delta(&fixture, " you");
        CHECK_STR(fixture_look(&fixture), "");
        CHECK_INT(translator_deadline(fixture.translator), fixture.now + INTERVAL_MS);
        fixture_tick(&fixture);
        CHECK_STR(fixture_look(&fixture), "token:Hello you\n");
        fixture.now += INTERVAL_MS;
        fixture_delta(&fixture, "!");
        CHECK_STR(fixture_look(&fixture), "token:Hello you!\n");
        fixture_close(&fixture);
    }
    TEST("the tokens of a long text are further apart: bytes grow with the text, not its square") {
        struct text_part part = {.text = {.len = 0}};

        CHECK_INT(text_parts_interval(&part, INTERVAL_MS), INTERVAL_MS);
        part.text.len = 256000;
        CHECK_INT(text_parts_interval(&part, INTERVAL_MS), TEXT_PARTS_INTERVAL_MAX_MS);
        part.text.len = 32000;
        CHECK_INT(text_parts_interval(&part, INTERVAL_MS), 600);
        CHECK_INT(text_parts_interval(&part, 0), 0);
        CHECK_INT(text_parts_interval(&part, 5000), 5000);
    }
    TEST("a waiting text leaves before any other event of the prompt") {
        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        fixture_delta(&fixture, "a");
        fixture_delta(&fixture, "b");
        fixture_feed(&fixture, "{'type':'message.part.updated','properties':{'part':{'id':'x',"
                               "'messageID':'A-U','sessionID':'P','type':'step-start'}}}");
        CHECK_STR(fixture_look(&fixture), "token:a\ntoken:ab\nstep_start\n");
        fixture_close(&fixture);
    }
    TEST("a waiting text leaves before the completion, also of a cancelled prompt") {
        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        fixture_delta(&fixture, "a");
        fixture_delta(&fixture, "b");
        translator_cancel(fixture.translator, fixture.now, &fixture.sink);
        CHECK_STR(fixture_look(&fixture),
                  "token:a\ntoken:ab\nexecution_complete:Task was cancelled:failed\n");
        fixture_close(&fixture);
    }
    TEST("the closing snapshot of a part sends nothing when the text is known") {
        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        fixture_delta(&fixture, "done");
        fixture_feed(&fixture, "{'type':'message.part.updated','properties':{'part':{'id':'T-U',"
                               "'messageID':'A-U','sessionID':'P','type':'text','text':'done'}}}");
        CHECK_STR(fixture_look(&fixture), "token:done\n");
        fixture_close(&fixture);
    }
}

static void test_texts(void)
{
    struct fixture fixture;

    TEST("an emoji cut over two deltas becomes whole (B-431)") {
        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        fixture_delta(&fixture, "a\\ud83d");
        fixture.now += INTERVAL_MS;
        fixture_delta(&fixture, "\\ude80b");
        CHECK(strstr(fixture_look(&fixture), "token:a\xf0\x9f\x9a\x80"
                                             "b\n") != NULL);
        fixture_close(&fixture);
    }
    TEST("reasoning deltas never become text, though their field is text too") {
        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        fixture_feed(&fixture, "{'type':'message.part.updated','properties':{'part':{'id':'R',"
                               "'messageID':'A-U','sessionID':'P','type':'reasoning','text':''}}}");
        fixture_feed(&fixture,
                     "{'type':'message.part.delta','properties':{'sessionID':'P','messageID':"
                     "'A-U','partID':'R','field':'text','delta':'secret'}}");
        CHECK_STR(fixture_look(&fixture), "");
        fixture_close(&fixture);
    }
    TEST("deltas of a message that is not announced yet are kept for it") {
        fixture_open(&fixture, NULL);
        fixture_feed(&fixture, "{'type':'message.part.updated','properties':{'part':{'id':'T-U',"
                               "'messageID':'A-U','sessionID':'P','type':'text','text':''}}}");
        fixture_delta(&fixture, "early");
        CHECK_STR(fixture_look(&fixture), "");
        fixture_feed(&fixture,
                     "{'type':'message.updated','properties':{'sessionID':'P','info':{'id':'A-U',"
                     "'role':'assistant','sessionID':'P','parentID':'U'}}}");
        CHECK_STR(fixture_look(&fixture), "token:early\n");
        fixture_close(&fixture);
    }
    TEST("a text over 256 KiB is cut once, with a mark, between characters (D-40)") {
        static char large[300 * 1024];
        const char *content;

        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        memset(large, 'x', sizeof(large) - 1);
        for (size_t i = 0; i + 300 < sizeof(large); i += 300) {
            char keep = large[i + 300];

            large[i + 300] = '\0';
            fixture_delta(&fixture, large + i);
            large[i + 300] = keep;
        }
        fixture_tick(&fixture);
        content = json_get_string(fixture.last, "content");
        CHECK(content && strlen(content) < 257 * 1024);
        CHECK(content && strstr(content, "[cut here by the sandbox: too long]") != NULL);
        fixture_delta(&fixture, "more");
        CHECK(translator_deadline(fixture.translator) > fixture.now + INTERVAL_MS);
        fixture_close(&fixture);
    }
}

int main(void)
{
    test_coalescing();
    test_texts();
    return check_done();
}
