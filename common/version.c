#include "common/version.h"

#ifndef OI_VERSION
#error "OI_VERSION is passed by the Makefile, from the file VERSION"
#endif
#ifndef OI_RUNTIME_VERSION
#error "OI_RUNTIME_VERSION is passed by the Makefile, from plugin/runtime_manifest.json"
#endif

const char *version_text(void)
{
    return OI_VERSION;
}

const char *version_runtime(void)
{
    return OI_RUNTIME_VERSION;
}
