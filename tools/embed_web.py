#!/usr/bin/env python3
"""Pack the built web app for the program: all files one after another, and a C table of where each is.

embed_web.py FOLDER OUT.bin OUT.c

FOLDER/a.js may have a.js.gz and a.js.br beside it (web/tools/pack.mjs). index.html is "/". The table is web_app_assets,
of WebAsset (surface/web_app.h), by path. Files below assets/ have a hash in their names, so they never change.
"""

import hashlib
import pathlib
import sys

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
ENCODINGS = ["", ".gz", ".br"]


def main(folder, packed, table):
    folder = pathlib.Path(folder)
    files = sorted(f for f in folder.rglob("*") if f.is_file() and f.suffix not in (".gz", ".br") and f.name[0] != ".")
    rows, whole = {}, bytearray()
    for file in files:
        name = "/" + file.relative_to(folder).as_posix()
        bodies = []
        for ending in ENCODINGS:
            body = file.with_name(file.name + ending)
            if body.exists():
                data = body.read_bytes()
                bodies.append(f"{{web_app_bytes + {len(whole)}, {len(data)}}}")
                whole += data
            else:
                bodies.append("{0}")
        etag = hashlib.sha256(file.read_bytes()).hexdigest()[:32]
        immutable = "true" if name.startswith("/assets/") else "false"
        path = "/" if name == "/index.html" else name
        rows[path] = f'    {{"{path}", "{TYPES[file.suffix]}", "{etag}", {immutable}, {{{", ".join(bodies)}}}}},'
    text = [
        "/* Written by tools/embed_web.py. */",
        '#include "surface/web_app_in.h"',
        "",
        f"extern const char web_app_bytes[{len(whole)}];",
        "",
        "const WebAsset web_app_assets[] = {",
        *[rows[path] for path in sorted(rows)],
        "};",
        "const size_t web_app_assets_len = sizeof web_app_assets / sizeof web_app_assets[0];",
        "",
    ]
    pathlib.Path(packed).write_bytes(whole)
    pathlib.Path(table).write_text("\n".join(text))


main(*sys.argv[1:])
