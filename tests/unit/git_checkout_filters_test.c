/* What skips the look-up of filters must not change a byte: git's own clone is the judge. */
#include "git/clone.h"
#include "git/library.h"
#include "tests/unit/check.h"
#include "tests/unit/git_fixture.h"

static struct git_fixture fixture;

/* Puts the attributes on main, with a configuration, and clones it with both. */
static const char *difference(const char *attributes, const char *nested, const char *configuration)
{
    struct branch_choice branch = {.wanted = "main"};

    git_shell(&fixture,
              "rm -rf workspace/app theirs; git -C source checkout -q main; cd source;"
              "mkdir -p sub; printf '%%b' '%s' >.gitattributes; printf '%%b' '%s' "
              ">sub/.gitattributes;"
              "printf 'one\\ntwo\\n' >text.txt; printf '$Id$\\n' | tee sub/id.c >id.c;"
              "cp text.txt sub/; find . -name .gitattributes -empty -delete; git add -A;"
              "git commit -qm case --allow-empty; git push -q origin main; cd ..;"
              "printf '%%b' '%s' >home/.gitconfig",
              attributes, nested, configuration);
    if (clone_repository(&fixture.access, fixture.checkout, &branch, NULL) != 0)
        return "(no clone)";
    return git_output(&fixture, "git clone -q --branch main repositories/acme/app.git theirs 2>&1;"
                                "diff -r --exclude=.git theirs workspace/app;"
                                "git -C workspace/app status --porcelain");
}

int main(void)
{
    git_fixture_init(&fixture);
    TEST("attributes that change no byte give git's files") {
        CHECK_STR(difference("", "", ""), "");
        CHECK_STR(difference("* text=auto\\n*.bin binary\\n*.c linguist-generated\\n", "", ""), "");
        CHECK_STR(difference("* text\\n*.txt eol=lf\\n", "", ""), "");
    }
    TEST("CRLF line ends and $Id$ give git's files, from whatever folder they are asked for") {
        CHECK_STR(difference("*.txt eol=crlf\\n", "", ""), "");
        CHECK_STR(difference("", "*.txt text eol=crlf\\n", ""), "");
        CHECK_STR(difference("*.c ident\\n", "", ""), "");
        CHECK_STR(difference("", "id.c ident\\n", ""), "");
        CHECK_STR(difference("[attr]dos text eol=crlf\\n*.txt dos\\n", "", ""), "");
    }
    TEST("line ends that the configuration asks for are git's") {
        CHECK_STR(difference("", "", "[core]\\n\\tautocrlf = true\\n"), "");
        CHECK_STR(difference("", "", "[core]\\n\\tautocrlf = input\\n"), "");
        CHECK_STR(difference("*.txt text=auto\\n", "", "[core]\\n\\teol = crlf\\n"), "");
        CHECK_STR(difference("*.txt text=auto\\n", "", "[core]\\n\\teol = native\\n"), "");
    }
    TEST("attributes of the user are git's") {
        git_shell(&fixture, "mkdir -p home/.config/git; echo '*.txt eol=crlf' "
                            ">home/.config/git/attributes; cp home/.config/git/attributes own");
        CHECK_STR(difference("", "", ""), "");
        git_shell(&fixture, "rm home/.config/git/attributes");
        CHECK_STR(difference("", "", "[core]\\n\\tattributesFile = ~/../own\\n"), "");
    }
    library_stop();
    TEST("the git server ends well") {
        CHECK_INT(git_fixture_end(&fixture), 0);
    }
    return check_done();
}
