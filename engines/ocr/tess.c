#include "ocr/tess.h"
#include "ocr/tess_shim.h"
#include "base/fault.h"
#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <leptonica/allheaders.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FILES_MAX = 256, READY_MAX = 4, CODE_MAX = 40 };

typedef struct LanguageFile {
    char code[CODE_MAX];
    const char *bytes;
    size_t size;
} LanguageFile;

struct Tess {
    ShimReader *reader, *osd;
    char languages[LANGUAGES_TEXT_MAX]; /* what `reader` is set up for; "": nothing yet */
    bool osd_failed;
};

/* Set by tess_warm, then constant, but for `ready`, whose members each belong to one thread. */
static LanguageFile files[FILES_MAX];
static size_t files_len;
static const char *codes[FILES_MAX];
static size_t codes_len;
static Tess ready[READY_MAX];

void tess_alone(char **argv)
{
    const char *now = getenv("OMP_THREAD_LIMIT");
    if (now != NULL && strcmp(now, "1") == 0)
        return;
    setenv("OMP_THREAD_LIMIT", "1", 1);
    execv("/proc/self/exe", argv); /* when it fails, Tesseract is slower and nothing else */
}

static const char *file_bytes(const char *name, size_t *size)
{
    static const char end[] = ".traineddata";
    size_t len = strlen(name);
    if (len < sizeof end || strcmp(name + len - (sizeof end - 1), end) != 0)
        return NULL;
    len -= sizeof end - 1;
    for (size_t i = 0; i < files_len; i++)
        if (strlen(files[i].code) == len && memcmp(files[i].code, name, len) == 0) {
            *size = files[i].size;
            return files[i].bytes;
        }
    return NULL;
}

/* --- the files */

static void map_file(const char *folder, const char *name)
{
    char path[512];
    size_t len = strlen(name), end = strlen(".traineddata");
    if (len <= end || strcmp(name + len - end, ".traineddata") != 0 || len - end >= CODE_MAX ||
        files_len == FILES_MAX)
        return;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    int64_t size = fd >= 0 ? fd_size(fd) : -1;
    void *p = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    if (p == MAP_FAILED)
        return; /* as if it were not installed */
    LanguageFile *f = &files[files_len++];
    *f = (LanguageFile){.bytes = p, .size = (size_t)size};
    memcpy(f->code, name, len - end);
}

static int by_code(const void *a, const void *b)
{
    return strcmp(((const LanguageFile *)a)->code, ((const LanguageFile *)b)->code);
}

static bool map_folder(const char *folder)
{
    DIR *d = opendir(folder);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        map_file(folder, e->d_name);
    if (d != NULL)
        closedir(d);
    qsort(files, files_len, sizeof *files, by_code);
    for (size_t i = 0; i < files_len; i++)
        if (strcmp(files[i].code, "osd") != 0 && strcmp(files[i].code, "equ") != 0)
            codes[codes_len++] = files[i].code;
    return files_len > 0;
}

/* Where Tesseract looks: the variable, with or without the last folder, then Debian's places. */
static void map_files(void)
{
    static const char *const folders[] = {"/usr/share/tesseract-ocr/5/tessdata",
                                          "/usr/share/tesseract-ocr/4.00/tessdata",
                                          "/usr/share/tessdata", "/usr/local/share/tessdata"};
    const char *own = getenv("TESSDATA_PREFIX");
    char below[512];
    if (own != NULL && own[0] != 0) {
        snprintf(below, sizeof below, "%s/tessdata", own);
        (void)(map_folder(own) || map_folder(below));
        return;
    }
    for (size_t i = 0; i < COUNT_OF(folders); i++)
        if (map_folder(folders[i]))
            return;
}

LanguageSet tess_installed(void)
{
    return (LanguageSet){codes, codes_len};
}

bool tess_has_osd(void)
{
    size_t size;
    return file_bytes("osd.traineddata", &size) != NULL;
}

/* --- recognisers */

static ErrCode set_up(ShimReader **r, const char *languages, Err *err)
{
    if (*r == NULL)
        *r = fault_hit("ocr.reader") ? NULL : shim_new();
    int rc = *r != NULL ? shim_init(*r, languages, file_bytes) : SHIM_NO_MEMORY;
    if (rc == SHIM_NO_MEMORY)
        return err_set(err, ERR_LIMIT_MEMORY, "no memory for the language files of %s", languages);
    if (rc != SHIM_OK)
        return err_set(err, ERR_INTERNAL, "the language files of %s are not readable", languages);
    return OK;
}

static ErrCode use_languages(Tess *t, const char *languages, Err *err)
{
    if (strcmp(t->languages, languages) == 0)
        return OK;
    t->languages[0] = 0;
    ErrCode rc = set_up(&t->reader, languages, err);
    if (rc == OK)
        snprintf(t->languages, sizeof t->languages, "%s", languages);
    return rc;
}

static void no_messages(const char *text)
{
    (void)text; /* leptonica's may quote the picture */
}

/* Tesseract complains at the end of the process about what it finds still in use. Tasks end without
 * coming here. */
static void cool_down(void)
{
    for (size_t i = 0; i < READY_MAX; i++) {
        shim_free(ready[i].reader);
        shim_free(ready[i].osd);
        ready[i] = (Tess){0};
    }
}

static size_t ready_wanted(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > READY_MAX ? READY_MAX : (size_t)cores;
}

ErrCode tess_warm(Err *err)
{
    leptSetStderrHandler(no_messages);
    setMsgSeverity(L_SEVERITY_NONE);
    if (files_len == 0)
        map_files();
    const char *first = languages_first(tess_installed());
    ErrCode rc = OK; /* no language: each task will say so */
    for (size_t i = 0; first != NULL && rc == OK && i < ready_wanted(); i++)
        rc = use_languages(&ready[i], first, err);
    if (rc == OK && first != NULL && tess_has_osd())
        rc = set_up(&ready[0].osd, "osd", err);
    (void)shim_language_of("the tables of this library are set up", 37);
    static bool registered;
    if (!registered) /* after Tesseract's own, so that it runs before them */
        registered = atexit(cool_down) == 0;
    return rc;
}

Tess *tess_open(size_t nth)
{
    return nth < ready_wanted() ? &ready[nth] : calloc(1, sizeof(Tess));
}

void tess_close(Tess **t)
{
    if (*t != NULL && (*t < ready || *t >= ready + READY_MAX)) {
        shim_free((*t)->reader);
        shim_free((*t)->osd);
        free(*t);
    }
    *t = NULL;
}

/* --- reading */

enum { GROW_MIN = 256 };

typedef struct Taking {
    OcrPage *page;
    size_t lines_cap, words_cap;
    double confidences; /* sum */
    int block, paragraph;
    size_t turned[4];
    bool columns; /* a language that is also written downwards is among those that are read */
} Taking;

/* Tesseract takes lines that run down the page for columns of Japanese, whatever the language; in
 * others the page lies on its side. */
static bool runs_down(const Taking *t, const ShimWord *w)
{
    return w->vertical && t->columns;
}

static int turned(const Taking *t, const ShimWord *w)
{
    return w->vertical && !t->columns ? 270 : w->turned;
}

static bool written_in_columns(const char *languages)
{
    Str rest = str_from_c(languages), one;
    while (str_next(&rest, '+', &one)) {
        char code[CODE_MAX];
        snprintf(code, sizeof code, STR_FMT, STR_ARG(one));
        const char *script = languages_script(code);
        if (strcmp(script, "Japanese") == 0 || strcmp(script, "Han") == 0 ||
            strcmp(script, "Korean") == 0 || strstr(code, "_vert") != NULL)
            return true;
    }
    return false;
}

static bool grow(Arena *a, void *ptr, size_t len, size_t *cap, size_t size)
{
    void **p = ptr;
    if (len < *cap)
        return true;
    size_t more = *cap == 0 ? GROW_MIN : *cap * 2;
    void *bigger = arena_alloc(a, more * size); /* words and texts alternate: no growing in place */
    if (bigger == NULL)
        return false;
    if (len > 0)
        memcpy(bigger, *p, len * size);
    *p = bigger;
    *cap = more;
    return true;
}

static bool begin_line(Taking *t, const ShimWord *w)
{
    OcrPage *p = t->page;
    if (!grow(p->arena, &p->lines, p->lines_len, &t->lines_cap, sizeof *p->lines))
        return false;
    if (w->starts_block)
        t->block++, t->paragraph = 0;
    if (w->starts_block || w->starts_paragraph)
        t->paragraph++;
    p->lines[p->lines_len++] = (OcrLine){.box = {w->line[0], w->line[1], w->line[2], w->line[3]},
                                         .from = {w->baseline[0], w->baseline[1]},
                                         .to = {w->baseline[2], w->baseline[3]},
                                         .block = t->block,
                                         .paragraph = t->paragraph,
                                         .first = p->words_len,
                                         .vertical = runs_down(t, w)};
    return true;
}

/* Scripts that are written without spaces, and their punctuation. Tesseract takes each of their
 * characters, or a few, for a word. */
static bool without_spaces(uint32_t cp)
{
    return (cp >= 0x2e80 && cp <= 0x9fff) || (cp >= 0xf900 && cp <= 0xfaff) ||
           (cp >= 0xff00 && cp <= 0xffef) || (cp >= 0x20000 && cp <= 0x3ffff);
}

static uint32_t first_character(Str s)
{
    size_t at = 0;
    return s.len > 0 ? str_next_utf8(s, &at) : 0;
}

static uint32_t last_character(Str s)
{
    uint32_t cp = 0;
    for (size_t at = 0; at < s.len;)
        cp = str_next_utf8(s, &at);
    return cp;
}

static bool is_apart(const OcrPage *p, const ShimWord *w)
{
    if (!w->space_before || p->words_len == 0)
        return w->space_before;
    return !without_spaces(first_character(str_from_c(w->text))) ||
           !without_spaces(last_character(p->words[p->words_len - 1].text));
}

static bool take_word(void *ctx, const ShimWord *w)
{
    Taking *t = ctx;
    OcrPage *p = t->page;
    if ((w->starts_line || p->lines_len == 0) && !begin_line(t, w))
        return false;
    Str text = str_copy(p->arena, str_from_c(w->text));
    if (text.ptr == NULL ||
        !grow(p->arena, &p->words, p->words_len, &t->words_cap, sizeof *p->words))
        return false;
    bool apart = is_apart(p, w);
    double confidence = (double)w->confidence / 100;
    confidence = confidence < 0 ? 0 : confidence > 1 ? 1 : confidence;
    p->words[p->words_len++] = (OcrWord){.text = text,
                                         .box = {w->x0, w->y0, w->x1, w->y1},
                                         .confidence = confidence,
                                         .space_before = apart,
                                         .rtl = w->rtl};
    OcrLine *l = &p->lines[p->lines_len - 1];
    l->len++;
    l->confidence += confidence;
    t->confidences += confidence;
    t->turned[turned(t, w) / 90 % 4]++;
    return true;
}

static void sum_up(Taking *t, int *most)
{
    OcrPage *p = t->page;
    size_t best = 0;
    for (size_t i = 0; i < p->lines_len; i++) {
        OcrLine *l = &p->lines[i];
        size_t rtl = 0;
        for (size_t k = 0; k < l->len; k++)
            rtl += p->words[l->first + k].rtl;
        l->rtl = 2 * rtl > l->len;
        l->confidence /= (double)l->len;
    }
    p->confidence = p->words_len > 0 ? t->confidences / (double)p->words_len : 0;
    for (size_t i = 1; i < COUNT_OF(t->turned); i++)
        best = t->turned[i] > t->turned[best] ? i : best;
    *most = (int)best * 90;
}

ErrCode tess_read(Tess *t, struct Pix *picture, const char *languages, int layout, int dpi,
                  OcrPage *out, int *turned, Err *err)
{
    ErrCode rc = use_languages(t, languages, err);
    if (rc != OK)
        return rc;
    Taking taking = {.page = out, .columns = written_in_columns(languages)};
    out->lines_len = out->words_len = 0;
    int end = fault_hit("ocr.read")
                  ? SHIM_NO_MEMORY
                  : shim_read(t->reader, picture, layout, dpi, take_word, &taking);
    if (end == SHIM_NO_MEMORY)
        return err_set(err, ERR_LIMIT_MEMORY, "no memory to read page %" PRId64, out->page_no);
    if (end != SHIM_OK)
        return err_set(err, ERR_INTERNAL, "Tesseract could not read page %" PRId64, out->page_no);
    sum_up(&taking, turned);
    Str said = str_copy(out->arena, str_from_c(languages));
    out->language = said.ptr != NULL ? str_to_c(out->arena, said) : NULL;
    return out->language != NULL ? OK : err_set(err, ERR_LIMIT_MEMORY, "no memory for a page");
}

bool tess_pose(Tess *t, struct Pix *picture, int dpi, TessPose *out)
{
    Err err;
    if (!tess_has_osd() || t->osd_failed)
        return false;
    if (t->osd == NULL && set_up(&t->osd, "osd", &err) != OK) {
        t->osd_failed = true;
        return false;
    }
    float turn = 0, script = 0;
    *out = (TessPose){0};
    if (shim_pose(t->osd, picture, dpi, &out->turn, &turn, out->script, sizeof out->script,
                  &script) != SHIM_OK)
        return false;
    out->turn_confidence = (double)turn;
    out->script_confidence = (double)script;
    return true;
}

const char *tess_language_of(Str text)
{
    return shim_language_of(text.ptr, text.len);
}
