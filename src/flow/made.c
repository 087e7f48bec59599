#include "flow/made.h"
#include "db/queries.h"

static ErrCode read_made(const DbRows *rows, Arena *a, MadeFile *out, Err *err)
{
    *out = (MadeFile){.job = db_int(rows, 0),
                      .place = db_int(rows, 1),
                      .name = db_str_copy(rows, 2, a),
                      .type = db_str_copy(rows, 3, a),
                      .hash = db_str_copy(rows, 4, a),
                      .size_bytes = db_int(rows, 5),
                      .step = db_str_copy(rows, 6, a),
                      .pipeline = db_str_copy(rows, 7, a)};
    if (out->name.ptr == NULL || out->type.ptr == NULL || out->hash.ptr == NULL ||
        out->step.ptr == NULL || out->pipeline.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the files");
    return OK;
}

ErrCode flow_made(DbConn *reader, int64_t project, int64_t job, int64_t place, int limit, Arena *a,
                  MadeFn fn, void *ctx, int *seen, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_file_made,
                          DB_ARGS(DB_I(project), DB_I(job), DB_I(place), DB_I(limit)), &rows, err);
    bool on = true;
    *seen = 0;
    while (rc == OK && on && db_next(&rows, &rc, err)) {
        ArenaMark mark = arena_mark(a);
        MadeFile file;
        bool keep = false;
        rc = read_made(&rows, a, &file, err);
        if (rc != OK)
            break;
        ++*seen;
        on = fn(ctx, &file, &keep);
        if (!keep)
            arena_rewind(a, mark);
    }
    return rc;
}

/* --- uses --- */

static ErrCode read_use(const DbRows *rows, Arena *a, JobUse *out, Err *err)
{
    *out = (JobUse){.job = db_int(rows, 0),
                    .step = db_str_copy(rows, 1, a),
                    .pipeline = db_str_copy(rows, 2, a),
                    .taken = db_int(rows, 3),
                    .made = db_int(rows, 4),
                    .state = db_str_copy(rows, 5, a)};
    return out->step.ptr != NULL && out->pipeline.ptr != NULL && out->state.ptr != NULL
               ? OK
               : err_set(err, ERR_NO_MEMORY, "no memory for the jobs of a file");
}

static ErrCode read_files(DbConn *reader, JobUse *use, Arena *a, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    use->files = arena_new(a, MadeFile, USE_FILES_MAX);
    if (use->files == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the files of a job");
    ErrCode rc = db_query(
        reader, &sql_file_job_files,
        DB_ARGS(DB_I(use->job), DB_I(use->taken > 0 ? 1 : 0), DB_I(USE_FILES_MAX)), &rows, err);
    while (rc == OK && use->files_len < USE_FILES_MAX && db_next(&rows, &rc, err)) {
        MadeFile *f = &use->files[use->files_len++];
        *f = (MadeFile){.job = use->job,
                        .name = db_str_copy(&rows, 0, a),
                        .type = db_str_copy(&rows, 1, a),
                        .hash = db_str_copy(&rows, 2, a),
                        .size_bytes = db_int(&rows, 3),
                        .place = db_int(&rows, 4)};
        if (f->name.ptr == NULL || f->type.ptr == NULL || f->hash.ptr == NULL)
            rc = err_set(err, ERR_NO_MEMORY, "no memory for the files of a job");
    }
    return rc;
}

static ErrCode read_uses(DbConn *reader, int64_t project, Str hash, int64_t before, int limit,
                         Arena *a, JobUse *all, size_t *len, bool *more, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_file_jobs,
                          DB_ARGS(DB_I(project), DB_S(hash), DB_I(before > 0 ? before : INT64_MAX),
                                  DB_I((int64_t)limit + 1)),
                          &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        *more = *len == (size_t)limit;
        if (*more)
            break;
        rc = read_use(&rows, a, &all[(*len)++], err);
    }
    return rc;
}

ErrCode flow_uses(DbConn *reader, int64_t project, Str hash, int64_t before, int limit, Arena *a,
                  JobUse **out, size_t *len, bool *more, Err *err)
{
    JobUse *all = arena_new(a, JobUse, (size_t)limit);
    *len = 0;
    *more = false;
    if (all == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the jobs of a file");
    ErrCode rc = read_uses(reader, project, hash, before, limit, a, all, len, more, err);
    for (size_t i = 0; rc == OK && i < *len; i++)
        rc = read_files(reader, &all[i], a, err);
    *out = all;
    return rc;
}
