/* office.h: LibreOffice in resident workers.
 *
 *   clerk (convert.c)             worker (worker.c, uno.cc)
 *   parameters, names  --ask-->   a fresh folder, the input copied into it, loaded hidden, stored as
 *   output             <-------   the format wanted, closed; the folder removed
 *
 * LibreOfficeKit starts LibreOffice in the worker, without windows. The documents themselves are
 * loaded through UNO, hidden, on LibreOffice's own main thread: LibreOfficeKit's documentLoad makes
 * a view, for which the packages without a user interface lack the dialogs (spreadsheets crash it,
 * comments fail), and which costs twice the time. What speaks UNO is C++ and needs LibreOffice's
 * libraries, so it is a module beside the engine, loaded when the engine warms up: the engine is
 * built and starts without LibreOffice, and says what is missing. */
#ifndef PLATEN_OFFICE_OFFICE_H
#define PLATEN_OFFICE_OFFICE_H

#include "kit/resident.h"

extern const Step step_office_convert;
extern const KitResident office_resident;

ErrCode office_warm(Err *err);

/* bomb.c: ERR_LIMIT_RATIO for a file that unpacks to suspiciously much. */
MUST_CHECK ErrCode office_check_bomb(StepCtx *c);
/* Of its parts, for the fuzzer: where the directory is that `tail`, the end of a ZIP file, names;
 * the sum of the sizes a directory names. Neither trusts a byte. */
bool office_zip_directory(Str tail, int64_t *out_at, int64_t *out_len);
int64_t office_zip_unpacked(Str directory);

/* formats.c: what a kind of document can become. */
typedef enum OfficeKind {
    OFFICE_TEXT,
    OFFICE_WEB,
    OFFICE_SHEET,
    OFFICE_SLIDES,
    OFFICE_DRAWING,
    OFFICE_FORMULA,
    OFFICE_KINDS
} OfficeKind;
const char *office_kind_name(OfficeKind k); /* "text", "spreadsheet" … */

/* In the order of office.convert's choices. */
typedef enum OfficeFormat {
    OFFICE_PDF,
    OFFICE_DOCX,
    OFFICE_XLSX,
    OFFICE_PPTX,
    OFFICE_ODT,
    OFFICE_ODS,
    OFFICE_ODP,
    OFFICE_HTML,
    OFFICE_TXT,
    OFFICE_CSV,
    OFFICE_RTF,
    OFFICE_DOC,
    OFFICE_XLS,
    OFFICE_PPT,
    OFFICE_ODG,
    OFFICE_EPUB,
    OFFICE_PNG,
    OFFICE_SVG,
    OFFICE_FORMATS
} OfficeFormat;
extern const Choice office_format_choices[]; /* by OfficeFormat */
const char *office_media_type(OfficeFormat f);

/* LibreOffice's export filter and its options; NULL: this kind does not become this format. */
const char *office_export(OfficeKind k, OfficeFormat f, const char **out_options);
/* "pdf, docx, odt": what it can become, for hints. */
Str office_possible(Arena *a, OfficeKind k);
/* Import filter and options where LibreOffice would have to guess: plain text and tables. NULL:
 * LibreOffice looks for itself. */
const char *office_import(Str extension, const char **out_options);
/* The extension to give the file, from its type or its name: LibreOffice looks at it. */
Str office_extension(Str type, Str name);

#endif
