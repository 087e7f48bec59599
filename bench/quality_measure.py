"""How alike a text is to the text it should be: characters in order, words, headings, cells of tables, rules.

Every measure is symmetric and 1.0 means equal. Markup, white space, and the forms of quotes and dashes do not count.
"""
import collections
import html
import json
import re
import unicodedata

MOST = 60000  # characters compared of one file
SAME = str.maketrans({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', 0x2013: " ", 0x2014: " ", 0x2212: " "})
TAGS = re.compile(r"</?(?:p|b|i|em|strong|u|table|tr|td|th|thead|tbody|br|div|span|h[1-6]|ul|ol|li|a|sub|sup|img|caption|col|pre|code|"
                  r"blockquote)\b[^>]*>", re.I)


def plain(text):
    """The text without what Markdown and HTML add to it."""
    text = re.sub(r"<!--.*?-->", " ", text, flags=re.S)
    text = re.sub(r"!\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(?<!\\)\[((?:[^\[\]\\]|\\.)*)\]\([^)]*\)", r"\1", text)
    text = html.unescape(TAGS.sub(" ", text))
    text = unicodedata.normalize("NFKC", text).lower()
    text = re.sub(r"^\s*\|?[\s:|+=-]+\|?\s*$", "", text, flags=re.M)
    text = re.sub(r"\\([^\w\s])", r"\1", text)
    return re.sub("[|#*`_~>\\\\•●▪◦·\u200b\u00ad\ufeff-]", " ", text).translate(SAME)


def common(a, b):
    """Length of the longest common subsequence: a bit per character of `a`."""
    places = collections.defaultdict(int)
    for i, ch in enumerate(a):
        places[ch] |= 1 << i
    full = (1 << len(a)) - 1
    row = full
    for ch in b:
        hit = row & places.get(ch, 0)
        row = ((row + hit) | (row - hit)) & full
    return len(a) - bin(row).count("1")


def characters(want, got):
    """2 * LCS / (a + b): the right text in the right order."""
    a, b = ("".join(plain(t).split())[:MOST] for t in (want, got))
    return 2 * common(a, b) / (len(a) + len(b)) if a or b else 1.0


def f1(want, got):
    """F1 of two multisets; None where neither holds anything."""
    a, b = collections.Counter(want), collections.Counter(got)
    total = sum(a.values()) + sum(b.values())
    return 2 * sum((a & b).values()) / total if total else None


def words(want, got):
    a, b = (re.findall(r"\w+", plain(t)) for t in (want, got))
    f = f1(a, b)
    return 1.0 if f is None else f


def headings(want, got):
    """F1 of the headings' texts, whatever their level and their number; None where nothing says that there are any."""
    a, b = (["".join(re.sub(r"^\s*[(]?[\d.]+[.)]?\s+|\s\d+\s*$", "", plain(h)).split()) for h in parts.headings] for parts in (want, got))
    return f1([h for h in a if h], [h for h in b if h]) if any(a) else None


def cells_of(parts):
    """All cells that hold text. One that repeats its neighbour to the left or above counts once: some writers repeat the
    text of merged cells and some leave the places empty."""
    cells = []
    for table in parts.tables:
        rows = [["".join(plain(c).split()) for c in row] for row in table]
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                repeats = (c > 0 and row[c - 1] == cell) or (r > 0 and c < len(rows[r - 1]) and rows[r - 1][c] == cell)
                if cell and not repeats:
                    cells.append(cell)
    return cells


def cells(want, got):
    a = cells_of(want)
    return f1(a, cells_of(got)) if a else None


# --- rules of the olmOCR benchmark that are about text: present, absent, order

def one_line(s):
    s = unicodedata.normalize("NFKC", s).translate({**SAME, 0x2013: "-", 0x2014: "-", 0x2212: "-"})
    return " ".join(re.sub(r"[*_#|]", " ", s).split())


def find(needle, text, most):
    """Where `needle` stands in `text` with at most that many edits, or -1."""
    at = text.find(needle)
    if at >= 0 or not most:
        return at
    before, best = list(range(len(needle) + 1)), (most + 1, -1)
    for j, ch in enumerate(text):
        now = [0]
        for i, n in enumerate(needle):
            now.append(min(before[i + 1] + 1, now[i] + 1, before[i] + (n != ch)))
        if now[-1] < best[0]:
            best = (now[-1], j)
        before = now
    return best[1]


def holds(rule, text):
    """Does the rule hold? None for kinds that are not about text."""
    most = rule.get("max_diffs") or 0
    if rule["type"] == "order":
        a, b = (find(one_line(rule[k]), text, most) for k in ("before", "after"))
        return 0 <= a < b
    if rule["type"] not in ("present", "absent"):
        return None
    needle = one_line(rule["text"])
    if not rule.get("case_sensitive", True):
        needle, text = needle.lower(), text.lower()
    text = text[:rule["first_n"]] if rule.get("first_n") else text
    text = text[-rule["last_n"]:] if rule.get("last_n") else text
    return (find(needle, text, most) >= 0) == (rule["type"] == "present")


def rules(path, got):
    """[(rule, holds)] of a rules file, the kinds about text only."""
    text = one_line(unescape_markdown(got))
    pairs = [(r, holds(r, text)) for r in map(json.loads, path.read_text(encoding="utf-8").splitlines())]
    return [(r, ok) for r, ok in pairs if ok is not None]


def unescape_markdown(text):
    return html.unescape(re.sub(r"\\([^\w\s])", r"\1", text))
