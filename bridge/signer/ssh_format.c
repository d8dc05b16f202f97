#include "bridge/signer/ssh_format.h"

#include "common/base64.h"
#include "net/digest.h"

#include <stdio.h>
#include <string.h>

#define KEY_TYPE "ssh-ed25519"
#define KEY_MAX_BYTES ((size_t)16 * 1024)
#define BLANKS " \t\r\n"
#define BASE64_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
#define HEADER "-----BEGIN SSH SIGNATURE-----\n"
#define FOOTER "-----END SSH SIGNATURE-----\n"
#define MAGIC "SSHSIG"

int ssh_key_fingerprint(const char *key, char out[SSH_FINGERPRINT_SIZE])
{
    AUTO_BUF struct buf blob = BUF_INIT(KEY_MAX_BYTES);
    AUTO_BUF struct buf text = BUF_INIT(SSH_FINGERPRINT_SIZE);
    unsigned char digest[DIGEST_SHA256_BYTES];
    size_t len;

    key += strspn(key, BLANKS);
    if (strncmp(key, KEY_TYPE, sizeof KEY_TYPE - 1) != 0)
        return -1;
    key += sizeof KEY_TYPE - 1;
    if (strspn(key, " \t") == 0)
        return -1;
    key += strspn(key, " \t");
    len = strcspn(key, BLANKS);
    if (len == 0 || base64_decode(key, len, &blob) != 0 || buf_failed(&blob))
        return -1;
    digest_sha256(blob.data, blob.len, digest);
    base64_encode(digest, sizeof digest, &text);
    snprintf(out, SSH_FINGERPRINT_SIZE, "SHA256:%.*s", (int)strcspn(buf_text(&text), "="),
             buf_text(&text));
    return 0;
}

/* Lines of base64, each ended by LF. */
static bool are_base64_lines(const char *text, size_t len)
{
    bool in_line = false;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n' ? !in_line : !text[i] || !strchr(BASE64_CHARS, text[i]))
            return false;
        in_line = text[i] != '\n';
    }
    return len > 0 && !in_line;
}

bool ssh_signature_is_armoured(const char *text, size_t len)
{
    static const size_t header = sizeof HEADER - 1, footer = sizeof FOOTER - 1;
    AUTO_BUF struct buf data = BUF_INIT(len);
    size_t body;

    if (len < header + footer || memcmp(text, HEADER, header) != 0 ||
        memcmp(text + len - footer, FOOTER, footer) != 0)
        return false;
    body = len - header - footer;
    return are_base64_lines(text + header, body) &&
           base64_decode(text + header, body, &data) == 0 && data.len >= sizeof MAGIC - 1 &&
           memcmp(data.data, MAGIC, sizeof MAGIC - 1) == 0;
}
