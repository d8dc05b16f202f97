#include "supervisor/credentials/credential_provider.h"

#include "common/clock.h"
#include "supervisor/credentials/credential_broker.h"
#include "supervisor/credentials/credential_cache.h"

#include <string.h>

#define STATIC_LIFE_MS (3600 * 1000) /* S-232 */

static int give_static(const struct credential_source *source, struct credential *credential,
                       struct err *err)
{
    credential->username = strdup(source->username);
    credential->password = strdup(source->password);
    credential->expires_at_ms = clock_wall_ms() + STATIC_LIFE_MS;
    if (credential->username && credential->password)
        return 0;
    credential_free(credential);
    return err_set(err, ERR_NO_MEMORY, "out of memory");
}

static void remark(struct buf *remarks, const struct err *err)
{
    if (remarks)
        buf_printf(remarks, "%s\n", err->text);
}

static int ask(const struct credential_source *source, struct credential_cache *cache,
               struct credential *credential, struct buf *remarks, struct err *err)
{
    struct buf answer = BUF_INIT(CREDENTIAL_ANSWER_MAX);
    struct err failure = {0};
    int result = credential_broker_ask(source, &answer, err);

    if (result == 0 && (result = credential_parse(answer.data, answer.len, credential, err)) < 0)
        err_add_context(err, "the control plane's answer is no credential (HTTP 200)");
    if (result < 0)
        credential_cache_note_failure(cache, clock_monotonic_ms(), err);
    else if (credential_cache_write(cache, answer.data, answer.len, &failure) < 0)
        remark(remarks, &failure);
    buf_wipe(&answer);
    return result;
}

/* One asks, the others wait and find the answer, whatever it was. */
static int give_brokered(const struct credential_source *source, const char *cache_directory,
                         struct credential *credential, struct buf *remarks, struct err *err)
{
    struct credential_cache cache;
    uint64_t since_ms = clock_monotonic_ms();
    struct err failure = {0};
    int result = 0;

    if (credential_cache_open(&cache, cache_directory, source->endpoint, &failure) < 0)
        remark(remarks, &failure);
    if (credential_cache_read(&cache, clock_wall_ms(), credential) < 0) {
        credential_cache_lock(&cache, CREDENTIAL_LOCK_LIMIT_MS);
        if (credential_cache_read(&cache, clock_wall_ms(), credential) < 0)
            result = credential_cache_failed_since(&cache, since_ms, err)
                         ? -1
                         : ask(source, &cache, credential, remarks, err);
        credential_cache_unlock(&cache);
    }
    credential_cache_close(&cache);
    return result;
}

int credential_provider_get(const struct credential_source *source, const char *cache_directory,
                            struct credential *credential, struct buf *remarks, struct err *err)
{
    *credential = (struct credential){0};
    switch (source->kind) {
    case CREDENTIAL_STATIC:
        return give_static(source, credential, err);
    case CREDENTIAL_BROKERED:
        return give_brokered(source, cache_directory, credential, remarks, err);
    case CREDENTIAL_REFUSED:
        break;
    }
    return err_set(err, ERR_AUTH, "%s", source->refusal);
}
