#include "supervisor/log_output.h"

#include <fcntl.h>
#include <unistd.h>

int log_output_open(void)
{
    /* Append, because a plain file would be overwritten from its beginning. */
    int fd = open("/proc/self/fd/1", O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

    return fd >= 0 ? fd : STDOUT_FILENO;
}

void log_output_close(int fd)
{
    if (fd != STDOUT_FILENO)
        close(fd);
}
