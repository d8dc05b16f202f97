/*
 * Indexing of a received pack in a thread of its own: while it inflates and hashes, the caller's thread
 * receives and decrypts what comes next, as git's fetch-pack and index-pack do in two processes. Memory:
 * PACK_INDEXER_BYTES of received data at most; a pack that comes faster waits. libgit2's callbacks are
 * called in the caller's thread only. Where no thread can be started the pack is indexed in turns.
 */
#ifndef GIT_PACK_INDEXER_H
#define GIT_PACK_INDEXER_H

#include <git2.h>

#define PACK_INDEXER_BYTES (1u << 20)

/* What is fetched into `repository` from now on, through this handle, is indexed so. A failure leaves it
 * as it was: libgit2's code, or 0. */
int pack_indexer_use(git_repository *repository);

#endif
