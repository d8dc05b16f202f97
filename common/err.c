#include "common/err.h"

#include "common/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const class_names[] = {
    [ERR_NONE] = "none",         [ERR_CONFIG] = "config",       [ERR_IO] = "io",
    [ERR_NETWORK] = "network",   [ERR_TIMEOUT] = "timeout",     [ERR_TLS] = "tls",
    [ERR_AUTH] = "auth",         [ERR_NOT_FOUND] = "not_found", [ERR_PROTOCOL] = "protocol",
    [ERR_LIMIT] = "limit",       [ERR_CANCELLED] = "cancelled", [ERR_NO_MEMORY] = "no_memory",
    [ERR_INTERNAL] = "internal",
};
_Static_assert(ARRAY_LENGTH(class_names) == ERR_CLASS_COUNT, "every class has a name");

int err_set(struct err *err, enum err_class class, const char *format, ...)
{
    va_list args;

    if (!err)
        return -1;
    err->class = class;
    err->sys = 0;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return -1;
}

int err_set_sys(struct err *err, int sys, const char *format, ...)
{
    va_list args;
    size_t len;

    if (!err)
        return -1;
    err->class = sys == ENOMEM ? ERR_NO_MEMORY : ERR_IO;
    err->sys = sys;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    len = strlen(err->text);
    snprintf(err->text + len, sizeof err->text - len, ": %s", strerror(sys));
    return -1;
}

int err_add_context(struct err *err, const char *format, ...)
{
    char inner[ERR_TEXT_MAX];
    va_list args;
    size_t len;

    if (!err)
        return -1;
    memcpy(inner, err->text, sizeof inner);
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    len = strlen(err->text);
    snprintf(err->text + len, sizeof err->text - len, ": %s", inner);
    return -1;
}

void err_clear(struct err *err)
{
    if (err)
        *err = (struct err){0};
}

const char *err_class_name(enum err_class class)
{
    if ((unsigned)class >= ERR_CLASS_COUNT)
        return class_names[ERR_INTERNAL];
    return class_names[class];
}

enum err_class err_class_parse(const char *name)
{
    for (unsigned i = 0; name && i < ERR_CLASS_COUNT; i++) {
        if (strcmp(class_names[i], name) == 0)
            return (enum err_class)i;
    }
    return ERR_INTERNAL;
}
