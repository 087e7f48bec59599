#include "content/words.h"
#include "base/buf.h"

#include <locale.h>
#include <pthread.h>
#include <wctype.h>

static locale_t locale;
static void open_locale(void)
{
    locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static locale_t folding(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_locale);
    return locale;
}

/* The character in lower case; 0: it separates. Without the locale (a C library that lacks it) only
 * ASCII is folded, and everything above it counts as a letter. */
static uint32_t fold(locale_t l, uint32_t cp)
{
    if (cp < 128) {
        bool letter = (cp >= 'a' && cp <= 'z') || (cp >= '0' && cp <= '9');
        return cp >= 'A' && cp <= 'Z' ? cp + ('a' - 'A') : letter ? cp : 0;
    }
    if (cp == 0xfffd)
        return 0;
    if (l == (locale_t)0)
        return cp;
    return iswalnum_l((wint_t)cp, l) ? (uint32_t)towlower_l((wint_t)cp, l) : 0;
}

/* Characters of writing without spaces. */
static bool stands_alone(uint32_t cp)
{
    return (cp >= 0x3040 && cp <= 0x30ff) || (cp >= 0x3400 && cp <= 0x9fff) ||
           (cp >= 0xf900 && cp <= 0xfaff) || (cp >= 0x20000 && cp <= 0x3ffff);
}

static bool has_word(Str words, Str word)
{
    for (size_t at = 0; at < words.len;) {
        size_t end = at + 1;
        while (end < words.len && words.ptr[end] != ' ')
            end++;
        if (str_eq(str_slice(words, at + 1, end), word))
            return true;
        at = end;
    }
    return false;
}

/* " word" onto the buffer, unless it is there. */
static void put_word(Buf *b, Str word, size_t *count)
{
    if (word.len == 0 || *count == WORDS_MAX || has_word(buf_str(b), word))
        return;
    buf_addf(b, " " STR_FMT, STR_ARG(word));
    ++*count;
}

Str words_of(Arena *a, Str text)
{
    locale_t l = folding();
    Buf b = buf_init(a, WORDS_MAX * (WORD_BYTES_MAX + 1) + 2);
    char word[WORD_BYTES_MAX + 4];
    size_t len = 0, count = 0;
    for (size_t at = 0; at < text.len;) {
        uint32_t cp = fold(l, str_next_utf8(text, &at));
        bool alone = cp != 0 && stands_alone(cp);
        if (cp == 0 || alone) {
            put_word(&b, (Str){word, len}, &count);
            len = 0;
        }
        if (cp != 0 && len + 4 <= WORD_BYTES_MAX)
            len += str_put_utf8(word + len, cp);
        if (alone) {
            put_word(&b, (Str){word, len}, &count);
            len = 0;
        }
    }
    put_word(&b, (Str){word, len}, &count);
    if (count > 0)
        buf_addf(&b, " ");
    return b.failed ? (Str){0} : count > 0 ? buf_str(&b) : STR("");
}

/* The next word behind `at`, which is at a space. */
static bool next_word(Str words, size_t *at, Str *word)
{
    size_t from = *at;
    while (from < words.len && words.ptr[from] == ' ')
        from++;
    size_t to = from;
    while (to < words.len && words.ptr[to] != ' ')
        to++;
    *word = str_slice(words, from, to);
    *at = to;
    return to > from;
}

static bool begins_one(Str words, Str beginning)
{
    Str word;
    for (size_t at = 0; next_word(words, &at, &word);)
        if (str_starts(word, beginning))
            return true;
    return false;
}

bool words_match(Str words, Str query)
{
    Str word;
    for (size_t at = 0; next_word(query, &at, &word);)
        if (!begins_one(words, word))
            return false;
    return true;
}

static Str first_chars(Str word, int chars)
{
    size_t at = 0;
    for (int i = 0; i < chars && at < word.len; i++)
        str_next_utf8(word, &at);
    return str_slice(word, 0, at);
}

Str words_key(Str query)
{
    Str word, longest = {"", 0};
    for (size_t at = 0; next_word(query, &at, &word);)
        if (word.len > longest.len)
            longest = word;
    return first_chars(longest, WORD_KEY_CHARS);
}

/* *at stands at the end of the key that was given last; a word's keys grow by a character each. */
bool words_next_key(Str words, size_t *at, Str *key)
{
    size_t start = *at;
    while (start > 0 && words.ptr[start - 1] != ' ')
        start--;
    Str before = str_slice(words, start, *at);
    size_t end = *at;
    if (before.len > 0 && end < words.len && words.ptr[end] != ' ' &&
        str_count_utf8(before) < WORD_KEY_CHARS) {
        str_next_utf8(words, &end);
        *key = str_slice(words, start, end);
        *at = end;
        return true;
    }
    while (end < words.len && words.ptr[end] != ' ')
        end++;
    while (end < words.len && words.ptr[end] == ' ')
        end++;
    if (end >= words.len)
        return false;
    start = end;
    str_next_utf8(words, &end);
    *key = str_slice(words, start, end);
    *at = end;
    return true;
}

/* --- families --- */

static const char *const families[] = {"document", "image", "audio", "video", "archive", "other"};

static Str family_of_type(Str type)
{
    static const struct {
        const char *begins, *family;
    } rules[] = {
        {"image/", "image"},
        {"audio/", "audio"},
        {"video/", "video"},
        {"text/", "document"},
        {"message/", "document"},
        {"application/ogg", "audio"},
        {"application/pdf", "document"},
        {"application/json", "document"},
        {"application/xml", "document"},
        {"application/x-ndjson", "document"},
        {"application/yaml", "document"},
        {"application/x-yaml", "document"},
        {"application/rtf", "document"},
        {"application/epub", "document"},
        {"application/msword", "document"},
        {"application/vnd.ms-", "document"},
        {"application/vnd.oasis.", "document"},
        {"application/vnd.openxmlformats", "document"},
        {"application/zip", "archive"},
        {"application/gzip", "archive"},
        {"application/x-gzip", "archive"},
        {"application/x-tar", "archive"},
        {"application/x-7z", "archive"},
        {"application/x-bzip", "archive"},
        {"application/x-xz", "archive"},
        {"application/zstd", "archive"},
        {"application/x-rar", "archive"},
        {"application/vnd.rar", "archive"},
        {"application/java-archive", "archive"},
        {"application/x-iso9660", "archive"},
    };
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        Str begins = str_from_c(rules[i].begins);
        if (str_eq_nocase(str_slice(type, 0, begins.len), begins))
            return str_from_c(rules[i].family);
    }
    return STR("other");
}

static Str family_of_name(Str name)
{
    static const struct {
        const char *family, *endings;
    } rules[] = {
        {"document",
         "pdf docx doc odt rtf txt md markdown html htm csv tsv json jsonl xml yaml yml "
         "xlsx xls ods pptx ppt odp epub eml msg fb2 mobi log srt vtt"},
        {"image", "png jpg jpeg gif webp avif heic heif tif tiff bmp ico svg psd jxl"},
        {"audio", "mp3 wav flac ogg opus m4a aac wma aiff amr"},
        {"video", "mp4 m4v mov webm mkv avi mpg mpeg wmv flv 3gp"},
        {"archive", "zip tar gz tgz bz2 xz zst 7z rar jar iso"},
    };
    size_t dot = str_rfind_char(name, '.');
    Str ending = dot == STR_NONE ? STR("") : str_slice(name, dot + 1, name.len);
    for (size_t i = 0; ending.len > 0 && i < COUNT_OF(rules); i++) {
        Str rest = str_from_c(rules[i].endings), part;
        while (str_next(&rest, ' ', &part))
            if (str_eq_nocase(part, ending))
                return str_from_c(rules[i].family);
    }
    return STR("other");
}

Str family_of(Str type, Str name)
{
    Str family = family_of_type(type);
    return str_eq_c(family, "other") ? family_of_name(name) : family;
}

bool family_known(Str family)
{
    for (size_t i = 0; i < COUNT_OF(families); i++)
        if (str_eq_c(family, families[i]))
            return true;
    return false;
}
