/*
 * The attachments that a prompt command names (B-701, B-702). Pure. Texts point into the command.
 */
#ifndef BRIDGE_ATTACHMENTS_ATTACHMENT_LIST_H
#define BRIDGE_ATTACHMENTS_ATTACHMENT_LIST_H

#include <cJSON.h>
#include <stddef.h>

#define ATTACHMENTS_MAX 6

struct attachment {
    const char *id;
    const char *name;
    const char *mime; /* one of image_type.h */
};

struct attachment_list {
    struct attachment items[ATTACHMENTS_MAX];
    size_t count;
    size_t rejected; /* for B-703's warning */
};

/* `value` is the command's member, or NULL when it has none. */
void attachment_list_read(const cJSON *value, struct attachment_list *list);

#endif
