/*
 * How git calls the program that signs and verifies with SSH keys (B-930, B-931). Pure. Texts point
 * into argv.
 */
#ifndef BRIDGE_SIGNER_SIGN_ARGUMENTS_H
#define BRIDGE_SIGNER_SIGN_ARGUMENTS_H

enum sign_call {
    SIGN_CALL_OTHER,       /* for the stock ssh-keygen */
    SIGN_CALL_SIGN,        /* for us */
    SIGN_CALL_UNSUPPORTED, /* signing, but not the way git does it */
};

struct sign_arguments {
    const char *key;    /* "key::ssh-ed25519 ..." or the path of a file */
    const char *buffer; /* the path of what is to be signed */
};

enum sign_call sign_arguments_parse(int argc, char *const *argv, struct sign_arguments *arguments);

#endif
