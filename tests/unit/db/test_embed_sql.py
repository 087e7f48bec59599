"""The generator refuses what the rules of SQL refuse, and embeds the rest unchanged in meaning."""

import os
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(os.environ["PLATEN_ROOT"])
sys.path.insert(0, str(ROOT / "tools"))
sys.dont_write_bytecode = True
import embed_sql  # noqa: E402


def load(dialect="sqlite", schema="-- one\nCREATE TABLE t (id bigint);", **files):
    with tempfile.TemporaryDirectory() as folder:
        sql = pathlib.Path(folder)
        (sql / "schema").mkdir()
        (sql / "schema" / "0001_one.sql").write_text(schema)
        for name, text in files.items():
            (sql / (name.replace("__", ".") + ".sql")).write_text(text)
        return embed_sql.load_queries(sql, dialect), embed_sql.load_schema(sql, dialect)


def block(statement, comment="-- Says what it does.\n"):
    return f"-- name: one\n{comment}{statement}\n"


class EmbedSql(unittest.TestCase):
    def test_refuses(self):
        cases = {
            "a cast of PostgreSQL": block("SELECT $1::text;"),
            "a gap in the parameters": block("SELECT $1, $3;"),
            "another kind of parameter": block("SELECT ?;"),
            "a named parameter": block("SELECT :a;"),
            "no comment": block("SELECT 1;", comment=""),
            "a clock": block("SELECT strftime('%s');"),
            "another clock": block("SELECT now();"),
            "a boolean": block("SELECT a FROM t WHERE a = TRUE;"),
            "REPLACE": block("INSERT OR REPLACE INTO t VALUES (1);"),
            "a star": block("SELECT * FROM t;"),
            "two statements": block("SELECT 1; SELECT 2;"),
            "no statement": block(""),
            "quoted names": block('SELECT "a" FROM t;'),
            "text before the first name": "SELECT 1;\n" + block("SELECT 1;"),
            "a name twice": block("SELECT 1;") * 2,
            "a bad name": block("SELECT 1;").replace("one", "One"),
        }
        for why, text in cases.items():
            with self.subTest(why), self.assertRaises(embed_sql.Bad):
                load(a=text)

    def test_refuses_in_a_schema(self):
        for text in ("CREATE TABLE t (id integer)", "CREATE TABLE t (id bigint, at timestamp)", "CREATE TABLE t (flag boolean)",
                     "CREATE TABLE IF NOT EXISTS t (id bigint)"):
            with self.subTest(text), self.assertRaises(embed_sql.Bad):
                load(schema=f"-- one\n{text};")
        with self.assertRaises(embed_sql.Bad):
            load(schema="CREATE TABLE t (id bigint);")

    def test_opens_comments_of_one_dialect(self):
        text = block("SELECT a /*pg FOR UPDATE *//*sqlite , b */ /* never */ FROM t; -- end")
        self.assertEqual(load("sqlite", a=text)[0][0].text.split(), "SELECT a , b FROM t".split())
        self.assertEqual(load("pg", a=text)[0][0].text.split(), "SELECT a FOR UPDATE FROM t".split())

    def test_leaves_literals_alone(self):
        text = block("SELECT '-- no /*pg comment */ $9 ; it''s', $1;")
        query = load(a=text)[0][0]
        self.assertIn("'-- no /*pg comment */ $9 ; it''s'", embed_sql.for_sqlite(query.text))
        self.assertIn("?1", embed_sql.for_sqlite(query.text))
        self.assertEqual(query.params, 1)

    def test_sibling_for_postgres(self):
        files = {"a": block("SELECT 1 + $1;"), "a__pg": block("SELECT 2 + $1;")}
        self.assertEqual(load("sqlite", **files)[0][0].text, "SELECT 1 + $1")
        self.assertEqual(load("pg", **files)[0][0].text, "SELECT 2 + $1")
        with self.assertRaises(embed_sql.Bad):
            load(a=block("SELECT 1;"), a__pg=block("SELECT $1;"))

    def test_the_project_itself(self):
        for dialect in embed_sql.DIALECTS:
            self.assertGreater(len(embed_sql.load_queries(ROOT / "sql", dialect)), 3)
            self.assertGreater(len(embed_sql.load_schema(ROOT / "sql", dialect)), 0)


if __name__ == "__main__":
    unittest.main()
