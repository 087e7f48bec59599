#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "unit/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool is_sentence(const char *text)
{
    size_t n = strlen(text);
    return n > 3 && ((text[0] >= 'A' && text[0] <= 'Z') || text[0] == '`') && text[n - 1] == '.' &&
           strchr(text, '\n') == NULL;
}

TEST(the_table_of_reasons_keeps_its_rules)
{
    for (int code = 1; code < ERR_COUNT; code++) {
        const char *reason = err_reason((ErrCode)code);
        size_t n = strlen(reason);
        if (n == 0 || n > 31 || strspn(reason, "abcdefghijklmnopqrstuvwxyz_") != n)
            fail_msg("reason \"%s\"", reason);
        if (err_status((ErrCode)code) < 400 || err_status((ErrCode)code) > 599)
            fail_msg("status of %s", reason);
        if (!is_sentence(err_meaning((ErrCode)code)) || !is_sentence(err_remedy((ErrCode)code)))
            fail_msg("sentences of %s", reason);
        assert_int_equal(err_from_reason(str_from_c(reason)), code);
        for (int other = 1; other < code; other++)
            assert_string_not_equal(reason, err_reason((ErrCode)other));
        RetryClass retry = err_retry((ErrCode)code);
        assert_true(retry == RETRY_NEVER || retry == RETRY_LATER || retry == RETRY_AFTER);
    }
    assert_string_equal(err_reason(OK), "ok");
    assert_int_equal(err_from_reason(STR("ok")), OK);
    assert_int_equal(err_from_reason(STR("no_such")), OK);
    assert_string_equal(err_reason((ErrCode)9999), "internal");
    assert_string_equal(err_reason((ErrCode)-1), "internal");
}

TEST(the_table_of_events_keeps_its_rules)
{
    for (int e = 0; e < EVENT_COUNT; e++) {
        const char *name = log_event_name((Event)e);
        size_t n = strlen(name);
        if (n == 0 || n > 31 || strspn(name, "abcdefghijklmnopqrstuvwxyz_.") != n ||
            strchr(name, '.') == NULL || strchr(name, '.') != strrchr(name, '.'))
            fail_msg("event \"%s\"", name);
        if (!is_sentence(log_event_meaning((Event)e)))
            fail_msg("meaning of %s", name);
        if (log_event_remedy((Event)e)[0] != 0 && !is_sentence(log_event_remedy((Event)e)))
            fail_msg("remedy of %s", name);
        assert_int_equal(log_event_from(str_from_c(name)), e);
    }
    assert_int_equal(log_event_from(STR("no.such")), EVENT_COUNT);
    assert_string_equal(log_event_name(EVENT_COUNT), "unknown");
}

TEST(keeps_code_text_hint_and_param)
{
    Err err = {0};
    assert_int_equal(err_set(&err, ERR_BAD_PARAM, "page %d of %d", 9, 3), ERR_BAD_PARAM);
    assert_string_equal(err.text, "page 9 of 3");
    assert_string_equal(err_advice(&err), err_remedy(ERR_BAD_PARAM));
    err_hint(&err, "Ask for %s.", "page 3");
    err_param(&err, "page");
    assert_string_equal(err_advice(&err), "Ask for page 3.");
    assert_string_equal(err.param, "page");
    assert_int_equal(err_set(&err, ERR_IO, "other"), ERR_IO);
    assert_string_equal(err.hint, "");
    assert_string_equal(err.param, "");
    assert_int_equal(err_set(NULL, ERR_IO, "nobody listens"), ERR_IO);
    err_hint(NULL, "x");
    err_param(NULL, "x");
}

TEST(a_message_can_be_added_to)
{
    Err err = {0};
    err_set(&err, ERR_INPUT_DAMAGED, "no header");
    err_set(&err, err.code, "page 3: %s", err.text);
    assert_string_equal(err.text, "page 3: no header");
    assert_int_equal(err.code, ERR_INPUT_DAMAGED);
    err_hint(&err, "Look.");
    err_hint(&err, "%s Again.", err.hint);
    assert_string_equal(err.hint, "Look. Again.");
}

TEST(maps_errno)
{
    Err err = {0};
    assert_int_equal(err_set_errno(&err, ERR_IO, ENOENT, "could not open \"%s\"", "a.pdf"), ERR_IO);
    assert_string_equal(err.text, "could not open \"a.pdf\": No such file or directory");
    assert_int_equal(err_set_errno(&err, ERR_IO, ENOSPC, "x"), ERR_DISK_FULL);
    assert_int_equal(err.code, ERR_DISK_FULL);
    assert_int_equal(err_set_errno(&err, ERR_IO, EDQUOT, "x"), ERR_DISK_FULL);
    assert_int_equal(err_set_errno(&err, ERR_IO, ENOMEM, "x"), ERR_NO_MEMORY);
    assert_int_equal(err_set_errno(NULL, ERR_IO, ENOSPC, "x"), ERR_DISK_FULL);
}

/* Cut anywhere, a message stays valid UTF-8. */
TEST(cuts_between_characters)
{
    for (size_t lead = 0; lead < 8; lead++) {
        char text[600] = "", name[300] = "";
        memset(text, 'a', lead);
        memset(name, 'a', lead);
        while (strlen(text) + 4 < sizeof text)
            memcpy(text + strlen(text), "😀", 5);
        while (strlen(name) + 4 < sizeof name)
            memcpy(name + strlen(name), "€", 4);
        Err err = {0};
        err_set(&err, ERR_IO, "%s", text);
        err_hint(&err, "%s", text);
        err_param(&err, name);
        assert_true(str_is_utf8(str_from_c(err.text)) && strlen(err.text) > 240);
        assert_true(str_is_utf8(str_from_c(err.hint)) && strlen(err.hint) > 180);
        assert_true(str_is_utf8(str_from_c(err.param)) && strlen(err.param) > 55);
    }
}

/* What LOG writes to standard error while `fn` runs. */
static Str logged(Arena *a, void (*fn)(void))
{
    char path[] = "/tmp/platen-log-XXXXXX";
    int file = mkstemp(path), saved = dup(STDERR_FILENO);
    assert_true(file >= 0 && saved >= 0);
    dup2(file, STDERR_FILENO);
    fn();
    dup2(saved, STDERR_FILENO);
    off_t size = lseek(file, 0, SEEK_END);
    char *text = arena_alloc(a, (size_t)size + 1);
    assert_int_equal(pread(file, text, (size_t)size, 0), size);
    close(saved);
    close(file);
    unlink(path);
    return (Str){text, (size_t)size};
}

static void log_some(void)
{
    log_set_trace(STR("0123456789abcdef0123456789abcdef and more"));
    LOG(WARN, HTTP_REFUSED, KV("why", "a \"quote\"\n\x01"), KV("n", 7), KV("big", INT64_MIN),
        KV("bytes", ((Str){"\xff\0x", 3})), KV("name", (const char *)NULL));
    LOG(DEBUG, DB_CHECKPOINT, KV("n", 1)); /* below the level */
    log_set_trace((Str){0});
    char text[5000];
    memset(text, 1, sizeof text); /* each byte becomes six */
    LOG(ERROR, DB_FAILED, KV("a", ((Str){text, sizeof text})), KV("b", ((Str){text, sizeof text})));
    log_set_level(LOG_OFF);
    LOG(ERROR, DB_FAILED, KV("n", 1));
    log_set_level(LOG_INFO);
}

TEST(a_log_line_is_json)
{
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    Str rest = logged(a, log_some), line;
    const Json *lines[3] = {0};
    size_t len = 0;
    while (str_next(&rest, '\n', &line) && line.len > 0) {
        Err err = {0};
        assert_true(len < 2);
        assert_ok(json_parse(a, line, &lines[len++], &err), &err);
    }
    assert_int_equal(len, 2);
    assert_str_equal(json_text(json_get(lines[0], "level")), "warn");
    assert_str_equal(json_text(json_get(lines[0], "event")), "http.refused");
    assert_str_equal(json_text(json_get(lines[0], "trace")), "0123456789abcdef0123456789abcdef");
    assert_str_equal(json_text(json_get(lines[0], "why")), "a \"quote\"\n\x01");
    assert_int_equal(json_int(json_get(lines[0], "n"), 0), 7);
    assert_int_equal(json_int(json_get(lines[0], "big"), 0), INT64_MIN);
    assert_int_equal(json_text(json_get(lines[0], "bytes")).len, 5);
    assert_int_equal(json_text(json_get(lines[0], "time")).len, 24);
    assert_str_equal(json_text(json_get(lines[1], "event")), "db.failed");
    assert_null(json_get(lines[1], "a"));
    assert_null(json_get(lines[1], "trace"));
}

TEST(knows_levels)
{
    assert_int_equal(log_level_from(STR("debug")), LOG_DEBUG);
    assert_int_equal(log_level_from(STR("off")), LOG_OFF);
    assert_int_equal(log_level_from(STR("loud")), LOG_INFO);
}

TEST_MAIN(the_table_of_reasons_keeps_its_rules, the_table_of_events_keeps_its_rules,
          keeps_code_text_hint_and_param, a_message_can_be_added_to, maps_errno,
          cuts_between_characters, a_log_line_is_json, knows_levels)
