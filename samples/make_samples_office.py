#!/usr/bin/env python3
"""Writes the Office, book and mail samples of this folder; run by hand, the results are committed.

usage: make_samples_office.py [FOLDER]      (needs pandoc for docx, odt, epub, pptx and rtf)

They are ours, small, and tell one story: a harbour. Times are fixed, so a second run gives the same files where pandoc allows it."""
import email.message
import email.policy
import os
import subprocess
import sys
import zipfile

REPORT = """---
title: Harbour Report
author: Ida Lund
lang: en
date: 2026-11-05
---

# What happened

The breakwater was repaired in spring[^1]. Work took **nine weeks** and cost *less* than was planned; see
[the council's page](https://example.org/council).

- The northern pier has a new crane.
- The tide gauge sends its readings.
    - every minute by radio
    - every hour by wire

# Traffic

| Month | Ferries | Fishing |
|-------|---------|---------|
| April | 60      | 112     |
| May   | 62      | 105     |

## Next year

1. Dredge the inner basin.
2. Replace the lamps.

[^1]: After the storms of January.
"""

SLIDES = """---
title: The Harbour
author: Ida Lund
---

# Traffic

- Ferries ran on all but three days
- Pleasure boats
    - from the north
    - from the islands

::: notes
Mention the new berths.
:::

# Numbers

| Month | Ferries |
|-------|---------|
| April | 60      |
| May   | 62      |
"""

LETTER = """---
title: A letter to the council
author: Ida Lund
lang: en
---

# The lamps on the mole

Dear members of the council,

the lamps on the mole are **thirty years** old. We ask for:

1. twelve new lamps,
2. a mast at the end of the mole,
3. one spare of each.

| Item | Price |
|------|-------|
| Lamp | 140   |
| Mast | 900   |

> A dark harbour is no harbour.
"""

BOOK = """---
title: Small Harbours
author: Ida Lund
lang: en
---

# The first boat

It came in April, with the tide, and nobody had expected it.

# The second boat

It came in May. By then there was a rope ready, and a lamp:

- one rope
- one lamp

## At night

The lamp was lit.
"""

MEMO = """---
title: Memo
author: Ida Lund
---

# To all berth holders

Please mind the **dredger** from Monday: it works at night, too. Its lights are

- red over green,
- two white ones astern.

Überfahrten entfallen am Dienstag.
"""


def with_pandoc(text, path):
    env = dict(os.environ, SOURCE_DATE_EPOCH="1793836800")
    subprocess.run(["pandoc", "--standalone", "-f", "markdown", "-o", path], input=text.encode(), check=True, env=env)


NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def relations(*pairs):
    inside = "".join(f'<Relationship Id="{i}" Type="{OFFICE}/{t}" Target="{target}"/>' for i, t, target in pairs)
    return f'<Relationships xmlns="{PACKAGE}">{inside}</Relationships>'


def cell(ref, value, style=0):
    if isinstance(value, str):
        return f'<c r="{ref}" t="inlineStr"><is><t>{value}</t></is></c>'
    return f'<c r="{ref}" s="{style}"><v>{value}</v></c>'


def sheet(rows):
    out = []
    for n, row in enumerate(rows, 1):
        cells = "".join(cell("ABCDEFG"[k] + str(n), *(v if isinstance(v, tuple) else (v,))) for k, v in enumerate(row) if v != "")
        out.append(f'<row r="{n}">{cells}</row>')
    return f'<worksheet {NS}><sheetData>{"".join(out)}</sheetData></worksheet>'


def budget(path):
    date, money, percent = 1, 2, 3
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            '<Override PartName="/xl/workbook.xml" ContentType='
            '"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
            '<Override PartName="/xl/styles.xml" ContentType='
            '"application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>'
            + "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType='
                      '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>' for n in (1, 2))
            + '</Types>',
        "_rels/.rels": relations(("rId1", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook {NS} xmlns:r="{OFFICE}"><sheets><sheet name="Budget" sheetId="1" r:id="rId1"/>'
            '<sheet name="Boats" sheetId="2" r:id="rId2"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations(("rId1", "worksheet", "worksheets/sheet1.xml"),
                                                ("rId2", "worksheet", "worksheets/sheet2.xml"),
                                                ("rId3", "styles", "styles.xml")),
        "xl/styles.xml": f'<styleSheet {NS}><numFmts count="1"><numFmt numFmtId="164" formatCode="#,##0.00"/></numFmts>'
            '<fonts count="1"><font/></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders>'
            '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4"><xf numFmtId="0"/>'
            '<xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="164" applyNumberFormat="1"/>'
            '<xf numFmtId="9" applyNumberFormat="1"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": sheet([
            ["Item", "Paid", "Amount", "Share"],
            ["Breakwater", (46127, date), (18250.5, money), (0.62, percent)],
            ["Crane", (46174, date), (9400, money), (0.32, percent)],
            ["Lamps", "", (1780, money), (0.06, percent)]]),
        "xl/worksheets/sheet2.xml": sheet([["Boats by month"], [], ["Month", "Ferries", "Fishing"], ["April", 60, 112],
                                           ["May", 62, 105]]),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in parts.items():
            z.writestr(zipfile.ZipInfo(name, (2026, 11, 5, 0, 0, 0)), text, zipfile.ZIP_DEFLATED)


def mail(path):
    m = email.message.EmailMessage(policy=email.policy.SMTP)
    m["Subject"] = "Liegeplätze für den Sommer"
    m["From"] = "Ida Lund <ida@example.org>"
    m["To"] = "Tom Berg <tom@example.org>"
    m["Date"] = "Thu, 05 Nov 2026 09:30:00 +0100"
    m["Message-ID"] = "<harbour-1@example.org>"
    m.set_content("Dear Tom,\n\nthe list of berths is attached.\n\n> Is there room for one more?\n\nThere is.\n\nIda\n")
    m.add_attachment("berth,boat\n1,Anna\n2,Marie\n", subtype="csv", filename="berths.csv")
    m.set_boundary("harbour-boundary")
    with open(path, "wb") as f:
        f.write(m.as_bytes())


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for text, name in ((REPORT, "report.docx"), (SLIDES, "slides.pptx"), (LETTER, "letter.odt"), (BOOK, "book.epub"),
                       (MEMO, "memo.rtf")):
        with_pandoc(text, os.path.join(folder, name))
    budget(os.path.join(folder, "budget.xlsx"))
    mail(os.path.join(folder, "mail.eml"))


if __name__ == "__main__":
    main()
