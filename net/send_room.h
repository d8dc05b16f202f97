/*
 * What the kernel keeps of a socket's bytes that the peer has not taken. For links whose small
 * messages must not wait for megabytes in front of them.
 */
#ifndef NET_SEND_ROOM_H
#define NET_SEND_ROOM_H

#include <stdbool.h>

/* Left alone it grows to megabytes; pings, heartbeats and answers queue behind it, and all of it is
 * lost with the connection. */
#define SEND_ROOM_BYTES (256 * 1024)

/* Bounds it. A kernel that cannot is left alone. */
void send_room_limit(int socket);

/* Nothing more fits until the peer has taken some. */
bool send_room_is_full(int socket);

#endif
