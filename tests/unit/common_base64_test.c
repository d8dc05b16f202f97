#include "common/base64.h"
#include "tests/unit/check.h"

static const char *encode(const char *text, struct buf *out)
{
    buf_reset(out);
    base64_encode(text, strlen(text), out);
    return buf_text(out);
}

int main(void)
{
    AUTO_BUF struct buf out = BUF_INIT(64);

    TEST("every length of the last group is padded as RFC 4648 says")
    {
        CHECK_STR(encode("", &out), "");
        CHECK_STR(encode("f", &out), "Zg==");
        CHECK_STR(encode("fo", &out), "Zm8=");
        CHECK_STR(encode("foo", &out), "Zm9v");
        CHECK_STR(encode("foobar", &out), "Zm9vYmFy");
    }

    TEST("bytes above 127 are bytes, not negative numbers")
    {
        CHECK_STR(encode("\xff\xfe\xfd", &out), "//79");
    }
    return check_done();
}
