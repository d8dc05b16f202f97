/*
 * A header of a request. Values may be secrets: nothing in net/ logs them or puts them into errors.
 * Both strings are copied by whoever takes a list of these.
 */
#ifndef NET_NET_HEADER_H
#define NET_NET_HEADER_H

struct net_header {
    const char *name; /* without the colon */
    const char *value;
};

#endif
