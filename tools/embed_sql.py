#!/usr/bin/env python3
"""Turn sql/ into C: every query and every migration as a constant, checked on the way.

    embed_sql.py SQL_DIR --header queries.h --source queries.c --depfile queries.d

sql/*.sql holds blocks:

    -- name: job_get
    -- What it does and what $1, $2 … are. At least one line.
    SELECT … ;

sql/schema/0001_name.sql, 0002_name.sql … are the migrations, applied in that order. One text serves both databases:
/*pg … */ is opened for PostgreSQL, /*sqlite … */ for SQLite, each stays a comment for the other. A query that must
differ has a sibling of the same name in FILE.pg.sql. For SQLite $1 becomes ?1, so parameters are numbered, not named.

The checks below are the rules of the project; what they cannot see is seen by the tests, which prepare
every query on both databases."""

import argparse
import pathlib
import re
import sys
from typing import NamedTuple

DIALECTS = ("sqlite", "pg")

TOKEN = re.compile(
    r"(?P<line>--[^\n]*)|(?P<block>/\*(?P<body>.*?)\*/)|(?P<text>'(?:[^']|'')*')|(?P<space>\s+)", re.S
)

# What would work on one database only, or differently: (pattern, why).
FORBIDDEN = [
    (r"::", "write CAST(x AS type): SQLite reads $1::type as another parameter"),
    (r"\?|[:@][a-z_]", "parameters are $1, $2 …"),
    (r"\b(strftime|datetime|julianday|unixepoch|now|random|current_(time|date|timestamp))\b", "times and ids come from C"),
    (r"\b(autoincrement|serial|bigserial)\b", "ids come from C"),
    (r"\b(true|false|boolean)\b", "flags are 0 and 1"),
    (r"\b(json|jsonb|timestamp|timestamptz|bytea|blob)\s*(,|not\b|null\b|default\b|primary\b|\))", "columns are bigint, double precision or text"),
    (r"\binsert\s+or\b|\breplace\s+into\b", "write INSERT … ON CONFLICT"),
    (r"\b(ifnull|glob|rowid)\b", "SQLite only"),
    (r"==", "write ="),
    (r"[`\"\[\]]", "names need no quotes"),
    (r"\bselect\s+\*|\.\*|\breturning\s+\*", "name the columns: they are read by position"),
]
FORBIDDEN_IN_SCHEMA = [
    (r"\b(integer|int|real|float|varchar|char)\b", "columns are bigint, double precision or text; keys: /*sqlite INTEGER *//*pg bigint */"),
    (r"\bforeign\s+key\b|\breferences\b", "rows are tied by the code, in one transaction"),
    (r"\bif\s+not\s+exists\b", "a migration runs once"),
]


class Bad(Exception):
    pass


class Query(NamedTuple):
    name: str
    text: str
    params: int


class Migration(NamedTuple):
    version: int
    name: str
    text: str


def plain(sql, dialect):
    """The statement without comments and needless space; /*dialect … */ is opened. dialect None opens none."""

    def token(m):
        if m["text"]:
            return m["text"]
        if m["block"] and dialect and re.match(dialect + r"\b", m["body"]):
            return " " + plain(m["body"][len(dialect) :], dialect) + " "
        return " "

    return TOKEN.sub(token, sql).strip()


def without_literals(sql):
    return re.sub(r"'(?:[^']|'')*'", "''", sql)


def check_rules(where, sql, rules):
    code = without_literals(plain(sql, None))
    for pattern, why in rules:
        found = re.search(pattern, code, re.I)
        if found:
            raise Bad(f"{where}: \"{found.group(0).strip()}\": {why}")


def statements(sql):
    """Split at semicolons outside literals."""
    parts, start = [], 0
    for m in re.finditer(r"'(?:[^']|'')*'|;", sql):
        if m.group(0) == ";":
            parts.append(sql[start : m.start()].strip())
            start = m.end()
    parts.append(sql[start:].strip())
    return [p for p in parts if p]


def count_params(where, sql):
    used = {int(n) for n in re.findall(r"\$(\d+)", without_literals(sql))}
    highest = max(used, default=0)
    missing = sorted(set(range(1, highest + 1)) - used)
    if missing or 0 in used:
        raise Bad(f"{where}: parameters must be $1 to ${highest} without gaps")
    return highest


def read_blocks(path):
    """(name, line number, sql) of each block of a file."""
    blocks, name, at, lines = [], None, 0, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() + ["-- name: "], 1):
        m = re.match(r"-- name:\s*(.*?)\s*$", line)
        if not m:
            lines.append(line)
            continue
        body = "\n".join(lines)
        if name is not None:
            blocks.append((name, at, body))
        elif plain(body, None):
            raise Bad(f"{path}:1: a statement before the first \"-- name:\"")
        name, at, lines = m.group(1), number, []
    return blocks


def read_block(path, name, line, body, dialect):
    where = f"{path}:{line}: {name}"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise Bad(f"{where}: names are lower case, digits and _")
    if not re.match(r"\s*--\s*\w", body):
        raise Bad(f"{where}: say in a comment what it does and what its parameters are")
    check_rules(where, body, FORBIDDEN)
    parts = statements(plain(body, dialect))
    if len(parts) != 1:
        raise Bad(f"{where}: {len(parts)} statements, a query is one")
    return Query(name, parts[0], count_params(where, parts[0]))


def load_queries(sql_dir, dialect):
    found = {}
    for path in sorted(sql_dir.glob("*.sql")):
        if path.name.endswith(".pg.sql"):
            continue
        for name, line, body in read_blocks(path):
            query = read_block(path, name, line, body, dialect)
            if name in found:
                raise Bad(f"{path}:{line}: there is another query named {name}")
            other = read_block(path, name, line, body, DIALECTS[dialect == "sqlite"])
            if other.params != query.params:
                raise Bad(f"{path}:{line}: {name} has other parameters on the other database")
            found[name] = query
    for path in sorted(sql_dir.glob("*.pg.sql")):
        for name, line, body in read_blocks(path):
            query = read_block(path, name, line, body, "pg")
            if name not in found or found[name].params != query.params:
                raise Bad(f"{path}:{line}: {name} is a sibling of no query with these parameters")
            if dialect == "pg":
                found[name] = query
    return list(found.values())


def load_schema(sql_dir, dialect):
    migrations = []
    for path in sorted((sql_dir / "schema").glob("*.sql")):
        m = re.fullmatch(r"(\d{4})_([a-z0-9_]+)\.sql", path.name)
        if not m:
            raise Bad(f"{path}: migrations are named 0001_what.sql")
        if int(m[1]) != len(migrations) + 1:
            raise Bad(f"{path}: expected number {len(migrations) + 1:04}")
        body = path.read_text(encoding="utf-8")
        if not body.startswith("--"):
            raise Bad(f"{path}:1: say in a comment what this is")
        check_rules(str(path), body, FORBIDDEN + FORBIDDEN_IN_SCHEMA)
        parts = statements(plain(body, dialect))
        migrations.append(Migration(len(migrations) + 1, m[2], "".join(p + ";\n" for p in parts)))
    return migrations


def for_sqlite(sql):
    """$1 as ?1, outside literals."""
    return re.sub(r"'(?:[^']|'')*'|\$(\d+)", lambda m: f"?{m[1]}" if m[1] else m[0], sql)


def c_text(text):
    lines = text.replace("\\", "\\\\").replace('"', '\\"').split("\n")
    return "\n    ".join(f'"{line}\\n"' if i + 1 < len(lines) else f'"{line}"' for i, line in enumerate(lines))


HEADER = """/* Made from sql/ by tools/embed_sql.py. */
#ifndef PLATEN_DB_QUERIES_H
#define PLATEN_DB_QUERIES_H

#include "db/db.h"

enum {{ SQL_QUERIES = {queries}, SQL_MIGRATIONS = {migrations} }};

{externs}

/* All of them, by index. */
extern const Query *const sql_queries[SQL_QUERIES + 1];

/* sql/schema, in order: version 1 first. */
typedef struct SqlMigration {{
    int version;
    const char *name, *text;
}} SqlMigration;
extern const SqlMigration sql_migrations[SQL_MIGRATIONS + 1];

#endif
"""


def make_header(queries, migrations):
    return HEADER.format(
        queries=len(queries),
        migrations=len(migrations),
        externs="\n".join(f"extern const Query sql_{q.name};" for q in queries),
    )


def make_source(queries, migrations):
    out = ['/* Made from sql/ by tools/embed_sql.py. */\n#include "db/queries.h"\n']
    for i, q in enumerate(queries):
        out.append(
            f'const Query sql_{q.name} = {{\n    .name = "{q.name}",\n    .text = {c_text(for_sqlite(q.text))},\n'
            f"    .index = {i},\n    .params = {q.params},\n}};\n"
        )
    out.append("const Query *const sql_queries[SQL_QUERIES + 1] = {")
    out += [f"    &sql_{q.name}," for q in queries]
    out.append("    NULL,\n};\n\nconst SqlMigration sql_migrations[SQL_MIGRATIONS + 1] = {")
    out += [f'    {{{m.version}, "{m.name}",\n    {c_text(m.text)}}},' for m in migrations]
    out.append("    {0},\n};\n")
    return "\n".join(out)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("sql_dir", type=pathlib.Path)
    arguments.add_argument("--header", type=pathlib.Path, required=True)
    arguments.add_argument("--source", type=pathlib.Path, required=True)
    arguments.add_argument("--depfile", type=pathlib.Path)
    args = arguments.parse_args()
    try:
        queries, migrations = load_queries(args.sql_dir, "sqlite"), load_schema(args.sql_dir, "sqlite")
        load_queries(args.sql_dir, "pg")
        load_schema(args.sql_dir, "pg")
    except Bad as bad:
        sys.exit(f"error: {bad}")
    args.header.write_text(make_header(queries, migrations), encoding="utf-8")
    args.source.write_text(make_source(queries, migrations), encoding="utf-8")
    if args.depfile:
        # The folders too: a new file changes their time.
        inputs = [args.sql_dir, args.sql_dir / "schema", *args.sql_dir.glob("*.sql"), *args.sql_dir.glob("schema/*.sql")]
        args.depfile.write_text(f"{args.header} {args.source}: " + " ".join(map(str, inputs)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
