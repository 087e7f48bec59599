#include "base/err.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct Reason {
    const char *name;
    int status;
    RetryClass retry;
    const char *meaning, *remedy;
} Reason;

static const Reason reasons[ERR_COUNT] = {
    [OK] = {"OK", 200, RETRY_NEVER, "It worked.", ""},
#define ERROR(name, status, retry, meaning, remedy)                                                \
    [ERR_##name] = {#name, status, RETRY_##retry, meaning, remedy},
#include "base/errors.def"
#undef ERROR
};

enum { REASON_MAX = 32 };
static char lower_names[ERR_COUNT][REASON_MAX];
static pthread_once_t lower_once = PTHREAD_ONCE_INIT;

static void make_lower_names(void)
{
    for (int code = 0; code < ERR_COUNT; code++)
        for (size_t i = 0; i + 1 < REASON_MAX && reasons[code].name[i] != 0; i++) {
            char c = reasons[code].name[i];
            lower_names[code][i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
}

static const Reason *reason_of(ErrCode code)
{
    return &reasons[(int)code >= 0 && code < ERR_COUNT ? code : ERR_INTERNAL];
}

const char *err_reason(ErrCode code)
{
    pthread_once(&lower_once, make_lower_names);
    return lower_names[reason_of(code) - reasons];
}

const char *err_meaning(ErrCode code)
{
    return reason_of(code)->meaning;
}

const char *err_remedy(ErrCode code)
{
    return reason_of(code)->remedy;
}

int err_status(ErrCode code)
{
    return reason_of(code)->status;
}

RetryClass err_retry(ErrCode code)
{
    return reason_of(code)->retry;
}

ErrCode err_from_reason(Str reason)
{
    for (int code = 1; code < ERR_COUNT; code++)
        if (str_eq_c(reason, err_reason((ErrCode)code)))
            return (ErrCode)code;
    return OK;
}

const char *err_advice(const Err *err)
{
    return err->hint[0] != 0 ? err->hint : err_remedy(err->code);
}

/* A cut UTF-8 sequence at the end would make the message invalid JSON text. */
static void drop_cut_character(char *text, size_t size)
{
    size_t n = strlen(text);
    if (n + 1 < size)
        return;
    while (n > 0 && !str_is_utf8((Str){text, n}) && size - n < 5)
        text[--n] = 0;
}

/* Through a copy: a caller that adds to a message passes the old one, err->text, as an argument. */
static void set_text(Err *err, ErrCode code, const char *fmt, va_list ap)
{
    Err fresh = {.code = code};
    vsnprintf(fresh.text, sizeof fresh.text, fmt, ap);
    drop_cut_character(fresh.text, sizeof fresh.text);
    *err = fresh;
}

ErrCode err_set(Err *err, ErrCode code, const char *fmt, ...)
{
    if (err != NULL) {
        va_list ap;
        va_start(ap, fmt);
        set_text(err, code, fmt, ap);
        va_end(ap);
    }
    return code;
}

ErrCode err_set_errno(Err *err, ErrCode code, int number, const char *fmt, ...)
{
    if (number == ENOSPC || number == EDQUOT)
        code = ERR_DISK_FULL;
    else if (number == ENOMEM)
        code = ERR_NO_MEMORY;
    if (err == NULL)
        return code;
    va_list ap;
    va_start(ap, fmt);
    set_text(err, code, fmt, ap);
    va_end(ap);
    char why[96];
    size_t at = strlen(err->text);
    snprintf(err->text + at, sizeof err->text - at, ": %s", strerror_r(number, why, sizeof why));
    return code;
}

void err_hint(Err *err, const char *fmt, ...)
{
    if (err == NULL)
        return;
    char hint[sizeof err->hint];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(hint, sizeof hint, fmt, ap);
    va_end(ap);
    drop_cut_character(hint, sizeof hint);
    memcpy(err->hint, hint, sizeof hint);
}

void err_param(Err *err, const char *name)
{
    if (err == NULL)
        return;
    snprintf(err->param, sizeof err->param, "%s", name);
    drop_cut_character(err->param, sizeof err->param);
}
