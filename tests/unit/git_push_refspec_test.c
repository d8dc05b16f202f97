#include "git/push_refspec.h"

#include "tests/unit/check.h"

static const char *printed(const char *text)
{
    static char out[256];
    struct push_refspec refspec;
    struct buf buf = BUF_INIT(sizeof out - 1);

    if (push_refspec_parse(text, &refspec, NULL) < 0)
        return "bad";
    push_refspec_print(&refspec, &buf);
    strcpy(out, buf_text(&buf));
    buf_free(&buf);
    return out;
}

int main(void)
{
    TEST("what the control plane sends passes unchanged") {
        CHECK_STR(printed("HEAD:refs/heads/feature/x"), "HEAD:refs/heads/feature/x");
        CHECK_STR(printed("+HEAD:refs/heads/x"), "+HEAD:refs/heads/x");
        CHECK_STR(printed(":refs/heads/gone"), ":refs/heads/gone");
        CHECK_STR(printed("v1:refs/tags/v1"), "v1:refs/tags/v1");
    }
    TEST("a short destination is a branch, an absent one stays open") {
        CHECK_STR(printed("HEAD:feature/x"), "HEAD:refs/heads/feature/x");
        CHECK_STR(printed("feature/x"), "feature/x:");
    }
    TEST("what is no refspec of one reference is refused") {
        CHECK_STR(printed(""), "bad");
        CHECK_STR(printed("+"), "bad");
        CHECK_STR(printed(":"), "bad");
        CHECK_STR(printed("HEAD:"), "bad");
        CHECK_STR(printed("a:b:c"), "bad");
        CHECK_STR(printed("refs/heads/*:refs/heads/*"), "bad");
        CHECK_STR(printed("HEAD:x -f"), "bad");
    }
    TEST("the short name is what git shows") {
        struct push_refspec refspec;

        push_refspec_parse("HEAD:refs/heads/feature/x", &refspec, NULL);
        CHECK_STR(push_refspec_short(&refspec), "feature/x");
        push_refspec_parse("v1:refs/tags/v1", &refspec, NULL);
        CHECK_STR(push_refspec_short(&refspec), "refs/tags/v1");
    }
    return check_done();
}
