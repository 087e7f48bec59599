/* Turns: shares by weight, newcomers, those who come back, growth. */
#include "queue/fair.h"
#include "unit/harness.h"

/* Everybody always has something: `batches` of `max` are shared out. */
static void share_out(Fair *f, int batches, int max, int64_t *taken)
{
    for (int b = 0; b < batches; b++)
        for (int left = max; left > 0;) {
            FairTurn t;
            assert_true(fair_pick(f, &t));
            int some = fair_share(f, &t, max);
            some = some < left ? some : left;
            assert_true(some >= 1);
            taken[t.project] += some;
            left -= some;
            fair_put(f, t, some);
        }
}

TEST(shares_by_weight)
{
    static const struct {
        const char *why;
        int64_t weights[4];
        int max;
    } cases[] = {
        {"alone", {1, 0, 0, 0}, 512},
        {"alike", {1, 1, 1, 1}, 512},
        {"one counts double", {2, 1, 1, 0}, 100},
        {"very different", {1000, 1, 0, 0}, 512},
        {"one task at a time", {3, 1, 0, 0}, 1},
        {"fewer than projects", {1, 1, 1, 1}, 2},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Fair f = {0};
        int64_t taken[5] = {0}, sum = 0, all = 0;
        for (int p = 0; p < 4; p++) {
            sum += cases[i].weights[p];
            if (cases[i].weights[p] > 0)
                assert_true(fair_add(&f, p + 1, cases[i].weights[p]));
        }
        share_out(&f, 4000, cases[i].max, taken);
        for (int p = 0; p < 4; p++)
            all += taken[p + 1];
        for (int p = 0; p < 4; p++) {
            int64_t want = all * cases[i].weights[p] / sum, off = taken[p + 1] - want;
            if (off < -2 * cases[i].max || off > 2 * cases[i].max)
                fail_msg("%s: project %d took %" PRId64 ", its share is %" PRId64, cases[i].why,
                         p + 1, taken[p + 1], want);
        }
        fair_done(&f);
    }
}

TEST(nobody_saves_up_turns)
{
    Fair f = {0};
    int64_t taken[3] = {0};
    assert_true(fair_add(&f, 1, 1));
    share_out(&f, 1000, 10, taken);
    assert_true(fair_add(&f, 2, 1)); /* it was away all the time */
    taken[1] = taken[2] = 0;
    share_out(&f, 10, 10, taken);
    assert_in_range(taken[2], 40, 60);
    fair_done(&f);
}

TEST(the_last_to_come_is_served_soon)
{
    Fair f = {0};
    FairTurn t;
    for (int64_t p = 1; p <= 100; p++)
        assert_true(fair_add(&f, p, 1));
    for (int i = 0; i < 500; i++) {
        assert_true(fair_pick(&f, &t));
        fair_put(&f, t, 5);
    }
    assert_true(fair_add(&f, 1000, 1));
    for (int i = 0; t.project != 1000; i++) {
        assert_true(i <= 101);
        assert_true(fair_pick(&f, &t));
        fair_put(&f, t, 5);
    }
    fair_done(&f);
}

/* Against a plain list: who is active, and that everybody's turn comes. */
TEST(random_coming_and_going)
{
    enum { PROJECTS = 300, STEPS = 20000 };
    Fair f = {0};
    bool active[PROJECTS + 1] = {0};
    size_t n = 0;
    uint64_t random = 88172645463325252;
    for (int i = 0; i < STEPS; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        int64_t p = 1 + (int64_t)(random % PROJECTS);
        if (random & (1u << 20)) {
            assert_true(fair_add(&f, p, 1 + p % 5));
            n += !active[p];
            active[p] = true;
            continue;
        }
        FairTurn t;
        assert_int_equal(fair_pick(&f, &t), n > 0);
        if (n == 0)
            continue;
        assert_true(active[t.project]);
        if (random & (1u << 21)) {
            fair_put(&f, t, 3);
        } else {
            fair_drop(&f, &t);
            active[t.project] = false;
            n--;
        }
    }
    for (FairTurn t; fair_pick(&f, &t); n--) {
        assert_true(active[t.project]);
        active[t.project] = false;
        fair_drop(&f, &t);
    }
    assert_int_equal(n, 0);
    fair_done(&f);
}

TEST_MAIN(shares_by_weight, nobody_saves_up_turns, the_last_to_come_is_served_soon,
          random_coming_and_going)
