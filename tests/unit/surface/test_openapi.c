#include "surface/openapi.h"
#include "unit/surface/fixture.h"

typedef struct Query {
    int64_t wait, limit;
    Str queue;
} Query;

static const Param run_query[] = {
    PARAM_INT(Query, wait, .min = 0, .max = 60, .unit = "s", .help = "Wait so long."),
    PARAM_TEXT(Query, queue, .help = "Queue."),
    PARAM_END,
};
static const Param list_query[] = {
    PARAM_INT(Query, limit, .min = 1, .max = 200, .def = 50, .required = true, .help = "Items."),
    PARAM_END,
};
static const Param key_fields[] = {PARAM_TEXT(Query, queue, .required = true, .help = "Name."),
                                   PARAM_END};
static const Param job_path[] = {
    {.name = "id", .type = PARAM_TYPE_TEXT, .help = "Id of the job.", .required = true}, PARAM_END};

static const Field file_fields[] = {{.name = "name", .type = FIELD_TYPE_TEXT, .help = "Name."},
                                    {0}};
static const Field job_fields[] = {
    {.name = "id", .type = FIELD_TYPE_TEXT, .help = "Id."},
    {.name = "outputs",
     .type = FIELD_TYPE_LIST,
     .help = "Files.",
     .items = file_fields,
     .optional = true},
    {.name = "data", .type = FIELD_TYPE_OBJECT, .help = "Result.", .optional = true},
    {0},
};
static const Field list_fields[] = {
    {.name = "jobs", .type = FIELD_TYPE_LIST, .help = "Jobs.", .items = job_fields},
    {.name = "first", .type = FIELD_TYPE_OBJECT, .help = "The first.", .items = job_fields},
    {0},
};
static const Field problem_fields[] = {
    {.name = "reason", .type = FIELD_TYPE_TEXT, .help = "Reason."}, {0}};
static const SchemaName schemas[] = {
    {"Job", "A job.", job_fields},
    {"JobList", "Jobs.", list_fields},
    {"Problem", "A problem.", problem_fields},
    {0},
};

static const ApiOperation operations[] = {
    {.method = "GET",
     .path = "/api/v1/jobs",
     .role = "viewer",
     .id = "jobs_list",
     .tag = "Jobs",
     .summary = "List jobs",
     .query = list_query,
     .responses = (const ApiResponse[]){{200, "JobList", NULL, "The jobs."}, {0}}},
    {.method = "POST",
     .path = "/api/v1/steps/{name}",
     .body = API_BODY_UPLOAD,
     .role = "runner",
     .id = "steps_run",
     .tag = "Steps",
     .summary = "Run",
     .description = "More.",
     .query = run_query,
     .per_step = true,
     .errors = (const ErrCode[]){ERR_IDEMPOTENCY_MISMATCH, OK},
     .responses = (const ApiResponse[]){{200, "Job", NULL, "It has ended."},
                                        {202, "Job", NULL, "Accepted."},
                                        {0}}},
    {.method = "DELETE",
     .path = "/api/v1/jobs/{id}",
     .role = "runner",
     .id = "jobs_delete",
     .tag = "Jobs",
     .summary = "Delete",
     .path_params = job_path,
     .errors = (const ErrCode[]){ERR_CONFLICT, OK},
     .responses = (const ApiResponse[]){{204, NULL, NULL, "Gone."}, {0}}},
    {.method = "GET",
     .path = "/api/v1/jobs/{id}",
     .role = "viewer",
     .id = "jobs_get",
     .tag = "Jobs",
     .summary = "Read a job",
     .path_params = job_path,
     .responses = (const ApiResponse[]){{200, "Job", NULL, "The job."}, {0}}},
    {.method = "GET",
     .path = "/files/{rest...}",
     .id = "files_get",
     .tag = "Jobs",
     .summary = "Read a file",
     .responses =
         (const ApiResponse[]){{200, NULL, "application/octet-stream", "The bytes."}, {0}}},
    {.method = "GET",
     .path = "/events",
     .id = "events",
     .tag = "Jobs",
     .summary = "Follow",
     .responses = (const ApiResponse[]){{200, "JobList", NULL, "Events."},
                                        {200, NULL, "text/event-stream", NULL},
                                        {0}}},
    {.method = "POST",
     .path = "/api/v1/keys",
     .body = API_BODY_JSON,
     .role = "owner",
     .id = "keys_create",
     .tag = "Keys",
     .summary = "Make a key",
     .fields = key_fields,
     .responses = (const ApiResponse[]){{201, "Job", NULL, "Made."}, {0}}},
    {.method = "POST",
     .path = "/api/v1/blobs",
     .body = API_BODY_UPLOAD,
     .role = "runner",
     .id = "blobs_add",
     .tag = "Blobs",
     .summary = "Upload",
     .fields = key_fields,
     .responses = (const ApiResponse[]){{201, "Job", NULL, "Made."}, {0}}},
    {.method = "GET",
     .path = "/docs",
     .id = "docs",
     .tag = "Pages",
     .summary = "Page",
     .hidden = true},
};

static const ApiTag tags[] = {{"Jobs", "Work."}, {"Keys", "Who may."}, {"Blobs", "Bytes."}, {0}};
static const ApiDoc doc = {
    .title = "platen",
    .version = "0.1.0",
    .description = "Text.",
    .operations = operations,
    .operations_len = COUNT_OF(operations),
    .schemas = schemas,
    .tags = tags,
};

static Str write_document(Arena *a, const Json **out)
{
    Buf b = buf_init(a, 4 * MIB);
    JsonOut j = json_out(&b);
    Err err = {0};
    openapi_put(fixture_registry(a), &doc, &j);
    assert_false(b.failed);
    assert_ok(json_parse(a, buf_str(&b), out, &err), &err);
    return buf_str(&b);
}

/* Follow "a/b/c": the member of that name at each level, the index in lists. */
static const Json *at(const Json *j, const char *path)
{
    Str rest = str_from_c(path), part;
    while (j != NULL && str_next(&rest, '|', &part)) {
        int64_t index;
        const Json *next = json_get_str(j, part);
        if (json_is(j, JSON_LIST) && str_to_i64(part, &index)) {
            next = j->first;
            while (next != NULL && index-- > 0)
                next = next->next;
        }
        j = next;
    }
    return j;
}

static void assert_refs_resolve(const Json *root, const Json *j)
{
    if (j->type == JSON_OBJECT && json_is(json_get(j, "$ref"), JSON_TEXT)) {
        Str rest = json_text(json_get(j, "$ref")), part;
        const Json *to = root;
        assert_true(str_starts(rest, STR("#/")));
        rest = str_slice(rest, 2, rest.len);
        while (to != NULL && str_next(&rest, '/', &part))
            to = json_get_str(to, part);
        if (to == NULL)
            fail_msg(STR_FMT, STR_ARG(json_text(json_get(j, "$ref"))));
    }
    if (j->type == JSON_OBJECT || j->type == JSON_LIST)
        json_each(member, j)
            assert_refs_resolve(root, member);
}

TEST(every_reference_resolves)
{
    CLEANUP(arena_close) Arena *a = arena_open(32 * MIB);
    const Json *root = NULL;
    write_document(a, &root);
    assert_refs_resolve(root, root);
}

TEST(every_operation_is_whole)
{
    CLEANUP(arena_close) Arena *a = arena_open(32 * MIB);
    const Json *root = NULL;
    Str ids[64];
    size_t count = 0;
    write_document(a, &root);
    json_each(path, json_get(root, "paths")) {
        size_t braces = 0, declared = 0;
        for (size_t i = 0; i < path->key.len; i++)
            braces += path->key.ptr[i] == '{';
        assert_true(str_find(path->key, STR("...")) == STR_NONE);
        json_each(op, path) {
            declared = 0;
            ids[count] = json_text(json_get(op, "operationId"));
            for (size_t i = 0; i < count; i++)
                assert_false(str_eq(ids[i], ids[count]));
            count++;
            json_each(p, json_get(op, "parameters"))
                declared += str_eq_c(json_text(json_get(p, "in")), "path");
            assert_int_equal(declared, braces);
            assert_true(json_get(op, "responses")->len >= 2);
            assert_non_null(at(op, "responses|default"));
            assert_non_null(json_get(op, "security"));
            bool known = false;
            json_each(tag, json_get(root, "tags"))
                known |= str_eq(json_text(json_get(tag, "name")),
                                json_text(json_get(op, "tags")->first));
            if (!known)
                fail_msg("unknown tag of " STR_FMT, STR_ARG(ids[count - 1]));
        }
    }
    assert_int_equal(count, 7 + 3); /* without the hidden page and the hidden step */
}

TEST(methods_of_one_path_stand_together)
{
    CLEANUP(arena_close) Arena *a = arena_open(32 * MIB);
    const Json *root = NULL;
    write_document(a, &root);
    const Json *item = at(root, "paths|/api/v1/jobs/{id}");
    assert_int_equal(item->len, 2);
    assert_str_equal(json_text(at(item, "get|operationId")), "jobs_get");
    assert_str_equal(json_text(at(item, "delete|operationId")), "jobs_delete");
    assert_str_equal(json_text(at(item, "delete|parameters|0|description")), "Id of the job.");
    assert_non_null(at(item, "delete|responses|409"));
    assert_null(at(item, "get|responses|409"));
    assert_non_null(at(item, "get|responses|404"));
    assert_null(at(item, "delete|responses|204|content"));
    assert_non_null(at(root, "paths|/files/{rest}|get"));
    assert_int_equal(at(root, "paths|/files/{rest}|get|security")->len, 0);
    assert_int_equal(at(item, "get|security")->len, 3);
}

TEST(a_step_is_an_operation_of_its_own)
{
    CLEANUP(arena_close) Arena *a = arena_open(32 * MIB);
    const Json *root = NULL;
    write_document(a, &root);
    assert_null(at(root, "paths|/api/v1/steps/{name}"));
    assert_null(at(root, "paths|/api/v1/steps/test.hidden"));
    const Json *op = at(root, "paths|/api/v1/steps/image.scale|post");
    assert_str_equal(json_text(at(op, "operationId")), "image_scale");
    assert_str_equal(json_text(at(op, "x-step")), "image.scale");
    const Json *content = at(op, "requestBody|content");
    assert_int_equal(content->len, 4); /* multipart, two raw types, JSON */
    assert_true(json_bool(at(op, "requestBody|required"), false));
    const Json *form = at(content, "multipart/form-data|schema");
    assert_str_equal(json_text(at(form, "properties|file|type")), "array");
    assert_int_equal(json_int(at(form, "properties|file|maxItems"), 0), 3);
    assert_int_equal(json_int(at(form, "properties|width|maximum"), 0), 16384);
    assert_int_equal(json_int(at(form, "properties|wait|maximum"), 0), 60);
    assert_str_equal(json_text(at(form, "required|0")), "file");
    assert_str_equal(json_text(at(form, "required|1")), "width");
    assert_non_null(at(content, "image/*"));
    assert_non_null(at(content, "application/pdf"));
    assert_str_equal(json_text(at(content, "application/json|examples|example1|value|params|fit")),
                     "cover");
    assert_non_null(at(content, "application/json|schema|properties|inputs"));
    assert_str_equal(
        json_text(at(op, "responses|200|content|application/json|schema|allOf|0|$ref")),
        "#/components/schemas/Job");
    assert_non_null(at(op, "responses|202|content"));
    assert_true(str_find(json_text(at(op, "responses|422|description")), STR("`input_damaged`")) !=
                STR_NONE);
    assert_non_null(at(root, "components|schemas|image.scale.params|properties|fit"));
    assert_str_equal(
        json_text(at(root, "components|schemas|image.scale.data|properties|made|type|1")), "null");
}

TEST(a_step_without_files_takes_json_only)
{
    CLEANUP(arena_close) Arena *a = arena_open(32 * MIB);
    const Json *root = NULL;
    write_document(a, &root);
    const Json *op = at(root, "paths|/api/v1/steps/text.repeat|post");
    assert_int_equal(at(op, "requestBody|content")->len, 1);
    assert_null(at(op, "requestBody|content|application/json|schema|properties|inputs"));
    assert_int_equal(at(op, "parameters")->len, 3); /* idempotency, wait, queue */
    const Json *info = at(root, "paths|/api/v1/steps/image.info|post");
    assert_false(json_bool(at(info, "requestBody|required"), true));
    assert_null(at(info, "requestBody|content|multipart/form-data|schema|required"));
}

TEST(schemas_refer_to_each_other)
{
    CLEANUP(arena_close) Arena *a = arena_open(32 * MIB);
    const Json *root = NULL;
    write_document(a, &root);
    const Json *list = at(root, "components|schemas|JobList|properties");
    assert_str_equal(json_text(at(list, "jobs|items|$ref")), "#/components/schemas/Job");
    assert_str_equal(json_text(at(list, "first|$ref")), "#/components/schemas/Job");
    assert_str_equal(json_text(at(root, "components|schemas|Job|properties|outputs|items|type")),
                     "object");
}

TEST(the_text_depends_on_the_tables_only)
{
    CLEANUP(arena_close) Arena *a = arena_open(32 * MIB);
    const Json *root = NULL;
    Str one = write_document(a, &root), two = write_document(a, &root);
    assert_true(str_eq(one, two));
}

TEST_MAIN(every_reference_resolves, every_operation_is_whole, methods_of_one_path_stand_together,
          a_step_is_an_operation_of_its_own, a_step_without_files_takes_json_only,
          schemas_refer_to_each_other, the_text_depends_on_the_tables_only)
