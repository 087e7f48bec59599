/* web_app.h: the web app: the files that Vite made of web/, each as it is, as gzip and as brotli.
 *
 * tools/web.py builds them, tools/embed_web.py puts them into the program: one run of bytes that
 * the kernel maps from the executable and reads when somebody asks, and the table below. Without
 * the app (meson's -Dweb=false) the table holds one page that says so.
 *
 * The app's pages have paths of their own ("/jobs/job_…"), which only the app knows: GET of any path
 * that is neither a file of the table nor the server's own is answered with "/". */
#ifndef PLATEN_SURFACE_WEB_APP_H
#define PLATEN_SURFACE_WEB_APP_H

#include "base/str.h"

/* Nothing inline, no other origin, no frame; blob: for pictures and sound that the page made. */
#define WEB_APP_CSP                                                                                \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "              \
    "media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "         \
    "font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "                    \
    "frame-ancestors 'none'"
#define WEB_APP_PERMISSIONS                                                                        \
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "              \
    "magnetometer=(), microphone=(), midi=(), payment=(), usb=()"

/* In the order in which we would rather send them, the last first. */
typedef enum WebEncoding { WEB_IDENTITY, WEB_GZIP, WEB_BR, WEB_ENCODINGS } WebEncoding;

typedef struct WebAsset {
    const char *path;        /* "/", "/assets/index-Bbo9nT6E.css" … */
    const char *type;        /* "text/css; charset=utf-8" */
    const char *etag;        /* 32 hex digits of the file's SHA-256 */
    bool immutable;          /* the name has a hash of the content in it */
    Str body[WEB_ENCODINGS]; /* .ptr NULL: not smaller than the one before */
} WebAsset;

/* What to answer to GET of a path that no route has. NULL: there is no such thing, and no page of
 * the app either: what is the API's, the explorer's, a probe's, or looks like a file. */
const WebAsset *web_app_find(Str path);

/* The best encoding of `asset` that an Accept-Encoding allows (RFC 9110, 12.5.3); WEB_IDENTITY when
 * none is: a client that understands nothing gets the file as it is. */
WebEncoding web_app_encoding(const WebAsset *asset, Str accept);
const char *web_encoding_name(WebEncoding e); /* "br"; NULL for WEB_IDENTITY */

#endif
