#!/usr/bin/env python3
"""How close extracted text is to the text it should be.

usage: compare.py ENGINE FOLDER...

For each file of a folder that has a neighbour NAME.expected.md (or .txt, .html), run document.extract and print
  order   2 * LCS / (a + b) over characters without markup and white space: right text in the right order
  words   F1 over the multiset of words: right text, whatever the order
and the mean of each folder. At most 40,000 characters of a file are compared."""
import collections
import glob
import html
import os
import re
import subprocess
import sys
import tempfile
import unicodedata

MOST = 40000


def plain(text):
    text = re.sub(r"<!--.*?-->", " ", text, flags=re.S)
    text = re.sub(r"<(script|style|head)\b.*?</\1>", " ", text, flags=re.S | re.I)
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", " ", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"</?[a-zA-Z][^>]*>", " ", text)
    text = re.sub(r"\\([^\w\s])", r"\1", html.unescape(text))
    text = unicodedata.normalize("NFKC", text).lower()
    text = re.sub(r"^\s*\|?[\s:|-]+\|?\s*$", "", text, flags=re.M)
    return re.sub(r"[|#*`_~>\\\u2022\u25cf\u25aa\u00b7\u200b\u00ad\ufeff-]", " ", text)


def longest_common(a, b):
    """Length of the longest common subsequence, a bit per character of `a`."""
    places = collections.defaultdict(int)
    for i, ch in enumerate(a):
        places[ch] |= 1 << i
    full = (1 << len(a)) - 1
    row = full
    for ch in b:
        hit = row & places.get(ch, 0)
        row = ((row + hit) | (row - hit)) & full
    return len(a) - bin(row).count("1")


def compare(want, got):
    a, b = (re.sub(r"\s+", "", plain(t))[:MOST] for t in (want, got))
    order = 2 * longest_common(a, b) / (len(a) + len(b)) if a or b else 1.0
    u, v = (collections.Counter(re.findall(r"\w+", plain(t))) for t in (want, got))
    total = sum(u.values()) + sum(v.values())
    return order, 2 * sum((u & v).values()) / total if total else 1.0


def extract(engine, path, out):
    for old in glob.glob(os.path.join(out, "*")):
        os.remove(old)
    subprocess.run([engine, "--run", "document.extract", "{}", path, "-o", out], capture_output=True, timeout=130, check=False)
    made = glob.glob(os.path.join(out, "*"))
    return open(made[0], encoding="utf-8", errors="replace").read() if made else ""


def main():
    engine, folders = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as out:
        for folder in folders:
            marks = []
            for path in sorted(glob.glob(os.path.join(folder, "*"))):
                want = [path + e for e in (".expected.md", ".expected.txt", ".expected.html") if os.path.exists(path + e)]
                if not want:
                    continue
                marks.append(compare(open(want[0], encoding="utf-8", errors="replace").read(), extract(engine, path, out)))
                print("%.3f %.3f %s" % (*marks[-1], os.path.basename(path)))
            if marks:
                print("%.3f %.3f MEAN of %d in %s" % (*(sum(m) / len(marks) for m in zip(*marks)), len(marks), folder))


if __name__ == "__main__":
    main()
