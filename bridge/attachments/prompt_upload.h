/*
 * The body of a prompt on its way to OpenCode: the JSON text, with the contents of the attached
 * files put in while it is sent. So a prompt with 60 MiB of images takes no more memory than one
 * without. An upload owns its files; the same files may be sent again with another text (D-29).
 */
#ifndef BRIDGE_ATTACHMENTS_PROMPT_UPLOAD_H
#define BRIDGE_ATTACHMENTS_PROMPT_UPLOAD_H

#include "bridge/attachments/attachment_list.h"
#include "bridge/attachments/spool.h"

struct prompt_upload_file {
    char *name;
    const char *mime;
    struct spool spool;
    size_t at; /* where in the text the contents belong */
};

struct prompt_upload {
    struct prompt_upload_file files[ATTACHMENTS_MAX];
    size_t count;
    char *text;
    size_t text_len;
    size_t len; /* of the whole body */
};

/* NULL when out of memory. */
struct prompt_upload *prompt_upload_new(void);
void prompt_upload_free(struct prompt_upload *upload);

/* Adds a file after the others and takes the spool over. -1 when out of memory, with the spool still
 * the caller's. */
int prompt_upload_add(struct prompt_upload *upload, const char *name, const char *mime,
                      struct spool *spool);

/* B-720's parts, in order, each with an empty base64; for the caller to delete. */
cJSON *prompt_upload_file_parts(const struct prompt_upload *upload);

/* Takes the printed body over, into which prompt_upload_file_parts() went, and finds the places. -1
 * when there are other places than files. */
int prompt_upload_set_text(struct prompt_upload *upload, char *text, struct err *err);

/* Writes `len` bytes of the body from `offset` on. */
int prompt_upload_read(const struct prompt_upload *upload, size_t offset, char *into, size_t len,
                       struct err *err);

#endif
