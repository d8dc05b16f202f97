#include "supervisor/opencode/opencode_address.h"

#include "common/base64.h"
#include "common/file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

const char *opencode_address_reachable(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "localhost") == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

void opencode_address_authorization(const char *username, const char *password, struct buf *out)
{
    AUTO_BUF struct buf plain = BUF_INIT(OPENCODE_CREDENTIALS_MAX);

    buf_printf(&plain, "%s:%s", username, password);
    buf_puts(out, "Basic ");
    base64_encode(buf_text(&plain), plain.len, out);
    out->failed |= buf_failed(&plain);
}

const char *opencode_directory(const struct config *config)
{
    char git[PATH_MAX];
    const char *checkout = config_workdir(config);

    snprintf(git, sizeof git, "%s/.git", checkout);
    return file_exists(git) ? checkout : config->paths.workspace;
}
