#include "base/arena.h"
#include "base/buf.h"
#include "unit/harness.h"

TEST(gives_zeroed_aligned_memory_up_to_its_ceiling)
{
    CLEANUP(arena_close) Arena *a = arena_open(10000);
    size_t got = 0;
    for (size_t size = 1;; size += 7, got++) {
        unsigned char *p = arena_alloc(a, size);
        if (p == NULL)
            break;
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xAA, size);
    }
    assert_true(got > 20);
    assert_true(arena_used(a) <= 10000);
    assert_int_equal(arena_used(a) + arena_left(a), 10000);
    assert_non_null(arena_alloc(a, 0));
}

TEST(refuses_sizes_that_overflow)
{
    CLEANUP(arena_close) Arena *a = arena_open(SIZE_MAX);
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 16,
                                   SIZE_MAX - 40};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        assert_null(arena_alloc_raw(a, sizes[i]));
        assert_null(arena_grow(a, NULL, 0, sizes[i]));
    }
    assert_null(arena_alloc_array(a, SIZE_MAX / 4, 8));
    assert_null(arena_new(a, uint64_t, SIZE_MAX / 8 + 1));
    assert_int_equal(arena_used(a), 0);
}

TEST(rewinds_to_a_mark)
{
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    char *kept = arena_alloc(a, 100);
    memset(kept, 'k', 100);
    ArenaMark m = arena_mark(a);
    size_t used = arena_used(a);
    for (int round = 0; round < 100; round++) {
        memset(arena_alloc_raw(a, 50000), 'x', 50000);
        arena_rewind(a, m);
        assert_int_equal(arena_used(a), used);
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(kept[i], 'k');
    arena_reset(a);
    assert_int_equal(arena_used(a), 0);
    assert_non_null(arena_alloc(a, 1 * MIB - 16));
}

TEST(a_recycled_arena_is_empty_and_works)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
    for (int round = 0; round < 50; round++) {
        char *p = arena_alloc(a, 30000);
        assert_non_null(p);
        assert_int_equal(p[0] | p[29999], 0);
        memset(p, 'x', 30000);
        arena_recycle(a);
        assert_int_equal(arena_used(a), 0);
    }
}

TEST(grows_in_place_or_copies)
{
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    char *p = arena_alloc_raw(a, 10);
    memcpy(p, "0123456789", 10);
    assert_ptr_equal(arena_grow(a, p, 10, 100), p);
    assert_non_null(arena_alloc_raw(a, 1));
    char *q = arena_grow(a, p, 100, 5000);
    assert_ptr_not_equal(q, p);
    assert_memory_equal(q, "0123456789", 10);
    assert_ptr_equal(arena_grow(a, q, 5000, 4000), q);
    assert_null(arena_grow(a, q, 5000, 2 * MIB));
    assert_memory_equal(q, "0123456789", 10);
}

TEST(closes_what_is_not_there)
{
    Arena *none = NULL;
    arena_close(&none);
    arena_close(NULL);
}

TEST(a_buffer_remembers_failure)
{
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    Buf b = buf_init(a, 10);
    buf_add(&b, STR("12345"));
    buf_add(&b, STR("67890"));
    assert_false(b.failed);
    assert_str_equal(buf_str(&b), "1234567890");
    buf_add_char(&b, '!');
    assert_true(b.failed);
    buf_add(&b, STR(""));
    assert_str_equal(buf_str(&b), "1234567890");
    assert_null(buf_room(&b, 1));
    buf_clear(&b);
    buf_add_c(&b, "again");
    assert_string_equal(buf_c(&b), "again");
    assert_false(b.failed);
    assert_int_equal(b.len, 5);
}

TEST(a_buffer_builds_text)
{
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    Buf b = buf_init(a, 64 * KIB);
    assert_str_equal(buf_str(&b), "");
    buf_addf(&b, "%s-%d-%s", "a", 7, "");
    buf_add_int(&b, INT64_MIN);
    buf_add_char(&b, ' ');
    buf_add_int(&b, INT64_MAX);
    buf_add_int(&b, 0);
    buf_add_utf8(&b, 0x1F600);
    buf_add_utf8(&b, 0xD800);
    assert_str_equal(buf_str(&b), "a-7--9223372036854775808 92233720368547758070😀\xef\xbf\xbd");
    buf_clear(&b);
    buf_add_html(&b, STR("<a href=\"x\">'&amp;'</a>é"));
    assert_str_equal(buf_str(&b), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;amp;&#39;&lt;/a&gt;é");
    buf_clear(&b);
    buf_add_url(&b, STR("a b/ü?~-_.%"));
    assert_str_equal(buf_str(&b), "a%20b%2F%C3%BC%3F~-_.%25");
    buf_clear(&b);
    for (int i = 0; i < 5000; i++)
        buf_addf(&b, "%d,", i % 10);
    assert_int_equal(b.len, 10000);
    memcpy(buf_room(&b, 3), "end", 3);
    buf_wrote(&b, 3);
    assert_true(str_ends(buf_str(&b), STR("9,end")));
}

#ifdef PLATEN_FAULTS
TEST(survives_every_failure)
{
    for (int nth = 1;; nth++) {
        fault_arm(nth);
        CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
        Buf b = {0};
        if (a != NULL) {
            b = buf_init(a, 512 * KIB);
            for (int i = 0; i < 10000; i++)
                buf_add_c(&b, "0123456789");
        }
        if (!fault_disarm()) {
            assert_int_equal(b.len, 100000);
            return;
        }
        assert_true(a == NULL || b.failed);
    }
}
#else
TEST(survives_every_failure)
{
    skip();
}
#endif

TEST_MAIN(gives_zeroed_aligned_memory_up_to_its_ceiling, refuses_sizes_that_overflow,
          rewinds_to_a_mark, a_recycled_arena_is_empty_and_works, grows_in_place_or_copies,
          closes_what_is_not_there, a_buffer_remembers_failure, a_buffer_builds_text,
          survives_every_failure)
