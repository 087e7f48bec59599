#!/usr/bin/env python3
"""Turn pipelines/*.yaml into C: a table of the pipelines that come with platen, as JSON and as written."""

import json
import pathlib
import re
import sys

import yaml


class Reader(yaml.SafeLoader):
    """YAML 1.2's words for true and false: `on` is a key, not a truth."""


Reader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Reader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


def c_text(text):
    """A C string, cut into lines that compilers take."""
    pieces = [text[i:i + 80] for i in range(0, len(text), 80)] or [""]
    quoted = []
    for piece in pieces:
        out = ""
        for byte in piece.encode():
            out += chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else "\\%03o" % byte
        quoted.append(f'"{out}"')
    return "\n     ".join(quoted)


def main(folder, output, depfile):
    files = sorted(pathlib.Path(folder).glob("*.yaml"))
    lines = ["/* Made from pipelines/ by tools/embed_pipelines.py. */", '#include "api/app.h"', "",
             "/* Whole definitions are longer than C promises; both compilers take them. */",
             '#pragma GCC diagnostic ignored "-Woverlength-strings"', "",
             "const BuiltInPipeline built_in_pipelines[] = {"]
    for path in files:
        source = path.read_text()
        tree = yaml.load(source, Reader)
        if tree["name"] != path.stem:
            sys.exit(f"{path}: its name is {tree['name']}")
        fields = [tree["name"], tree["title"], tree["summary"], json.dumps(tree, separators=(",", ":")), source]
        lines.append("    {" + ",\n     ".join(c_text(f) for f in fields) + "},")
    lines += ["    {0},", "};", ""]
    pathlib.Path(output).write_text("\n".join(lines))
    pathlib.Path(depfile).write_text(f"{output}: {' '.join(str(f) for f in [folder, *files])}\n")


main(*sys.argv[1:])
