#include "core/pipeline.h"
#include "unit/harness.h"

/* The steps of a small world: a reader of documents, a maker of pictures, a few without files. */

typedef struct Args {
    int64_t width, count;
    double ratio;
    Str title, password;
    int format;
    StrList tags;
    const Json *extra;
    bool loud;
} Args;

static const Choice formats[] = {{"markdown", NULL}, {"text", NULL}, {"json", NULL}, {0}};
#define HELP .help = "A value."
static const Param extract_params[] = {
    PARAM_CHOICE(Args, format, HELP, .choices = formats),
    PARAM_TEXT(Args, password, HELP, .secret = true),
    PARAM_END,
};
static const Field who_fields[] = {{"first", FIELD_TYPE_TEXT, "A value."}, {0}};
static const Field extract_data[] = {
    {"pages", FIELD_TYPE_INT, "A value."},
    {"language", FIELD_TYPE_TEXT, "A value."},
    {"headings", FIELD_TYPE_LIST, "A value."},
    {"metadata", FIELD_TYPE_OBJECT, "A value."},
    {"author", FIELD_TYPE_OBJECT, "A value.", .items = who_fields},
    {"any", FIELD_TYPE_ANY, "A value."},
    {0},
};
static const Param convert_params[] = {
    PARAM_INT(Args, width, HELP, .min = 1, .max = 16384),
    PARAM_NUMBER(Args, ratio, HELP, .min_num = 0, .max_num = 9),
    PARAM_BOOL(Args, loud, HELP),
    PARAM_END,
};
static const Param write_params[] = {
    PARAM_TEXT(Args, title, HELP, .required = true),
    PARAM_LIST(Args, tags, HELP),
    PARAM_JSON(Args, extra, HELP),
    PARAM_INT(Args, count, HELP, .min = 1, .max = 9),
    PARAM_END,
};
static const Field write_data[] = {{"text", FIELD_TYPE_TEXT, "A value."}, {0}};
static const Step steps[] = {
    {.name = "document.extract",
     .title = "E",
     .summary = "S.",
     .accepts = "application/pdf",
     .returns = "text/markdown,text/plain,application/json",
     .params = extract_params,
     .data = extract_data,
     .args_size = sizeof(Args)},
    {.name = "image.convert",
     .title = "C",
     .summary = "S.",
     .accepts = "image/*",
     .returns = "image/*",
     .params = convert_params,
     .args_size = sizeof(Args)},
    {.name = "text.write",
     .title = "W",
     .summary = "S.",
     .params = write_params,
     .data = write_data,
     .args_size = sizeof(Args)},
    {.name = "files.pack",
     .title = "P",
     .summary = "S.",
     .accepts = "*/*",
     .inputs_max = 3,
     .input_optional = true,
     .returns = "application/zip"},
};

typedef struct Read {
    ErrCode code;
    Pipeline p;
    PipelineFaults faults;
    Err err;
} Read;

static const char other_text[] =
    "{'name':'other','inputs':{'source':{'type':'file','required':true},"
    "'size':{'type':'int','min':1,'max':5,'required':true},'tone':{'type':'text'}},"
    "'steps':{'a':{'uses':'text.write','with':{'title':'x'}}},"
    "'outputs':{'article':'${{ steps.a.text }}'}}";

static Str quoted(Arena *a, const char *text)
{
    char *c = str_to_c(a, str_from_c(text));
    for (char *p = c; p != NULL && *p != 0; p++)
        if (*p == '\'')
            *p = '"';
        else if (*p == '`')
            *p = '\'';
    return str_from_c(c);
}

static const Registry *world_steps(Arena *a)
{
    Err err = {0};
    static const Example example[] = {{.title = "T", .args = "{}", .expect = "reason=bad_param"},
                                      {0}};
    Registry *r = registry_open(a);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        Step *s = arena_new(a, Step, 1);
        *s = steps[i];
        s->examples = example;
        assert_ok(registry_add(r, s, &err), &err);
    }
    return r;
}

static bool find_other(void *ctx, Str name, const Pipeline **out)
{
    *out = ctx;
    return str_eq_c(name, "other");
}

/* In texts ' stands for " and ` for '. */
static Read read_with(Arena *a, const char *text, const char *lines, PipelineWorld w)
{
    Read r = {.code = ERR_INTERNAL};
    const Json *tree, *lines_tree = NULL;
    r.code = json_parse(a, quoted(a, text), &tree, &r.err);
    if (r.code == OK && lines != NULL)
        r.code = json_parse(a, quoted(a, lines), &lines_tree, &r.err);
    if (r.code == OK)
        r.code = pipeline_read(tree, lines_tree, &w, a, &r.p, &r.faults, &r.err);
    return r;
}

static Read read_text(Arena *a, const char *text)
{
    PipelineWorld w = {.registry = world_steps(a)};
    static Pipeline other;
    Read r = read_with(a, other_text, NULL, w);
    assert_ok(r.code, &r.err);
    other = r.p;
    w.find = find_other;
    w.ctx = &other;
    return read_with(a, text, NULL, w);
}

/* Section 7 of the design, with the steps of this world. */
static const char blog[] =
    "{'name':'blog','title':'Blog article','summary':'From a file to an article.',"
    "'inputs':{'source':{'type':'file','required':true,'accepts':'application/pdf'},"
    "'pictures':{'type':'files'},"
    "'tone':{'type':'choice','choices':['plain','warm'],'default':'plain'},"
    "'customer':{'type':'text','required':true},'limit':{'type':'int'}},"
    "'defaults':{'retry':5,'timeout':'10m'},'secrets':['PDF'],"
    "'concurrency':{'key':'${{ inputs.customer }}','limit':2},'timeout':'2h',"
    "'on':{'event':['document.added']},"
    "'steps':{"
    "'article':{'uses':'text.write','needs':['chapters'],"
    "'with':{'title':'On ${{ steps.seo.text }}'}},"
    "'text':{'uses':'document.extract','with':{'file':'${{ inputs.source }}',"
    "'format':'markdown','password':'${{ secrets.PDF }}'}},"
    "'chapters':{'uses':'text.write','foreach':'${{ steps.text.headings }}',"
    "'with':{'title':'${{ item }}','count':3},'max-parallel':4,'retry':{'attempts':2,'delay':"
    "'1s'}},"
    "'sizes':{'uses':'image.convert','matrix':{'width':[320,640],'of':'${{ inputs.pictures }}'},"
    "'with':{'width':'${{ matrix.width }}','file':'${{ matrix.of }}'},"
    "'on-item-failure':'ignore'},"
    "'seo':{'uses':'text.write','if':'${{ inputs.tone == `plain` }}','continue-on-error':true,"
    "'with':{'title':'${{ steps.text.author.first }}','extra':'${{ steps.text }}'}},"
    "'review':{'wait':'approval','needs':'article','timeout':'7d','on-timeout':'continue'},"
    "'go':{'wait':'signal'},"
    "'pause':{'wait':'time','for':90},"
    "'back':{'wait':'callback','timeout':'1h'},"
    "'more':{'call':'other','with':{'size':2,'source':'${{ steps.text.markdown }}'}},"
    "'publish':{'uses':'text.write','if':'steps.review.approved && steps.more.article != null',"
    "'with':{'title':'${{ waits.back.url }}'},'memo':false,'priority':5,'queue':'slow'}},"
    "'on-failure':{'tell':{'uses':'text.write','with':{'title':'${{ failure.reason }}'}}},"
    "'finally':{'tidy':{'uses':'text.write',"
    "'with':{'title':'${{ steps.text.state }} ${{ steps.tell.state }}'}}},"
    "'outputs':{'article':'${{ steps.article.text }}','sizes':'${{ steps.sizes }}'}}";

static bool needs(const Pipeline *p, const char *id, const char *other)
{
    const Node *n = pipeline_node(p, str_from_c(id));
    for (size_t i = 0; i < n->needs_len; i++)
        if (str_eq_c(p->nodes[n->needs[i]].id, other))
            return true;
    return false;
}

TEST(reads_the_example_of_the_design)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    Read r = read_text(a, blog);
    assert_ok(r.code, &r.err);
    const Pipeline *p = &r.p;
    static const char *const order[] = {"text",    "chapters", "sizes", "seo",  "article",
                                        "review",  "go",       "pause", "back", "more",
                                        "publish", "tell",     "tidy"};
    assert_int_equal(p->nodes_len, COUNT_OF(order));
    for (size_t i = 0; i < p->nodes_len; i++) {
        assert_str_equal(p->nodes[i].id, order[i]);
        for (size_t k = 0; k < p->nodes[i].needs_len; k++)
            assert_true(p->nodes[i].needs[k] < (int)i);
    }
    assert_true(needs(p, "article", "chapters"));
    assert_true(needs(p, "article", "seo"));
    assert_false(needs(p, "article", "text"));
    assert_true(needs(p, "publish", "review"));
    assert_false(needs(p, "publish", "back"));
    assert_int_equal(pipeline_node(p, STR("tidy"))->needs_len, 0);
    assert_int_equal(p->files_len, 2);
    assert_true(p->files[0].required && !p->files[0].many && p->files[1].many);
    assert_string_equal(p->inputs[0].name, "tone");
    assert_string_equal(p->inputs[2].name, "limit");
    assert_false(param_has_default(&p->inputs[2]));
    assert_int_equal(p->timeout_ms, 7200000);
    assert_int_equal(p->concurrency_limit, 2);
    assert_non_null(p->concurrency_key);
    assert_non_null(p->on);
    assert_int_equal(p->secrets_len, 1);
}

TEST(reads_what_nodes_say)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    Read r = read_text(a, blog);
    assert_ok(r.code, &r.err);
    const Node *n = pipeline_node(&r.p, STR("text"));
    assert_ptr_equal(n->step->params, extract_params);
    assert_int_equal(n->attempts, 5);
    assert_int_equal(n->timeout_ms, 600000);
    assert_non_null(n->file);
    assert_null(template_member(n->with, "file"));
    assert_non_null(template_member(n->with, "format"));
    assert_true(n->memo && n->when == NULL && n->priority == PIPELINE_NO_PRIORITY);
    n = pipeline_node(&r.p, STR("chapters"));
    assert_int_equal(n->attempts, 2);
    assert_int_equal(n->retry_ms, 1000);
    assert_int_equal(n->max_parallel, 4);
    assert_non_null(n->foreach);
    n = pipeline_node(&r.p, STR("sizes"));
    assert_int_equal(n->max_parallel, PIPELINE_PARALLEL_DEFAULT);
    assert_true(n->matrix != NULL && n->on_item_failure == ITEM_IGNORE);
    n = pipeline_node(&r.p, STR("review"));
    assert_true(n->kind == NODE_WAIT && n->wait == WAIT_APPROVAL && n->on_timeout_continue);
    assert_str_equal(n->who, "reviewer");
    assert_int_equal(n->timeout_ms, INT64_C(7) * 86400000);
    assert_str_equal(pipeline_node(&r.p, STR("go"))->signal, "go");
    assert_int_equal(pipeline_node(&r.p, STR("pause"))->for_ms, 90000);
    n = pipeline_node(&r.p, STR("more"));
    assert_true(n->kind == NODE_CALL && n->file == NULL && n->attempts == 0);
    assert_non_null(template_member(n->with, "source"));
    n = pipeline_node(&r.p, STR("publish"));
    assert_true(!n->memo && n->priority == 5 && n->when != NULL);
    assert_str_equal(n->queue, "slow");
    assert_int_equal(pipeline_node_index(&r.p, STR("nobody")), -1);
}

/* Faults: around one step, and as whole definitions. */

#define STEP(text)                                                                                 \
    "{'name':'p','inputs':{'source':{'type':'file'},'all':{'type':'files'},"                       \
    "'size':{'type':'int'},'words':{'type':'list'},'tone':{'type':'text'}},"                       \
    "'secrets':['KEY'],'steps':{'a':" text "}}"
#define TWO(a, b)   STEP(a ",'b':" b)
#define WRITE(with) "{'uses':'text.write','with':{" with "}}"
#define EXTRACT     "{'uses':'document.extract','with':{'file':'${{ inputs.source }}'}}"

static const struct {
    const char *text, *path, *detail; /* detail: a part of it */
} faulty[] = {
    {"[]", "", "must be an object"},
    {"{'name':'p'}", "steps", "must be an object of at least one step"},
    {"{'name':'Big','steps':{'a':" WRITE("'title':'x'") "}}", "name", "must begin with a letter"},
    {"{'name':'p','step':{},'steps':{'a':" WRITE("'title':'x'") "}}", "step", "mean \"steps\"?"},
    {"{'name':'p','timeout':'soon','steps':{'a':" WRITE("'title':'x'") "}}", "timeout", "30s"},
    {"{'name':'p','on':3,'steps':{'a':" WRITE("'title':'x'") "}}", "on", "object of triggers"},
    {"{'name':'p','defaults':{'retry':0},'steps':{'a':" WRITE("'title':'x'") "}}", "defaults.retry",
     "from 1 to 100"},
    {"{'name':'p','concurrency':{'key':'${{ steps.a.text }}'},'steps':{'a':" WRITE(
         "'title':'x'") "}}",
     "concurrency.key", "no step has run yet"},
    {"{'name':'p','secrets':['a b'],'steps':{'a':" WRITE("'title':'x'") "}}", "secrets", "names"},
    {"{'name':'p','steps':{'a':" WRITE("'title':'x'") "},'outputs':{'o':'${{ steps.b }}'}}",
     "outputs.o", "there is no such step"},
    {"{'name':'p','inputs':{'wait':{'type':'int'}},'steps':{'a':" WRITE("'title':'x'") "}}",
     "inputs.wait", "every call uses for itself"},
    {"{'name':'p','inputs':{'x':{'type':'intt'}},'steps':{'a':" WRITE("'title':'x'") "}}",
     "inputs.x.type", "mean \"int\"?"},
    {"{'name':'p','inputs':{'x':{'type':'int','max':3,'default':4}},'steps':{'a':" WRITE(
         "'title':'x'") "}}",
     "inputs.x.default", "must be at most 3"},
    {"{'name':'p','inputs':{'x':{'type':'choice'}},'steps':{'a':" WRITE("'title':'x'") "}}",
     "inputs.x.choices", "list of texts"},
    {"{'name':'p','inputs':{'x':{'type':'bool','default':true}},'steps':{'a':" WRITE(
         "'title':'x'") "}}",
     "inputs.x.default", "must be false"},
    {"{'name':'p','inputs':{'x':{'type':'int','required':true,'default':1}},'steps':{'a':" WRITE(
         "'title':'x'") "}}",
     "inputs.x.default", "never used"},
    {"{'name':'p','inputs':{'x':{'type':'file','default':1}},'steps':{'a':" WRITE(
         "'title':'x'") "}}",
     "inputs.x.default", "not known here"},
    {"{'name':'p','inputs':{'x':{'type':'int'},'x':{'type':'int'}},'steps':{'a':" WRITE(
         "'title':'x'") "}}",
     "inputs.x", "twice"},

    {STEP("{'uses':'text.wrote'}"), "steps.a.uses", "mean \"text.write\"?"},
    {STEP("{'uses':'text.write','call':'other'}"), "steps.a", "needs one of uses"},
    {STEP("{}"), "steps.a", "needs one of uses"},
    {STEP("{'uses':'text.write','with':{'title':'x'},'retries':3}"), "steps.a.retries",
     "mean \"retry\"?"},
    {STEP("{'uses':'text.write','with':{'title':'x'},'who':'owner'}"), "steps.a.who",
     "is not for a step"},
    {STEP("{'uses':'text.write','with':{'title':'x'},'max-parallel':3}"), "steps.a.max-parallel",
     "needs foreach or matrix"},
    {STEP("{'uses':'text.write','with':{'title':'x'},'retry':{'attempts':200}}"),
     "steps.a.retry.attempts", "from 1 to 100"},
    {STEP("{'uses':'text.write','with':{'title':'x'},'if':'1 +'}"), "steps.a.if", "column"},
    {STEP("{'uses':'text.write','with':{'title':'x'},'if':'x ${{ 1 }}'}"), "steps.a.if",
     "one expression"},
    {TWO(EXTRACT, WRITE("'title':'x'") ",'a':" WRITE("'title':'x'")), "steps.a", "another step"},
    {STEP("{'wait':'aproval'}"), "steps.a.wait", "mean \"approval\"?"},
    {STEP("{'wait':'time'}"), "steps.a", "needs one of for"},
    {STEP("{'wait':'time','for':'1h','until':'2026-12-24T18:00:00Z'}"), "steps.a", "needs one of"},
    {STEP("{'wait':'approval','for':'1h'}"), "steps.a.for", "is for wait: time"},
    {STEP("{'wait':'approval','who':'boss'}"), "steps.a.who", "reviewer, viewer"},
    {STEP("{'wait':'signal','foreach':[1]}"), "steps.a.foreach", "not for a wait"},
    {STEP("{'call':'nothing'}"), "steps.a.call", "there is no pipeline \"nothing\""},
    {STEP("{'call':'p'}"), "steps.a.call", "cannot call itself"},
    {STEP("{'call':'other','with':{'size':9,'source':'${{ inputs.source }}'}}"),
     "steps.a.with.size", "must be 1 to 5, not 9"},
    {STEP("{'call':'other','with':{'size':3}}"), "steps.a.with.source", "needs this file"},
    {STEP("{'call':'other','with':{'size':3,'sorce':1,'source':'${{ inputs.source }}'}}"),
     "steps.a.with.sorce", "mean \"source\"?"},

    {STEP("{'uses':'document.extract'}"), "steps.a", "needs a file"},
    {STEP(WRITE("'title':'x','file':'${{ inputs.source }}'")), "steps.a.with.file",
     "takes no file"},
    {STEP("{'uses':'document.extract','with':{'file':'a.pdf'}}"), "steps.a.with.file",
     "must be an expression"},
    {STEP("{'uses':'document.extract','with':{'file':'${{ inputs.all }}'}}"), "steps.a.with.file",
     "go through them with foreach"},
    {STEP("{'uses':'document.extract','with':{'file':'${{ inputs.size }}'}}"), "steps.a.with.file",
     "is a whole number; it must be a file"},
    {STEP("{'uses':'files.pack','with':{'inputs':[1,2,3,4]}}"), "steps.a.with.inputs",
     "takes at most 3"},
    {STEP("{'uses':'files.pack','with':{'inputs':'${{ inputs.all }}','file':'${{ inputs.source "
          "}}'}}"),
     "steps.a.with.file", "a second time"},
    {TWO(EXTRACT, "{'uses':'document.extract','with':{'file':'${{ steps.a }}'}}"),
     "steps.b.with.file", "name the file: steps.NAME.output"},

    {STEP(WRITE("")), "steps.a.with.title", "is required"},
    {STEP(WRITE("'titel':'x','title':'y'")), "steps.a.with.titel", "mean \"title\"?"},
    {STEP(WRITE("'title':'x','count':10")), "steps.a.with.count", "must be 1 to 9, not 10"},
    {STEP(WRITE("'title':'x','count':'${{ inputs.tone }}'")), "steps.a.with.count",
     "must be a whole number, and the expression gives text"},
    {STEP(WRITE("'title':'${{ inputs.size }}'")), "steps.a.with.title", "text(…)"},
    {STEP(WRITE("'title':'${{ inputs.source }}'")), "steps.a.with.title", "file:"},
    {STEP(WRITE("'title':'${{ inputs.siz }}'")), "steps.a.with.title", "mean \"size\"?"},
    {STEP(WRITE("'title':'${{ 1 + }}'")), "steps.a.with.title", "column"},
    {STEP(WRITE("'title':'x','extra':{'b':[0,'${{ inpts.size }}']}")), "steps.a.with.extra.b[1]",
     "mean \"inputs\"?"},
    {STEP(WRITE("'title':'${{ inputs.tone.x }}'")), "steps.a.with.title", "nothing inside"},
    {STEP(WRITE("'title':'${{ inputs.source.size }}'")), "steps.a.with.title",
     "name, type, bytes, blob"},
    {STEP(WRITE("'title':'${{ inputs.words.x }}'")), "steps.a.with.title", "is a list"},
    {STEP(WRITE("'title':'${{ item }}'")), "steps.a.with.title", "foreach or matrix"},
    {STEP(WRITE("'title':'${{ matrix.x }}'")), "steps.a.with.title", "has matrix"},
    {STEP(WRITE("'title':'${{ failure.reason }}'")), "steps.a.with.title", "on-failure"},
    {STEP(WRITE("'title':'${{ secrets.KEY }}'")), "steps.a.with.title", "secret parameter"},
    {STEP(WRITE("'title':'${{ job.nr }}'")), "steps.a.with.title", "id, created"},
    {STEP(WRITE("'title':'${{ waits.a.url }}'")), "steps.a.with.title", "only wait: callback"},
    {STEP("{'uses':'document.extract','with':{'file':'${{ inputs.source }}','password':'x${{ "
          "secrets.KEY }}'}}"),
     "steps.a.with.password", "the whole value"},
    {STEP("{'uses':'document.extract','with':{'file':'${{ inputs.source }}','password':'${{ "
          "secrets.KEYS }}'}}"),
     "steps.a.with.password", "mean \"KEY\"?"},
    {TWO(EXTRACT, WRITE("'title':'${{ steps.a.langage }}'")), "steps.b.with.title",
     "mean \"language\"?"},
    {TWO(EXTRACT, WRITE("'title':'${{ steps.a.author.last }}'")), "steps.b.with.title",
     "not in what the step gives"},
    {TWO(EXTRACT, WRITE("'title':'${{ steps.a.image }}'")), "steps.b.with.title",
     "document.extract gives text/markdown"},
    {TWO(WRITE("'title':'x'"), WRITE("'title':'x','extra':'${{ steps.a.output }}'")),
     "steps.b.with.extra", "text.write gives no file"},
    {TWO(WRITE("'title':'x'"), WRITE("'title':'${{ steps.c.text }}'")), "steps.b.with.title",
     "there is no such step"},
    {TWO("{'uses':'text.write','foreach':[1],'with':{'title':'x'}}",
         WRITE("'title':'${{ steps.a.text }}'")),
     "steps.b.with.title", "is a list"},
    {TWO("{'wait':'approval'}", WRITE("'title':'${{ steps.a.aproved }}'")), "steps.b.with.title",
     "mean \"approved\"?"},
    {TWO("{'call':'other','with':{'size':1,'source':'${{ inputs.source }}'}}",
         WRITE("'title':'${{ steps.a.articel }}'")),
     "steps.b.with.title", "mean \"article\"?"},
    {STEP(WRITE("'title':'${{ steps.a.text }}'")), "steps.a.with.title", "the step itself"},

    {STEP("{'uses':'text.write','foreach':'x','with':{'title':'x'}}"), "steps.a.foreach",
     "must be a list"},
    {STEP("{'uses':'text.write','foreach':'${{ inputs.size }}','with':{'title':'x'}}"),
     "steps.a.foreach", "gives a whole number"},
    {STEP("{'uses':'text.write','foreach':[1],'matrix':{'a':[1]},'with':{'title':'x'}}"),
     "steps.a.matrix", "beside foreach"},
    {STEP("{'uses':'text.write','matrix':{'a':[]},'with':{'title':'x'}}"), "steps.a.matrix.a",
     "no values"},
    {STEP("{'uses':'text.write','matrix':{'wide':[1]},'with':{'title':'${{ matrix.wid }}'}}"),
     "steps.a.with.title", "mean \"wide\"?"},

    {TWO(WRITE("'title':'x'"), "{'uses':'text.write','needs':['c'],'with':{'title':'x'}}"),
     "steps.b.needs[0]", "there is no step \"c\""},
    {STEP("{'uses':'text.write','needs':'a','with':{'title':'x'}}"), "steps.a.needs", "itself"},
    {TWO("{'uses':'text.write','needs':'b','with':{'title':'x'}}",
         WRITE("'title':'${{ steps.a.text }}'")),
     "steps.a", "a → b → a"},
    {"{'name':'p','steps':{'a':" WRITE("'title':'${{ steps.z.text }}'") "},'finally':{'z':" WRITE(
         "'title':'x'") "}}",
     "steps.a.with.title", "after all steps have ended"},
    {"{'name':'p','steps':{'a':" WRITE("'title':'x'") "},'finally':{'z':{'uses':'text.write',"
                                                      "'needs':['a'],'with':{'title':'x'}}}}",
     "finally.z.needs[0]", "another section"},
};

TEST(tells_every_fault)
{
    for (size_t i = 0; i < COUNT_OF(faulty); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
        Read r = read_text(a, faulty[i].text);
        if (r.code != ERR_BAD_PIPELINE || r.faults.len == 0)
            fail_msg("%s: %s %s", faulty[i].text, err_reason(r.code), r.err.text);
        const PipelineFault *f = &r.faults.items[0];
        if (r.faults.len != 1 || !str_eq_c(f->path, faulty[i].path) ||
            str_find(f->detail, str_from_c(faulty[i].detail)) == STR_NONE)
            fail_msg("%s:\n%zu: \"" STR_FMT "\": " STR_FMT "\nwant \"%s\": %s", faulty[i].text,
                     r.faults.len, STR_ARG(f->path), STR_ARG(f->detail), faulty[i].path,
                     faulty[i].detail);
    }
}

TEST(tells_all_faults_at_once_with_lines)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    PipelineWorld w = {.registry = world_steps(a)};
    Read r = read_with(a,
                       "{'name':'p','steps':{'a':{'uses':'text.write','needs':['b'],"
                       "'with':{'titel':'x'}},'b':{'uses':'text.write','needs':['a'],"
                       "'with':{'title':'x'}},'c':{'uses':'x.y','with':{'a':'${{ inputs.q }}'}}}}",
                       "{'/steps':2,'/steps/a':3,'/steps/a/with':5,'/steps/a/with/titel':6,"
                       "'/steps/c':9}",
                       w);
    assert_int_equal(r.code, ERR_BAD_PIPELINE);
    static const struct {
        const char *path;
        int line;
    } want[] = {{"steps.c.uses", 9},
                {"steps.a.with.titel", 6},
                {"steps.a.with.title", 5},
                {"steps.c.with.a", 9},
                {"steps.a", 3}};
    assert_int_equal(r.faults.len, COUNT_OF(want));
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        assert_str_equal(r.faults.items[i].path, want[i].path);
        assert_int_equal(r.faults.items[i].line, want[i].line);
    }
    assert_non_null(strstr(r.err.text, "line 9: steps.c.uses: there is no step \"x.y\""));
}

TEST(a_stored_version_is_read_again)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    PipelineWorld w = {.registry = registry_open(a), .stored = true};
    Read r = read_with(a, blog, NULL, w);
    assert_ok(r.code, &r.err);
    const Node *n = pipeline_node(&r.p, STR("text"));
    assert_null(n->step);
    assert_str_equal(n->uses, "document.extract");
    assert_non_null(n->file);
    w.registry = world_steps(a); /* a contract that has become stricter */
    r = read_with(a, STEP(WRITE("'title':'x','count':10")), NULL, w);
    assert_ok(r.code, &r.err);
    assert_non_null(pipeline_node(&r.p, STR("a"))->step);
}

TEST(limits_what_is_read)
{
    CLEANUP(arena_close) Arena *a = arena_open(16 * MIB);
    Buf b = buf_init(a, 1 * MIB);
    buf_add_c(&b, "{'name':'p','steps':{");
    for (int i = 0; i <= PIPELINE_NODES_MAX; i++)
        buf_addf(&b, "%s'n%d':{'wait':'signal'%s%.0d%s}", i > 0 ? "," : "", i,
                 i > 0 ? ",'needs':'n" : "", i > 0 ? i - 1 : 0, i > 0 ? i == 1 ? "0'" : "'" : "");
    buf_add_c(&b, "}}");
    Read r = read_text(a, buf_c(&b));
    assert_int_equal(r.code, ERR_BAD_PIPELINE);
    assert_int_equal(r.faults.len, 1);
    assert_str_equal(r.faults.items[0].path, "steps");
    buf_clear(&b);
    buf_add_c(&b, "{'name':'p','steps':{");
    for (int i = 0; i < 150; i++)
        buf_addf(&b, "%s'n%d':{'uses':'no.step'}", i > 0 ? "," : "", i);
    buf_add_c(&b, "}}");
    r = read_text(a, buf_c(&b));
    assert_int_equal(r.faults.len, PIPELINE_FAULTS_MAX);
}

TEST(reads_durations)
{
    static const struct {
        const char *json;
        int64_t ms;
    } cases[] = {
        {"\"500ms\"", 500},
        {"\"30s\"", 30000},
        {"\"10m\"", 600000},
        {"\"2h\"", 7200000},
        {"\"7d\"", 604800000},
        {"5", 5000},
        {"0.25", 250},
        {"\"1.5h\"", 5400000},
        {"\"5\"", -1},
        {"\"\"", -1},
        {"\"x\"", -1},
        {"-1", -1},
        {"null", -1},
        {"\"5 m\"", -1},
        {"\"1e9d\"", -1},
        {"\"99999999d\"", -1},
        {"1e300", -1},
        {"\".\"", -1},
        {"0", 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
        const Json *j;
        Err err = {0};
        assert_ok(json_parse(a, str_from_c(cases[i].json), &j, &err), &err);
        if (pipeline_duration_ms(j) != cases[i].ms)
            fail_msg("%s: %" PRId64, cases[i].json, pipeline_duration_ms(j));
    }
}

TEST(names_types_shortly)
{
    assert_string_equal(pipeline_type_name(STR("text/markdown; charset=utf-8")), "markdown");
    assert_string_equal(pipeline_type_name(STR("image/webp")), "image");
    assert_string_equal(pipeline_type_name(STR("TEXT/HTML")), "html");
    assert_null(pipeline_type_name(STR("application/octet-stream")));
    assert_true(pipeline_name_ok(STR("my-pipe.2")));
    assert_false(pipeline_name_ok(STR("2pipe")));
    assert_false(pipeline_name_ok(STR("")));
}

TEST(shows_its_inputs_as_a_schema)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    Read r = read_text(a, other_text);
    assert_ok(r.code, &r.err);
    Buf b = buf_init(a, 64 * KIB);
    JsonOut j = json_out(&b);
    pipeline_put_inputs(&r.p, &j);
    assert_str_equal(buf_str(&b),
                     "{\"type\":\"object\",\"properties\":{\"source\":{\"type\":\"string\","
                     "\"x-file\":true},\"size\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":5},"
                     "\"tone\":{\"type\":\"string\",\"maxLength\":1048576}},"
                     "\"required\":[\"source\",\"size\"],\"additionalProperties\":false}");
}

TEST(differs_by_structure)
{
    static const struct {
        const char *from, *to, *want;
    } cases[] = {
        {"{'a':1,'b':[1,2]}", "{'b':[1,2],'a':1.0}", "[]"},
        {"{'a':{'b':1}}", "{'a':{'b':2}}", "[{'kind':'changed','path':'a.b','from':1,'to':2}]"},
        {"{'a':[1]}", "{'a':[1,2]}", "[{'kind':'added','path':'a[1]','to':2}]"},
        {"{'z':1,'a':1}", "{'m':1}",
         "[{'kind':'removed','path':'a','from':1},{'kind':'added','path':'m','to':1},"
         "{'kind':'removed','path':'z','from':1}]"},
        {"{'a b':null}", "{'a b':false}",
         "[{'kind':'changed','path':'[\\'a b\\']','from':null,'to':false}]"},
        {"{'a':1,'a':2}", "{'a':2}", "[]"},
        {"{'a':{}}", "{'a':[]}", "[{'kind':'changed','path':'a','from':{},'to':[]}]"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
        const Json *from, *to;
        Err err = {0};
        assert_ok(json_parse(a, quoted(a, cases[i].from), &from, &err), &err);
        assert_ok(json_parse(a, quoted(a, cases[i].to), &to, &err), &err);
        Buf b = buf_init(a, 64 * KIB);
        JsonOut j = json_out(&b);
        pipeline_put_diff(from, to, &j);
        Str want = quoted(a, cases[i].want);
        assert_false(b.failed);
        if (!str_eq(buf_str(&b), want))
            fail_msg("%s -> %s:\n" STR_FMT, cases[i].from, cases[i].to, STR_ARG(buf_str(&b)));
    }
}

/* What editors are told is what the reader knows: an object of every key, each with its words. */
TEST(tells_editors_its_words)
{
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    Buf b = buf_init(a, 256 * KIB);
    JsonOut j = json_out(&b);
    const Json *all = NULL;
    Err err = {0};
    json_begin(&j, '{');
    pipeline_put_language(&j);
    json_end(&j, '}');
    assert_false(b.failed);
    assert_ok(json_parse(a, buf_str(&b), &all, &err), &err);
    const Json *keys = json_get(all, "keys");
    assert_true(keys->len > 40);
    json_each(key, keys) {
        Str help = json_text(json_get(key, "help"));
        assert_true(help.len > 0 && help.ptr[help.len - 1] == '.');
        assert_true(json_get(key, "in")->len > 0);
    }
    assert_true(json_get(all, "functions")->len > 20 && json_get(all, "roots")->len == 10);
    assert_true(json_get(json_get(all, "members"), "file")->len == 4);
}

TEST(survives_every_failure)
{
    CLEANUP(arena_close) Arena *world = arena_open(1 * MIB);
    PipelineWorld w = {.registry = world_steps(world)};
    const Json *tree;
    Err err = {0};
    assert_ok(json_parse(world, quoted(world, blog), &tree, &err), &err);
    for (int nth = 1;; nth++) {
        fault_arm(nth);
        CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
        Pipeline p;
        PipelineFaults faults;
        ErrCode code = ERR_NO_MEMORY;
        if (a != NULL)
            code = pipeline_read(tree, NULL, &w, a, &p, &faults, &err);
        if (!fault_disarm()) {
            assert_int_equal(code, OK);
            return;
        }
        assert_true(code == ERR_NO_MEMORY || code == OK);
    }
}

/* Each size of arena: the text is read, or there is no memory for it; nothing between. */
TEST(survives_every_shortage)
{
    bool read = false;
    CLEANUP(arena_close) Arena *world = arena_open(1 * MIB);
    PipelineWorld w = {.registry = world_steps(world)};
    for (size_t size = 64 * KIB; size < 2 * MIB; size += 4 * KIB + 37) {
        CLEANUP(arena_close) Arena *a = arena_open(size);
        Read r = read_with(a, blog, NULL, w);
        if (r.code != OK && r.code != ERR_NO_MEMORY)
            fail_msg("%zu: %s", size, r.err.text);
        read |= r.code == OK;
        assert_false(read && r.code != OK);
    }
    assert_true(read);
}

TEST_MAIN(reads_the_example_of_the_design, reads_what_nodes_say, tells_every_fault,
          tells_all_faults_at_once_with_lines, a_stored_version_is_read_again, limits_what_is_read,
          reads_durations, names_types_shortly, shows_its_inputs_as_a_schema, differs_by_structure,
          tells_editors_its_words, survives_every_failure, survives_every_shortage)
