#include "document/zip.h"
#include "unit/document/office.h"

static Str content(Zip *z, Arena *a, const char *name, Err *err)
{
    Str out = STR("");
    const ZipEntry *e = zip_find(z, str_from_c(name));
    assert_non_null(e);
    assert_ok(zip_read(z, e, a, 1 * MIB, &out, err), err);
    return out;
}

static const TestPart two[] = {
    {"word/document.xml", "hello hello hello hello"}, {"b", "stored"}, {0}};

TEST(reads_entries_by_name)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Err err = {0};
    Zip z;
    assert_ok(zip_open(a, test_zip(a, two), &z, &err), &err);
    assert_int_equal(z.len, 2);
    assert_false(z.repaired);
    assert_str_equal(content(&z, a, "word/document.xml", &err), "hello hello hello hello");
    assert_str_equal(content(&z, a, "/b", &err), "stored");
    assert_str_equal(content(&z, a, "Word\\Document.xml", &err), "hello hello hello hello");
    assert_null(zip_find(&z, STR("c")));
    assert_ok(zip_open(a, test_zip(a, (TestPart[]){{"/in/front", "x"}, {0}}), &z, &err), &err);
    assert_str_equal(content(&z, a, "in/front", &err), "x");
}

TEST(searches_when_the_directory_is_lost)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Err err = {0};
    Zip z;
    Str whole = test_zip(a, two);
    size_t directory = str_find(whole, STR("PK\1\2"));
    assert_ok(zip_open(a, str_slice(whole, 0, directory), &z, &err), &err);
    assert_true(z.repaired);
    assert_str_equal(content(&z, a, "word/document.xml", &err), "hello hello hello hello");

    Str moved = str_printf(a, "in front of it");
    Buf b = buf_init(a, 1 * MIB);
    buf_add(&b, moved);
    buf_add(&b, whole);
    assert_ok(zip_open(a, buf_str(&b), &z, &err), &err);
    assert_str_equal(content(&z, a, "b", &err), "stored");
}

TEST(refuses_what_is_no_archive)
{
    static const struct {
        const char *why;
        Str bytes;
        ErrCode want;
    } cases[] = {
        {"nothing", {"", 0}, ERR_INPUT_EMPTY},
        {"text", {"hello", 5}, ERR_INPUT_DAMAGED},
        {"an OLE file", {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8}, ERR_UNSUPPORTED_TYPE},
        {"an encrypted Office file",
         {"\xd0\xcf\x11\xe0"
          "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0",
          36},
         ERR_INPUT_ENCRYPTED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
        Err err = {0};
        Zip z;
        ErrCode got = zip_open(a, cases[i].bytes, &z, &err);
        if (got != cases[i].want)
            fail_msg("%s: %s", cases[i].why, err_reason(got));
    }
}

/* One entry whose header says `flags`, then what reading it gives. */
static ErrCode read_one(Arena *a, Str text, bool stored, unsigned flags, size_t cut, size_t flip,
                        Str *out)
{
    Buf b = buf_init(a, 128 * MIB), directory = buf_init(a, 1 * MIB);
    test_zip_entry(a, &b, &directory, STR("x"), text, stored, flags);
    if (flip > 0)
        b.ptr[flip] ^= 1;
    b.len -= cut;
    Str bytes = test_zip_end(&b, &directory, 1);
    Zip z;
    Err err = {0};
    ErrCode rc = zip_open(a, bytes, &z, &err);
    return rc == OK ? zip_read(&z, &z.entries[0], a, 8 * MIB, out, &err) : rc;
}

TEST(says_what_is_wrong_with_an_entry)
{
    CLEANUP(arena_close) Arena *a = arena_open(256 * MIB);
    Str out = STR("");
    Str zeros = {arena_alloc(a, 60 * MIB), 60 * MIB};
    assert_int_equal(read_one(a, STR("text"), true, 0, 0, 0, &out), OK);
    assert_int_equal(read_one(a, STR("text"), true, 1, 0, 0, &out), ERR_INPUT_ENCRYPTED);
    assert_int_equal(read_one(a, STR("text"), true, 0, 0, 32, &out),
                     ERR_INPUT_DAMAGED); /* the checksum */
    assert_int_equal(read_one(a, STR("text text text"), false, 0, 0, 31, &out), ERR_INPUT_DAMAGED);
    assert_int_equal(read_one(a, zeros, false, 0, 0, 0, &out), ERR_LIMIT_RATIO);
    assert_int_equal(read_one(a, (Str){zeros.ptr, 9 * MIB}, false, 0, 0, 0, &out),
                     ERR_INPUT_TOO_LARGE);
}

TEST(refuses_entries_that_share_bytes)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Buf b = buf_init(a, 1 * MIB), directory = buf_init(a, 1 * MIB), inner = buf_init(a, 1 * MIB),
        spare = buf_init(a, 1 * MIB);
    test_zip_entry(a, &inner, &spare, STR("b"), STR("inside"), true, 0);
    test_zip_entry(a, &b, &directory, STR("a"), buf_str(&inner), true, 0);
    size_t second = directory.len;
    buf_add(&directory, buf_str(&spare));
    directory.ptr[second + 42] = 31; /* where the header of b lies in the data of a */
    Zip z;
    Err err = {0};
    assert_int_equal(zip_open(a, test_zip_end(&b, &directory, 2), &z, &err), ERR_LIMIT_RATIO);
}

TEST(survives_every_cut_and_flip)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Str whole = test_zip(a, two);
    char *copy = arena_alloc_raw(a, whole.len);
    for (size_t i = 0; i < whole.len * 2; i++) {
        ArenaMark m = arena_mark(a);
        memcpy(copy, whole.ptr, whole.len);
        size_t len = i < whole.len ? i : whole.len;
        if (i >= whole.len)
            copy[i - whole.len] ^= (char)(1 << i % 8);
        Zip z;
        Err err = {0};
        Str out = STR("");
        if (zip_open(a, (Str){copy, len}, &z, &err) == OK)
            for (size_t k = 0; k < z.len; k++)
                if (zip_read(&z, &z.entries[k], a, 1 * MIB, &out, &err) == OK)
                    assert_true(out.len < 1 * MIB);
        arena_rewind(a, m);
    }
}

TEST_MAIN(reads_entries_by_name, searches_when_the_directory_is_lost, refuses_what_is_no_archive,
          says_what_is_wrong_with_an_entry, refuses_entries_that_share_bytes,
          survives_every_cut_and_flip)
