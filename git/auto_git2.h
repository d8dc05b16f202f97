/*
 * Scope-bound cleanup for libgit2's objects; the rules are those of common/cleanup.h. Only .c files of
 * git/ include this.
 */
#ifndef GIT_AUTO_GIT2_H
#define GIT_AUTO_GIT2_H

#include <git2.h>

#define DEFINE_GIT_CLEANUP(name, type, free_function) \
    static inline void cleanup_##name(type **object)  \
    {                                                 \
        if (*object)                                  \
            free_function(*object);                   \
    }

DEFINE_GIT_CLEANUP(annotated_commit, git_annotated_commit, git_annotated_commit_free)
DEFINE_GIT_CLEANUP(commit, git_commit, git_commit_free)
DEFINE_GIT_CLEANUP(config, git_config, git_config_free)
DEFINE_GIT_CLEANUP(config_entry, git_config_entry, git_config_entry_free)
DEFINE_GIT_CLEANUP(config_iterator, git_config_iterator, git_config_iterator_free)
DEFINE_GIT_CLEANUP(diff_list, git_diff, git_diff_free)
DEFINE_GIT_CLEANUP(filter_list, git_filter_list, git_filter_list_free)
DEFINE_GIT_CLEANUP(index, git_index, git_index_free)
DEFINE_GIT_CLEANUP(object, git_object, git_object_free)
DEFINE_GIT_CLEANUP(odb, git_odb, git_odb_free)
DEFINE_GIT_CLEANUP(odb_object, git_odb_object, git_odb_object_free)
DEFINE_GIT_CLEANUP(rebase, git_rebase, git_rebase_free)
DEFINE_GIT_CLEANUP(reference, git_reference, git_reference_free)
DEFINE_GIT_CLEANUP(remote, git_remote, git_remote_free)
DEFINE_GIT_CLEANUP(repository, git_repository, git_repository_free)
DEFINE_GIT_CLEANUP(revwalk, git_revwalk, git_revwalk_free)
DEFINE_GIT_CLEANUP(signature, git_signature, git_signature_free)
DEFINE_GIT_CLEANUP(status_list, git_status_list, git_status_list_free)
DEFINE_GIT_CLEANUP(tree, git_tree, git_tree_free)
DEFINE_GIT_CLEANUP(tree_entry, git_tree_entry, git_tree_entry_free)

#define AUTO_GIT(name) __attribute__((cleanup(cleanup_##name)))
#define AUTO_GIT_BUF __attribute__((cleanup(git_buf_dispose)))

#endif
