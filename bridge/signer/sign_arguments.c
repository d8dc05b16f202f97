#include "bridge/signer/sign_arguments.h"

#include "common/cleanup.h"

#include <stdbool.h>
#include <string.h>

/* What argv[1] and on are: a word that must be there, or NULL for a value. */
static const char *const FORM[] = {"-Y", "sign", "-n", "git", "-f", NULL};
#define WORDS ((int)ARRAY_LENGTH(FORM))
#define KEY_POSITION WORDS

static bool matches(char *const *argv, int count)
{
    for (int i = 0; i < count; i++) {
        if (FORM[i] && strcmp(argv[i + 1], FORM[i]) != 0)
            return false;
    }
    return true;
}

enum sign_call sign_arguments_parse(int argc, char *const *argv, struct sign_arguments *arguments)
{
    int last = argc - 1;
    /* git says with -U that the private key is with an agent. */
    bool with_agent = argc == WORDS + 3 && strcmp(argv[WORDS + 1], "-U") == 0;

    if (argc < 3 || !matches(argv, 2))
        return SIGN_CALL_OTHER;
    if ((argc != WORDS + 2 && !with_agent) || !matches(argv, WORDS))
        return SIGN_CALL_UNSUPPORTED;
    *arguments = (struct sign_arguments){.key = argv[KEY_POSITION], .buffer = argv[last]};
    return SIGN_CALL_SIGN;
}
