/* Sealed texts: what goes in comes out at the same place with the same key, and nowhere else. */
#include "base/fault.h"
#include "base/seal.h"
#include "unit/db/folder.h"

#include <sys/stat.h>

static const SealPlace here = {.project = 7, .kind = "secret", .name = {"TOKEN", 5}};

static Seal *open_key(const char *path)
{
    Seal *s = NULL;
    Err err = {0};
    assert_ok(seal_open(path, &s, &err), &err);
    return s;
}

TEST(there_and_back)
{
    Arena *a = arena_open(16 * MIB);
    Seal *s = open_key(NULL);
    Err err = {0};
    char *large = arena_alloc(a, MIB);
    memset(large, 'x', MIB);
    const Str texts[] = {STR(""), STR("a"), STR("p\xc3\xa4ss\0word"), {large, MIB}};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        Str one, two, back;
        assert_ok(seal_text(s, &here, texts[i], a, &one, &err), &err);
        assert_ok(seal_text(s, &here, texts[i], a, &two, &err), &err);
        assert_true(seal_is(one) && !seal_is(texts[i]));
        assert_false(str_eq(one, two)); /* equal texts do not look equal */
        assert_ok(seal_read(s, &here, one, a, &back, &err), &err);
        assert_true(str_eq(back, texts[i]));
    }
    seal_close(&s);
    seal_close(&s);
    arena_close(&a);
}

TEST(another_place_key_or_byte_does_not_open)
{
    Arena *a = arena_open(4 * MIB);
    Seal *s = open_key(NULL), *other = open_key(NULL);
    Err err = {0};
    Str sealed, out = STR("untouched");
    assert_ok(seal_text(s, &here, STR("hidden"), a, &sealed, &err), &err);
    const SealPlace places[] = {
        {.project = 8, .kind = "secret", .name = here.name},
        {.project = 7, .kind = "params", .name = here.name},
        {.project = 7, .kind = "secret", .owner = 1, .name = here.name},
        {.project = 7, .kind = "secret", .name = STR("TOKEN2")},
        {.project = 7, .kind = "secret"},
    };
    for (size_t i = 0; i < COUNT_OF(places); i++)
        assert_int_equal(seal_read(s, &places[i], sealed, a, &out, &err), ERR_SECRET_KEY);
    assert_int_equal(seal_read(other, &here, sealed, a, &out, &err), ERR_SECRET_KEY);
    assert_int_equal(seal_read(NULL, &here, sealed, a, &out, &err), ERR_SECRET_KEY);
    char *text = str_to_c(a, sealed);
    for (size_t i = 0; i < sealed.len; i++) {
        char before = text[i];
        text[i] = before == 'A' ? 'B' : 'A';
        assert_int_equal(seal_read(s, &here, (Str){text, sealed.len}, a, &out, &err),
                         ERR_SECRET_KEY);
        text[i] = before;
    }
    for (size_t n = 0; n < sealed.len; n++)
        assert_int_equal(seal_read(s, &here, (Str){text, n}, a, &out, &err), ERR_SECRET_KEY);
    assert_int_equal(seal_read(s, &here, STR("sealed:v1:===="), a, &out, &err), ERR_SECRET_KEY);
    assert_str_equal(out, "untouched");
    seal_close(&s);
    seal_close(&other);
    arena_close(&a);
}

TEST(the_key_file)
{
    Folder f = folder_open();
    Arena *a = arena_open(MIB);
    char path[128];
    struct stat st;
    Err err = {0};
    Str sealed, out;
    snprintf(path, sizeof path, "%s/secret.key", f.path);
    Seal *s = open_key(path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_ok(seal_text(s, &here, STR("hidden"), a, &sealed, &err), &err);
    seal_close(&s);
    s = open_key(path);
    assert_ok(seal_read(s, &here, sealed, a, &out, &err), &err);
    seal_close(&s);
    /* The variable goes before the file. */
    setenv("PLATEN_SECRET_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F",
           1);
    s = open_key(path);
    assert_int_equal(seal_read(s, &here, sealed, a, &out, &err), ERR_SECRET_KEY);
    assert_ok(seal_text(s, &here, STR("by variable"), a, &sealed, &err), &err);
    seal_close(&s);
    setenv("PLATEN_SECRET_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", 1);
    s = open_key(path);
    assert_ok(seal_read(s, &here, sealed, a, &out, &err), &err);
    seal_close(&s);
    setenv("PLATEN_SECRET_KEY", "too short", 1);
    assert_int_equal(seal_open(path, &s, &err), ERR_SECRET_KEY);
    assert_null(s);
    unsetenv("PLATEN_SECRET_KEY");
    FILE *damaged = fopen(path, "w");
    fputs("not a key\n", damaged);
    fclose(damaged);
    assert_int_equal(seal_open(path, &s, &err), ERR_SECRET_KEY);
    snprintf(path, sizeof path, "%s/none/secret.key", f.path);
    assert_int_equal(seal_open(path, &s, &err), ERR_IO);
    arena_close(&a);
    folder_close(&f);
}

static ErrCode open_and_seal(const char *path)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    CLEANUP(seal_close) Seal *s = NULL;
    Err err = {0};
    Str sealed, out;
    unlink(path);
    if (a == NULL)
        return ERR_NO_MEMORY;
    ErrCode rc = seal_open(path, &s, &err);
    if (rc == OK)
        rc = seal_text(s, &here, STR("hidden"), a, &sealed, &err);
    if (rc == OK)
        rc = seal_read(s, &here, sealed, a, &out, &err);
    if (rc != OK)
        assert_true(err.text[0] != 0);
    return rc;
}

TEST(survives_every_failure)
{
    Folder f = folder_open();
    char path[128];
    snprintf(path, sizeof path, "%s/secret.key", f.path);
#ifdef PLATEN_FAULTS
    for (int nth = 1, more = 1; more; nth++) {
        fault_arm(nth);
        ErrCode rc = open_and_seal(path);
        more = fault_disarm();
        if (!more)
            assert_int_equal(rc, OK);
    }
#else
    assert_int_equal(open_and_seal(path), OK);
#endif
    folder_close(&f);
}

TEST_MAIN(there_and_back, another_place_key_or_byte_does_not_open, the_key_file,
          survives_every_failure)
