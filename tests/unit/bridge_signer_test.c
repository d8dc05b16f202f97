/* oi-git-sign's pure parts: git's way of calling it, keys, signatures. */
#include "bridge/signer/git_sign.h"
#include "bridge/signer/sign_arguments.h"
#include "bridge/signer/ssh_format.h"

#include "common/cleanup.h"
#include "tests/unit/check.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBaM0ggz8RWOz0lq3xs+vNPvnuWs0SS30txpSJTb357p"
/* As `ssh-keygen -l` says it. */
#define FINGERPRINT "SHA256:Cu64KulDfH7B8Mu37+JWepAJ1m59o159Y8RPj5Ta1XM"
#define HEADER "-----BEGIN SSH SIGNATURE-----\n"
#define FOOTER "-----END SSH SIGNATURE-----\n"
#define MAGIC_BASE64 "U1NIU0lHAAAA" /* "SSHSIG" and three zero bytes */

static struct sign_arguments arguments;

/* Words in one string, separated by blanks, "oi-git-sign" before them. */
static enum sign_call parse(const char *words)
{
    static char copy[256];
    char *argv[16] = {"oi-git-sign"};
    int argc = 1;

    memset(copy, 0, sizeof copy);
    snprintf(copy, sizeof copy - 1, "%s", words);
    for (char *word = copy; *word; word += strlen(word) + 1) {
        argv[argc++] = word;
        word[strcspn(word, " ")] = '\0';
    }
    return sign_arguments_parse(argc, argv, &arguments);
}

static void test_arguments(void)
{
    TEST("git's two ways of signing are taken (B-931)") {
        CHECK_INT(parse("-Y sign -n git -f key.pub buffer"), SIGN_CALL_SIGN);
        CHECK_STR(arguments.key, "key.pub");
        CHECK_STR(arguments.buffer, "buffer");
        CHECK_INT(parse("-Y sign -n git -f key.pub -U buffer2"), SIGN_CALL_SIGN);
        CHECK_STR(arguments.key, "key.pub");
        CHECK_STR(arguments.buffer, "buffer2");
    }
    TEST("what is not signing is for the stock program (B-930)") {
        CHECK_INT(parse(""), SIGN_CALL_OTHER);
        CHECK_INT(parse("-Y"), SIGN_CALL_OTHER);
        CHECK_INT(parse("-Y verify -n git -f allowed -I me -s sig"), SIGN_CALL_OTHER);
        CHECK_INT(parse("-l -f key"), SIGN_CALL_OTHER);
        CHECK_INT(parse("sign -Y"), SIGN_CALL_OTHER);
    }
    TEST("signing in another way is refused") {
        CHECK_INT(parse("-Y sign"), SIGN_CALL_UNSUPPORTED);
        CHECK_INT(parse("-Y sign -n git -f key"), SIGN_CALL_UNSUPPORTED);
        CHECK_INT(parse("-Y sign -n file -f key buffer"), SIGN_CALL_UNSUPPORTED);
        CHECK_INT(parse("-Y sign -f key -n git buffer"), SIGN_CALL_UNSUPPORTED);
        CHECK_INT(parse("-Y sign -n git -f key -O buffer"), SIGN_CALL_UNSUPPORTED);
        CHECK_INT(parse("-Y sign -n git -f key -U buffer more"), SIGN_CALL_UNSUPPORTED);
    }
    TEST("the program knows its second name, wherever it lies") {
        CHECK(git_sign_is_meant("oi-git-sign"));
        CHECK(git_sign_is_meant("/usr/local/bin/oi-git-sign"));
        CHECK(!git_sign_is_meant("oi-git-sign/oi-bridge"));
        CHECK(!git_sign_is_meant("/x/oi-git-sign2"));
        CHECK(!git_sign_is_meant(NULL));
    }
}

static void test_keys(void)
{
    static const char *const bad[] = {
        "", "ssh-ed25519", "ssh-ed25519 ", "ssh-rsa AAAA", "ssh-ed25519 AA.A", "ssh-ed25519AAAA",
    };
    char fingerprint[SSH_FINGERPRINT_SIZE];

    TEST("the fingerprint is that of ssh-keygen, with and without a comment (B-934)") {
        CHECK_INT(ssh_key_fingerprint(KEY, fingerprint), 0);
        CHECK_STR(fingerprint, FINGERPRINT);
        CHECK_INT(ssh_key_fingerprint(KEY " me@host\n", fingerprint), 0);
        CHECK_STR(fingerprint, FINGERPRINT);
    }
    TEST("what is no ssh-ed25519 key is refused") {
        for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
            CHECK_INT(ssh_key_fingerprint(bad[i], fingerprint), -1);
    }
}

static bool is_armoured(const char *text)
{
    return ssh_signature_is_armoured(text, strlen(text));
}

static void test_signatures(void)
{
    static const char *const bad[] = {
        "",
        HEADER FOOTER,
        HEADER "\n" FOOTER,
        HEADER MAGIC_BASE64 FOOTER,
        MAGIC_BASE64 "\n" FOOTER,
        HEADER MAGIC_BASE64 "\n",
        HEADER MAGIC_BASE64 "\n\n" FOOTER,
        HEADER MAGIC_BASE64 " \n" FOOTER,
        HEADER MAGIC_BASE64 "\r\n" FOOTER,
        HEADER MAGIC_BASE64 "\n" FOOTER "more",
        HEADER "QUFBQUFBQUFB\n" FOOTER,
        HEADER "U1NI\n" FOOTER,
        HEADER "U1NIU0l\n" FOOTER,
    };

    TEST("an armoured signature is one, whatever the length of its lines (B-936)") {
        CHECK(is_armoured(HEADER MAGIC_BASE64 "\n" FOOTER));
        CHECK(is_armoured(HEADER "U1NI\nU0lH\nAA==\n" FOOTER));
    }
    TEST("anything else is none") {
        for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
            CHECK(!is_armoured(bad[i]));
            if (is_armoured(bad[i]))
                printf("  case %zu\n", i);
        }
    }
}

int main(void)
{
    test_arguments();
    test_keys();
    test_signatures();
    return check_done();
}
