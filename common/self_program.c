#include "common/self_program.h"

#include <sys/auxv.h>
#include <unistd.h>

#define PROC_SELF "/proc/self/exe"

const char *self_program(void)
{
    const char *started_as;

    if (access(PROC_SELF, X_OK) == 0)
        return PROC_SELF;
    started_as = (const char *)getauxval(AT_EXECFN);
    return started_as ? started_as : PROC_SELF;
}
