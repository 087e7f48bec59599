/* Words and tags of documents, and finding by them. */
#include "base/buf.h"
#include "content/document_in.h"

#include <stdlib.h>

Str document_words(Arena *a, Str name, Str tags)
{
    Str both = str_printf(a, STR_FMT " " STR_FMT, STR_ARG(name), STR_ARG(tags));
    return both.ptr != NULL ? words_of(a, both) : (Str){0};
}

static ErrCode each_word(DbConn *tx, const Query *q, const Document *d, Err *err)
{
    Str key;
    ErrCode rc = OK;
    for (size_t at = 0; rc == OK && words_next_key(d->words, &at, &key);)
        rc = db_exec(tx, q, DB_ARGS(DB_I(d->project), DB_S(key), DB_I(d->id)), NULL, err);
    return rc;
}

static ErrCode each_tag(DbConn *tx, const Query *q, const Document *d, int64_t count, Err *err)
{
    Str rest = d->tags, tag;
    ErrCode rc = OK;
    while (rc == OK && d->tags.len > 0 && str_next(&rest, ',', &tag)) {
        rc = db_exec(tx, q, DB_ARGS(DB_I(d->project), DB_S(tag), DB_I(d->id)), NULL, err);
        if (rc == OK)
            rc = db_exec(tx, &sql_tag_count_add, DB_ARGS(DB_I(d->project), DB_S(tag), DB_I(count)),
                         NULL, err);
        if (rc == OK && count < 0)
            rc =
                db_exec(tx, &sql_tag_count_forget, DB_ARGS(DB_I(d->project), DB_S(tag)), NULL, err);
    }
    return rc;
}

ErrCode document_index(DbConn *tx, const Document *d, Err *err)
{
    ErrCode rc = each_word(tx, &sql_document_word_add, d, err);
    return rc == OK ? each_tag(tx, &sql_document_tag_add, d, 1, err) : rc;
}

ErrCode document_unindex(DbConn *tx, const Document *d, Err *err)
{
    ErrCode rc = each_word(tx, &sql_document_word_drop, d, err);
    return rc == OK ? each_tag(tx, &sql_document_tag_drop, d, -1, err) : rc;
}

/* --- tags as people give them --- */

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const Str *)a, *(const Str *)b);
}

static ErrCode refuse(Err *err, const char *param, const char *what)
{
    err_set(err, ERR_BAD_PARAM, "%s", what);
    err_param(err, param);
    return ERR_BAD_PARAM;
}

static bool has_control(Str s, char also)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 32 || s.ptr[i] == 127 || s.ptr[i] == also)
            return true;
    return false;
}

ErrCode document_name_check(Str name, Err *err)
{
    if (str_trim(name).len == 0 || name.len > DOCUMENT_NAME_MAX || has_control(name, '/') ||
        !str_is_utf8(name))
        return refuse(err, "name", "name must be 1 to 255 bytes without / and control characters");
    return OK;
}

ErrCode document_tags(const Str *tags, size_t len, Arena *a, Str *out, Err *err)
{
    if (len > DOCUMENT_TAGS_MAX)
        return refuse(err, "tags", "tags must be at most 32");
    Str *sorted = arena_new(a, Str, len + 1);
    Buf b = buf_init(a, DOCUMENT_TAGS_MAX * (DOCUMENT_TAG_BYTES_MAX + 1));
    if (sorted == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the tags");
    for (size_t i = 0; i < len; i++) {
        sorted[i] = str_trim(tags[i]);
        if (sorted[i].len == 0 || sorted[i].len > DOCUMENT_TAG_BYTES_MAX ||
            has_control(sorted[i], ',') || !str_is_utf8(sorted[i]))
            return refuse(err, "tags", "a tag must be 1 to 64 bytes without commas");
    }
    qsort(sorted, len, sizeof *sorted, by_text);
    for (size_t i = 0; i < len; i++)
        if (i == 0 || !str_eq(sorted[i], sorted[i - 1]))
            buf_addf(&b, "%s" STR_FMT, i > 0 ? "," : "", STR_ARG(sorted[i]));
    *out = len > 0 ? buf_str(&b) : STR("");
    return b.failed ? err_set(err, ERR_NO_MEMORY, "no memory for the tags") : OK;
}

ErrCode document_tag_list(DbConn *reader, int64_t project, Str after, int limit, Arena *a,
                          TagCount **out, size_t *len, bool *more, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    TagCount *tags = arena_new(a, TagCount, (size_t)limit);
    if (tags == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the tags");
    ErrCode rc =
        db_query(reader, &sql_tag_list,
                 DB_ARGS(DB_I(project), DB_S(after), DB_I((int64_t)limit + 1)), &rows, err);
    size_t n = 0;
    *more = false;
    while (rc == OK && db_next(&rows, &rc, err)) {
        *more = n == (size_t)limit;
        if (*more)
            break;
        tags[n] = (TagCount){db_str_copy(&rows, 0, a), db_int(&rows, 1)};
        if (tags[n++].tag.ptr == NULL)
            rc = err_set(err, ERR_NO_MEMORY, "no memory for the tags");
    }
    *out = tags;
    *len = n;
    return rc;
}

/* --- find --- */

typedef struct Walk {
    const Query *query;
    Str by; /* what the query walks by; "": nothing */
    Str words;
} Walk;

/* The walk that leaves least to compare. */
static Walk walk_for(const DocumentQuery *q, Str words)
{
    Str key = words_key(words);
    if (key.len > 0)
        return (Walk){&sql_document_list_word, key, words};
    if (q->tag.len > 0)
        return (Walk){&sql_document_list_tag, q->tag, words};
    if (q->family.len > 0)
        return (Walk){&sql_document_list_family, q->family, words};
    return (Walk){&sql_document_list, STR(""), words};
}

static bool has_tag(Str tags, Str tag)
{
    Str rest = tags, one;
    while (str_next(&rest, ',', &one))
        if (str_eq(one, tag))
            return true;
    return false;
}

static bool wanted(const Document *d, const DocumentQuery *q, Str words)
{
    return words_match(d->words, words) && (q->tag.len == 0 || has_tag(d->tags, q->tag)) &&
           (q->family.len == 0 || str_eq(family_of(d->type, d->name), q->family));
}

static ErrCode begin_walk(DbConn *reader, int64_t project, const DocumentQuery *q, const Walk *w,
                          DbRows *rows, Err *err)
{
    const DbVal args[] = {DB_I(project), DB_I(q->before > 0 ? q->before : INT64_MAX),
                          DB_I(DOCUMENT_WALK_MAX), DB_S(w->by)};
    return db_query(reader, w->query, args, w->by.len > 0 ? 4 : 3, rows, err);
}

ErrCode document_find(DbConn *reader, int64_t project, const DocumentQuery *q, Arena *a,
                      Document **out, size_t *len, int64_t *next, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    Document *docs = arena_new(a, Document, (size_t)q->limit);
    Str words = words_of(a, q->q);
    if (docs == NULL || words.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %d documents", q->limit);
    const Walk walk = walk_for(q, words);
    ErrCode rc = begin_walk(reader, project, q, &walk, &rows, err);
    size_t n = 0;
    int64_t seen = 0, last = 0;
    bool full = false;
    while (rc == OK && db_next(&rows, &rc, err)) {
        full = n == (size_t)q->limit;
        if (full)
            break;
        ArenaMark mark = arena_mark(a);
        rc = document_read(&rows, project, a, &docs[n], err);
        last = docs[n].id;
        seen++;
        if (rc == OK && wanted(&docs[n], q, words))
            n++;
        else
            arena_rewind(a, mark);
    }
    *out = docs;
    *len = n;
    *next = full || seen == DOCUMENT_WALK_MAX ? last : 0;
    return rc;
}

/* --- documents from before words were kept --- */

typedef struct Unread {
    int64_t after;
    int64_t count;
} Unread;

enum { UNREAD_BATCH = 200 };

static ErrCode read_one(DbConn *tx, const Document *d, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
    Document doc = *d;
    doc.words = a != NULL ? document_words(a, d->name, STR("")) : (Str){0};
    if (doc.words.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the words of a name");
    ErrCode rc = db_exec(tx, &sql_document_read,
                         DB_ARGS(DB_I(d->id), DB_S(family_of(d->type, d->name)), DB_S(doc.words)),
                         NULL, err);
    return rc == OK ? document_index(tx, &doc, err) : rc;
}

/* Read first, write then: the rows of a walk must not change under it. */
static ErrCode read_batch(DbConn *tx, void *arg, Err *err)
{
    Unread *u = arg;
    Document docs[UNREAD_BATCH]; /* 30 KiB */
    size_t n = 0;
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to read documents");
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc =
        db_query(tx, &sql_document_unread, DB_ARGS(DB_I(u->after), DB_I(UNREAD_BATCH)), &rows, err);
    while (rc == OK && n < UNREAD_BATCH && db_next(&rows, &rc, err))
        docs[n++] = (Document){.id = db_int(&rows, 0),
                               .project = db_int(&rows, 1),
                               .name = db_str_copy(&rows, 2, a),
                               .type = db_str_copy(&rows, 3, a)};
    db_rows_done(&rows);
    for (size_t i = 0; rc == OK && i < n; i++)
        rc = read_one(tx, &docs[i], err);
    u->count = (int64_t)n;
    return rc;
}

ErrCode document_index_all(Db *db, Err *err)
{
    Unread u = {0};
    ErrCode rc;
    do {
        u.after = 0; /* what was read is not found again */
        rc = db_write(db, read_batch, &u, err);
    } while (rc == OK && u.count == UNREAD_BATCH);
    return rc;
}
