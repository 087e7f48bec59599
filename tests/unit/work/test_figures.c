/* What queues and steps did lately: buckets, percentiles, bounds. */
#include "work/figures.c" /* white box: bins are in reach */
#include "unit/harness.h"

static Figures *open_figures(void)
{
    Figures *f = NULL;
    Err err = {0};
    assert_ok(figures_open(&f, &err), &err);
    f->opened_ms = 0;
    return f;
}

TEST(bins_hold_what_begins_in_them)
{
    int last = 0;
    for (int64_t ms = 0; ms < 200000; ms++) {
        int bin = bin_of(ms);
        assert_true(bin == last || bin == last + 1 || ms < 3); /* no 1.5 ms in whole ones */
        assert_true(bin_start(bin) <= (double)ms && (double)ms < bin_start(bin + 1));
        last = bin;
    }
    assert_int_equal(bin_of(-5), 0);
    assert_int_equal(bin_of(INT64_MAX), BINS - 1);
    assert_true(bin_start(BINS - 1) > 86400e3);
}

TEST(percentiles_are_right_within_a_fifth)
{
    static const int64_t tops[] = {1, 10, 100, 5000, 80000};
    for (size_t t = 0; t < COUNT_OF(tops); t++) {
        uint32_t bins[BINS] = {0};
        for (int i = 1; i <= 1000; i++)
            bins[bin_of(tops[t] * i)]++;
        for (int p = 50; p <= 95; p += 45) {
            double is = (double)percentile(bins, p), right = (double)tops[t] * 10 * p;
            assert_true(is > right * 0.8 && is < right * 1.25);
        }
    }
    assert_int_equal(percentile((uint32_t[BINS]){0}, 50), -1);
}

TEST(minutes_pass)
{
    Figures *f = open_figures();
    FigurePoint p[FIGURES_POINTS_MAX];
    const int64_t now = INT64_C(1800000000000);
    figures_started(f, STR("q"), STR("a.b"), 10, now);
    figures_ended(f, STR("q"), STR("a.b"), 100, true, now + 60000);
    figures_depth(f, STR("q"), 7, now + 60000);
    figures_depth(f, STR(""), 9, now + 60000);

    assert_int_equal(figures_read(f, FIGURE_QUEUE, STR("q"), FIGURE_HOUR, now + 60000, p), 60);
    assert_int_equal(p[58].started, 1);
    assert_int_equal(p[58].time_ms, now);
    assert_in_range(p[58].wait_p50_ms, 8, 12);
    assert_int_equal(p[58].run_p50_ms, -1);
    assert_int_equal(p[58].depth, -1);
    assert_int_equal(p[59].ended, 1);
    assert_int_equal(p[59].failed, 1);
    assert_int_equal(p[59].depth, 7);
    assert_in_range(p[59].run_p95_ms, 80, 125);
    assert_int_equal(figures_sum(f, FIGURE_STEP, STR("a.b"), 15, now + 60000).ended, 1);
    assert_int_equal(figures_sum(f, FIGURE_ALL, STR(""), 15, now + 60000).depth, 9);

    /* an hour later the same places of the ring stand for others */
    assert_int_equal(figures_read(f, FIGURE_QUEUE, STR("q"), FIGURE_HOUR, now + 3660000, p), 60);
    for (int i = 0; i < 60; i++)
        assert_true(p[i].started == 0 && p[i].ended == 0);
    assert_int_equal(figures_sum(f, FIGURE_QUEUE, STR("q"), 60, now + 3660000).ended, 0);
    size_t n = figures_read(f, FIGURE_QUEUE, STR("q"), FIGURE_DAY, now + 3660000, p);
    assert_int_equal(n, 48);
    int64_t ended = 0;
    for (size_t i = 0; i < n; i++)
        ended += p[i].ended;
    assert_int_equal(ended, 1);
    figures_close(&f);
}

TEST(nothing_before_the_beginning)
{
    Figures *f = open_figures();
    FigurePoint p[FIGURES_POINTS_MAX];
    f->opened_ms = 90 * 60000;
    assert_int_equal(figures_read(f, FIGURE_ALL, STR(""), FIGURE_HOUR, 92 * 60000, p), 3);
    assert_int_equal(figures_read(f, FIGURE_QUEUE, STR("none"), FIGURE_HOUR, 92 * 60000, p), 3);
    assert_int_equal(p[0].started, 0);
    figures_close(&f);
}

TEST(queues_and_steps_are_bounded)
{
    Figures *f = open_figures();
    FigureName names[FIGURES_MAX];
    for (int i = 0; i < 3 * FIGURES_MAX; i++) {
        char q[16];
        snprintf(q, sizeof q, "q%d", i);
        figures_started(f, str_from_c(q), STR("only.one"), i, 60000);
    }
    assert_int_equal(figures_names(f, FIGURE_QUEUE, names), FIGURES_MAX);
    assert_int_equal(figures_names(f, FIGURE_STEP, names), 1);
    assert_string_equal(names[0].text, "only.one");
    assert_int_equal(figures_sum(f, FIGURE_ALL, STR(""), 1, 60000).started, 3 * FIGURES_MAX);
    assert_int_equal(figures_sum(f, FIGURE_QUEUE, STR("q3"), 1, 60000).started, 1);
    assert_int_equal(figures_sum(f, FIGURE_QUEUE, STR("q190"), 1, 60000).started, 0);
    figures_close(&f);
}

TEST(survives_every_failure)
{
    for (int nth = 1;; nth++) {
        Figures *f = NULL;
        Err err = {0};
        fault_arm(nth);
        ErrCode rc = figures_open(&f, &err);
        if (rc == OK)
            figures_started(f, STR("q"), STR("a.b"), 1, 60000);
        if (rc == OK)
            figures_ended(f, STR("q"), STR("a.b"), 1, false, 60000);
        bool hit = fault_disarm();
        if (rc == OK)
            assert_int_equal(figures_sum(f, FIGURE_ALL, STR(""), 1, 60000).ended, 1);
        figures_close(&f);
        if (!hit)
            return;
    }
}

TEST_MAIN(bins_hold_what_begins_in_them, percentiles_are_right_within_a_fifth, minutes_pass,
          nothing_before_the_beginning, queues_and_steps_are_bounded, survives_every_failure)
