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

    TEST("every length of the last group is padded as RFC 4648 says") {
        CHECK_STR(encode("", &out), "");
        CHECK_STR(encode("f", &out), "Zg==");
        CHECK_STR(encode("fo", &out), "Zm8=");
        CHECK_STR(encode("foo", &out), "Zm9v");
        CHECK_STR(encode("foobar", &out), "Zm9vYmFy");
    }

    TEST("bytes above 127 are bytes, not negative numbers") {
        CHECK_STR(encode("\xff\xfe\xfd", &out), "//79");
    }

    TEST("pieces of any length make the same text as the whole") {
        for (size_t first = 0; first <= 11; first++) {
            for (size_t second = first; second <= 11; second++) {
                static const char text[] = "hello world";
                struct base64_encoder encoder = {0};

                buf_reset(&out);
                base64_encoder_feed(&encoder, text, first, &out);
                base64_encoder_feed(&encoder, text + first, second - first, &out);
                base64_encoder_feed(&encoder, text + second, 11 - second, &out);
                base64_encoder_end(&encoder, &out);
                CHECK_STR(buf_text(&out), "aGVsbG8gd29ybGQ=");
            }
        }
    }

    TEST("decoding gives the bytes back, over line breaks") {
        buf_reset(&out);
        CHECK_INT(base64_decode("Zm9v\r\nYm Fy\n", 12, &out), 0);
        CHECK_STR(buf_text(&out), "foobar");
        buf_reset(&out);
        CHECK_INT(base64_decode("Zg==", 4, &out), 0);
        CHECK_STR(buf_text(&out), "f");
        buf_reset(&out);
        CHECK_INT(base64_decode("Zm8=", 4, &out), 0);
        CHECK_STR(buf_text(&out), "fo");
        buf_reset(&out);
        CHECK_INT(base64_decode("//79", 4, &out), 0);
        CHECK_STR(buf_text(&out), "\xff\xfe\xfd");
        CHECK_INT(base64_decode("", 0, &out), 0);
    }

    TEST("what is no base64 is refused") {
        CHECK_INT(base64_decode("Zg=", 3, &out), -1);
        CHECK_INT(base64_decode("Z", 1, &out), -1);
        CHECK_INT(base64_decode("Zg=x", 4, &out), -1);
        CHECK_INT(base64_decode("Z===", 4, &out), -1);
        CHECK_INT(base64_decode("Zm9-", 4, &out), -1);
    }
    return check_done();
}
