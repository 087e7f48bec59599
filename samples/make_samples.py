#!/usr/bin/env python3
"""Writes the sample documents of this folder that are text or PDF; run by hand, the results are committed.

usage: make_samples.py [FOLDER]

They are ours, small, and say enough for the examples of the steps: a report of three pages with headings, a list and a ruled table; a
letter as a web page; notes in Markdown; a table; plain text; and Russian text in an encoding from before Unicode."""
import os
import sys
import zlib

REPORT = [
    [("h1", "Harbour Report 2026"),
     ("p", "This report sums up the year of a small harbour on the west coast. It was written for the town council and for "
           "everybody who keeps a boat here. Figures are rounded; the full tables lie with the harbour master."),
     ("h2", "What happened"),
     ("p", "The breakwater was repaired in spring, after the storms of January had moved forty of its stones. Work took nine "
           "weeks and cost less than was planned, because the quarry at Grindel could deliver by barge."),
     ("i", "The northern pier has a new crane."),
     ("i", "The tide gauge sends its readings every minute."),
     ("i", "Two berths are kept free for visiting boats.")],
    [("h1", "Traffic"),
     ("p", "More boats came than in any year before. Fishing boats were fewer, pleasure boats many more, and the ferry ran on all "
           "but three days."),
     ("t", [["Month", "Ferries", "Fishing", "Pleasure"],
            ["April", "60", "112", "48"],
            ["May", "62", "105", "131"],
            ["June", "60", "98", "274"],
            ["July", "62", "90", "402"]]),
     ("p", "The table counts arrivals. A boat that leaves and comes back on one day counts once.")],
    [("h1", "Next year"),
     ("h2", "Plans"),
     ("n", "Dredge the inner basin to four metres."),
     ("n", "Replace the lamps on the mole."),
     ("n", "Ask the council for a second harbour hand."),
     ("h2", "Thanks"),
     ("p", "Thanks go to the volunteers of the lifeboat, who went out eleven times and brought everybody home.")],
]

ORDERS = """{"id": 1, "customer": "Ada Brandt", "country": "NO", "total": 240.5, "items": [{"name": "rope", "count": 3}]}
{"id": 2, "customer": "Bo Lund", "country": "SE", "total": 18, "items": [{"name": "hook", "count": 12}, {"name": "lamp", "count": 1}]}
{"id": 3, "customer": "Chloé Petit", "country": "FR", "total": 512, "items": []}
{"id": 4, "customer": "Ada Brandt", "country": "NO", "total": 99.9, "items": [{"name": "lamp", "count": 2}]}
"""

# Nine lines that would be a thousand million values.
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    "a%d: &a%d [%s]\n" % (i, i, ", ".join(["*a%d" % (i - 1)] * 10)) for i in range(1, 9))

LETTER = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>A letter about bees</title><meta name="author" content="Ida Lund">
<style>body { font-family: serif }</style><script>var unused = "not text";</script></head>
<body>
<nav><a href="/">Home</a> <a href="/letters">Letters</a></nav>
<h1>A letter about bees</h1>
<p>Dear <b>Tom</b>,<br>the hives came through the winter. All but one are <i>strong</i>, and the lime trees are about to bloom.</p>
<p>You asked what you need to begin. Not much:</p>
<ul><li>a hive, best bought new
<ul><li>two supers</li><li>a queen excluder</li></ul></li>
<li>a smoker and a veil</li><li>a book, for example <a href="https://example.org/bees">this one</a></li></ul>
<h2>Honey so far</h2>
<table><caption>Kilograms by hive</caption>
<tr><th>Hive</th><th>May</th><th>June</th></tr>
<tr><td>North</td><td>7</td><td>12</td></tr>
<tr><td>Orchard</td><td colspan="2">19 in one go</td></tr></table>
<blockquote>A swarm in May is worth a load of hay.</blockquote>
<p>Yours &mdash; Ida</p>
<p hidden>This is hidden and no part of the letter.</p>
</body></html>
"""

NOTES = """---
title: Notes on the workshop
author: R. Okafor
---
# Notes on the workshop

We met on *Tuesday* in the **old library**. Present: eleven people and a dog.

## Decisions

1. The next meeting is in three weeks.
2. Everybody brings one `broken` thing:
   - a radio
   - a chair
3. ~~Soup~~ Cake is provided.

> Repair is a way of getting to know a thing.

| Tool | Owner | Free |
|------|-------|-----:|
| Lathe | Mara | yes |
| Saw \\| band | Jun | no |

```
make test
  and then again
```

See [the plan](https://example.org/plan) for more.
"""

PEOPLE = """name,town,born,remark
Ada Sundström,Malmö,1961,"likes tea, dislikes meetings"
Bo Nguyen,Aarhus,1984,"says ""later"" and means it"
Chiara Rossi,Torino,1972,
Dmitri Orlov,Riga,1990,"two lines:
home and work"
"""

PLAIN = """The lighthouse keeper's log

Monday. Wind from the south-west, force five, falling towards evening. Two
ships passed before noon, both bound north. The lamp was cleaned and the
spare wick dried over the stove, where it now smells of herring.

Tuesday. Fog. Nothing was seen and much was heard.

Things to order:

- lamp oil, two barrels
- tea
- a new cat

Visitors say that the stairs have 199 steps. I have counted 201, café
included.
"""

RUSSIAN = """Старый порт

Рано утром рыбаки вышли в море. Ветер был слабый, и вода лежала ровная, как стекло.
К полудню лодки вернулись с хорошим уловом, и на пристани собралось много народу.

Вечером зажгли маяк, и его свет был виден далеко за мысом.
"""


class Pdf:
    """Just enough PDF: standard fonts, text, lines, an outline, a link-free page tree."""

    def __init__(self):
        self.objects, self.pages, self.titles = [], [], []

    def add(self, body):
        self.objects.append(body if isinstance(body, bytes) else body.encode("latin-1"))
        return len(self.objects)

    def stream(self, data):
        packed = zlib.compress(data.encode("latin-1"), 9)
        return self.add(b"<</Length %d/Filter/FlateDecode>>\nstream\n%s\nendstream" % (len(packed), packed))

    def write(self, path, title, author):
        root = len(self.objects) + len(self.pages) + len(self.titles) + 5
        fonts = [self.add("<</Type/Font/Subtype/Type1/BaseFont/%s/Encoding/WinAnsiEncoding>>" % f) for f in ("Helvetica", "Helvetica-Bold")]
        tree = len(self.objects) + len(self.pages) + 1
        kids = [self.add("<</Type/Page/Parent %d 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources<</Font<</F1 %d 0 R/F2 %d 0 R>>>>>>"
                         % (tree, c, *fonts)) for c in self.pages]
        self.add("<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), " ".join("%d 0 R" % k for k in kids)))
        outline = len(self.objects) + 1
        first = outline + 1
        self.add("<</Type/Outlines/First %d 0 R/Last %d 0 R/Count %d>>" % (first, first + len(self.titles) - 1, len(self.titles)))
        for i, (text, page) in enumerate(self.titles):
            around = ("/Prev %d 0 R" % (first + i - 1) if i else "") + ("/Next %d 0 R" % (first + i + 1) if i + 1 < len(self.titles) else "")
            self.add("<</Title(%s)/Parent %d 0 R/Dest[%d 0 R/Fit]%s>>" % (text, outline, kids[page], around))
        self.add("<</Type/Catalog/Pages %d 0 R/Outlines %d 0 R/Lang(en)>>" % (tree, outline))
        assert root == len(self.objects)
        info = self.add("<</Title(%s)/Author(%s)/CreationDate(D:20260131120000Z)>>" % (title, author))
        out, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
        for number, body in enumerate(self.objects, 1):
            places.append(len(out))
            out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
        start = len(out)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1) + b"".join(b"%010d 00000 n \n" % p for p in places)
        out += b"trailer\n<</Size %d/Root %d 0 R/Info %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, root, info, start)
        with open(path, "wb") as f:
            f.write(out)


def wrap(text, width):
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = (line + " " + word).strip()
    return lines + [line]


def page(pdf, items, number):
    out, y, count = [], 780, 0

    def show(font, size, x, text):
        safe = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        out.append("BT /%s %g Tf %g %g Td (%s) Tj ET" % (font, size, x, y, safe))

    for kind, value in items:
        if kind in ("h1", "h2"):
            y -= 14
            show("F2", 20 if kind == "h1" else 15, 72, value)
            if kind == "h1":
                pdf.titles.append((value, number))
            y -= 28
        elif kind == "p":
            for line in wrap(value, 84):
                show("F1", 11, 72, line)
                y -= 15
            y -= 8
        elif kind in ("i", "n"):
            count += 1
            show("F1", 11, 84, "\x95" if kind == "i" else "%d." % count)
            show("F1", 11, 100, value)
            y -= 17
        else:
            top, height, width = y + 14, 20, 100
            for row, cells in enumerate(value):
                for column, cell in enumerate(cells):
                    show("F2" if row == 0 else "F1", 11, 78 + column * width, cell)
                y -= height
            bottom = top - height * len(value)
            for i in range(len(value) + 1):
                out.append("72 %g m %g %g l S" % (top - i * height, 72 + width * len(value[0]), top - i * height))
            for i in range(len(value[0]) + 1):
                out.append("%g %g m %g %g l S" % (72 + i * width, top, 72 + i * width, bottom))
            y -= 14
    y = 40
    show("F1", 9, 280, "Page %d of %d" % (number + 1, len(REPORT)))
    pdf.pages.append(pdf.stream("\n".join(out)))


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    pdf = Pdf()
    for number, items in enumerate(REPORT):
        page(pdf, items, number)
    pdf.write(os.path.join(folder, "report.pdf"), "Harbour Report 2026", "Harbour Office")
    for name, text, encoding in (("letter.html", LETTER, "utf-8"), ("notes.md", NOTES, "utf-8"), ("people.csv", PEOPLE, "utf-8"),
                                 ("plain.txt", PLAIN, "utf-8"), ("orders.jsonl", ORDERS, "utf-8"),
                                 ("bomb.yaml", BOMB, "utf-8"), ("koi8-r.txt", RUSSIAN, "koi8-r")):
        with open(os.path.join(folder, name), "w", encoding=encoding, newline="\n") as f:
            f.write(text)


if __name__ == "__main__":
    main()
