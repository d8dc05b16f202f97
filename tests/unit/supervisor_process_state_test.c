/* What /proc and the cgroup files say, read from trees that a test made. */
#include "common/file.h"
#include "supervisor/opencode/read_ahead.h"
#include "supervisor/opencode/recycling.h"
#include "supervisor/process/cgroup.h"
#include "supervisor/process/oom_kills.h"
#include "supervisor/process/process_state.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define KIB_PER_GIB (1024 * 1024)
#define READ_AHEAD_PAGES 512
#define DAY_MS (24ULL * 3600 * 1000)

static char root[PATH_MAX];

/* "name/of/file" below the root, with its directories. */
static void put(const char *name, const char *text)
{
    char path[2 * PATH_MAX];
    char *slash;

    snprintf(path, sizeof path, "%s/%s", root, name);
    slash = strrchr(path, '/');
    *slash = '\0';
    CHECK(file_make_directories(path, 0755, NULL) == 0);
    *slash = '/';
    CHECK(file_write_atomic(path, text, strlen(text), 0644, false, NULL) == 0);
}

static void clear(void)
{
    file_remove_tree(root, NULL);
}

static struct oom_kills kills_of(const char *groups)
{
    struct oom_kills kills;
    char of_self[2 * PATH_MAX];

    put("self/cgroup", groups);
    snprintf(of_self, sizeof of_self, "%s/self/cgroup", root);
    oom_kills_init(&kills, root, of_self);
    return kills;
}

static void test_process_state(void)
{
    TEST("state, wait channel, kernel stack, threads and memory of a process are told") {
        struct process_state state;

        put("71/status",
            "Name:\topencode\nState:\tD (disk sleep)\nVmRSS:\t  512000 kB\nThreads:\t9\n");
        put("71/wchan", "folio_wait_bit");
        put("71/syscall", "0 0x5 0x7f 0x1000 0x0 0x0 0x0 0x7ffc 0x7f00\n");
        put("71/stack", "[<0>] folio_wait_bit+0x12c/0x250\n[<0>] filemap_fault+0x5a0/0xc70\n");
        process_state_read(root, 71, &state);
        CHECK_STR(state.state, "D (disk sleep)");
        CHECK_STR(state.wchan, "folio_wait_bit");
        CHECK(strncmp(state.syscall, "0 0x5 ", 6) == 0);
        CHECK_STR(state.stack, "folio_wait_bit < filemap_fault");
        CHECK_INT(state.threads, 9);
        CHECK_INT(state.rss_kib, 512000);
        CHECK_INT(process_state_rss_kib(root, 71), 512000);
        clear();
    }
    TEST("of a process that is gone, or that we may not look into, what is missing stays empty") {
        struct process_state state;

        put("72/status", "State:\tS (sleeping)\n");
        process_state_read(root, 72, &state);
        CHECK_STR(state.state, "S (sleeping)");
        CHECK_STR(state.stack, "");
        process_state_read(root, 73, &state);
        CHECK_STR(state.state, "");
        CHECK_INT(state.rss_kib, 0);
        clear();
    }
}

static void test_oom_kills(void)
{
    static const char version_2[] = "low 0\nhigh 3\nmax 9\noom 4\noom_kill 2\noom_group_kill 1\n";
    static const char version_1[] = "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n";

    TEST("the counter is read from both versions' files, and from no other line of them") {
        uint64_t count = 0;

        CHECK(oom_kills_parse(version_2, &count));
        CHECK_INT(count, 2);
        CHECK(oom_kills_parse(version_1, &count));
        CHECK_INT(count, 5);
        CHECK(!oom_kills_parse("oom_kill_disable 0\nunder_oom 0\n", &count));
        CHECK(!oom_kills_parse("", &count));
    }
    TEST("cgroup version 2: only what was killed since the last look is new") {
        struct oom_kills kills;

        put("sandbox/memory.events", version_2);
        kills = kills_of("0::/sandbox\n");
        CHECK_INT(oom_kills_look(&kills), 0);
        put("sandbox/memory.events", "oom_kill 5\n");
        CHECK_INT(oom_kills_look(&kills), 3);
        CHECK_INT(oom_kills_look(&kills), 0);
        clear();
    }
    TEST("cgroup version 1: the memory controller's group") {
        struct oom_kills kills;

        put("memory/docker/abc/memory.oom_control", version_1);
        kills = kills_of("11:cpu,cpuacct:/docker/abc\n9:memory:/docker/abc\n1:name=systemd:/x\n");
        put("memory/docker/abc/memory.oom_control", "oom_kill 6\n");
        CHECK_INT(oom_kills_look(&kills), 1);
        clear();
    }
    TEST("a path of the host that does not exist here: our group is the root that we see") {
        struct oom_kills kills;

        put("memory.events", version_2);
        kills = kills_of("0::/kubepods/pod1/c1\n");
        put("memory.events", "oom_kill 3\n");
        CHECK_INT(oom_kills_look(&kills), 1);
        clear();
        put("memory/memory.oom_control", version_1);
        kills = kills_of("9:memory:/docker/abc\n");
        put("memory/memory.oom_control", "oom_kill 7\n");
        CHECK_INT(oom_kills_look(&kills), 2);
        clear();
    }
    TEST("without any counter nothing is counted") {
        struct oom_kills kills = kills_of("0::/\n");

        CHECK_INT(oom_kills_look(&kills), 0);
        CHECK_STR(kills.path, "");
        oom_kills_init(&kills, "/no/such/cgroup", "/no/such/file");
        CHECK_INT(oom_kills_look(&kills), 0);
        clear();
    }
}

/* How many pages of the file are in memory; -1 when it cannot be asked. */
static long resident_pages(const char *path, size_t size)
{
    static unsigned char pages[READ_AHEAD_PAGES];
    int fd = open(path, O_RDONLY);
    void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    long count = -1;

    close(fd);
    if (map == MAP_FAILED)
        return -1;
    if (mincore(map, size, pages) == 0) {
        count = 0;
        for (size_t i = 0; i < sizeof pages; i++)
            count += pages[i] & 1;
    }
    munmap(map, size);
    return count;
}

static void test_read_ahead(void)
{
    char path[2 * PATH_MAX], found[PATH_MAX], list[3 * PATH_MAX];
    size_t size = READ_AHEAD_PAGES * (size_t)sysconf(_SC_PAGESIZE);

    TEST("the program is looked for as a shell does: the first that may be executed") {
        put("a/opencode", "");
        put("b/opencode", "#!/bin/sh\n");
        snprintf(path, sizeof path, "%s/b/opencode", root);
        CHECK(chmod(path, 0755) == 0);
        snprintf(list, sizeof list, ":/no/such:%s/a:%s/b:/bin", root, root);
        CHECK(read_ahead_find("opencode", list, found, sizeof found) == 0);
        CHECK_STR(found, path);
        CHECK(read_ahead_find("no-such-program", list, found, sizeof found) != 0);
        clear();
    }
    TEST("what is read ahead comes into memory though nobody reads it") {
        char *text = calloc(1, size);
        int fd;

        memset(text, 'x', size - 1);
        put("program", text);
        free(text);
        snprintf(path, sizeof path, "%s/program", root);
        fd = open(path, O_RDONLY);
        CHECK(fsync(fd) == 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
        close(fd);
        CHECK(read_ahead_file(path, NULL) == 0);
        for (int i = 0; i < 1000 && resident_pages(path, size) < READ_AHEAD_PAGES; i++)
            usleep(10 * 1000);
        CHECK_INT(resident_pages(path, size), READ_AHEAD_PAGES);
        CHECK(read_ahead_file("/no/such/file", NULL) != 0);
        clear();
    }
}

static uint64_t memory_limit_of(const char *groups)
{
    char of_self[2 * PATH_MAX];

    put("self/cgroup", groups);
    snprintf(of_self, sizeof of_self, "%s/self/cgroup", root);
    return cgroup_memory_limit(root, of_self);
}

static void test_memory_limit(void)
{
    TEST(
        "a cgroup's memory limit is a number; both versions have a way to say that there is none") {
        CHECK_INT(cgroup_memory_limit_parse("2147483648\n"), 2147483648);
        CHECK_INT(cgroup_memory_limit_parse("max\n"), 0);
        CHECK_INT(cgroup_memory_limit_parse("9223372036854771712\n"), 0); /* version 1 */
        CHECK_INT(cgroup_memory_limit_parse("99999999999999999999\n"), 0);
        CHECK_INT(cgroup_memory_limit_parse(""), 0);
    }
    TEST("the limit is that of our group, or of the root where the group is the host's") {
        put("sandbox/memory.max", "1000\n");
        CHECK_INT(memory_limit_of("0::/sandbox\n"), 1000);
        put("sandbox/memory.max", "max\n");
        CHECK_INT(memory_limit_of("0::/sandbox\n"), 0);
        put("memory.max", "2000\n");
        CHECK_INT(memory_limit_of("0::/kubepods/c1\n"), 2000);
        clear();
        put("memory/docker/abc/memory.limit_in_bytes", "3000\n");
        CHECK_INT(memory_limit_of("3:cpu:/docker/abc\n9:memory:/docker/abc\n"), 3000);
        clear();
        put("memory/memory.limit_in_bytes", "4000\n");
        CHECK_INT(memory_limit_of("9:memory:/docker/abc\n"), 4000);
        clear();
    }
    TEST("without cgroups there is no limit") {
        CHECK_INT(memory_limit_of("0::/\n"), 0);
        CHECK_INT(cgroup_memory_limit("/no/such/cgroup", "/no/such/file"), 0);
        clear();
    }
}

static void test_recycling(void)
{
    TEST("only an OpenCode that is above the limit, idle for 30 s and 10 minutes old is recycled") {
        uint64_t limit = 3 * KIB_PER_GIB;

        CHECK(recycling_is_due(limit + 1, limit, RECYCLING_IDLE_MS, RECYCLING_AGE_MS));
        CHECK(!recycling_is_due(limit, limit, DAY_MS, DAY_MS));
        CHECK(!recycling_is_due(limit + 1, limit, RECYCLING_IDLE_MS - 1, DAY_MS));
        CHECK(!recycling_is_due(limit + 1, limit, DAY_MS, RECYCLING_AGE_MS - 1));
    }
    TEST("a limit of 0 recycles nothing") {
        CHECK(!recycling_is_due(UINT64_MAX, 0, DAY_MS, DAY_MS));
    }
}

int main(void)
{
    snprintf(root, sizeof root, "%s/oi-process-state-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(root))
        return 1;
    test_process_state();
    test_oom_kills();
    test_memory_limit();
    test_read_ahead();
    test_recycling();
    clear();
    return check_done();
}
