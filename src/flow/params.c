/* params.c: parameters with secrets (a document's password) lie in the database sealed. Their hashes
 * (idempotency, memo) are made of the clear text, before it comes here. */
#include "flow/flow_in.h"
#include "base/seal.h"

#include <stdio.h>

static SealPlace place_of(int64_t project)
{
    return (SealPlace){.project = project, .kind = "params"};
}

/* Canonical parameters name a secret only when it was given. A text that holds the same characters
 * elsewhere is sealed without need. */
static bool has_secret(const JobNew *n)
{
    char name[80];
    if (n->secret_params)
        return true;
    param_each(p, n->step != NULL ? n->step->params : NULL) {
        int len = p->secret ? snprintf(name, sizeof name, "\"%.70s\":", p->name) : 0;
        if (len > 0 && str_find(n->params, (Str){name, (size_t)len}) != STR_NONE)
            return true;
    }
    return false;
}

ErrCode flow_params_seal(DbConn *tx, const JobNew *n, Arena **a, Str *out, Err *err)
{
    *out = n->params.len > 0 ? n->params : STR("{}");
    if (n->params.len == 0 || !has_secret(n))
        return OK;
    SealPlace where = place_of(n->project);
    *a = arena_open(8 * n->params.len + 64 * KIB);
    return *a != NULL ? seal_text(db_seal(tx), &where, n->params, *a, out, err)
                      : err_set(err, ERR_NO_MEMORY, "no memory for the parameters");
}

ErrCode flow_params_open(DbConn *c, int64_t project, Arena *a, Str *params, Err *err)
{
    SealPlace where = place_of(project);
    return seal_is(*params) ? seal_read(db_seal(c), &where, *params, a, params, err) : OK;
}
