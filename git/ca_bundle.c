#include "git/ca_bundle.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/env.h"
#include "common/url.h"
#include "git/auto_git2.h"
#include "git/library.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Debian, Amazon Linux and Fedora, Alpine (S-46). */
static const char *const system_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
};

/* libgit2 has one set of certificates for the process; this names it. */
static char in_use[PATH_MAX + 64] = "(no CA certificates found)";

const char *ca_bundle_in_use(void)
{
    return in_use;
}

static int load(const char *file, const char *directory, const char *asked_by, struct err *err)
{
    const char *path = file ? file : directory;

    snprintf(in_use, sizeof in_use, "%s (%s)", path, asked_by);
    if (git_libgit2_opts(GIT_OPT_SET_SSL_CERT_LOCATIONS, file, directory) < 0)
        return err_set(err, ERR_CONFIG, "%s: no usable CA certificates in %s", asked_by, path);
    return 0;
}

/* How specific `pattern` ("https://host/path") is for `url`: the length of its path plus one, or 0
 * when it does not cover it. */
static size_t match_length(const char *pattern, const struct url *url)
{
    AUTO_URL struct url covered = {0};
    size_t len;

    if (url_parse(pattern, &covered, NULL) < 0)
        return 0;
    if (strcmp(covered.scheme, url->scheme) != 0 || strcasecmp(covered.host, url->host) != 0 ||
        covered.port != url->port)
        return 0;
    len = strlen(covered.target);
    if (len && covered.target[len - 1] == '/')
        len--;
    if (strncmp(covered.target, url->target, len) != 0 ||
        (url->target[len] != '/' && url->target[len] != '\0'))
        return 0;
    return len + 1;
}

/* Finds http.<url>.sslcainfo with the longest match; leaves "" in `value` when there is none. */
static void find_url_setting(git_config *config, const char *url_text, struct buf *value)
{
    static const char prefix[] = "http.", suffix[] = ".sslcainfo";
    AUTO_GIT(config_iterator) git_config_iterator *iterator = NULL;
    AUTO_URL struct url url = {0};
    git_config_entry *entry;
    size_t best = 0;

    if (url_parse(url_text, &url, NULL) < 0 ||
        git_config_iterator_glob_new(&iterator, config, "^http\\..*\\.sslcainfo$") < 0)
        return;
    while (git_config_next(&entry, iterator) == 0) {
        size_t len = strlen(entry->name), match;
        AUTO_BUF struct buf pattern = BUF_INIT(PATH_MAX);

        if (len < sizeof prefix + sizeof suffix)
            continue;
        buf_append(&pattern, entry->name + strlen(prefix), len - strlen(prefix) - strlen(suffix));
        match = match_length(buf_text(&pattern), &url);
        /* A later entry of the same weight wins: levels come from the system's to the local one. */
        if (match && match >= best) {
            best = match;
            buf_reset(value);
            buf_puts(value, entry->value);
        }
    }
}

/* "~/x" as git reads it. */
static void expand_home(struct buf *path)
{
    AUTO_BUF struct buf expanded = BUF_INIT(PATH_MAX);
    const char *home = env_get("HOME");

    if (!home || strncmp(buf_text(path), "~/", 2) != 0)
        return;
    buf_printf(&expanded, "%s%s", home, path->data + 1);
    buf_reset(path);
    buf_puts(path, buf_text(&expanded));
}

/* What the configuration says, "" when nothing. */
static int read_config(git_repository *repository, const char *url, struct buf *path)
{
    AUTO_GIT(config) git_config *config = NULL;
    const char *plain = NULL;

    if (repository ? git_repository_config_snapshot(&config, repository) < 0
                   : git_config_open_default(&config) < 0)
        return -1;
    find_url_setting(config, url, path);
    if (!path->len && git_config_get_string(&plain, config, "http.sslcainfo") == 0)
        buf_puts(path, plain);
    expand_home(path);
    return buf_failed(path) ? -1 : 0;
}

int ca_bundle_load(git_repository *repository, const char *url, struct err *err)
{
    const char *git_file = env_get("GIT_SSL_CAINFO");
    const char *file = env_get("SSL_CERT_FILE"), *directory = env_get("SSL_CERT_DIR");
    AUTO_BUF struct buf configured = BUF_INIT(PATH_MAX);

    if (strncasecmp(url, "https:", strlen("https:")) != 0)
        return 0;
    if (git_file)
        return load(git_file, NULL, "GIT_SSL_CAINFO", err);
    if (read_config(repository, url, &configured) < 0)
        return err_set(err, ERR_CONFIG, "http.sslCAInfo in the git configuration cannot be read");
    if (configured.len)
        return load(buf_text(&configured), NULL, "http.sslCAInfo", err);
    if (file || directory)
        return load(file, directory, file ? "SSL_CERT_FILE" : "SSL_CERT_DIR", err);
    for (size_t i = 0; i < ARRAY_LENGTH(system_bundles); i++)
        if (access(system_bundles[i], R_OK) == 0)
            return load(system_bundles[i], NULL, "the system's", err);
    return 0;
}

void ca_bundle_export(const char *path, const char *url)
{
    AUTO_GIT(repository) git_repository *repository = NULL;
    AUTO_BUF struct buf configured = BUF_INIT(PATH_MAX);
    const char *file = env_get("SSL_CERT_FILE"), *directory = env_get("SSL_CERT_DIR");

    if (env_get("GIT_SSL_CAINFO") || (!file && !directory))
        return;
    library_open(path, &repository, NULL); /* what cannot be opened has the user's configuration */
    read_config(repository, url, &configured);
    if (configured.len)
        return;
    if (file)
        setenv("GIT_SSL_CAINFO", file, 1);
    if (directory)
        setenv("GIT_SSL_CAPATH", directory, 1);
}
