#include "supervisor/exit_status.h"

#include "common/cleanup.h"

#define ORDERLY 0
#define FAILED 1
#define USAGE 2

static const int statuses[] = {
    [SANDBOX_END_SIGNAL] = ORDERLY,            /* S-143, S-149, S-151, S-154 */
    [SANDBOX_END_SESSION_OVER] = ORDERLY,      /* S-144 */
    [SANDBOX_END_FATAL] = FAILED,              /* S-145 */
    [SANDBOX_END_RESTARTS_EXHAUSTED] = FAILED, /* S-146 */
    [SANDBOX_END_CONFIG_UNUSABLE] = FAILED,    /* S-147, S-152 */
    [SANDBOX_END_USAGE] = USAGE,               /* S-148 */
    [SANDBOX_END_BUILD_FAILED] = FAILED,       /* S-150 */
    [SANDBOX_END_TOKEN_REFUSED] = FAILED,      /* S-153 */
};
_Static_assert(ARRAY_LENGTH(statuses) == SANDBOX_END_COUNT, "every end has its status");

int exit_status_of(enum sandbox_end end)
{
    return statuses[end];
}
