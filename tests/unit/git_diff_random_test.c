/* git/diff.h against the real git after sessions made up by chance. RANDOM_SESSIONS=100 tries more. */
#include "git/library.h"

#include "tests/unit/diff_against_git.h"

#define SESSIONS 10
#define SESSIONS_MAX 1000
#define WORK_SEED 5000 /* away from those of the first commits */

int main(void)
{
    static char titles[SESSIONS_MAX][48];
    const char *wanted = getenv("RANDOM_SESSIONS");
    int sessions = wanted ? atoi(wanted) : SESSIONS;
    char here[512];

    if (!getcwd(here, sizeof here))
        return 1;
    diff_fixture_init(&fixture);
    for (int seed = 1; seed <= sessions && seed < SESSIONS_MAX; seed++) {
        snprintf(titles[seed], sizeof titles[seed], "a random session, seed %d", seed);
        TEST(titles[seed]) {
            diff_begin(&fixture);
            diff_shell(&fixture,
                       "set +ex; seed=%d; . %s/tests/unit/random_session.sh; fill; git add -A;"
                       "git commit -qm base --allow-empty",
                       seed, here);
            diff_set_base(&fixture);
            diff_shell(&fixture, "set +ex; seed=%d; . %s/tests/unit/random_session.sh; work; true",
                       seed + WORK_SEED, here);
            check_as_git();
        }
    }
    diff_buffers_free();
    diff_fixture_end(&fixture);
    library_stop();
    return check_done();
}
