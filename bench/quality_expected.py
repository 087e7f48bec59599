"""What a file's text should be, from the ground truth beside it: Markdown, HTML, pandoc's native syntax, JSON or plain text.

expected(path) gives Parts: the text in reading order, the headings, and the tables as rows of cells.
"""
import dataclasses
import html.parser
import json
import re


@dataclasses.dataclass
class Parts:
    text: str = ""
    headings: list = dataclasses.field(default_factory=list)
    tables: list = dataclasses.field(default_factory=list)  # of rows of cells


# --- Markdown

CELL_END = re.compile(r"(?<!\\)\|")
RULE = re.compile(r"^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")


def row_cells(line):
    return [c.strip() for c in CELL_END.split(line.strip().removeprefix("|").removesuffix("|"))]


def from_markdown(text):
    parts, fence, rows = Parts(text), None, []
    lines = text.splitlines()
    for line in lines + [""]:
        mark = re.match(r"\s*(```+|~~~+)", line)
        if fence:
            fence = None if mark and line.strip().startswith(fence) else fence
            continue
        if mark:
            fence = mark[1]
        heading = re.match(r"\s{0,3}#{1,6}\s+(.*)", line)
        if heading:
            parts.headings.append(re.sub(r"\s#+\s*$", "", heading[1]))
        if line.lstrip().startswith("|"):
            if not RULE.match(line):
                rows.append(row_cells(line))
        elif rows:
            parts.tables.append(rows)
            rows = []
    return parts


# --- HTML

SILENT = {"script", "style", "noscript", "template", "head"}
BLOCKS = {"p", "div", "li", "tr", "td", "th", "br", "table", "ul", "ol", "section", "article", "blockquote", "pre", "figure", "figcaption",
          "h1", "h2", "h3", "h4", "h5", "h6", "main", "header", "footer", "nav", "dt", "dd", "hr"}


class HtmlParts(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.silent, self.out, self.parts, self.from_heading, self.row, self.from_cell = 0, [], Parts(), None, None, None

    def since(self, at):
        return " ".join("".join(self.out[at:]).split())

    def handle_starttag(self, tag, attrs):
        self.silent += tag in SILENT
        if tag in BLOCKS:
            self.out.append("\n")
        if re.fullmatch("h[1-6]", tag):
            self.from_heading = len(self.out)
        elif tag == "table":
            self.parts.tables.append([])
        elif tag == "tr" and self.parts.tables:
            self.row = []
            self.parts.tables[-1].append(self.row)
        elif tag in ("td", "th"):
            self.from_cell = len(self.out)

    def handle_endtag(self, tag):
        self.silent -= tag in SILENT and self.silent > 0
        if re.fullmatch("h[1-6]", tag) and self.from_heading is not None:
            self.parts.headings.append(self.since(self.from_heading))
            self.from_heading = None
        elif tag in ("td", "th") and self.from_cell is not None and self.row is not None:
            self.row.append(self.since(self.from_cell))
            self.from_cell = None
        if tag in BLOCKS:
            self.out.append("\n")

    def handle_data(self, data):
        if not self.silent:
            self.out.append(data)


def from_html(text):
    reader = HtmlParts()
    reader.feed(text)
    reader.parts.text = "".join(reader.out)
    return reader.parts


# --- pandoc's native syntax: constructors, lists, tuples and records as Haskell shows them

TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[A-Za-z_][\w.]*|-?\d+(?:\.\d+)?(?:e-?\d+)?|[\[\](){},=])', re.S)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "&": "", "f": "\f", "b": "\b", "a": "", "v": ""}


def unquote(s):
    def one(m):
        return chr(int(m[1])) if m[1] else ESCAPES.get(m[2], m[2])
    return re.sub(r"\\(?:(\d+)|\s+\\|(.))", lambda m: one(m) if m[1] or m[2] else "", s[1:-1], flags=re.S)


class Native:
    """A value is a str, a number, a list (lists and tuples), or (name, values)."""

    def __init__(self, text):
        self.tokens = [m[1] for m in TOKEN.finditer(text)] + ["end"]
        self.at = 0

    def next(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def until(self, close):
        values = []
        while self.tokens[self.at] != close:
            values.append(self.value())
            if self.tokens[self.at] == ",":
                self.at += 1
        self.at += 1
        return values

    def record(self):
        values = []
        while self.next() != "}":
            self.at += 1 if self.tokens[self.at - 1] == "," else 0  # the field's name stands before "="
            self.at += 1 if self.tokens[self.at] == "=" else 0
            values.append(self.value())
        return values

    def atom(self):
        token = self.next()
        if token == "[":
            return self.until("]")
        if token == "(":
            values = self.until(")")
            return values[0] if len(values) == 1 else values
        if token == "{":
            return self.record()
        if token[0] == '"':
            return unquote(token)
        return (token, []) if token[0].isalpha() else float(token)

    def value(self):
        first = self.atom()
        if not isinstance(first, tuple):
            return first
        while self.tokens[self.at] not in ("]", ")", "}", ",", "=", "end"):
            first[1].append(self.atom())
        return first


class NativeParts:
    def __init__(self):
        self.out, self.parts, self.notes = [], Parts(), []

    def inside(self, value):
        at = len(self.out)
        self.walk(value)
        return " ".join("".join(self.out[at:]).split())

    def items(self, items, number):
        for item in items:
            self.out.append("\n" if number is None else f"\n{number}. ")
            number = number and number + 1
            self.walk(item)

    def walk(self, v):
        if isinstance(v, list):
            for one in v:
                self.walk(one)
        elif isinstance(v, tuple):
            self.node(*v)

    def node(self, name, values):
        if name in ("Str", "Code", "CodeBlock", "Math", "RawInline"):
            if name != "RawInline":
                self.out.append(next((v for v in reversed(values) if isinstance(v, str)), ""))
        elif name in ("Space", "SoftBreak", "LineBreak"):
            self.out.append(" ")
        elif name == "Header":
            self.out.append("\n")
            self.parts.headings.append(self.inside(values[2:]))
            self.out.append("\n")
        elif name == "Table":
            self.parts.tables.append([])
            self.walk(values[1:])
        elif name == "Row":
            self.parts.tables[-1].append([])
            self.walk(values[1:])
        elif name == "Cell":
            at = self.parts.tables[-1][-1]
            at.append(self.inside(values[4:]))
            self.out.append("\n")
        elif name == "Pandoc":
            self.walk(values[-1])
        elif name == "Note":
            self.notes.append(values)
        elif name == "Span" and "comment-start" in values[0][1]:
            author = dict(map(tuple, values[0][2])).get("author", "")
            self.notes.append([("Para", [[("Str", [author + ": "]), *values[1]]])])
        elif name == "OrderedList":
            self.items(values[1], int(values[0][0]))
        elif name == "BulletList":
            self.items(values[0], None)
        elif name == "Image":
            pass  # no text of the document: what it stands for is said elsewhere
        elif name != "Meta":
            block = name in ("Para", "Plain", "BlockQuote", "Div", "LineBlock")
            self.walk(values)
            self.out.append("\n" if block else "")


def from_native(text):
    reader, walker = Native(text), NativeParts()
    while reader.tokens[reader.at] != "end":
        walker.walk(reader.value())
    for note in walker.notes:
        walker.out.append("\n")
        walker.walk(note)
    walker.parts.text = "".join(walker.out)
    return walker.parts


# --- the rest

def from_json(text):
    rows = json.loads(text)
    table = [list(rows[0])] + [[str(v) for v in r.values()] for r in rows] if rows else []
    return Parts("\n".join(" ".join(r) for r in table), [], [table])


FORMS = {".expected.md": from_markdown, ".expected.html": from_html, ".expected.native": from_native, ".expected.json": from_json,
         ".expected.txt": Parts}


def expected(path):
    """Parts of the ground truth, or None where this is of no kind that holds text."""
    for end, read in FORMS.items():
        if path.name.endswith(end):
            return read(path.read_text(encoding="utf-8", errors="replace"))
    return None
