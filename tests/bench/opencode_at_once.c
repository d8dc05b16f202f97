/*
 * `opencode serve` that is there at once: what is left of a sandbox's start is then ours. Answers
 * the health check and the event stream in OpenCode's shapes, and 404 otherwise. One program, one
 * thread, for the benchmark alone.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 16
#define REQUEST_MAX 8192

static const char health[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                             "Content-Length: 36\r\nConnection: close\r\n\r\n"
                             "{\"healthy\":true,\"version\":\"1.18.33\"}";
static const char not_found[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n"
                                "Connection: close\r\n\r\n{}";
static const char events[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    "data: {\"id\":\"evt_1\",\"type\":\"server.connected\",\"properties\":{}}\n\n";

static int port_of(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--port") == 0)
            return atoi(argv[i + 1]);
    }
    return 4096;
}

static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, CONNECTIONS_MAX) != 0) {
        perror("listen");
        exit(1);
    }
    return fd;
}

static void send_text(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0)
        perror("write");
}

/* Requests of ours fit one segment on the loopback. True when the connection is done with. */
static int answer(int fd)
{
    char request[REQUEST_MAX + 1];
    ssize_t got = read(fd, request, REQUEST_MAX);

    if (got <= 0)
        return 1;
    request[got] = '\0';
    if (strncmp(request, "GET /event", 10) == 0) {
        send_text(fd, events);
        return 0;
    }
    send_text(fd, strncmp(request, "GET /global/health", 18) == 0 ? health : not_found);
    return 1;
}

int main(int argc, char **argv)
{
    struct pollfd fds[CONNECTIONS_MAX] = {{.events = POLLIN}};
    nfds_t count = 1;
    int port = port_of(argc, argv);

    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        return puts("1.18.33") < 0;
    fds[0].fd = listen_on(port);
    printf("opencode server listening on http://127.0.0.1:%d\n", port);
    fflush(stdout);
    while (poll(fds, count, -1) > 0) {
        for (nfds_t i = count - 1; i > 0; i--) {
            if (fds[i].revents && answer(fds[i].fd)) {
                close(fds[i].fd);
                fds[i] = fds[--count];
            }
        }
        if (fds[0].revents && count < CONNECTIONS_MAX)
            fds[count++] = (struct pollfd){accept4(fds[0].fd, NULL, NULL, SOCK_CLOEXEC), POLLIN, 0};
    }
    return 0;
}
