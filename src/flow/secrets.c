/* secrets.c: what secrets.NAME stands for, read when a child is made and not before: it is in no
 * scope, no value and no event, only in the parameters, which are stored sealed. */
#include "flow/pipeline_in.h"
#include "secret/secret.h"

typedef struct Wanted {
    Running *r;
    Json *secrets; /* NULL: none yet */
    ErrCode rc;
    Err *err;
} Wanted;

static void on_ref(void *ctx, const Str *path, size_t len)
{
    Wanted *w = ctx;
    Str value;
    if (w->rc != OK || len < 2 || !str_eq_c(path[0], "secrets"))
        return;
    w->rc = secret_get(w->r->tx, w->r->project, path[1], w->r->arena, &value, w->err);
    if (w->rc != OK)
        return;
    if (w->secrets == NULL)
        w->secrets = value_new(w->r->arena, JSON_OBJECT);
    Json *text = value_text(w->r->arena, value);
    if (w->secrets == NULL || text == NULL || !value_add(w->r->arena, w->secrets, path[1], text))
        w->rc = err_set(w->err, ERR_NO_MEMORY, "no memory for secrets");
}

ErrCode value_scope_with_secrets(Running *r, const Template *with, const Json *scope,
                                 const Json **out, Err *err)
{
    Wanted w = {.r = r, .err = err};
    *out = scope;
    template_each_ref(with, on_ref, &w);
    if (w.rc != OK || w.secrets == NULL)
        return w.rc;
    Json *own = value_new(r->arena, JSON_OBJECT);
    if (own == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for secrets");
    *own = *scope; /* shares its members */
    *out = own;
    return value_add(r->arena, own, STR("secrets"), w.secrets)
               ? OK
               : err_set(err, ERR_NO_MEMORY, "no memory for secrets");
}
