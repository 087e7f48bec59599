#include "surface/docs_page_in.h"

const DocsAsset *docs_page_find(Str path)
{
    if (path.len > 1 && path.ptr[path.len - 1] == '/')
        path = str_slice(path, 0, path.len - 1);
    for (size_t i = 0; i < docs_page_assets_len; i++)
        if (str_eq_c(path, docs_page_assets[i].path))
            return &docs_page_assets[i];
    return NULL;
}
