/* doc_html_style.c: the style sheets of HTML and EPUB. Small, without scripts or fonts of their own;
 * every block takes its direction from its own text. */
#include "document/doc_html_in.h"

#define COMMON                                                                                     \
    "p,h1,h2,h3,h4,h5,h6,li,td,th,blockquote{unicode-bidi:plaintext;text-align:start}\n"           \
    "h1,h2,h3,h4,h5,h6{line-height:1.25;margin:1.6em 0 .5em;page-break-after:avoid}\n"             \
    "h1{font-size:1.9em;margin-top:0}h2{font-size:1.45em}h3{font-size:1.2em}\n"                    \
    "h4,h5,h6{font-size:1em}\n"                                                                    \
    "p,ul,ol,pre,table,blockquote{margin:0 0 .8em}\n"                                              \
    "li>ul,li>ol,li>p{margin:.3em 0}\n"                                                            \
    "pre{background:#f4f5f7;border:1px solid #e1e4e8;border-radius:4px;padding:.7em .9em;"         \
    "overflow-x:auto;white-space:pre-wrap;font-size:.88em;line-height:1.45}\n"                     \
    "code{font-family:ui-monospace,Menlo,Consolas,\"DejaVu Sans Mono\",monospace}\n"               \
    "p code,li code,td code{background:#f1f2f4;border-radius:3px;padding:.1em .3em;"               \
    "font-size:.9em}\n"                                                                            \
    "blockquote{border-left:3px solid #c6ccd4;color:#4d5560;padding:.1em 0 .1em 1em}\n"            \
    "table{border-collapse:collapse;font-size:.94em}\n"                                            \
    "th,td{border:1px solid #d5d9df;padding:.35em .6em;vertical-align:top}\n"                      \
    "th{background:#eef1f5}\n"                                                                     \
    "img{max-width:100%;height:auto}\n"                                                            \
    ".note{font-size:.88em;color:#4d5560}\n"                                                       \
    "a{color:#0b57a4}\n"

const char html_style_clean[] =
    "body{font:16px/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Liberation Sans\",Arial,"
    "sans-serif;color:#1c1f23;max-width:46em;margin:2.5em auto;padding:0 1.2em}\n" COMMON;
const char html_style_book[] =
    "body{font:18px/1.6 Charter,\"Bitstream Charter\",Georgia,\"Liberation Serif\",serif;"
    "color:#1c1f23;max-width:38em;margin:2.5em auto;padding:0 1.2em}\n" COMMON;

const char *html_style(DocStyle style)
{
    return style == DOC_STYLE_CLEAN  ? html_style_clean
           : style == DOC_STYLE_BOOK ? html_style_book
                                     : NULL;
}
