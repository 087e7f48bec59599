/* files.h: the API of documents, of everything uploaded and made, and of previews: what its
 * handlers, its rows in the table of operations and its schemas share. */
#ifndef PLATEN_API_FILES_H
#define PLATEN_API_FILES_H

#include "api/call.h"
#include "content/document.h"

typedef struct DocumentsQuery {
    int64_t limit;
    Str cursor, q, tag;
    int type; /* 0: any, else by family_choices */
} DocumentsQuery;
extern const Param documents_query_params[];
extern const Choice family_choices[]; /* any, then as words.h has them */

typedef struct ContentQuery {
    int64_t version; /* 0: the current one */
} ContentQuery;
extern const Param content_query_params[];

typedef struct DocumentBody {
    Str name;
    StrList tags;
} DocumentBody;
extern const Param document_body_params[];

typedef struct KeepBody {
    Str blob, name, type;
    StrList tags;
} KeepBody;
extern const Param keep_body_params[];

typedef struct TagsQuery {
    int64_t limit;
    Str after;
} TagsQuery;
extern const Param tags_query_params[];

enum { FILES_ANY, FILES_UPLOADED, FILES_MADE };
typedef struct FilesQuery {
    int64_t limit;
    Str cursor, q, tag, step, pipeline;
    int type, from;
} FilesQuery;
extern const Param files_query_params[];

typedef struct UsesQuery {
    int64_t limit;
    Str cursor;
} UsesQuery;
extern const Param uses_query_params[];

/* {"id":"doc_…", …}, as the schema Document. */
void document_write(JsonOut *j, const Document *d);
void document_write_tags(JsonOut *j, Str tags);

/* files_schemas.c */
extern const Field document_fields[], document_list_fields[], document_version_list_fields[],
    tag_list_fields[], any_file_list_fields[], file_uses_fields[], preview_info_fields[];

/* documents.c */
void documents_add(HttpRequest *req);
void documents_list(HttpRequest *req);
void documents_get(HttpRequest *req);
void documents_content(HttpRequest *req);
void documents_delete(HttpRequest *req);
void documents_keep(HttpRequest *req);
void documents_change(HttpRequest *req);
void documents_replace(HttpRequest *req);
void documents_undelete(HttpRequest *req);
void documents_versions(HttpRequest *req);
void documents_restore(HttpRequest *req);
void tags_list(HttpRequest *req);
/* files.c */
void files_list(HttpRequest *req);
void files_uses(HttpRequest *req);

#endif
