/* The vectors were made by the reference tokenizer; byte-pair encoding as it is defined (join the
 * pair with the lowest id) is written out here and must come to the same tokens on anything. */
#include "text/pieces.h"
#include "text/text.h"
#include "text/tokenizer.h"
#include "step_runner.h"

static Arena *arena;

static int set_up(void **state)
{
    (void)state;
    Err err = {0};
    arena = arena_open(1024 * MIB);
    return text_warm(&err) == OK && arena != NULL ? 0 : -1;
}

static const struct {
    const char *text, *o200k, *cl100k;
} vectors[] = {
    {"Hello, world!", "13225 11 2375 0", "9906 11 1917 0"},
    {"don't I'LL we'Re you'Ve 'tis", "91418 3413 7454 581 146756 481 6 27493 461 109773",
     "15357 956 358 6 4178 584 50527 499 6 43712 364 83 285"},
    {"  two  spaces \n\n and\ttabs\r\n", "220 1920 220 18608 1202 326 6264 6071 370",
     "220 1403 220 12908 4815 323 3324 3518 319"},
    {"1234567 3.14 \357\274\221\357\274\222 \342\205\247\302\262",
     "7633 19354 22 220 18 13 1265 220 101137 220 25371 100 13848",
     "4513 10961 22 220 18 13 975 220 20713 25963 220 71567 100 30556"},
    {"na\303\257ve caf\303\251 \303\211COLE Stra\303\237e",
     "1503 9954 737 30469 10055 8310 1400 71184",
     "3458 38672 588 53050 29124 8445 877 27745 24352"},
    {"ABCdef camelCaseWord HTTPServer Ab", "44197 1314 83330 6187 12929 21929 6444 3483",
     "26484 755 50252 4301 11116 10339 5592 3765"},
    {"\344\273\212\346\227\245\343\201\257\350\211\257\343\201\204\345\244\251\346\260\227\343\201"
     "\247\343\201\231\343\200\202\346\235\261\344\272\254\343\201\253\350\241\214\343\201\215\343"
     "\201\276\343\201\231\343\200\202",
     "170411 35015 3826 867 25717 15121 788 108713 5280 6550 11852 14429 788",
     "37271 9080 15682 34452 107 16995 36827 95221 38641 1811 14276 109 47653 20230 23039 50834 "
     "33541 1811"},
    {"\346\210\221\344\273\254\345\234\250\345\233\276\344\271\246\351\246\206\350\247\201\351\235"
     "\242\357\274\214\350\257\267\345\270\246\344\270\212\344\271\246\343\200\202",
     "24809 2178 5803 20121 63667 27041 9961 44005 24314 4286 20121 788",
     "98739 19000 29129 91386 46065 228 90070 28190 39045 13821 99 17905 91386 1811"},
    {"\320\237\321\200\320\270\320\262\320\265\321\202, \320\272\320\260\320\272 "
     "\320\264\320\265\320\273\320\260?",
     "23881 131903 11 6220 78857 30", "54745 28089 8341 11 52770 95369 1506 30"},
    {"\331\205\330\261\330\255\330\250\330\247 "
     "\330\250\330\247\331\204\330\271\330\247\331\204\331\205",
     "158894 26537 101462 12773", "10386 11318 30925 22071 5821 28946 32482 24102 32482 10386"},
    {"\340\244\250\340\244\256\340\244\270\340\245\215\340\244\244\340\245\207 "
     "\340\244\246\340\245\201\340\244\250\340\244\277\340\244\257\340\244\276",
     "998 1637 14681 628 64593",
     "61196 88344 79468 31584 97 35470 15272 99 73753 61196 43411 107 24810"},
    {"\340\270\252\340\270\247\340\270\261\340\270\252\340\270\224\340\270\265\340\270\212\340\270"
     "\262\340\270\247\340\271\202\340\270\245\340\270\201",
     "4406 187986 21883 2293 8247 17359 93469",
     "36748 38313 24152 36748 38133 29419 49220 21437 38313 8321 224 32882 26265"},
    {"\360\237\221\251\342\200\215\360\237\221\251\342\200\215\360\237\221\247 ok "
     "\360\237\207\251\360\237\207\252",
     "28823 102 2524 28823 102 2524 28823 100 4763 173468 102 55506 103",
     "9468 239 102 378 235 9468 239 102 378 235 9468 239 100 5509 11410 229 102 9468 229 103"},
    {"int main(void)\n{\n    return 0; // done\n}\n",
     "491 2758 10218 446 745 271 622 220 15 26 602 4167 198 739",
     "396 1925 4431 340 517 262 471 220 15 26 443 2884 198 534"},
    {"http://example.org/a/b//c\n//\n", "2903 1684 18582 4519 23839 7611 393 66 198 22704",
     "1277 1129 8858 2726 14520 3554 322 66 198 2341"},
    {"\344\270\255ABC \344\270\255Abc \307\205abc \312\260x",
     "1404 44197 25403 4292 66 220 131 227 26682 220 134 108 87",
     "16325 26484 73958 5953 66 220 131 227 13997 220 134 108 87"},
    {"e\314\201\314\202 \314\201a", "68 13430 128886 220 13430 64",
     "68 54939 136 224 220 54939 64"},
    {"it'\305\277 a", "278 6 70067 261", "275 6 129 123 264"},
    {"x\302\240y\343\200\200z\302\205w", "87 5310 88 1397 89 126 227 86",
     "87 4194 88 23249 89 126 227 86"},
    {"<|endoftext|>", "27 91 419 1440 919 91 29", "27 91 8862 728 428 91 29"},
    {"!!!!!///\n\n", "81667 154812", "70900 48244"},
    {"   a", "256 261", "256 264"},
};

static Str ids_of(Encoding e, Str text)
{
    Tokenizer *t = tokenizer_open(arena, e);
    Buf b = buf_init(arena, 64 * MIB);
    Err err = {0};
    for (size_t at = 0; at < text.len;) {
        Tokens tokens;
        assert_ok(tokenizer_next(t, text, &at, &tokens, &err), &err);
        for (size_t i = 0; i < tokens.len; i++)
            buf_addf(&b, b.len > 0 ? " %u" : "%u", tokens.ids[i]);
    }
    return buf_str(&b);
}

TEST(vectors_of_both_encodings)
{
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        assert_str_equal(ids_of(O200K, str_from_c(vectors[i].text)), vectors[i].o200k);
        assert_str_equal(ids_of(CL100K, str_from_c(vectors[i].text)), vectors[i].cl100k);
    }
}

/* Where the reference differs from its older copies: white space at the very end is one piece. */
TEST(white_space_at_the_end)
{
    assert_int_equal(pieces_end(CL100K, STR("a \n  "), 1), 5);
    assert_int_equal(pieces_end(O200K, STR("a \n  "), 1), 3);
    assert_int_equal(pieces_end(CL100K, STR("a \n  b"), 1), 3);
}

/* The definition, quadratic as it is. */
static size_t encode_by_definition(const Vocab *v, Str piece, uint32_t *out)
{
    size_t ends[512], len = piece.len;
    for (size_t i = 0; i <= len; i++)
        ends[i] = i;
    for (;;) {
        uint32_t best = VOCAB_NONE;
        size_t where = 0;
        for (size_t i = 0; i + 2 <= len; i++) {
            uint32_t id = vocab_whole(v, str_slice(piece, ends[i], ends[i + 2]));
            if (id < best) {
                best = id;
                where = i;
            }
        }
        if (best == VOCAB_NONE)
            break;
        memmove(&ends[where + 1], &ends[where + 2], (len - where - 1) * sizeof *ends);
        len--;
    }
    for (size_t i = 0; i < len; i++)
        out[i] = vocab_whole(v, str_slice(piece, ends[i], ends[i + 1]));
    return len;
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Bytes of a few kinds, so that tokens of all lengths come about. */
static Str random_piece(char *buf, uint32_t *seed)
{
    static const char *const parts[] = {"a",  "the", "ing", "er",           "\xe4\xb8\xad",
                                        " ",  "e",   "s",   "\xe3\x81\xae", "\xd0\xbe",
                                        "st", "\n",  "--",  "\xff",         "\xf0\x9f\x98\x80"};
    size_t len = 0, want = 2 + next_random(seed) % 100;
    while (len < want) {
        const char *p = parts[next_random(seed) % COUNT_OF(parts)];
        if (next_random(seed) % 4 == 0)
            buf[len++] = (char)next_random(seed);
        for (; *p != 0; p++)
            buf[len++] = *p;
    }
    return (Str){buf, len};
}

TEST(the_quick_way_is_the_defined_way)
{
    uint32_t seed = 7, want[512], got[512];
    uint64_t scratch[VOCAB_SCRATCH(512)];
    char buf[512];
    for (int i = 0; i < 6000; i++) {
        const Vocab *v = vocab_of(i % 2 == 0 ? O200K : CL100K);
        Str piece = random_piece(buf, &seed);
        size_t n = vocab_encode(v, piece, got, scratch);
        if (vocab_whole(v, piece) != VOCAB_NONE)
            continue; /* a whole token is taken as it is */
        assert_int_equal(n, encode_by_definition(v, piece, want));
        assert_memory_equal(got, want, n * sizeof *want);
    }
}

/* Every token is itself, and is what its bytes are encoded to. */
TEST(every_token_stands_for_itself)
{
    for (int e = 0; e < ENCODING_COUNT; e++) {
        const Vocab *v = vocab_of((Encoding)e);
        assert_int_equal(vocab_count(v), e == O200K ? 199998 : 100256);
        for (uint32_t id = 0; id < vocab_count(v); id++)
            assert_int_equal(vocab_whole(v, vocab_bytes(v, id)), id);
    }
}

/* One word of a megabyte takes no longer than a megabyte of words; ids come back as the bytes. */
TEST(long_words_take_no_quadratic_time)
{
    static const char *const units[] = {"a", "ab", "\xe4\xb8\xad", "=", "\n", "xyzzy"};
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        Buf b = buf_init(arena, 2 * MIB);
        while (b.len < MIB)
            buf_add_c(&b, units[i]);
        ArenaMark m = arena_mark(arena);
        Tokenizer *t = tokenizer_open(arena, O200K);
        Err err = {0};
        size_t back = 0;
        for (size_t at = 0; at < b.len;) {
            Tokens tokens;
            assert_ok(tokenizer_next(t, buf_str(&b), &at, &tokens, &err), &err);
            for (size_t k = 0; k < tokens.len; k++) {
                Str bytes = vocab_bytes(vocab_of(O200K), tokens.ids[k]);
                assert_memory_equal(bytes.ptr, b.ptr + back, bytes.len);
                back += bytes.len;
            }
        }
        assert_int_equal(back, b.len);
        arena_rewind(arena, m);
    }
}

TEST(a_word_without_end_is_refused)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Tokenizer *t = tokenizer_open(a, CL100K);
    size_t len = TOKENIZER_PIECE_MAX + 1;
    char *word = arena_alloc_raw(a, len);
    memset(word, 'a', len);
    Err err = {0};
    int64_t n;
    assert_int_equal(tokenizer_count(t, (Str){word, len}, &n, &err), ERR_LIMIT_MEMORY);
}

TEST(models_by_name)
{
    Encoding e = CL100K;
    assert_true(model_encoding(STR("gpt-4o-2024-08-06"), &e) && e == O200K);
    assert_true(model_encoding(STR("gpt-4-turbo"), &e) && e == CL100K);
    assert_true(model_encoding(STR("text-embedding-3-small"), &e) && e == CL100K);
    assert_true(model_encoding(STR("o3-mini"), &e) && e == O200K);
    assert_false(model_encoding(STR("claude"), &e));
}

TEST(the_step_counts_and_gives_ids)
{
    StepRun r = step_runner_do(&step_text_tokens, "{\"ids\":\"jsonl\",\"model\":\"gpt-4\"}",
                               "a.txt", STR("Hello, world!"));
    assert_int_equal(r.code, OK);
    assert_int_equal(json_int(json_get(r.data, "tokens"), -1), 4);
    assert_str_equal(r.outputs[0].bytes, "[9906]\n[11]\n[1917]\n[0]\n");
    step_runner_free(&r);
    r = step_runner_do(&step_text_tokens, "{\"ids\":\"bytes\",\"model\":\"gpt-4\"}", "a.txt",
                       STR("Hello"));
    assert_int_equal(r.outputs[0].bytes.len, 4);
    step_runner_free(&r);
    r = step_runner_do(&step_text_tokens, "{\"model\":\"unheard-of\"}", "a.txt", STR("Hello"));
    assert_int_equal(r.code, ERR_BAD_PARAM);
    step_runner_free(&r);
}

TEST(survives_every_failure)
{
    step_runner_every_failure(&step_text_tokens, "{\"ids\":\"jsonl\"}", "a.txt",
                              STR("Hello, world"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST_ENTRY(vectors_of_both_encodings),
                                       TEST_ENTRY(white_space_at_the_end),
                                       TEST_ENTRY(the_quick_way_is_the_defined_way),
                                       TEST_ENTRY(every_token_stands_for_itself),
                                       TEST_ENTRY(long_words_take_no_quadratic_time),
                                       TEST_ENTRY(a_word_without_end_is_refused),
                                       TEST_ENTRY(models_by_name),
                                       TEST_ENTRY(the_step_counts_and_gives_ids),
                                       TEST_ENTRY(survives_every_failure)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
