/* Every case goes in whole and in pieces; what comes out is one line: "[name|filename|type]data"
 * per part and "." at the end, or "bad", or "cut" when the end was not seen. A field without file
 * shows - as its file name. */
#include "http/multipart_in.h"
#include "unit/harness.h"

#include "base/buf.h"

#define CD "Content-Disposition: form-data; "

typedef struct Case {
    const char *why, *bytes, *want;
} Case;

static const Case cases[] = {
    {"one field", "--b\r\n" CD "name=\"a\"\r\n\r\n1\r\n--b--\r\n", "[a|-|]1."},
    {"two fields", "--b\r\n" CD "name=\"a\"\r\n\r\n1\r\n--b\r\n" CD "name=c\r\n\r\n2\r\n--b--",
     "[a|-|]1[c|-|]2."},
    {"file",
     "--b\r\n" CD "name=\"a\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b--",
     "[a|x.txt|text/plain]hi."},
    {"empty file", "--b\r\n" CD "name=\"a\"; filename=\"x\"\r\n\r\n\r\n--b--", "[a|x|]."},
    {"no body at all", "--b\r\n" CD "name=\"a\"\r\n\r\n--b--", "[a|-|]."},
    {"no parts", "--b--", "."},
    {"preamble and epilogue", "hello\r\n--b\r\n" CD "name=a\r\n\r\n1\r\n--b--\r\nbye --b",
     "[a|-|]1."},
    {"blanks behind the boundary", "--b \t\r\n" CD "name=a\r\n\r\n1\r\n--b-- ", "[a|-|]1."},
    {"headers in any case", "--b\r\ncONTENT-dISPOSITION:form-data; NAME=a\r\n\r\n1\r\n--b--",
     "[a|-|]1."},
    {"other headers are ignored", "--b\r\nX-A: b\r\n" CD "name=a\r\n\r\n1\r\n--b--", "[a|-|]1."},
    {"data almost like the boundary", "--b\r\n" CD "name=a\r\n\r\n\r\n--\r\n-b\r\r\n--a\r\n--b--",
     "[a|-|]\r\n--\r\n-b\r\r\n--a."},
    {"CR at the end of data", "--b\r\n" CD "name=a\r\n\r\nx\r\r\n--b--", "[a|-|]x\r."},
    {"boundary inside a line is data", "--b\r\n" CD "name=a\r\n\r\nx--b--\r\n--b--",
     "[a|-|]x--b--."},
    {"data begins with half a boundary", "--b\r\n" CD "name=a\r\n\r\n--a\r\n--b--", "[a|-|]--a."},
    {"no final boundary", "--b\r\n" CD "name=a\r\n\r\n1\r\n", "[a|-|]1cut"},
    {"cut in the final boundary", "--b\r\n" CD "name=a\r\n\r\n1\r\n--b-", "[a|-|]1cut"},
    {"cut in the headers", "--b\r\n" CD "na", "cut"},
    {"nothing", "", "cut"},
    {"LF only", "--b\n" CD "name=a\n\n1\n--b--", "bad"},
    {"LF in headers", "--b\r\n" CD "name=a\n\r\n1\r\n--b--", "bad"},
    {"CR in headers", "--b\r\n" CD "name=a\rX: b\r\n\r\n1\r\n--b--", "bad"},
    {"text behind the boundary", "--bx\r\n" CD "name=a\r\n\r\n1\r\n--b--", "bad"},
    {"one dash behind the boundary", "--b-\r\n" CD "name=a\r\n\r\n1\r\n--b--", "bad"},
    {"no disposition", "--b\r\nX: y\r\n\r\n1\r\n--b--", "bad"},
    {"no headers", "--b\r\n\r\n1\r\n--b--", "bad"},
    {"two dispositions", "--b\r\n" CD "name=a\r\n" CD "name=b\r\n\r\n1\r\n--b--", "bad"},
    {"no name", "--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--", "bad"},
    {"attachment", "--b\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--b--", "bad"},
    {"quote not closed", "--b\r\n" CD "name=\"a\"; filename=\"x\r\n\r\n1\r\n--b--", "bad"},
    {"space before the colon", "--b\r\nContent-Disposition : form-data; name=a\r\n\r\n1\r\n--b--",
     "bad"},
    {"folded header", "--b\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n1\r\n--b--", "bad"},
    {"control byte", "--b\r\n" CD "name=\"a\x01\"\r\n\r\n1\r\n--b--", "bad"},
    {"base64", "--b\r\n" CD "name=a\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--b--",
     "bad"},
    {"binary is fine", "--b\r\n" CD "name=a\r\nContent-Transfer-Encoding: Binary\r\n\r\n1\r\n--b--",
     "[a|-|]1."},
    {"name is not UTF-8", "--b\r\n" CD "name=\"\xff\"\r\n\r\n1\r\n--b--", "bad"},
};

/* Only the file name differs: what comes out of `filename…`. */
static const Case names[] = {
    {"plain", "filename=\"a.pdf\"", "a.pdf"},
    {"token", "filename=a.pdf", "a.pdf"},
    {"empty", "filename=\"\"", ""},
    {"escaped quote", "filename=\"a\\\"b\"", "a\"b"},
    {"percent quote, as browsers do", "filename=\"a%22b\"", "a\"b"},
    {"semicolon inside", "filename=\"a;b=c\"", "a;b=c"},
    {"nested quotes", "filename=\"\\\"a\\\" \\\"b\\\"\"", "\"a\" \"b\""},
    {"Unix path", "filename=\"../../etc/passwd\"", "passwd"},
    {"Windows path", "filename=\"C:\\dir\\a.pdf\"", "a.pdf"},
    {"Windows path, escaped", "filename=\"C:\\\\dir\\\\a.pdf\"", "a.pdf"},
    {"dots", "filename=\"..\"", ""},
    {"folder", "filename=\"a/\"", ""},
    {"UTF-8", "filename=\"\xc3\xa9\"", "\xc3\xa9"},
    {"not UTF-8", "filename=\"a\xff\"", "a\xef\xbf\xbd"},
    {"extended", "filename*=UTF-8''%e2%82%ac%20a", "\xe2\x82\xac a"},
    {"extended wins", "filename=\"a\"; filename*=utf-8'en'b", "b"},
    {"extended wins from the front", "filename*=UTF-8''b; filename=\"a\"", "b"},
    {"extended in another charset", "filename*=ISO-8859-1''%e9; filename=\"a\"", "a"},
    {"extended is damaged", "filename*=UTF-8''%e; filename=\"a\"", "a"},
    {"extended is not UTF-8", "filename*=UTF-8''%ff; filename=\"a\"", "a"},
    {"extended path", "filename*=UTF-8''..%2F..%2Fx", "x"},
    {"extended line end", "filename*=UTF-8''a%0d%0ab", "ab"},
    {"extended NUL", "filename*=UTF-8''a%00b", "ab"},
};

static void show_part(Buf *out, const HttpMultipart *m)
{
    buf_addf(out, "[" STR_FMT "|" STR_FMT "|" STR_FMT "]", STR_ARG(m->name),
             STR_ARG(m->file ? m->filename : STR("-")), STR_ARG(m->type));
}

static HttpMultiparted feed(HttpMultipart *m, Buf *out, const char *ptr, size_t len)
{
    char *copy = malloc(len); /* exactly: a sanitizer sees a read too far */
    memcpy(copy, ptr, len);
    Str in = {copy, len}, data;
    HttpMultiparted r;
    while ((r = http_multipart(m, &in, &data)) != MULTIPART_MORE && r != MULTIPART_END &&
           r != MULTIPART_BAD)
        if (r == MULTIPART_PART)
            show_part(out, m);
        else if (r == MULTIPART_DATA)
            buf_add(out, data);
    free(copy);
    return r;
}

static void outcome(Buf *out, Str bytes, size_t step)
{
    HttpMultipart *m = malloc(sizeof *m);
    assert_true(http_multipart_init(m, STR("multipart/form-data; boundary=b")));
    HttpMultiparted r = MULTIPART_MORE;
    for (size_t at = 0; at < bytes.len && r != MULTIPART_BAD; at += step)
        r = feed(m, out, bytes.ptr + at, step < bytes.len - at ? step : bytes.len - at);
    if (r == MULTIPART_BAD) {
        assert_non_null(m->why);
        buf_clear(out);
        buf_add_c(out, "bad");
    } else {
        buf_add_c(out, r == MULTIPART_END ? "." : "cut");
    }
    free(m);
}

static void check(const char *why, Str bytes, const char *want)
{
    static const size_t steps[] = {100000, 1, 2, 3, 5, 7};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
        Buf out = buf_init(a, 512 * KIB);
        outcome(&out, bytes, steps[i]);
        if (!str_eq_c(buf_str(&out), want))
            fail_msg("%s, %zu bytes at a time: got \"%s\", want \"%s\"", why, steps[i], buf_c(&out),
                     want);
    }
}

TEST(parts_are_found)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check(cases[i].why, str_from_c(cases[i].bytes), cases[i].want);
}

TEST(file_names_are_made_safe)
{
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char bytes[512], want[256];
        snprintf(bytes, sizeof bytes, "--b\r\n" CD "name=n; %s\r\n\r\n1\r\n--b--", names[i].bytes);
        snprintf(want, sizeof want, "[n|%s|]1.", names[i].want);
        check(names[i].why, str_from_c(bytes), want);
    }
}

TEST(long_names_are_cut_between_characters)
{
    char bytes[1024];
    size_t n = (size_t)snprintf(bytes, sizeof bytes, "x; filename=\"a");
    for (int i = 0; i < 200; i++)
        n += (size_t)snprintf(bytes + n, sizeof bytes - n, "\xc3\xa9");
    snprintf(bytes + n, sizeof bytes - n, "\"");
    char out[MULTIPART_NAME_MAX * 4];
    Str found;
    assert_true(http_disposition_filename(str_from_c(bytes), out, &found));
    assert_int_equal(found.len, 255);
    assert_true(str_is_utf8(found));
}

TEST(boundaries_are_checked)
{
    static const struct {
        const char *type;
        bool ok;
    } types[] = {
        {"multipart/form-data; boundary=abc", true},
        {"Multipart/Form-Data;charset=x;Boundary=\"a b:c\"", true},
        {"multipart/form-data", false},
        {"multipart/form-data; boundary=", false},
        {"multipart/form-data; boundary=\"a \"", false},
        {"multipart/form-data; boundary=a\"b", false},
        {"multipart/form-data; boundary=\"a", false},
        {"multipart/mixed; boundary=abc", false},
        {"multipart/form-data; "
         "boundary=0123456789012345678901234567890123456789012345678901234567890123456789",
         true},
        {"multipart/form-data; "
         "boundary=01234567890123456789012345678901234567890123456789012345678901234567890",
         false},
    };
    HttpMultipart *m = malloc(sizeof *m);
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (http_multipart_init(m, str_from_c(types[i].type)) != types[i].ok)
            fail_msg("%s", types[i].type);
    free(m);
}

TEST(heads_and_preambles_have_a_largest_size)
{
    char *bytes = malloc(32 * 1024);
    size_t n = (size_t)snprintf(bytes, 1024, "--b\r\n" CD "name=a\r\nX: ");
    memset(bytes + n, 'x', 20 * 1024);
    check("huge header", (Str){bytes, n + 20 * 1024}, "bad");
    memset(bytes, 'x', 20 * 1024);
    check("huge preamble", (Str){bytes, 20 * 1024}, "bad");
    free(bytes);
}

TEST_MAIN(parts_are_found, file_names_are_made_safe, long_names_are_cut_between_characters,
          boundaries_are_checked, heads_and_preambles_have_a_largest_size)
