/* scan.h: the scan of one file and of everything that lies inside it.
 *
 *   scan.c        the walk: what an object is, who looks at it, limits, the list of findings
 *   names.c       names that deceive            program.c   programs, shortcuts, scripts, EICAR
 *   polyglot.c    two formats at once           archive.c   ZIP, and what libarchive reads
 *   office.c      parts of OOXML, ODF           oledoc.c    streams of Word, Excel, PowerPoint 97
 *   vba.c         macros                        rtf.c       objects in RTF
 *   pdf.cc        actions, scripts, files       markup.c    HTML, SVG, XML, tables
 *   mail.c        attachments                   clamd.c     the ClamAV daemon
 *
 * Types, ZIP archives, compound files and encrypted Office packages are read by the document
 * engine's library.
 *
 * A scanner gets an object, reports what it finds (scan_report) and hands on what lies inside
 * (scan_inside). Scanners never fail: what cannot be read is not there. The walk stops at a depth,
 * a number of objects and a number of bytes, and says so. Memory an object needs is given back when
 * it is done. */
#ifndef PLATEN_SECURITY_SCAN_H
#define PLATEN_SECURITY_SCAN_H

#ifdef __cplusplus
extern "C" {
#endif

#include "core/step.h"
#include "document/readers.h"

extern const Step step_security_scan;

typedef enum Severity { SEVERITY_INFO, SEVERITY_SUSPICIOUS, SEVERITY_MALICIOUS } Severity;
typedef enum FindingCode {
#define FINDING(code, severity, meaning, remedy) FINDING_##code,
#include "security/findings.def"
#undef FINDING
    FINDING_COUNT
} FindingCode;

enum {
    SCAN_DEPTH_MAX = 12,
    SCAN_OBJECTS_MAX = 20000,
    SCAN_FINDINGS_MAX = 120,
    SCAN_SAME_MAX = 12, /* findings of one code */
    SCAN_INNER_MAX = 128 << 20,
};
#define SCAN_TOTAL_MAX ((int64_t)768 << 20) /* bytes of all objects inside */

typedef struct Finding {
    FindingCode code;
    char where[200]; /* "mail.eml/invoice.zip/invoice.docm", "" for the file itself */
    char text[240];
} Finding;

typedef struct Scan {
    StepCtx *step;
    Arena *arena;
    Finding findings[SCAN_FINDINGS_MAX];
    size_t findings_len;
    int counts[FINDING_COUNT]; /* also of those not kept */
    Severity verdict;
    int64_t objects, bytes;
    bool complete;
    bool bomb; /* nothing more is unpacked */
} Scan;

typedef enum Around { AROUND_NOTHING, AROUND_ARCHIVE, AROUND_DOCUMENT, AROUND_MAIL } Around;

typedef struct ScanObject {
    Str bytes;
    Str name;  /* its own, or "" */
    Str where; /* path from the outer file, "" for that itself */
    FileType type;
    int depth;
    int documents; /* documents it lies in, one within the other */
    Around around; /* what it lies in directly */
    const struct ScanObject *outer;
} ScanObject;

/* scan.c */
void scan_init(Scan *s, StepCtx *c);
void scan_file(Scan *s, Str bytes, Str name);
void scan_report(Scan *s, FindingCode code, const ScanObject *o, const char *fmt, ...) PRINTF(4, 5);
/* `bytes` lie in `o` under `name`; they need to live only during the call. */
void scan_inside(Scan *s, const ScanObject *o, Str bytes, Str name, Around around);
/* Where a part of `o` is, for findings about the part. In the arena. */
ScanObject scan_part(Scan *s, const ScanObject *o, Str name);
bool scan_is(const ScanObject *o,
             const char *extensions); /* usual extension of its type, of several */
/* May this much more be unpacked? Says so once when not. */
bool scan_allow(Scan *s, const ScanObject *o, int64_t bytes);
const char *finding_name(FindingCode code, char out[32]);
Severity finding_severity(FindingCode code);
const char *finding_meaning(FindingCode code), *finding_remedy(FindingCode code);
const char *severity_name(Severity s); /* "clean", "suspicious", "malicious" as a verdict */

/* Text search without regard to ASCII case. */
size_t scan_find_nocase(Str s, const char *needle);
/* The first of `words` (separated by '\n') that stands in the text, or "". */
Str scan_find_words(Str s, const char *words);
/* Printable ASCII and UTF-8 of at most `max` bytes, for messages. */
Str scan_printable(Arena *a, Str s, size_t max);
/* Little-endian UTF-16 to UTF-8; in `a`. */
Str scan_utf16(Arena *a, Str s);
uint32_t scan_u16(Str s, size_t at), scan_u32(Str s, size_t at); /* 0 where the bytes end */

/* names.c */
void names_check(Scan *s, const ScanObject *o);
bool names_is_program(Str name); /* ends in .exe, .scr … */
bool names_is_script(Str name);  /* ends in .js, .vbs, .ps1 … */
/* program.c */
void program_check(Scan *s, const ScanObject *o);
void eicar_check(Scan *s, const ScanObject *o);
Str eicar_bytes(Arena *a);
/* A command interpreter or loader is named: "powershell", "mshta" …; "" for none. */
Str program_command(Str text);
/* polyglot.c */
void polyglot_check(Scan *s, const ScanObject *o);
/* one kind of file each; they do nothing on others */
void archive_scan(Scan *s, const ScanObject *o);
void office_part_scan(Scan *s, const ScanObject *package, const ScanObject *part);
void ole_scan(Scan *s, const ScanObject *o);
void rtf_scan(Scan *s, const ScanObject *o);
void pdf_scan(Scan *s, const ScanObject *o);
void markup_scan(Scan *s, const ScanObject *o);
void mail_scan(Scan *s, const ScanObject *o);
/* DDE in the instructions of fields, wherever they stand. */
void dde_check(Scan *s, const ScanObject *o, Str instruction);
/* oledoc.c: an object as OLE 1 wrote it (RTF, and packages). */
void package_scan(Scan *s, const ScanObject *o, Str native);
ErrCode mail_warm(Err *err);

/* vba.c: MS-OVBA. False: not a compressed container. What could be read before damage is given. */
bool vba_decompress(Arena *a, Str packed, size_t max, Str *out);
struct Ole;
/* All modules of the project whose VBA storage is entry `storage`. */
void vba_scan(Scan *s, const ScanObject *o, struct Ole *ole, int storage);
/* What macros' text says, `what` being the project's place. */
typedef struct VbaFacts {
    int modules;
    Str auto_name, call, strong; /* first of each kind, or "" */
    char autos[160], calls[160];
} VbaFacts;
void vba_read(VbaFacts *f, Str source);

#ifdef __cplusplus
}
#endif
#endif
