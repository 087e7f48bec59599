/* files: everything uploaded and made, in one list; and what was made from a file, or made it.
 *
 * Two walks, newest first, are merged: documents by their words, tags or all, and outputs of jobs.
 * Each looks at a bounded number of rows a page (DOCUMENT_WALK_MAX). Where one of them stopped before
 * its end, the page ends too, with a cursor: it may be short, but nothing is left out and no page
 * reads a whole table. Names of outputs are compared in memory: an index of their words would cost
 * every output of every job several writes for a search that people make now and then. */
#include "api/files.h"
#include "api/routes.h"
#include "api/write.h"
#include "base/id.h"
#include "content/words.h"
#include "db/queries.h"
#include "flow/made.h"

typedef struct Position {
    int64_t id, place; /* of a document: place 0 */
} Position;

typedef struct Files {
    Call *call;
    const FilesQuery *query;
    Str words, family;
    Position from;
    Document *docs;
    size_t docs_len;
    int64_t docs_end; /* 0: the walk came to the end, else the last one looked at */
    MadeFile *made;
    size_t made_len;
    Position made_last;
    bool made_all; /* the walk came to the end */
} Files;

static bool before(Position a, Position b)
{
    return a.id != b.id ? a.id < b.id : a.place < b.place;
}

/* "file_0r3k….7" */
static ErrCode read_cursor(Call *c, Str text, Position *out)
{
    *out = (Position){INT64_MAX, INT64_MAX};
    if (text.len == 0)
        return OK;
    size_t dot = str_find_char(text, '.');
    if (dot != STR_NONE && id_parse("file", str_slice(text, 0, dot), &out->id) &&
        str_to_i64(str_slice(text, dot + 1, text.len), &out->place))
        return OK;
    return err_set(&c->err, ERR_BAD_CURSOR, "the cursor must be the \"next\" of the page before");
}

static void write_cursor(Call *c, Position p)
{
    char id[ID_TEXT_SIZE];
    json_kv_str(&c->json, "next",
                str_printf(c->arena, "%s.%" PRId64, id_text("file", p.id, id), p.place));
}

/* --- the two walks --- */

static ErrCode walk_documents(Files *f)
{
    const FilesQuery *q = f->query;
    if (q->from == FILES_MADE || q->step.len > 0 || q->pipeline.len > 0)
        return OK;
    const DocumentQuery find = {.before = f->from.id,
                                .q = q->q,
                                .tag = q->tag,
                                .family = f->family,
                                .limit = (int)q->limit};
    Call *c = f->call;
    return document_find(c->reader, c->who.project, &find, c->arena, &f->docs, &f->docs_len,
                         &f->docs_end, &c->err);
}

static bool take_made(void *ctx, const MadeFile *file, bool *keep)
{
    Files *f = ctx;
    const FilesQuery *q = f->query;
    f->made_last = (Position){file->job, file->place};
    ArenaMark mark = arena_mark(f->call->arena);
    *keep = (q->step.len == 0 || str_eq(file->step, q->step)) &&
            (q->pipeline.len == 0 || str_eq(file->pipeline, q->pipeline)) &&
            (f->family.len == 0 || str_eq(family_of(file->type, file->name), f->family)) &&
            words_match(words_of(f->call->arena, file->name), f->words);
    arena_rewind(f->call->arena, mark);
    if (*keep)
        f->made[f->made_len++] = *file;
    return f->made_len < (size_t)q->limit;
}

static ErrCode walk_made(Files *f)
{
    const FilesQuery *q = f->query;
    f->made_all = true;
    if (q->from == FILES_UPLOADED || q->tag.len > 0)
        return OK;
    Call *c = f->call;
    int seen = 0;
    f->made = arena_new(c->arena, MadeFile, (size_t)q->limit);
    if (f->made == NULL)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory for the files");
    ErrCode rc = flow_made(c->reader, c->who.project, f->from.id, f->from.place, DOCUMENT_WALK_MAX,
                           c->arena, take_made, f, &seen, &c->err);
    f->made_all = seen < DOCUMENT_WALK_MAX && f->made_len < (size_t)q->limit;
    return rc;
}

/* --- the answer --- */

static void write_common(JsonOut *j, const char *from, Str name, Str type, int64_t bytes, Str hash,
                         int64_t created_ms)
{
    json_kv_c(j, "from", from);
    json_kv_str(j, "name", name);
    json_kv_str(j, "type", type);
    json_kv_int(j, "bytes", bytes);
    json_kv_str(j, "blob", hash);
    write_time(j, "created", created_ms);
}

static void write_uploaded(JsonOut *j, const Document *d)
{
    json_begin(j, '{');
    write_common(j, "document", d->name, d->type, d->size_bytes, d->hash, d->created_ms);
    write_id(j, "document", "doc", d->id);
    document_write_tags(j, d->tags);
    json_kv_int(j, "revision", d->revision);
    json_end(j, '}');
}

static void write_made(JsonOut *j, const MadeFile *m)
{
    json_begin(j, '{');
    write_common(j, "job", m->name, m->type, m->size_bytes, m->hash, id_time_ms(m->job));
    write_id(j, "job", "job", m->job);
    json_kv_int(j, "index", m->place);
    json_kv_str(j, "step", m->step);
    if (m->pipeline.len > 0)
        json_kv_str(j, "pipeline", m->pipeline);
    json_end(j, '}');
}

/* Behind this position a walk has not looked: what is older waits for the next page. */
static Position horizon(const Files *f)
{
    Position docs = {f->docs_end, 0}, made = f->made_all ? (Position){0, 0} : f->made_last;
    return before(docs, made) ? made : docs;
}

/* The newer of the two heads, as long as both walks have looked that far. */
static bool write_next(Files *f, size_t *doc, size_t *made, Position *last)
{
    Position end = horizon(f), none = {-1, -1};
    Position d = *doc < f->docs_len ? (Position){f->docs[*doc].id, 0} : none;
    Position m = *made < f->made_len ? (Position){f->made[*made].job, f->made[*made].place} : none;
    Position newest = before(d, m) ? m : d;
    if (newest.id < 0 || before(newest, end))
        return false;
    if (before(d, m))
        write_made(&f->call->json, &f->made[(*made)++]);
    else
        write_uploaded(&f->call->json, &f->docs[(*doc)++]);
    *last = newest;
    return true;
}

static void write_page(Files *f)
{
    Call *c = f->call;
    size_t doc = 0, made = 0, n = 0;
    Position last = {0, 0}, end = horizon(f);
    json_begin(&c->json, '{');
    json_key(&c->json, "files");
    json_begin(&c->json, '[');
    while (n < (size_t)f->query->limit && write_next(f, &doc, &made, &last))
        n++;
    json_end(&c->json, ']');
    bool left = doc < f->docs_len || made < f->made_len;
    if (n == (size_t)f->query->limit && (left || end.id > 0))
        write_cursor(c, last);
    else if (end.id > 0)
        write_cursor(c, end);
    json_end(&c->json, '}');
    call_answer(c, 200);
}

void files_list(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    FilesQuery q = {0};
    ParamFaults faults = {0};
    Files f = {.call = &c, .query = &q};
    ErrCode rc = call_query(&c, files_query_params, &q, &faults);
    if (rc == OK)
        rc = read_cursor(&c, q.cursor, &f.from);
    f.family = q.type > 0 ? str_from_c(family_choices[q.type].name) : STR("");
    f.words = words_of(c.arena, q.q);
    if (rc == OK && f.words.ptr == NULL)
        rc = err_set(&c.err, ERR_NO_MEMORY, "no memory for the words to look for");
    if (rc == OK)
        rc = walk_documents(&f);
    if (rc == OK)
        rc = walk_made(&f);
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else
        write_page(&f);
}

/* --- what was made from it, and what it was made from --- */

enum { USE_DOCUMENTS_MAX = 20 };

static void write_use(JsonOut *j, const JobUse *u)
{
    json_begin(j, '{');
    write_id(j, "job", "job", u->job);
    json_kv_str(j, "step", u->step);
    if (u->pipeline.len > 0)
        json_kv_str(j, "pipeline", u->pipeline);
    json_kv_str(j, "state", u->state);
    write_time(j, "created", id_time_ms(u->job));
    json_kv_bool(j, "made_it", u->made > 0);
    json_kv_bool(j, "took_it", u->taken > 0);
    json_key(j, "files");
    json_begin(j, '[');
    for (size_t i = 0; i < u->files_len; i++) {
        const MadeFile *m = &u->files[i];
        json_begin(j, '{');
        json_kv_str(j, "name", m->name);
        json_kv_str(j, "type", m->type);
        json_kv_int(j, "bytes", m->size_bytes);
        json_kv_str(j, "blob", m->hash);
        json_kv_int(j, "index", m->place);
        json_end(j, '}');
    }
    json_end(j, ']');
    json_end(j, '}');
}

static ErrCode write_documents(Call *c, Str hash, Str kind, bool current)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc =
        db_query(c->reader, &sql_file_documents,
                 DB_ARGS(DB_I(c->who.project), DB_S(hash), DB_S(kind), DB_I(USE_DOCUMENTS_MAX)),
                 &rows, &c->err);
    while (rc == OK && db_next(&rows, &rc, &c->err)) {
        json_begin(&c->json, '{');
        write_id(&c->json, "id", "doc", db_int(&rows, 0));
        json_kv_str(&c->json, "name", db_str(&rows, 1));
        json_kv_bool(&c->json, "current", current);
        json_end(&c->json, '}');
    }
    return rc;
}

static ErrCode write_uses(Call *c, Str hash, const JobUse *uses, size_t len, bool more)
{
    json_begin(&c->json, '{');
    json_kv_str(&c->json, "blob", hash);
    json_key(&c->json, "jobs");
    json_begin(&c->json, '[');
    for (size_t i = 0; i < len; i++)
        write_use(&c->json, &uses[i]);
    json_end(&c->json, ']');
    json_key(&c->json, "documents");
    json_begin(&c->json, '[');
    ErrCode rc = write_documents(c, hash, STR("document"), true);
    if (rc == OK)
        rc = write_documents(c, hash, STR("version"), false);
    json_end(&c->json, ']');
    if (more)
        write_id(&c->json, "next", "job", uses[len - 1].job);
    json_end(&c->json, '}');
    return rc;
}

void files_uses(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    UsesQuery q = {0};
    ParamFaults faults = {0};
    JobUse *uses = NULL;
    size_t len = 0;
    bool more = false;
    int64_t before_id = 0;
    Blob blob;
    Str hash = req->params[0];
    ErrCode rc = call_query(&c, uses_query_params, &q, &faults);
    if (rc == OK)
        rc = call_cursor(&c, "job", q.cursor, &before_id);
    if (rc == OK)
        rc = blob_row_get(c.reader, c.who.project, hash, &blob, &c.err);
    if (rc == OK)
        rc = flow_uses(c.reader, c.who.project, hash, before_id, (int)q.limit, c.arena, &uses, &len,
                       &more, &c.err);
    if (rc == OK)
        rc = write_uses(&c, hash, uses, len, more);
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else
        call_answer(&c, 200);
}
