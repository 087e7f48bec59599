/* What must hold for any text and any way of cutting, over texts made here; tests/e2e/test_text.py
 * does the same over real files. */
#include "text/text.h"
#include "text/tokenizer.h"
#include "step_runner.h"

static Arena *arena;
static Tokenizer *counter;

static int set_up(void **state)
{
    (void)state;
    Err err = {0};
    arena = arena_open(1024 * MIB);
    if (arena == NULL || text_warm(&err) != OK)
        return -1;
    counter = tokenizer_open(arena_open(64 * MIB), O200K); /* kept until the end */
    return counter != NULL ? 0 : -1;
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Markdown of all kinds, broken in all ways. */
static Str random_text(uint32_t seed, size_t bytes)
{
    static const char *const parts[] = {
        "The pier was repaired in spring. ",
        "Boats came. ",
        "Dr. Smith said \"no.\" ",
        "\n\n",
        "\n\n",
        "\n\n",
        "\n",
        "\r\n",
        "# Title\n\n",
        "## Part two ##\n",
        "Under\n===\n\n",
        "| a | b |\n|---|---|\n| 1 | 2 |\n| three | four five six |\n\n",
        "```c\nint x;\n\ny();\n```\n",
        "```\nnever closed\n",
        "- item one\n- item two\n",
        "1. first\n",
        "> quoted\n> more\n",
        "\xe4\xbb\x8a\xe6\x97\xa5\xe3\x81\xaf\xe8\x89\xaf\xe3\x81\x84\xe3\x80\x82",
        "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82! ",
        "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7",
        "e\xcc\x81\xcc\x81\xcc\x81",
        "\f",
        "   ",
        "\t",
        "a|b\n",
        "http://example.org/a/very/long/path/that/goes/on/and/on?with=things&more=1 ",
        "Donaudampfschifffahrtselektrizit\xc3\xa4tenhauptbetriebswerkbauunterbeamtengesellschaft ",
    };
    Buf b = buf_init(arena, bytes + KIB);
    while (b.len < bytes) {
        const char *part = parts[next_random(&seed) % COUNT_OF(parts)];
        for (uint32_t n = next_random(&seed) % 12 == 0 ? next_random(&seed) % 40 : 1; n > 0; n--)
            if (b.len < bytes)
                buf_add_c(&b, part);
    }
    buf_add_c(&b, "end");
    return buf_str(&b);
}

static int64_t field(const Json *chunk, const char *name)
{
    return json_int(json_get(chunk, name), -1);
}

static int64_t count_tokens(Str text)
{
    int64_t n = -1;
    Err err = {0};
    assert_ok(tokenizer_count(counter, text, &n, &err), &err);
    return n;
}

/* Byte position of character `n` of `text`. */
static size_t byte_of(Str text, int64_t n)
{
    size_t at = 0;
    for (; n > 0 && at < text.len; n--)
        str_next_utf8(text, &at);
    return at;
}

static void check_part(Str source, const Json *part, int64_t to)
{
    if (part == NULL)
        return;
    assert_true(field(part, "from") >= 0 && field(part, "to") <= to);
    Str want =
        str_slice(source, byte_of(source, field(part, "from")), byte_of(source, field(part, "to")));
    assert_true(str_eq(json_text(json_get(part, "text")), want));
}

/* Every line of the output; what is wrong is a failed assertion. */
static size_t check_chunks(const char *params, Str source, Str lines, int64_t size, bool characters)
{
    Str line, text;
    size_t at = 0, index = 0;
    int64_t chars = 0;
    Str next_id = {0}, id_before = {0};
    while (str_next(&lines, '\n', &line) && line.len > 0) {
        const Json *c = NULL;
        Err err = {0};
        assert_ok(json_parse(arena, line, &c, &err), &err);
        text = json_text(json_get(c, "text"));
        if (text.len == 0 || !str_eq(text, str_slice(source, at, at + text.len)))
            fail_msg("%s: chunk %zu is not the source at %zu", params, index, at);
        int64_t to = chars + (int64_t)str_count_utf8(text);
        assert_int_equal(field(c, "index"), index);
        assert_int_equal(field(c, "from"), chars);
        assert_int_equal(field(c, "to"), to);
        assert_int_equal(field(c, "characters"), to - chars);
        assert_int_equal(field(c, "tokens"), count_tokens(text));
        const Json *overlap = json_get(c, "overlap");
        check_part(source, overlap, chars);
        check_part(source, json_get(c, "header"), chars);
        size_t before = overlap != NULL ? json_text(json_get(overlap, "text")).len : 0;
        Str both = str_slice(source, at - before, at + text.len);
        int64_t n = characters ? (int64_t)str_count_utf8(both) : count_tokens(both);
        if (json_get(c, "header") != NULL) /* goes in front, so it counts */
            n += field(json_get(c, "header"), characters ? "characters" : "tokens");
        if (n > size)
            fail_msg("%s: chunk %zu has %" PRId64 " of %" PRId64, params, index, n, size);
        assert_true(index == 0 ? json_is(json_get(c, "previous"), JSON_NULL)
                               : str_eq(json_text(json_get(c, "previous")), id_before));
        assert_true(index == 0 || str_eq(json_text(json_get(c, "id")), next_id));
        next_id = json_text(json_get(c, "next"));
        id_before = json_text(json_get(c, "id"));
        at += text.len;
        chars = to;
        index++;
    }
    assert_int_equal(at, source.len);
    assert_int_equal(next_id.len, 0);
    return index;
}

TEST(chunks_put_together_are_the_source)
{
    static const struct {
        const char *params;
        int64_t size;
        bool characters;
    } ways[] = {
        {"{\"method\":\"tokens\",\"size\":50}", 50, false},
        {"{\"method\":\"tokens\",\"size\":16,\"overlap\":8}", 16, false},
        {"{\"method\":\"characters\",\"size\":100,\"overlap\":20}", 100, true},
        {"{\"method\":\"sentences\",\"size\":40,\"overlap\":10}", 40, false},
        {"{\"method\":\"sentences\",\"size\":80,\"unit\":\"characters\"}", 80, true},
        {"{\"method\":\"headings\",\"size\":200,\"min_size\":50}", 200, false},
        {"{\"method\":\"headings\",\"size\":20,\"repeat_header\":true}", 20, false},
        {"{\"method\":\"meaning\",\"size\":120}", 120, false},
        {"{\"method\":\"rules\",\"size\":60,\"rules\":\"^- \\n[.!] \",\"after\":true}", 60, false},
        {"{\"method\":\"sentences\",\"size\":512,\"encoding\":\"o200k\",\"overlap\":256}", 512,
         false},
    };
    static const char *const names[] = {"a.md", "a.txt"};
    for (uint32_t seed = 1; seed <= 12; seed++) {
        ArenaMark m = arena_mark(arena);
        Str text = random_text(seed, seed * 700);
        for (size_t i = 0; i < COUNT_OF(ways); i++) {
            StepRun r = step_runner_do(&step_text_chunk, ways[i].params, names[seed % 2], text);
            if (r.code != OK)
                fail_msg("%s: %s", ways[i].params, r.err.text);
            size_t n = check_chunks(ways[i].params, text, r.outputs[0].bytes, ways[i].size,
                                    ways[i].characters);
            assert_int_equal(json_int(json_get(r.data, "chunks"), -1), n);
            step_runner_free(&r);
        }
        arena_rewind(arena, m);
    }
}

typedef struct Cut {
    StepRun run;
    const Json *chunks[64];
    size_t len;
} Cut;

static Cut cut(const char *params, const char *name, const char *text)
{
    Cut c = {.run = step_runner_do(&step_text_chunk, params, name, str_from_c(text))};
    if (c.run.code != OK)
        return c;
    Str lines = c.run.outputs[0].bytes, line;
    while (str_next(&lines, '\n', &line) && line.len > 0 && c.len < COUNT_OF(c.chunks))
        assert_int_equal(json_parse(c.run.arena, line, &c.chunks[c.len++], &c.run.err), OK);
    return c;
}

static Str text_of(const Cut *c, size_t i)
{
    return i < c->len ? json_text(json_get(c->chunks[i], "text")) : STR("(no such chunk)");
}

TEST(sections_know_their_headings_and_parents)
{
    Cut c = cut("{\"method\":\"headings\"}", "a.md",
                "# Top\n\nIntro.\n\n## One\n\nFirst.\n\n## Two\n\n### Deep\n\nSecond.\n");
    assert_int_equal(c.len, 3);
    assert_str_equal(text_of(&c, 0), "# Top\n\nIntro.\n\n");
    assert_str_equal(text_of(&c, 2), "## Two\n\n### Deep\n\nSecond.\n");
    const Json *path = json_get(c.chunks[2], "headings");
    assert_int_equal(path->len, 3);
    assert_str_equal(json_text(path->first->next->next), "Deep");
    Str top = json_text(json_get(c.chunks[0], "id"));
    assert_true(str_eq(json_text(json_get(c.chunks[1], "parent")), top));
    assert_true(str_eq(json_text(json_get(c.chunks[2], "parent")), top));
    assert_true(json_is(json_get(c.chunks[0], "parent"), JSON_NULL));
    step_runner_free(&c.run);
}

/* A table that fits is never torn apart, a larger one between its rows. */
TEST(tables_stay_whole)
{
    const char *text =
        "Some words before the table, and then a few more of them.\n\n"
        "| name | town |\n|---|---|\n| Ada | Riga |\n| Bo | Turin |\n| Cy | Oslo |\n";
    Cut c = cut("{\"size\":36,\"method\":\"tokens\"}", "a.md", text);
    assert_int_equal(c.len, 2);
    assert_true(str_starts(text_of(&c, 1), STR("| name |")));
    step_runner_free(&c.run);
    c = cut("{\"size\":20,\"repeat_header\":true}", "a.md", text);
    assert_int_equal(c.len, 3);
    assert_str_equal(text_of(&c, 1),
                     "| name | town |\n|---|---|\n| Ada | Riga |\n| Bo | Turin |\n");
    assert_true(str_starts(text_of(&c, 2), STR("| Cy |")));
    const Json *head = json_get(c.chunks[2], "header");
    assert_str_equal(json_text(json_get(head, "text")), "| name | town |\n|---|---|\n");
    assert_int_equal(field(head, "from"), 59);
    step_runner_free(&c.run);
}

TEST(code_stays_whole)
{
    Cut c = cut(
        "{\"size\":24}", "a.md",
        "A few words before it, as many as eight.\n\n```\na = 1\n\nb = 2\nc = 3\n```\nAfter.\n");
    assert_int_equal(c.len, 2);
    assert_true(str_starts(text_of(&c, 1), STR("```\na = 1\n\nb = 2\nc = 3\n```\n")));
    step_runner_free(&c.run);
}

TEST(a_heading_goes_with_what_follows)
{
    Cut c = cut("{\"size\":20}", "a.md",
                "One two three four five six seven eight nine ten eleven twelve.\n\n## Next\n\n"
                "Thirteen fourteen fifteen sixteen seventeen eighteen.\n");
    assert_int_equal(c.len, 2);
    assert_true(str_starts(text_of(&c, 1), STR("## Next\n\nThirteen")));
    step_runner_free(&c.run);
}

TEST(pages_of_form_feeds_and_of_blocks)
{
    Cut c = cut("{\"size\":16}", "a.txt", "One two three.\fFour five six.\n\nSeven.\fEight.");
    assert_int_equal(field(c.chunks[0], "first_page"), 1);
    assert_int_equal(field(c.chunks[c.len - 1], "last_page"), 3);
    assert_int_equal(json_int(json_get(c.run.data, "pages"), -1), 3);
    step_runner_free(&c.run);
    c = cut("{\"method\":\"headings\",\"with_source\":true}", "a.json",
            "{\"blocks\":[{\"kind\":\"heading\",\"level\":1,\"text\":\"A\",\"page\":1,\"from\":0,"
            "\"to\":1},\n"
            "{\"kind\":\"item\",\"level\":0,\"text\":\"b\\nc\",\"page\":2,\"from\":3,\"to\":10},\n"
            "{\"kind\":\"table\",\"page\":2,\"from\":12,\"rows\":[[{\"text\":\"x\",\"colspan\":2},{"
            "\"text\":\"y\"}],"
            "[{\"text\":\"1\",\"rowspan\":2},{\"text\":\"2\"}],[{\"text\":\"3\"}]],\"to\":23}],"
            "\"metadata\":{},\"pages\":2}");
    if (c.run.code != OK)
        fail_msg("%s", c.run.err.text);
    assert_str_equal(c.run.outputs[1].bytes, "A\n\n- b\n  c\n\nx\t\ty\n1\t2\n\t3\n");
    assert_int_equal(field(c.chunks[0], "first_page"), 1);
    assert_int_equal(field(c.chunks[0], "last_page"), 2);
    step_runner_free(&c.run);
}

TEST(meaning_finds_the_change_of_subject)
{
    const char *text =
        "The harbour has two piers. Boats moor at the northern pier. Fishing boats leave the "
        "harbour before dawn. The pier was repaired in spring. Ferries use the southern pier of "
        "the harbour. "
        "Bread needs flour and water. Knead the dough for ten minutes. The dough rests until "
        "it has doubled. Bake the bread in a hot oven. Flour on the dough keeps the bread from "
        "sticking.";
    Cut c = cut("{\"method\":\"meaning\",\"size\":100}", "a.txt", text);
    bool found = false;
    for (size_t i = 0; i < c.len; i++)
        found = found || str_starts(text_of(&c, i), STR("Bread needs"));
    assert_true(found);
    step_runner_free(&c.run);
}

TEST(rules_that_are_wrong_are_named)
{
    Cut c = cut("{\"method\":\"rules\",\"rules\":\"fine\\n(open\"}", "a.txt", "Some text");
    assert_int_equal(c.run.code, ERR_BAD_PARAM);
    assert_non_null(strstr(c.run.err.text, "rule 2"));
    step_runner_free(&c.run);
    Buf b = buf_init(arena, KIB);
    for (int i = 0; i < 60; i++)
        buf_add_char(&b, 'a');
    c = cut("{\"method\":\"rules\",\"rules\":\"(a+)+$x\"}", "a.txt", buf_c(&b));
    assert_int_equal(c.run.code, ERR_LIMIT_CPU);
    step_runner_free(&c.run);
    c = cut("{\"method\":\"rules\"}", "a.txt", "Some text");
    assert_int_equal(c.run.code, ERR_BAD_PARAM);
    step_runner_free(&c.run);
}

TEST(inputs_that_cannot_be_cut)
{
    static const struct {
        const char *params, *name, *text;
        ErrCode want;
    } cases[] = {
        {"{}", "a.txt", " \n\t", ERR_NO_TEXT},
        {"{\"size\":64,\"overlap\":33}", "a.txt", "a", ERR_BAD_PARAM},
        {"{\"size\":64,\"min_size\":65}", "a.txt", "a", ERR_BAD_PARAM},
        {"{\"pages\":\"1\"}", "a.txt", "a", ERR_BAD_PARAM},
        {"{\"read_as\":\"text\"}", "a.txt", "\xff\xfe", ERR_INPUT_DAMAGED},
        {"{}", "a.json", "{\"blocks\":[{\"kind\":\"paragraph\"}]}", ERR_INPUT_DAMAGED},
        {"{}", "a.json", "{\"blocks\":[", ERR_INPUT_DAMAGED},
        {"{}", "a.json",
         "{\"blocks\":[{\"kind\":\"paragraph\",\"text\":\"abc\",\"from\":0,\"to\":2}]}",
         ERR_INPUT_DAMAGED},
        {"{}", "a.json", "{\"blocks\":[],\"pages\":3}", ERR_NO_TEXT},
        {"{}", "a.html", "<p>words", ERR_ENGINE_MISSING}, /* nobody to call in this test */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Cut c = cut(cases[i].params, cases[i].name, cases[i].text);
        if (c.run.code != cases[i].want)
            fail_msg("case %zu: %s: %s", i, err_reason(c.run.code), c.run.err.text);
        step_runner_assert_explained(&step_text_chunk, &c.run);
        step_runner_free(&c.run);
    }
}

TEST(survives_every_failure)
{
    step_runner_every_failure(
        &step_text_chunk, "{\"size\":16,\"overlap\":4,\"method\":\"meaning\",\"with_source\":true}",
        "a.md", STR("# One\n\nTwo three. Four five.\n\nSix.\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST_ENTRY(chunks_put_together_are_the_source),
                                       TEST_ENTRY(sections_know_their_headings_and_parents),
                                       TEST_ENTRY(tables_stay_whole),
                                       TEST_ENTRY(code_stays_whole),
                                       TEST_ENTRY(a_heading_goes_with_what_follows),
                                       TEST_ENTRY(pages_of_form_feeds_and_of_blocks),
                                       TEST_ENTRY(meaning_finds_the_change_of_subject),
                                       TEST_ENTRY(rules_that_are_wrong_are_named),
                                       TEST_ENTRY(inputs_that_cannot_be_cut),
                                       TEST_ENTRY(survives_every_failure)};
    return cmocka_run_group_tests(tests, set_up, NULL);
}
