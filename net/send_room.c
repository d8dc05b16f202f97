#include "net/send_room.h"

#include <poll.h>
#include <sys/socket.h>

void send_room_limit(int socket)
{
    const int bytes = SEND_ROOM_BYTES;

    setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

bool send_room_is_full(int socket)
{
    struct pollfd room = {.fd = socket, .events = POLLOUT};

    return poll(&room, 1, 0) == 0;
}
