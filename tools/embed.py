#!/usr/bin/env python3
"""Write files as one C table, so that a page travels inside the program.

embed.py OUT.c ROOT INDEX FILE...

INDEX answers under ROOT itself ("/docs"), every other FILE under ROOT/its name. The table is docs_page_assets, of
DocsAsset (surface/docs_page.h), sorted as given.
"""

import hashlib
import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def c_bytes(data):
    lines = []
    for at in range(0, len(data), 24):
        lines.append("    " + ",".join(str(b) for b in data[at : at + 24]) + ",")
    return "\n".join(lines)


def main():
    out, root, index, *files = sys.argv[1:]
    bodies, rows = [], []
    for number, name in enumerate(files):
        path = pathlib.Path(name)
        data = path.read_bytes()
        url = root if path.name == index else f"{root}/{path.name}"
        digest = hashlib.sha256(data).hexdigest()
        bodies.append(f"static const unsigned char body{number}[] = {{\n{c_bytes(data)}\n}};")
        rows.append(
            f'    {{"{url}", "{TYPES[path.suffix]}", "{digest}", {{(const char *)body{number}, sizeof body{number}}}}},'
        )
    text = "\n".join(
        [
            "/* Written by tools/embed.py. */",
            '#include "surface/docs_page_in.h"',
            "",
            *bodies,
            "",
            "const DocsAsset docs_page_assets[] = {",
            *rows,
            "};",
            "const size_t docs_page_assets_len = sizeof docs_page_assets / sizeof docs_page_assets[0];",
            "",
        ]
    )
    pathlib.Path(out).write_text(text)


main()
