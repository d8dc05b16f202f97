#include "bridge/attachments/prompt_upload.h"

#include "bridge/translate/prompt_body.h"

#include <stdlib.h>
#include <string.h>

struct prompt_upload *prompt_upload_new(void)
{
    return calloc(1, sizeof(struct prompt_upload));
}

void prompt_upload_free(struct prompt_upload *upload)
{
    if (!upload)
        return;
    for (size_t i = 0; i < upload->count; i++) {
        free(upload->files[i].name);
        spool_close(&upload->files[i].spool);
    }
    free(upload->text);
    free(upload);
}

int prompt_upload_add(struct prompt_upload *upload, const char *name, const char *mime,
                      struct spool *spool)
{
    struct prompt_upload_file *file = &upload->files[upload->count];
    char *copy = strdup(name);

    if (!copy || upload->count == ATTACHMENTS_MAX) {
        free(copy);
        return -1;
    }
    *file = (struct prompt_upload_file){.name = copy, .mime = mime, .spool = *spool};
    *spool = (struct spool){.fd = -1};
    upload->count++;
    return 0;
}

cJSON *prompt_upload_file_parts(const struct prompt_upload *upload)
{
    cJSON *parts = cJSON_CreateArray();

    for (size_t i = 0; i < upload->count; i++)
        cJSON_AddItemToArray(
            parts, prompt_body_file_part(upload->files[i].name, upload->files[i].mime, ""));
    return parts;
}

/* The place right before the quote that closes the next file part's URL, at or after `from`; NULL
 * when there is none. The key cannot be part of a string: its quotes would have backslashes. */
static const char *next_place(const char *from)
{
    static const char key[] = "\"url\":\"data:";
    const char *found = strstr(from, key);

    return found ? strchr(found + sizeof key - 1, '"') : NULL;
}

int prompt_upload_set_text(struct prompt_upload *upload, char *text, struct err *err)
{
    const char *place = text;

    free(upload->text);
    upload->text = text;
    upload->text_len = upload->len = strlen(text);
    for (size_t i = 0; i < upload->count; i++) {
        place = next_place(place);
        if (!place)
            return err_set(err, ERR_INTERNAL, "the prompt's body lacks the part of a file");
        upload->files[i].at = (size_t)(place - text);
        upload->len += upload->files[i].spool.len;
    }
    return 0;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The part of [offset, offset + len) that lies in the text up to `end`, when the text's `begin` is
 * at `base` of the body. Moves all three on. */
static void read_text(const struct prompt_upload *upload, size_t begin, size_t end, size_t base,
                      size_t *offset, char **into, size_t *len)
{
    size_t part = end - begin;
    size_t count;

    if (*offset >= base + part)
        return;
    count = smaller(*len, base + part - *offset);
    memcpy(*into, upload->text + begin + (*offset - base), count);
    *offset += count;
    *into += count;
    *len -= count;
}

static int read_file(const struct spool *spool, size_t base, size_t *offset, char **into,
                     size_t *len, struct err *err)
{
    size_t count;

    if (*offset >= base + spool->len)
        return 0;
    count = smaller(*len, base + spool->len - *offset);
    if (spool_read(spool, *offset - base, *into, count, err) != 0)
        return -1;
    *offset += count;
    *into += count;
    *len -= count;
    return 0;
}

int prompt_upload_read(const struct prompt_upload *upload, size_t offset, char *into, size_t len,
                       struct err *err)
{
    size_t begin = 0;
    size_t base = 0; /* of the text's `begin` in the body */

    for (size_t i = 0; i < upload->count && len > 0; i++) {
        const struct prompt_upload_file *file = &upload->files[i];

        read_text(upload, begin, file->at, base, &offset, &into, &len);
        base += file->at - begin;
        begin = file->at;
        if (read_file(&file->spool, base, &offset, &into, &len, err) != 0)
            return -1;
        base += file->spool.len;
    }
    read_text(upload, begin, upload->text_len, base, &offset, &into, &len);
    return len == 0 ? 0 : err_set(err, ERR_INTERNAL, "the prompt's body is shorter than it was");
}
