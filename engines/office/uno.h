/* uno.h: the C face of uno.cc, the module that speaks to LibreOffice (platen-office-uno.so). Plain
 * C types only: it is loaded by name. */
#ifndef PLATEN_OFFICE_UNO_H
#define PLATEN_OFFICE_UNO_H

#ifdef __cplusplus
extern "C" {
#endif

enum { OFFICE_UNO_VERSION = 1, OFFICE_UNO_TEXT_MAX = 200 };

typedef enum OfficeUnoEnd {
    OFFICE_UNO_OK,
    OFFICE_UNO_ENCRYPTED, /* it wants a password, or another one */
    OFFICE_UNO_UNREADABLE,
    OFFICE_UNO_NO_FILTER, /* choose() gave none for this kind */
    OFFICE_UNO_UNSTORABLE,
    OFFICE_UNO_BROKEN, /* LibreOffice itself */
} OfficeUnoEnd;

typedef struct OfficeUnoJob {
    /* All in UTF-8; NULL: none. */
    const char *from_url, *to_url;
    const char *import_filter, *import_options;
    const char *password;
    int pdf_version; /* SelectPdfVersion; 0: LibreOffice's default */
    /* The export filter for a document of this kind (OfficeKind), NULL when there is none. */
    const char *(*choose)(void *ctx, int kind, const char **out_options);
    void *ctx;
    /* Out: what LibreOffice said. */
    char text[OFFICE_UNO_TEXT_MAX];
} OfficeUnoJob;

typedef struct OfficeUno {
    int version;
    /* After LibreOfficeKit has started: find its service manager. 0: done. */
    int (*open)(char text[OFFICE_UNO_TEXT_MAX]);
    /* Load, store, close, on LibreOffice's main thread. */
    OfficeUnoEnd (*convert)(OfficeUnoJob *job);
} OfficeUno;

/* The module's one symbol. */
#define OFFICE_UNO_SYMBOL "platen_office_uno"
extern __attribute__((visibility("default"))) const OfficeUno platen_office_uno;

#ifdef __cplusplus
}
#endif
#endif
