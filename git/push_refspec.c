#include "git/push_refspec.h"

#include <stdio.h>
#include <string.h>

#define HEADS "refs/heads/"

int push_refspec_parse(const char *text, struct push_refspec *refspec, struct err *err)
{
    const char *source = text, *colon, *destination = "";
    int source_len, written = 0;

    *refspec = (struct push_refspec){.force = *source == '+'};
    if (refspec->force)
        source++;
    colon = strchr(source, ':');
    source_len = colon ? (int)(colon - source) : (int)strlen(source);
    if (colon)
        destination = colon + 1;
    if ((!source_len && !*destination) || (colon && !*destination) || strchr(destination, ':') ||
        strpbrk(text, " \t\r\n~^?*[\\"))
        return err_set(err, ERR_CONFIG, "invalid refspec '%s'", text);
    if (*destination)
        written = snprintf(refspec->destination, PUSH_REF_MAX, "%s%s",
                           strncmp(destination, "refs/", 5) == 0 ? "" : HEADS, destination);
    if (source_len >= PUSH_REF_MAX || written >= PUSH_REF_MAX)
        return err_set(err, ERR_CONFIG, "refspec is too long");
    memcpy(refspec->source, source, (size_t)source_len);
    return 0;
}

void push_refspec_print(const struct push_refspec *refspec, struct buf *out)
{
    buf_printf(out, "%s%s:%s", refspec->force ? "+" : "", refspec->source, refspec->destination);
}

const char *push_refspec_short(const struct push_refspec *refspec)
{
    const char *name = refspec->destination;

    return strncmp(name, HEADS, strlen(HEADS)) == 0 ? name + strlen(HEADS) : name;
}
