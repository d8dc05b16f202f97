/* The session's title (B-580). */
#include "tests/unit/check.h"
#include "tests/unit/translate_fixture.h"

int main(void)
{
    struct fixture fixture;

    TEST("titles pass between prompts, each once") {
        fixture_open(&fixture, NULL);
        translator_cancel(fixture.translator, fixture.now, &fixture.sink);
        fixture_look(&fixture);
        for (int i = 0; i < 2; i++)
            fixture_feed(&fixture, "{'type':'session.updated','properties':{'sessionID':'P',"
                                   "'info':{'id':'P','title':' A title '}}}");
        CHECK_STR(fixture_look(&fixture), "session_title:A title\n");
        fixture_close(&fixture);
    }
    TEST("a title that the control plane would ignore for its length is cut") {
        char title[512] = "", event[1024];

        fixture_open(&fixture, NULL);
        for (int i = 0; i < 120; i++)
            strcat(title, "\xf0\x9f\x8e\x89"); /* two UTF-16 units each */
        snprintf(event, sizeof event,
                 "{'type':'session.updated','properties':{'sessionID':'P',"
                 "'info':{'id':'P','title':'%s'}}}",
                 title);
        fixture_feed(&fixture, event);
        CHECK_INT(strlen(json_get_string(fixture.last, "title")), 100 * strlen("\xf0\x9f\x8e\x89"));
        fixture_close(&fixture);
    }
    return check_done();
}
