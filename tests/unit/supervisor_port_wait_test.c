#include "supervisor/opencode/port_wait.h"
#include "supervisor/process/listeners.h"
#include "tests/unit/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW_MS 5000

static void test_steps(void)
{
    TEST("S-349: a free port is not waited for, a busy one 2 s, then whoever of ours has it is "
         "killed") {
        struct port_wait wait = {0};

        CHECK_INT(port_wait_step(&wait, NOW_MS, false), PORT_WAIT_OVER);
        CHECK_INT(port_wait_step(&wait, NOW_MS, true), PORT_WAIT_LOOK_AGAIN);
        CHECK_INT(port_wait_step(&wait, NOW_MS + 1999, true), PORT_WAIT_LOOK_AGAIN);
        CHECK_INT(port_wait_step(&wait, NOW_MS + 2000, true), PORT_WAIT_KILL);
        CHECK_INT(port_wait_step(&wait, NOW_MS + 2050, true), PORT_WAIT_LOOK_AGAIN);
        CHECK_INT(port_wait_step(&wait, NOW_MS + 2100, false), PORT_WAIT_OVER);
    }
    TEST("S-349: the wait ends, and the next restart has its own") {
        struct port_wait wait = {0};

        port_wait_step(&wait, NOW_MS, true);
        CHECK_INT(port_wait_step(&wait, NOW_MS + 2000, true), PORT_WAIT_KILL);
        CHECK_INT(port_wait_step(&wait, NOW_MS + 3000, true), PORT_WAIT_OVER);
        CHECK_INT(port_wait_step(&wait, NOW_MS + 9000, true), PORT_WAIT_LOOK_AGAIN);
        CHECK_INT(port_wait_step(&wait, NOW_MS + 11000, true), PORT_WAIT_KILL);
    }
}

static struct sockaddr_storage address_from(const char *text, int port)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in6 *six = (void *)&storage;
    struct sockaddr_in *four = (void *)&storage;

    storage.ss_family = strchr(text, ':') ? AF_INET6 : AF_INET;
    if (storage.ss_family == AF_INET6)
        inet_pton(AF_INET6, text, &six->sin6_addr);
    else
        inet_pton(AF_INET, text, &four->sin_addr);
    four->sin_port = htons((uint16_t)port);
    return storage;
}

/* What is read of a line for a server that wants `address`. */
static const char *read_line(const char *line, const char *address)
{
    static char socket[64];
    struct sockaddr_storage wanted = address_from(address, 4096);
    AUTO_BUF struct buf out = BUF_INIT(sizeof socket - 1);

    listeners_read_line(line, (const void *)&wanted, &out);
    snprintf(socket, sizeof socket, "%s", buf_text(&out));
    return socket;
}

#define ENDS_4 \
    " 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1 0 100 0 0\n"
#define ENDS_6                                                                                   \
    " 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 88 " \
    "1\n"

static void test_lines(void)
{
    TEST("who listens on our port is found in the kernel's table, at our address or at all") {
        CHECK_STR(read_line("   3: 0100007F:1000" ENDS_4, "127.0.0.1"), "socket:[77]");
        CHECK_STR(read_line("   3: 00000000:1000" ENDS_4, "127.0.0.1"), "socket:[77]");
        CHECK_STR(read_line("   3: 0500000A:1000" ENDS_4, "0.0.0.0"), "socket:[77]");
        CHECK_STR(read_line("  0: 00000000000000000000000000000000:1000" ENDS_6, "127.0.0.1"),
                  "socket:[88]");
        CHECK_STR(read_line("  0: 0000000000000000FFFF00000100007F:1000" ENDS_6, "127.0.0.1"),
                  "socket:[88]");
        CHECK_STR(read_line("  0: 00000000000000000000000001000000:1000" ENDS_6, "::1"),
                  "socket:[88]");
    }
    TEST("other ports, other addresses and connections are nobody to kill for") {
        CHECK_STR(read_line("   3: 0100007F:1001" ENDS_4, "127.0.0.1"), "");
        CHECK_STR(read_line("   3: 0500000A:1000" ENDS_4, "127.0.0.1"), "");
        CHECK_STR(read_line("  0: 00000000000000000000000001000000:1000" ENDS_6, "127.0.0.1"), "");
        CHECK_STR(read_line("   3: 0100007F:1000 0100007F:9C40 01 00000000:00000000 00:00000000 "
                            "00000000 0 0 77 1\n",
                            "127.0.0.1"),
                  "");
        CHECK_STR(read_line("  sl  local_address rem_address   st\n", "127.0.0.1"), "");
    }
}

static int listen_somewhere(struct sockaddr_storage *address)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t size = sizeof *address;

    *address = address_from("127.0.0.1", 0);
    if (bind(fd, (const void *)address, sizeof(struct sockaddr_in)) != 0 || listen(fd, 1) != 0 ||
        getsockname(fd, (void *)address, &size) != 0)
        abort();
    return fd;
}

/* A process that is not in our group or session any more, nor anybody's child but the subreaper's. */
static pid_t start_daemon(void)
{
    int ends[2];
    pid_t daemon = 0;
    pid_t child;

    if (pipe(ends) != 0)
        abort();
    child = fork();
    if (child == 0) {
        setsid();
        daemon = fork();
        if (daemon == 0)
            for (;;)
                pause();
        _exit(write(ends[1], &daemon, sizeof daemon) < 0);
    }
    waitpid(child, NULL, 0);
    if (read(ends[0], &daemon, sizeof daemon) != sizeof daemon)
        abort();
    close(ends[0]);
    close(ends[1]);
    return daemon;
}

static void test_kill(void)
{
    TEST("S-349: a descendant with our port is killed, wherever it hides; whoever is none is not") {
        struct sockaddr_storage address;
        int listener = listen_somewhere(&address);
        pid_t daemon;
        int status = 0;

        prctl(PR_SET_CHILD_SUBREAPER, 1);
        daemon = start_daemon();
        CHECK(!listeners_leave_free((const void *)&address));
        CHECK_INT(listeners_kill((const void *)&address), daemon);
        CHECK_INT(waitpid(daemon, &status, 0), daemon);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        CHECK_INT(listeners_kill((const void *)&address), 0); /* we have it still, and live */
        close(listener);
        CHECK(listeners_leave_free((const void *)&address));
    }
}

int main(void)
{
    test_steps();
    test_lines();
    test_kill();
    return check_done();
}
