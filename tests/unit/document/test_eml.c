#include "unit/document/office.h"

#define FROM                                                                                       \
    "From: Ann <ann@example.com>\r\nTo: Bob <bob@example.com>\r\nDate: Thu, 5 Nov 2026 09:30:00 "  \
    "+0100\r\n"
#define SHOWN                                                                                      \
    "**From:** Ann \\<ann@example.com>\\\n**To:** Bob \\<bob@example.com>\\\n**Date:** "           \
    "2026-11-05T09:30:00+01:00\n\n"
#define MIXED(kind)         "MIME-Version: 1.0\r\nContent-Type: multipart/" kind "; boundary=\"xx\"\r\n\r\n"
#define PART(headers, body) "--xx\r\n" headers "\r\n" body "\r\n"
#define END                 "--xx--\r\n"

TEST(writes_messages)
{
    static const struct {
        const char *mail, *want;
    } cases[] = {
        {"Subject: Plain\r\n" FROM "\r\nHello,\r\nBob\r\n\r\n> you said\r\n> this\r\nyes\r\n",
         "# Plain\n\n" SHOWN "Hello,\\\nBob\n\n> you said\\\n> this\n\nyes\n"},
        {"Subject: =?utf-8?B?R3LDvMOfZQ==?= =?iso-8859-1?Q?=E4?=\r\n" FROM
         "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: "
         "quoted-printable\r\n\r\nna=EFve=20=\r\nlong\r\n",
         "# Grüßeä\n\n" SHOWN "naïve long\n"},
        {"Subject: HTML\r\n" FROM "Content-Type: text/html\r\n\r\n<p>Hi <b>there</b></p>",
         "# HTML\n\n" SHOWN "Hi **there**\n"},
        {"Subject: Plain wins\r\n" FROM MIXED("alternative")
             PART("Content-Type: text/plain\r\n", "plain")
                 PART("Content-Type: text/html\r\n", "<p>html</p>") END,
         "# Plain wins\n\n" SHOWN "plain\n"},
        {"Subject: Richer wins\r\n" FROM MIXED("alternative")
             PART("Content-Type: text/plain\r\n", "plain")
                 PART("Content-Type: text/html\r\n", "<ul><li>html</li></ul>") END,
         "# Richer wins\n\n" SHOWN "- html\n"},
        {"Subject: Attached\r\n" FROM MIXED("mixed")
             PART("Content-Type: text/plain\r\n", "see file")
                 PART("Content-Type: application/pdf; name=\"a.pdf\"\r\nContent-Transfer-Encoding: "
                      "base64\r\n"
                      "Content-Disposition: attachment; filename=\"a.pdf\"\r\n",
                      "AAAA") END,
         "# Attached\n\n" SHOWN
         "see file\n\n**Attachments:**\n\n- a.pdf (application/pdf, 3 bytes)\n"},
        {"Subject: Outer\r\n" FROM MIXED("mixed")
             PART("Content-Type: message/rfc822\r\n", "Subject: Inner\r\n" FROM "\r\ninside") END,
         "# Outer\n\n" SHOWN "## Inner\n\n" SHOWN "inside\n"},
        {"Subject: Flowed\r\n" FROM
         "Content-Type: text/plain; format=flowed\r\n\r\none \r\nline\r\n",
         "# Flowed\n\n" SHOWN "one line\n"},
        {"Subject: Broken\r\n" FROM MIXED("mixed") "--xx\r\nContent-Type: text/plain\r\n\r\nno end",
         "# Broken\n\n" SHOWN "no end\n"},
        {"From ann Thu Nov  5 09:30:00 2026\nSubject: One\n\na\n\nFrom bob Thu Nov  5 09:31:00 "
         "2026\nSubject: Two\n\nb\n",
         "# One\n\na\n\n# Two\n\nb\n"},
    };
    Err err = {0};
    assert_ok(eml_warm(&err), &err);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_markdown(read_eml, str_from_c(cases[i].mail), false, cases[i].want);
}

TEST(keeps_metadata)
{
    Sink s;
    sink_open(&s, "mail.eml");
    assert_ok(test_read(&s, read_eml, STR("Subject: S\r\n" FROM "\r\nx\r\n"), DOC_MARKDOWN, false),
              &s.err);
    const Json *meta = json_get(sink_data(&s), "metadata");
    assert_str_equal(json_text(json_get(meta, "title")), "S");
    assert_str_equal(json_text(json_get(meta, "created")), "2026-11-05T09:30:00+01:00");
    sink_close(&s);
}

TEST(nesting_is_bounded)
{
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    Buf b = buf_init(a, 1 * MIB);
    for (int i = 0; i < 200; i++)
        buf_addf(&b, "Subject: %d\r\nContent-Type: message/rfc822\r\n\r\n", i);
    buf_add_c(&b, "Subject: end\r\n\r\nx\r\n");
    Sink s;
    sink_open(&s, "deep.eml");
    assert_ok(test_read(&s, read_eml, buf_str(&b), DOC_MARKDOWN, false), &s.err);
    assert_true(str_find(sink_text(&s), STR("## 7\n")) != STR_NONE);
    assert_true(str_find(sink_text(&s), STR("## 9\n")) == STR_NONE);
    sink_close(&s);
}

TEST(survives_every_failure)
{
    check_every_fault(read_eml, STR("Subject: S\r\n" FROM "\r\nx\r\n"));
}

TEST_MAIN(writes_messages, keeps_metadata, nesting_is_bounded, survives_every_failure)
