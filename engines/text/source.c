#include "text/source_in.h"
#include "base/fault.h"
#include "base/fd.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

const Choice source_choices[] = {
    [SOURCE_AUTO] = {"auto", "As its name and content say."},
    [SOURCE_TEXT] = {"text", "Plain text; empty lines divide paragraphs, form feeds pages."},
    [SOURCE_MARKDOWN] = {"markdown", "Markdown, with headings, code and tables."},
    [SOURCE_BLOCKS] = {"blocks", "JSON that document.extract has given."},
    [SOURCE_DOCUMENT] = {"document", "Any document, read by document.extract."},
    {0},
};

void blocks_add(Blocks *b, const SourceBlock *block)
{
    if (b->failed)
        return;
    if (b->len == b->room) {
        size_t room = b->room == 0 ? 256 : b->room * 2, size = sizeof *b->items;
        SourceBlock *more = arena_grow(b->arena, b->items, b->room * size, room * size);
        if (more == NULL) {
            b->failed = true;
            return;
        }
        b->items = more;
        b->room = room;
    }
    b->items[b->len++] = *block;
}

static ErrCode map_input(StepCtx *c, int fd, Str *out)
{
    int64_t size = fd_size(fd);
    if (size < 0)
        return err_set(c->err, ERR_IO, "could not read the input's size");
    if (size == 0)
        return err_set(c->err, ERR_INPUT_EMPTY, "the input has no bytes");
    if (size > SOURCE_TEXT_MAX)
        return err_set(c->err, ERR_INPUT_TOO_LARGE, "%" PRId64 " bytes, the limit is %" PRId64,
                       size, SOURCE_TEXT_MAX);
    void *p = fault_hit("source.map") ? MAP_FAILED
                                      : mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return err_set_errno(c->err, ERR_IO, errno, "could not map the input");
    *out = (Str){p, (size_t)size};
    return OK;
}

void source_close(Source *s)
{
    if (s->mapped.ptr != NULL)
        munmap((void *)(uintptr_t)s->mapped.ptr, s->mapped.len);
    *s = (Source){0};
}

static bool one_of(Str s, const char *list)
{
    Str rest = str_from_c(list), item;
    while (str_next(&rest, ' ', &item))
        if (str_eq_nocase(s, item))
            return true;
    return false;
}

static Str extension(Str name)
{
    size_t dot = str_rfind_char(name, '.');
    return dot == STR_NONE ? STR("") : str_slice(name, dot + 1, name.len);
}

static Str media_type(Str declared)
{
    return str_trim(str_slice(declared, 0, str_find_char(declared, ';')));
}

static bool begins_with(Str text, const char *what)
{
    Str head = str_trim(str_slice(text, 0, 64)), want = str_from_c(what);
    return str_eq_nocase(str_slice(head, 0, want.len), want);
}

/* What document.extract has given: one line per block, and the key comes first. */
static bool looks_like_blocks(Str text)
{
    Str head = str_trim(str_slice(text, 0, 64));
    if (!str_starts(head, STR("{")))
        return false;
    return str_starts(str_trim(str_slice(head, 1, head.len)), STR("\"blocks\""));
}

/* Text whose words have to be dug out: markup, tables, mails. */
static bool is_markup(const StepInput *in, Str text)
{
    return one_of(extension(in->name),
                  "html htm xhtml mht mhtml csv tsv eml mbox rtf xml svg fb2 ps pdf") ||
           one_of(media_type(in->type),
                  "text/html application/xhtml+xml text/csv text/tab-separated-values "
                  "message/rfc822 application/rtf text/rtf application/xml text/xml") ||
           begins_with(text, "%PDF-") || begins_with(text, "{\\rtf") ||
           begins_with(text, "<!doctype") || begins_with(text, "<html") ||
           begins_with(text, "<?xml");
}

static SourceAs guess(const StepInput *in, Str text)
{
    /* ISO 2022 writes Japanese in seven bits, which are valid UTF-8: its escapes tell. */
    bool escapes = memmem(text.ptr, text.len, "\x1b$", 2) != NULL;
    if (!str_is_utf8(text) || escapes || memchr(text.ptr, 0, text.len) != NULL)
        return SOURCE_DOCUMENT;
    if (looks_like_blocks(text))
        return SOURCE_BLOCKS;
    if (is_markup(in, text))
        return SOURCE_DOCUMENT;
    if (one_of(extension(in->name), "md markdown mdown mkd qmd rmd") ||
        one_of(media_type(in->type), "text/markdown text/x-markdown"))
        return SOURCE_MARKDOWN;
    return SOURCE_TEXT;
}

static Str without_mark(Str text)
{
    return str_starts(text, STR("\xEF\xBB\xBF")) ? str_slice(text, 3, text.len) : text;
}

static ErrCode take_lines(StepCtx *c, const SourceArgs *a, Str text, Source *out)
{
    if (!str_is_utf8(text)) {
        err_set(c->err, ERR_INPUT_DAMAGED, "the text is not valid UTF-8");
        err_hint(c->err, "read it as a document: its encoding is then recognised");
        return ERR_INPUT_DAMAGED;
    }
    out->text = without_mark(text);
    if (str_trim(out->text).len == 0)
        return err_set(c->err, ERR_NO_TEXT, "there is nothing but white space");
    if (!a->structure)
        return OK;
    Blocks blocks = {.arena = c->arena};
    lines_read(out->text, out->as == SOURCE_MARKDOWN, &blocks, &out->pages);
    if (blocks.failed) {
        err_set(c->err, ERR_LIMIT_MEMORY, "more than %zu blocks", blocks.len);
        err_hint(c->err, "split the text, or raise the step's memory");
        return ERR_LIMIT_MEMORY;
    }
    out->blocks = blocks.items;
    out->blocks_len = blocks.len;
    return OK;
}

static ErrCode take_blocks(StepCtx *c, Str json, Source *out)
{
    ErrCode rc = blocks_json_read(c, json, out);
    if (rc == OK && str_trim(out->text).len == 0)
        return err_set(c->err, ERR_NO_TEXT, "the blocks hold no text");
    return rc;
}

static ErrCode first_json(StepCtx *c, const StepReply *reply, Source *out)
{
    CLEANUP(source_close) Source json = {0};
    for (size_t i = 0; i < reply->outputs_len; i++) {
        if (!str_starts(reply->outputs[i].type, STR("application/json")))
            continue;
        ErrCode rc = map_input(c, reply->outputs[i].fd, &json.mapped);
        return rc == OK ? take_blocks(c, json.mapped, out) : rc;
    }
    return err_set(c->err, ERR_ENGINE_PROTOCOL, "document.extract gave no JSON");
}

/* Only what was asked for is said, so that its defaults stay its own. */
static ErrCode extract(StepCtx *c, const SourceArgs *a, Source *out)
{
    Buf b = buf_init(c->arena, 4 * KIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_c(&j, "format", "json");
    if (a->pages.len > 0)
        json_kv_str(&j, "pages", a->pages);
    if (a->password.len > 0)
        json_kv_str(&j, "password", a->password);
    json_end(&j, '}');
    if (b.failed)
        return err_set(c->err, ERR_NO_MEMORY, "calling document.extract");
    StepReply reply = {0};
    ErrCode rc = step_call(c, "document.extract", buf_str(&b), c->inputs, 1, &reply);
    if (rc == OK)
        rc = first_json(c, &reply, out);
    step_reply_close(&reply);
    return rc;
}

static ErrCode open_file(StepCtx *c, const SourceArgs *a, Source *out)
{
    ErrCode rc = map_input(c, c->input_fd, &out->mapped);
    if (rc != OK)
        return rc;
    out->as = a->as != SOURCE_AUTO ? a->as : guess(&c->inputs[0], out->mapped);
    if (out->as == SOURCE_DOCUMENT)
        return extract(c, a, out);
    if (a->pages.len > 0) {
        err_set(c->err, ERR_BAD_PARAM, "only documents have pages to choose from");
        err_param(c->err, "pages");
        return ERR_BAD_PARAM;
    }
    return out->as == SOURCE_BLOCKS ? take_blocks(c, out->mapped, out)
                                    : take_lines(c, a, out->mapped, out);
}

ErrCode source_open(StepCtx *c, const SourceArgs *a, Source *out)
{
    *out = (Source){0};
    if (c->inputs_len > 0 && a->text.len > 0) {
        err_set(c->err, ERR_BAD_PARAM, "give a file or a text, not both");
        err_param(c->err, "text");
        return ERR_BAD_PARAM;
    }
    if (c->inputs_len > 0)
        return open_file(c, a, out);
    if (a->text.len == 0)
        return err_set(c->err, ERR_INPUT_MISSING, "give a file, or the text itself");
    out->as = a->as == SOURCE_MARKDOWN ? SOURCE_MARKDOWN : SOURCE_TEXT;
    return take_lines(c, a, a->text, out);
}

Str source_heading_text(const Source *s, const SourceBlock *b)
{
    Str words = str_trim(str_slice(s->text, b->body, b->to));
    size_t end = str_find_char(words, '\n'); /* the line under a heading of Markdown's other kind */
    words = str_trim(str_slice(words, 0, end));
    if (s->as != SOURCE_MARKDOWN)
        return words;
    size_t len = words.len;
    while (len > 0 && words.ptr[len - 1] == '#')
        len--;
    if (len < words.len && (len == 0 || words.ptr[len - 1] == ' '))
        words = str_trim(str_slice(words, 0, len));
    return words;
}
