/* What the translator makes of a stream that we did not read for a while: nothing (D-12). */
#include "tests/unit/check.h"
#include "tests/unit/translate_fixture.h"

static void test_unread_end(void)
{
    struct fixture fixture;
    const uint64_t settle_ms = TRANSLATOR_DEFAULT_LIMITS.settle_ms;

    TEST("an idle is no end, and a doubtful error none, while what follows may be unread") {
        static const char *const last[] = {FIXTURE_IDLE, FIXTURE_ERROR("of the last one")};

        for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++) {
            fixture_open(&fixture, NULL);
            if (i == 0) {
                fixture_feed(&fixture, FIXTURE_BUSY);
            } else {
                translator_cancel(fixture.translator, fixture.now, &fixture.sink);
                fixture_prompt(&fixture, 2);
            }
            fixture_feed(&fixture, last[i]);
            fixture_look(&fixture);
            fixture.now += settle_ms;
            translator_not_listening(fixture.translator, fixture.now);
            CHECK_INT(translator_deadline(fixture.translator), fixture.now + settle_ms);
            translator_tick(fixture.translator, fixture.now, &fixture.sink);
            CHECK(!translator_take_wants(fixture.translator).fetch);
            CHECK_STR(fixture_look(&fixture), "");
            fixture_tick(&fixture);
            CHECK(translator_take_wants(fixture.translator).fetch == (i == 0));
            CHECK(translator_is_done(fixture.translator) == (i == 1));
            fixture_close(&fixture);
        }
    }
}

int main(void)
{
    test_unread_end();
    return check_done();
}
