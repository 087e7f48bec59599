#include "surface/web_app_in.h"

static const char *const names[WEB_ENCODINGS] = {
    [WEB_IDENTITY] = NULL,
    [WEB_GZIP] = "gzip",
    [WEB_BR] = "br",
};

const char *web_encoding_name(WebEncoding e)
{
    return names[e];
}

static const WebAsset *file_of(Str path)
{
    size_t from = 0, to = web_app_assets_len;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        int order = str_cmp(path, str_from_c(web_app_assets[mid].path));
        if (order == 0)
            return &web_app_assets[mid];
        if (order < 0)
            to = mid;
        else
            from = mid + 1;
    }
    return NULL;
}

/* May it be a page of the app? A dot in the only segment is a file ("/robots.txt"); further down it
 * is a name ("/playground/image.convert"). */
static bool is_page(Str path)
{
    static const char *const others[] = {"api", "docs", "health", "metrics", "assets"};
    Str rest = str_slice(path, 1, path.len), first;
    if (!str_next(&rest, '/', &first))
        return true; /* "/" itself */
    for (size_t i = 0; i < COUNT_OF(others); i++)
        if (str_eq_c(first, others[i]))
            return false;
    bool alone = rest.ptr == NULL || rest.len == 0;
    return !str_starts(first, STR(".")) && !(alone && str_find_char(first, '.') != STR_NONE);
}

const WebAsset *web_app_find(Str path)
{
    const WebAsset *file = file_of(path);
    return file == NULL && is_page(path) ? file_of(STR("/")) : file;
}

/* --- Accept-Encoding --- */

/* The weight of "gzip;q=0.5", in thousandths; what cannot be read is 0, "not this". */
static int weight_of(Str params)
{
    Str param;
    while (str_next(&params, ';', &param)) {
        double q;
        param = str_trim(param);
        if (!str_eq_nocase(str_slice(param, 0, 2), STR("q=")))
            continue;
        bool read = str_to_double(str_slice(param, 2, param.len), &q) && q >= 0 && q <= 1;
        return read ? (int)(q * 1000) : 0;
    }
    return 1000;
}

static bool is_coding(Str name, WebEncoding e)
{
    if (e == WEB_GZIP && str_eq_nocase(name, STR("x-gzip")))
        return true;
    return str_eq_nocase(name, names[e] != NULL ? str_from_c(names[e]) : STR("identity"));
}

/* What the list says about one coding; -1: nothing. */
static int weight_in(Str accept, WebEncoding e)
{
    int any = -1;
    Str part;
    while (str_next(&accept, ',', &part)) {
        size_t semicolon = str_find_char(part, ';');
        Str name = str_trim(str_slice(part, 0, semicolon));
        Str params = semicolon == STR_NONE ? (Str){0} : str_slice(part, semicolon + 1, part.len);
        if (is_coding(name, e))
            return weight_of(params);
        if (str_eq_c(name, "*"))
            any = weight_of(params);
    }
    return any;
}

WebEncoding web_app_encoding(const WebAsset *asset, Str accept)
{
    WebEncoding best = WEB_IDENTITY;
    int most = weight_in(accept, WEB_IDENTITY);
    if (most < 0)
        most = 1; /* not named: allowed, after all that is */
    for (int e = WEB_GZIP; e < WEB_ENCODINGS; e++) {
        int weight = weight_in(accept, (WebEncoding)e);
        if (asset->body[e].ptr != NULL && weight > 0 && weight >= most) {
            best = (WebEncoding)e;
            most = weight;
        }
    }
    return best;
}
