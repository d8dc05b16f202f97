#include "git/rebase.h"

#include "common/buf.h"
#include "git/auto_git2.h"
#include "git/fetch.h"
#include "git/git_error.h"
#include "git/library.h"

/* Who commits when nobody is configured (B-915's fall-back). */
#define FALLBACK_NAME "OpenInspect"
#define FALLBACK_EMAIL "open-inspect@noreply.github.com"

enum { CONFLICTS_NAMED_MAX = 5, CONFLICT_TEXT_MAX = 700 };

static int find_committer(git_repository *repository, git_signature **committer)
{
    if (git_signature_default(committer, repository) == 0)
        return 0;
    return git_signature_now(committer, FALLBACK_NAME, FALLBACK_EMAIL);
}

/* Moves the current branch, or a detached HEAD, to `target`, files first. */
static int fast_forward(git_repository *repository, const git_oid *target)
{
    AUTO_GIT(object) git_object *commit = NULL;
    AUTO_GIT(reference) git_reference *head = NULL, *moved = NULL;
    git_checkout_options options;
    int code = git_object_lookup(&commit, repository, target, GIT_OBJECT_COMMIT);

    git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION);
    options.checkout_strategy = GIT_CHECKOUT_SAFE;
    if (code == 0)
        code = git_checkout_tree(repository, commit, &options);
    if (code == 0)
        code = git_repository_head(&head, repository);
    if (code == 0)
        code = git_reference_set_target(&moved, head, target, "fast-forward");
    return code;
}

static int replay(git_rebase *rebase, git_repository *repository)
{
    AUTO_GIT(signature) git_signature *committer = NULL;
    git_rebase_operation *operation;
    int code = find_committer(repository, &committer);

    while (code == 0) {
        git_oid id;

        code = git_rebase_next(&operation, rebase);
        if (code == GIT_ITEROVER)
            return git_rebase_finish(rebase, committer);
        if (code == 0)
            code = git_rebase_commit(&id, rebase, NULL, committer, NULL, NULL);
        if (code == GIT_EAPPLIED)
            code = 0; /* origin has this change already: git leaves such a commit out */
    }
    return code;
}

/* libgit2 calls what a conflict left in the work tree "unstaged changes". */
static bool print_conflicts(git_repository *repository, struct buf *names)
{
    AUTO_GIT(index) git_index *index = NULL;
    git_index_conflict_iterator *conflicts = NULL;
    const git_index_entry *ancestor, *ours, *theirs;

    if (git_repository_index(&index, repository) < 0 ||
        git_index_conflict_iterator_new(&conflicts, index) < 0)
        return false;
    for (int count = 0; git_index_conflict_next(&ancestor, &ours, &theirs, conflicts) == 0;
         count++) {
        const git_index_entry *any = ours ? ours : theirs ? theirs : ancestor;

        if (count < CONFLICTS_NAMED_MAX)
            buf_printf(names, "%s%s", count ? ", " : "", any->path);
    }
    git_index_conflict_iterator_free(conflicts);
    return names->len > 0;
}

static void tell_failure(git_repository *repository, bool begun, int code, struct err *err)
{
    AUTO_BUF struct buf names = BUF_INIT(CONFLICT_TEXT_MAX);

    if (begun && print_conflicts(repository, &names))
        err_set(err, ERR_PROTOCOL, "rebase: conflict in %s; it was given up, all is as before",
                buf_text(&names));
    else
        git_error_to_err(code, "rebase", err);
}

/* The reason of a failure is put in words before the abort, which has errors of its own. */
static int rebase_on(git_repository *repository, const git_annotated_commit *onto, struct err *err)
{
    AUTO_GIT(rebase) git_rebase *rebase = NULL;
    git_rebase_options options;
    int code;

    git_rebase_options_init(&options, GIT_REBASE_OPTIONS_VERSION);
    code = git_rebase_init(&rebase, repository, NULL, onto, NULL, &options);
    if (code == 0)
        code = replay(rebase, repository);
    if (code == 0)
        return 0;
    tell_failure(repository, rebase != NULL, code, err);
    if (rebase)
        git_rebase_abort(rebase);
    return -1;
}

int rebase_onto_origin(const char *path, const char *branch, enum rebase_outcome *outcome,
                       struct err *err)
{
    AUTO_GIT(repository) git_repository *repository = NULL;
    AUTO_GIT(reference) git_reference *tip = NULL;
    AUTO_GIT(annotated_commit) git_annotated_commit *onto = NULL;
    AUTO_BUF struct buf name = BUF_INIT(2 * BRANCH_NAME_MAX);
    const git_annotated_commit *heads[1];
    git_merge_analysis_t analysis;
    git_merge_preference_t preference;
    int code;

    if (library_open(path, &repository, err) < 0)
        return -1;
    buf_printf(&name, "refs/remotes/origin/%s", branch);
    code = git_reference_lookup(&tip, repository, buf_text(&name));
    if (code == 0)
        code = git_annotated_commit_from_ref(&onto, repository, tip);
    heads[0] = onto;
    if (code == 0)
        code = git_merge_analysis(&analysis, &preference, repository, heads, 1);
    if (code < 0)
        return git_error_to_err(code, "compare with origin", err);
    *outcome = REBASE_UP_TO_DATE;
    if (analysis & GIT_MERGE_ANALYSIS_UP_TO_DATE)
        return 0;
    *outcome = REBASE_REBASED;
    if (!(analysis & GIT_MERGE_ANALYSIS_FASTFORWARD))
        return rebase_on(repository, onto, err);
    *outcome = REBASE_FAST_FORWARDED;
    code = fast_forward(repository, git_annotated_commit_id(onto));
    return code < 0 ? git_error_to_err(code, "fast-forward", err) : 0;
}
