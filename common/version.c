#include "common/version.h"

#ifndef OI_VERSION
#error "OI_VERSION is passed by the Makefile, from the file VERSION"
#endif

const char *version_text(void)
{
    return OI_VERSION;
}
