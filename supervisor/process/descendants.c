#include "supervisor/process/descendants.h"

#include "common/buf.h"
#include "common/cleanup.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROCESSES_MAX (256 * 1024)
#define STAT_MAX 512

struct entry {
    pid_t pid;
    pid_t parent;
    bool ours;
};

/* The parent of a process, from /proc/PID/stat; its name may hold blanks and parentheses. */
static pid_t read_parent(int proc, const char *pid)
{
    char path[64];
    char text[STAT_MAX];
    ssize_t len;
    const char *after_name;
    int parent;
    int fd;

    snprintf(path, sizeof path, "%s/stat", pid);
    fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    len = read(fd, text, sizeof text - 1);
    close(fd);
    text[len > 0 ? len : 0] = '\0';
    after_name = strrchr(text, ')');
    return after_name && sscanf(after_name + 1, " %*c %d", &parent) == 1 ? parent : -1;
}

static void read_processes(struct buf *entries)
{
    DIR *proc = opendir("/proc");
    struct dirent *name;

    if (!proc)
        return;
    while ((name = readdir(proc))) {
        struct entry entry = {0};

        if (!isdigit((unsigned char)name->d_name[0]))
            continue;
        entry.pid = atoi(name->d_name);
        entry.parent = read_parent(dirfd(proc), name->d_name);
        buf_append(entries, &entry, sizeof entry);
    }
    closedir(proc);
}

static bool has_our_parent(const struct entry *entries, size_t count, const struct entry *one)
{
    if (one->parent == getpid())
        return true;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].ours && entries[i].pid == one->parent)
            return true;
    }
    return false;
}

/* Marks generation after generation until a pass finds nobody new. */
static void mark_ours(struct entry *entries, size_t count)
{
    bool found = true;

    while (found) {
        found = false;
        for (size_t i = 0; i < count; i++) {
            if (entries[i].ours || !has_our_parent(entries, count, &entries[i]))
                continue;
            entries[i].ours = true;
            found = true;
        }
    }
}

bool descendants_include(pid_t pid)
{
    AUTO_CLOSE int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    pid_t one = pid;

    while (one > 1 && one != getpid()) {
        char name[16];

        snprintf(name, sizeof name, "%d", (int)one);
        one = read_parent(proc, name);
    }
    return one == getpid() && pid != one;
}

unsigned descendants_signal(int number)
{
    AUTO_BUF struct buf list = BUF_INIT(PROCESSES_MAX * sizeof(struct entry));
    struct entry *entries;
    size_t count;
    unsigned signalled = 0;

    if (getpid() == 1)
        return kill(-1, number) == 0;
    read_processes(&list);
    entries = (struct entry *)(void *)list.data;
    count = list.len / sizeof *entries;
    mark_ours(entries, count);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].ours && kill(entries[i].pid, number) == 0)
            signalled++;
    }
    return signalled;
}
