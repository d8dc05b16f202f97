#include "supervisor/process/listeners.h"

#include "common/cleanup.h"
#include "supervisor/process/descendants.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_LISTEN 0x0A
#define WORD_DIGITS 8 /* the kernel prints an address in words of 32 bits, as numbers */
#define ADDRESS_DIGITS (4 * WORD_DIGITS)
#define SOCKETS_MAX \
    1024 /* what the listeners of one port are named in; far more than there can be */
#define NAME_MAX_BYTES 64

static void print_address(const struct sockaddr *address, char out[ADDRESS_DIGITS + 1])
{
    const struct sockaddr_in6 *six = (const void *)address;
    const struct sockaddr_in *four = (const void *)address;
    const void *bytes = address->sa_family == AF_INET6 ? (const void *)&six->sin6_addr
                                                       : (const void *)&four->sin_addr;
    size_t words = address->sa_family == AF_INET6 ? 4 : 1;

    for (size_t i = 0; i < words; i++) {
        uint32_t word;

        memcpy(&word, (const char *)bytes + i * sizeof word, sizeof word);
        snprintf(out + i * WORD_DIGITS, WORD_DIGITS + 1, "%08X", word);
    }
}

static bool is_wildcard(const char *digits)
{
    return strspn(digits, "0") == strlen(digits);
}

/* An IPv4 address in an IPv6 one stands at its end. */
static bool overlap(const char *one, const char *other)
{
    size_t len = strlen(one) < strlen(other) ? strlen(one) : strlen(other);

    return is_wildcard(one) || is_wildcard(other) ||
           strcmp(one + strlen(one) - len, other + strlen(other) - len) == 0;
}

void listeners_read_line(const char *line, const struct sockaddr *address, struct buf *out)
{
    /* The port is at the same place in both kinds of address. */
    unsigned wanted = ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
    char digits[ADDRESS_DIGITS + 1];
    char ours[ADDRESS_DIGITS + 1];
    unsigned port, state;
    unsigned long inode;

    print_address(address, ours);
    if (sscanf(line, " %*u: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %*s %*s %lu", digits,
               &port, &state, &inode) == 4 &&
        state == STATE_LISTEN && port == wanted && overlap(digits, ours))
        buf_printf(out, "socket:[%lu]", inode);
}

static void read_table(const char *path, const struct sockaddr *address, struct buf *out)
{
    FILE *table = fopen(path, "re");
    char *line = NULL;
    size_t size = 0;

    if (!table)
        return;
    while (getline(&line, &size, table) >= 0)
        listeners_read_line(line, address, out);
    free(line);
    fclose(table);
}

static bool holds_socket(int proc, const char *pid, const char *sockets)
{
    char path[NAME_MAX_BYTES];
    char target[NAME_MAX_BYTES];
    struct dirent *name;
    bool holds = false;
    DIR *directory;
    int fd;

    snprintf(path, sizeof path, "%.16s/fd", pid);
    fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    while (!holds && (name = readdir(directory))) {
        ssize_t len = readlinkat(fd, name->d_name, target, sizeof target - 1);

        target[len > 0 ? len : 0] = '\0';
        holds = strncmp(target, "socket:", strlen("socket:")) == 0 && strstr(sockets, target);
    }
    closedir(directory);
    return holds;
}

pid_t listeners_kill(const struct sockaddr *address)
{
    AUTO_BUF struct buf sockets = BUF_INIT(SOCKETS_MAX);
    struct dirent *name;
    pid_t killed = 0;
    DIR *proc;

    read_table("/proc/net/tcp", address, &sockets);
    read_table("/proc/net/tcp6", address, &sockets);
    proc = sockets.len > 0 ? opendir("/proc") : NULL;
    if (!proc)
        return 0;
    while ((name = readdir(proc))) {
        pid_t pid = atoi(name->d_name);

        if (pid > 0 && holds_socket(dirfd(proc), name->d_name, buf_text(&sockets)) &&
            descendants_include(pid) && kill(pid, SIGKILL) == 0)
            killed = pid;
    }
    closedir(proc);
    return killed;
}

bool listeners_leave_free(const struct sockaddr *address)
{
    socklen_t size =
        address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    AUTO_CLOSE int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0)
        return true; /* the server will say it better */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return bind(fd, address, size) == 0 || errno != EADDRINUSE;
}
