/* The outbox: tokens that replace one another while they wait (D-09). */
#include "tests/unit/check.h"
#include "tests/unit/outbox_under_test.h"

static void test_tokens(void)
{
    TEST("a token that extends the waiting one takes its place (D-09)") {
        fresh(10, 100000);
        push_token("Hel");
        push("{\"type\":\"tool_call\",\"messageId\":\"t\"}");
        push_token("Hello");
        push_token("Hello you");
        CHECK_STR(drain(), "token:Hello you tool_call:t ");
        CHECK_INT(outbox_counts(outbox).dropped, 0);
    }
    TEST("a token of another part, or of another message, replaces nothing") {
        fresh(10, 100000);
        push_token("One");
        push_token("Two");
        push("{\"type\":\"token\",\"messageId\":\"other\",\"content\":\"Two and more\"}");
        CHECK_STR(drain(), "token:One token:Two token:Two and more ");
    }
    TEST("a token that was handed over is not replaced") {
        fresh(10, 100000);
        push_token("Hel");
        drain();
        push_token("Hello");
        CHECK_STR(drain(), "token:Hello ");
    }
    TEST("a token after a compaction begins a segment of its own") {
        fresh(10, 100000);
        push_token("Hel");
        push("{\"type\":\"context_compacted\",\"messageId\":\"m\"}");
        push_token("Hello");
        CHECK_STR(drain(), "token:Hel context_compacted:m token:Hello ");
    }
    TEST("a waiting token that was dropped is not replaced") {
        fresh(2, 100000);
        push_token("Hel");
        push_completion("m1");
        push_completion("m2");
        CHECK_STR(drain(), "execution_complete:m1 execution_complete:m2 ");
        push_token("Hello");
        CHECK_STR(drain(), "token:Hello ");
    }
    TEST("a whole answer of growing tokens costs no more than its last") {
        char text[4001];

        memset(text, 'y', sizeof text - 1);
        fresh(1000, 100000);
        for (size_t len = 1; len < sizeof text; len++) {
            char kept = text[len];

            text[len] = '\0';
            push_token(text);
            text[len] = kept;
        }
        CHECK_INT(outbox_counts(outbox).waiting_events, 1);
        CHECK(outbox_counts(outbox).waiting_bytes < 5000);
    }
}

int main(void)
{
    test_tokens();
    put_away();
    return check_done();
}
