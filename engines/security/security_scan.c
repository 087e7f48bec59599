/* security.scan: is it safe to open?
 *
 * What    any file in; a verdict with the findings it rests on. The ClamAV daemon is asked when there
 *         is one; our own look at what a file would do is taken always, for what is new is in no
 *         database of signatures.
 * Inside  archives, Office files, PDF, mail and objects in them are looked into, to a depth of 12,
 *         20,000 objects and 768 MB.
 * Clean   says that nothing was found, with `complete` false when not everything was looked at. */
#include "security/scan.h"

#include "document/document.h"
#include "security/clamd.h"

#include <string.h>

enum ClamavUse { CLAMAV_AUTO, CLAMAV_REQUIRED, CLAMAV_OFF };
static const Choice clamav_choices[] = {
    [CLAMAV_AUTO] = {"auto", "Ask the daemon when there is one."},
    [CLAMAV_REQUIRED] = {"required", "Fail when there is none."},
    [CLAMAV_OFF] = {"off", "Do not ask it."},
    {0},
};

typedef struct ScanArgs {
    int clamav;
} ScanArgs;

static const Param scan_params[] = {
    PARAM_CHOICE(ScanArgs, clamav, .choices = clamav_choices, .def = CLAMAV_AUTO,
                 .help = "Whether the ClamAV daemon is asked."),
    PARAM_END,
};

static const Choice verdict_choices[] = {
    {"clean", "Nothing was found that could do harm."},
    {"suspicious", "Something was found that can do harm and that most files do without."},
    {"malicious", "Something was found that nobody sends by accident."},
    {0},
};
static const Choice severity_choices[] = {
    {"info", "Worth knowing; changes no verdict."},
    {"suspicious", "It can do harm."},
    {"malicious", "It is there to do harm."},
    {0},
};
static const Field finding_fields[] = {
    {"code", FIELD_TYPE_TEXT, "What was found, as a stable word."},
    {"severity", FIELD_TYPE_TEXT, "How bad it is.", .choices = severity_choices},
    {"where", FIELD_TYPE_TEXT, "Which part, as a path from the file; empty for the file itself."},
    {"text", FIELD_TYPE_TEXT, "What it says or is called."},
    {"meaning", FIELD_TYPE_TEXT, "What the code means."},
    {"remedy", FIELD_TYPE_TEXT, "What to do."},
    {0},
};
static const Field clamav_fields[] = {
    {"asked", FIELD_TYPE_BOOL, "The daemon has looked at the file."},
    {"signature", FIELD_TYPE_TEXT, "Name of what it found.", .optional = true},
    {"message", FIELD_TYPE_TEXT, "Why it was not asked or did not answer.", .optional = true},
    {0},
};
static const Field scan_fields[] = {
    {"verdict", FIELD_TYPE_TEXT, "What all findings amount to.", .choices = verdict_choices},
    {"findings", FIELD_TYPE_LIST, "The findings, worst first.", .items = finding_fields},
    {"codes", FIELD_TYPE_LIST, "The codes found, each once."},
    {"type", FIELD_TYPE_TEXT, "Media type of the file, by its content."},
    {"objects", FIELD_TYPE_INT, "Objects inside that were looked at."},
    {"inside_bytes", FIELD_TYPE_INT, "Their size, unpacked."},
    {"complete", FIELD_TYPE_BOOL, "Everything was looked at."},
    {"clamav", FIELD_TYPE_OBJECT, "What the ClamAV daemon said.", .items = clamav_fields},
    {0},
};

static void put_finding(JsonOut *j, const Finding *f)
{
    char name[32];
    static const char *const severities[] = {"info", "suspicious", "malicious"};
    json_begin(j, '{');
    json_kv_c(j, "code", finding_name(f->code, name));
    json_kv_c(j, "severity", severities[finding_severity(f->code)]);
    json_kv_c(j, "where", f->where);
    json_kv_c(j, "text", f->text);
    json_kv_c(j, "meaning", finding_meaning(f->code));
    json_kv_c(j, "remedy", finding_remedy(f->code));
    json_end(j, '}');
}

static void put_findings(JsonOut *j, const Scan *s)
{
    json_key(j, "findings");
    json_begin(j, '[');
    for (int severity = SEVERITY_MALICIOUS; severity >= SEVERITY_INFO; severity--)
        for (size_t i = 0; i < s->findings_len; i++)
            if ((int)finding_severity(s->findings[i].code) == severity)
                put_finding(j, &s->findings[i]);
    json_end(j, ']');
    json_key(j, "codes");
    json_begin(j, '[');
    for (int code = 0; code < FINDING_COUNT; code++) {
        char name[32];
        if (s->counts[code] > 0)
            json_put_c(j, finding_name((FindingCode)code, name));
    }
    json_end(j, ']');
}

static void put_clamav(JsonOut *j, const ClamdResult *r)
{
    json_key(j, "clamav");
    json_begin(j, '{');
    json_kv_bool(j, "asked", r->asked);
    if (r->signature[0] != 0)
        json_kv_c(j, "signature", r->signature);
    if (r->message[0] != 0)
        json_kv_c(j, "message", r->message);
    json_end(j, '}');
}

static ErrCode ask_clamav(StepCtx *c, const ScanArgs *a, Scan *s, Str bytes, ClamdResult *out)
{
    ScanObject file = {.bytes = bytes, .name = c->inputs[0].name};
    *out = (ClamdResult){.message = "not asked for"};
    if (a->clamav == CLAMAV_OFF)
        return OK;
    clamd_scan(bytes, out);
    if (out->signature[0] != 0)
        scan_report(s, FINDING_SIGNATURE, &file, "%s", out->signature);
    if (out->asked || a->clamav != CLAMAV_REQUIRED)
        return OK;
    err_set(c->err, ERR_UNREACHABLE, "ClamAV: %.160s", out->message);
    err_hint(c->err, "start clamav-daemon, or name its socket in PLATEN_CLAMD");
    return ERR_UNREACHABLE;
}

static void put_result(StepCtx *c, const Scan *s, Str bytes, const ClamdResult *clamav)
{
    FileType type = {0};
    Err ignored = {0};
    json_kv_c(c->data, "verdict", severity_name(s->verdict));
    put_findings(c->data, s);
    if (detect_type(c->arena, bytes, &type, &ignored) != OK)
        type.media_type = "application/octet-stream";
    json_kv_c(c->data, "type", type.media_type);
    json_kv_int(c->data, "objects", s->objects);
    json_kv_int(c->data, "inside_bytes", s->bytes);
    json_kv_bool(c->data, "complete", s->complete);
    put_clamav(c->data, clamav);
    step_usage(c, "files", 1);
}

static ErrCode scan_run(StepCtx *c, const void *args)
{
    Str bytes;
    ClamdResult clamav;
    Scan *s = arena_new(c->arena, Scan, 1);
    if (c->inputs_len == 0)
        return err_set(c->err, ERR_INPUT_MISSING, "no file was given");
    if (s == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory to scan");
    ErrCode rc = document_map(c, &bytes);
    if (rc != OK)
        return rc;
    scan_init(s, c);
    rc = ask_clamav(c, args, s, bytes, &clamav);
    if (rc == OK) {
        scan_file(s, bytes, c->inputs[0].name);
        put_result(c, s, bytes, &clamav);
    }
    document_unmap(&bytes);
    return rc;
}

const Step step_security_scan = {
    .name = "security.scan",
    .title = "Scan for threats",
    .summary = "Say whether a file is safe to open: macros, scripts, programs, links and tricks "
               "inside it, and what ClamAV knows.",
    .since = "0.1",
    .accepts = "*/*",
    .version = 1,
    .limits = {.time_ms = 120 * 1000,
               .cpu_ms = 60 * 1000,
               .memory_bytes = (int64_t)1 << 30,
               .output_bytes = 1 << 20},
    .params = scan_params,
    .args_size = sizeof(ScanArgs),
    .data = scan_fields,
    .errors = (const ErrCode[]){ERR_INPUT_MISSING, ERR_INPUT_EMPTY, ERR_UNREACHABLE,
                                ERR_LIMIT_MEMORY, OK},
    .examples =
        (const Example[]){
            {.title = "A report", .input = "report.pdf", .expect = "verdict=clean; complete=true"},
            {.title = "A document with a macro that runs by itself",
             .input = "macro.docm",
             .expect = "verdict=suspicious"},
            {.title = "A PDF with a script",
             .input = "script.pdf",
             .args = "{\"clamav\": \"off\"}",
             .expect = "verdict=suspicious"},
            {0}},
    .run = scan_run,
};
