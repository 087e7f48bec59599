/* worker.c: the resident worker: starts LibreOffice, converts one file after the other. */
#include "office/office.h"
#include "base/fd.h"
#include "office/uno.h"

#include <LibreOfficeKit/LibreOfficeKit.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 512, TASKS_MAX = 100, REMOVE_DEPTH = 16 };

static const char remedy[] =
    "apt install libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui";

/* Found by office_warm, before the first fork. */
static struct {
    char program[PATH_SIZE]; /* LibreOffice's folder "program" */
    void *library;
    const OfficeUno *uno;
} found;

/* ---- in the warm parent ---- */

static bool is_program_folder(const char *path)
{
    char file[PATH_SIZE + 32];
    snprintf(file, sizeof file, "%s/libmergedlo.so", path);
    return access(file, R_OK) == 0;
}

static bool try_folder(const char *path)
{
    if (!is_program_folder(path))
        return false;
    snprintf(found.program, sizeof found.program, "%s", path);
    return true;
}

/* /opt/libreoffice7.4/program, as the project's own packages have it. */
static bool try_opt(void)
{
    DIR *d = opendir("/opt");
    bool hit = false;
    for (struct dirent *e; d != NULL && !hit && (e = readdir(d)) != NULL;) {
        char path[PATH_SIZE];
        if (strncmp(e->d_name, "libreoffice", 11) != 0)
            continue;
        snprintf(path, sizeof path, "/opt/%.200s/program", e->d_name);
        hit = try_folder(path);
    }
    if (d != NULL)
        closedir(d);
    return hit;
}

static bool find_program(void)
{
    static const char *const usual[] = {"/usr/lib/libreoffice/program",
                                        "/usr/lib64/libreoffice/program",
                                        "/usr/local/lib/libreoffice/program"};
    const char *own = getenv("PLATEN_ENGINE_OFFICE");
    if (own != NULL)
        return try_folder(own);
    for (size_t i = 0; i < COUNT_OF(usual); i++)
        if (try_folder(usual[i]))
            return true;
    return try_opt();
}

/* The module stands beside the engine. */
static void *load_module(void)
{
    char path[PATH_SIZE];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return NULL;
    path[n] = 0;
    char *slash = strrchr(path, '/');
    size_t room = sizeof path - (size_t)(slash + 1 - path);
    snprintf(slash + 1, room, "platen-office-uno.so");
    return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

ErrCode office_warm(Err *err)
{
    /* Before any of its code runs: no display, one thread for its pools, nothing of the user's. */
    setenv("SAL_USE_VCLPLUGIN", "svp", 1);
    setenv("SAL_DISABLE_OPENCL", "1", 1);
    setenv("MAX_CONCURRENCY", "1", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    unsetenv("DISPLAY");
    if (!find_program())
        return err_set(err, ERR_ENGINE_MISSING, "LibreOffice is not installed: %s", remedy);
    char path[PATH_SIZE + 32];
    snprintf(path, sizeof path, "%s/libmergedlo.so", found.program);
    found.library = dlopen(path, RTLD_LAZY | RTLD_GLOBAL);
    if (found.library == NULL)
        return err_set(err, ERR_ENGINE_MISSING, "loading LibreOffice: %.150s", dlerror());
    void *module = load_module();
    if (module == NULL)
        return err_set(err, ERR_ENGINE_MISSING,
                       "loading platen-office-uno.so (was platen built with libreoffice-dev?): "
                       "%.100s",
                       dlerror());
    found.uno = dlsym(module, OFFICE_UNO_SYMBOL);
    if (found.uno == NULL || found.uno->version != OFFICE_UNO_VERSION)
        return err_set(err, ERR_ENGINE_MISSING, "platen-office-uno.so is of another version");
    return OK;
}

/* ---- in the worker ---- */

/* No macros, no active content, no links, no autosave, no comments in the margin (they need a
 * dialog that the packages without a user interface lack). */
static const char settings[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                               "<oor:items xmlns:oor=\"http://openoffice.org/2001/registry\" "
                               "xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" "
                               "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n"
#define SET(path, name, value)                                                                     \
    "<item oor:path=\"/org.openoffice." path "\"><prop oor:name=\"" name                           \
    "\" oor:op=\"fuse\"><value>" value "</value></prop></item>\n"
    SET("Office.Common/Security/Scripting", "DisableMacrosExecution",
        "true") SET("Office.Common/Security/Scripting", "MacroSecurityLevel", "3")
        SET("Office.Common/Security/Scripting", "BlockUntrustedRefererLinks", "true")
            SET("Office.Common/Security/Scripting", "DisableActiveContent", "true")
                SET("Office.Writer/Content/Update", "Link", "0")
                    SET("Office.Calc/Content/Update", "Link", "1")
                        SET("Office.Writer/Content/Display", "Note", "false")
                            SET("Office.Recovery/AutoSave", "Enabled", "false")
                                SET("Office.Recovery/RecoveryInfo", "Enabled", "false")
                                    SET("Office.Java/VirtualMachine", "Enable", "false")
                                        SET("Office.Common/Misc", "FirstRun", "false")
                                            SET("Office.Common/Misc", "UseOpenCL", "false")
                                                SET("Setup/Office", "ooSetupInstCompleted", "true")
#undef SET
                                                    "</oor:items>\n";

static ErrCode write_settings(const char *folder, Err *err)
{
    char path[PATH_SIZE];
    static const char *const folders[] = {"profile", "profile/user"};
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, folders[i]);
        if (mkdir(path, 0700) != 0)
            return err_set_errno(err, ERR_IO, errno, "could not make LibreOffice's profile");
    }
    snprintf(path, sizeof path, "%s/profile/user/registrymodifications.xcu", folder);
    CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "could not make LibreOffice's profile");
    return fd_write_all(fd, settings, sizeof settings - 1, err);
}

typedef LibreOfficeKit *Hook(const char *install_path, const char *profile_url);

static ErrCode start(const char *folder, void **state, Err *err)
{
    char url[PATH_SIZE], text[OFFICE_UNO_TEXT_MAX] = "";
    static char own[PATH_SIZE];
    snprintf(own, sizeof own, "%s", folder);
    *state = own;
    ErrCode rc = write_settings(folder, err);
    if (rc != OK)
        return rc;
    Hook *hook = (Hook *)dlsym(found.library, "libreofficekit_hook_2");
    snprintf(url, sizeof url, "file://%s/profile", folder);
    if (hook == NULL || hook(found.program, url) == NULL)
        return err_set(err, ERR_ENGINE_MISSING, "LibreOffice in \"%s\" does not start",
                       found.program);
    if (found.uno->open(text) != 0)
        return err_set(err, ERR_ENGINE_MISSING, "LibreOffice has no desktop: %s", text);
    return OK;
}

typedef struct Choosing {
    OfficeFormat to;
    OfficeKind kind; /* found out when the document is loaded */
} Choosing;

static const char *choose(void *ctx, int kind, const char **out_options)
{
    Choosing *c = ctx;
    c->kind = (OfficeKind)kind;
    return office_export(c->kind, c->to, out_options);
}

static ErrCode explain(ResidentWork *w, OfficeUnoEnd end, const OfficeUnoJob *job,
                       const Choosing *c, Err *err)
{
    const char *said = job->text[0] != 0 ? job->text : "no reason given";
    switch (end) {
    case OFFICE_UNO_OK:
        return OK;
    case OFFICE_UNO_ENCRYPTED:
        return err_set(err, ERR_INPUT_ENCRYPTED,
                       job->password != NULL ? "the password does not open the file"
                                             : "the file wants a password");
    case OFFICE_UNO_UNREADABLE:
        err_set(err, ERR_INPUT_DAMAGED, "LibreOffice could not read the file: %.150s", said);
        err_hint(err, "check that it opens in an office program, and that its name has the right "
                      "extension");
        return ERR_INPUT_DAMAGED;
    case OFFICE_UNO_NO_FILTER:
        err_set(err, ERR_UNSUPPORTED_TYPE, "a %s cannot become %s", office_kind_name(c->kind),
                office_format_choices[c->to].name);
        err_hint(err, "it can become " STR_FMT, STR_ARG(office_possible(w->arena, c->kind)));
        return ERR_UNSUPPORTED_TYPE;
    case OFFICE_UNO_UNSTORABLE:
        return err_set(err, ERR_INPUT_DAMAGED, "LibreOffice could not write the %s: %.150s",
                       office_format_choices[c->to].name, said);
    case OFFICE_UNO_BROKEN:
        break;
    }
    return err_set(err, ERR_ENGINE_CRASHED, "LibreOffice failed: %.150s", said);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    remove(path);
    return 0;
}

static ErrCode convert(ResidentWork *w, const char *folder, Err *err)
{
    const Json *q = w->request;
    char from[PATH_SIZE], from_url[PATH_SIZE + 8], to[PATH_SIZE], to_url[PATH_SIZE + 8];
    Str ext = json_text(json_get(q, "extension")), password = json_text(json_get(q, "password"));
    int64_t format = json_int(json_get(q, "to"), OFFICE_PDF);
    Choosing c = {.to = format >= 0 && format < OFFICE_FORMATS ? (OfficeFormat)format : OFFICE_PDF,
                  .kind = OFFICE_KINDS};
    snprintf(from, sizeof from, "%.400s/input." STR_FMT, folder, STR_ARG(ext));
    snprintf(to, sizeof to, "%.400s/output.%s", folder, office_format_choices[c.to].name);
    snprintf(from_url, sizeof from_url, "file://%s", from);
    snprintf(to_url, sizeof to_url, "file://%s", to);
    OfficeUnoJob job = {.from_url = from_url,
                        .to_url = to_url,
                        .password = password.len > 0 ? str_to_c(w->arena, password) : NULL,
                        .pdf_version = (int)json_int(json_get(q, "pdf_version"), 0),
                        .choose = choose,
                        .ctx = &c};
    job.import_filter = office_import(ext, &job.import_options);
    ErrCode rc = resident_save(w->fds[0], from, err);
    if (rc == OK)
        rc = explain(w, found.uno->convert(&job), &job, &c, err);
    if (rc != OK)
        return rc;
    json_kv_c(w->reply, "kind", office_kind_name(c.kind));
    w->out_fd = open(to, O_RDONLY | O_CLOEXEC);
    return w->out_fd >= 0
               ? OK
               : err_set_errno(err, ERR_ENGINE_CRASHED, errno, "LibreOffice has written nothing");
}

static ErrCode serve(void *state, ResidentWork *w, Err *err)
{
    char folder[PATH_SIZE];
    if (w->fds_len != 1)
        return err_set(err, ERR_INPUT_MISSING, "no file to convert");
    snprintf(folder, sizeof folder, "%.200s/task", (const char *)state);
    if (mkdir(folder, 0700) != 0)
        return err_set_errno(err, ERR_IO, errno, "could not make a folder for the task");
    ErrCode rc = convert(w, folder, err);
    nftw(folder, remove_one, REMOVE_DEPTH, FTW_DEPTH | FTW_PHYS);
    return rc;
}

const KitResident office_resident = {
    .tasks_max = TASKS_MAX,
    .readable =
        "/etc/libreoffice:/var/lib/libreoffice:/var/cache/fontconfig:/var/spool/libreoffice",
    .start = start,
    .serve = serve,
    .harmless = (const ErrCode[]){ERR_INPUT_ENCRYPTED, ERR_UNSUPPORTED_TYPE, OK},
};
