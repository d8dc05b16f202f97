/*
 * oi-git-sign, the second name of this program: what git runs in place of ssh-keygen (section 9.3,
 * S-528). The private key stays with the control plane, which gets the bytes and answers with the
 * signature. Every other use of ssh-keygen, as for verifying, goes to the stock one.
 *
 * Failures are one line on stderr, without a secret, and exit status 1.
 */
#ifndef BRIDGE_SIGNER_GIT_SIGN_H
#define BRIDGE_SIGNER_GIT_SIGN_H

#include <stdbool.h>

/* The program was started by that name. */
bool git_sign_is_meant(const char *argv0);

/* The whole life of the process; returns its exit status. */
int git_sign_main(int argc, char **argv);

#endif
