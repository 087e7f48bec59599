"""The figures of reading documents: small office files, long ones, wide ones, a mixed folder against LibreOffice.

Long files are generated (seeded), so that nothing large is kept; a mixed folder is measured where there is a corpus.
"""
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
import zipfile
from pathlib import Path

RUNS = 3
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
REL = '<Relationship Id="{}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{}" Target="{}"/>'
WORDS = ("harbour crane quay tide barge pilot lamp mole basin berth rope anchor ferry cargo keel mast wharf buoy channel dredge "
         "master ledger toll permit storm repair").split()


def package(path, parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        for name, text in parts.items():
            z.writestr(name, text)


def sentence(dice, words=12):
    return " ".join(dice.choices(WORDS, k=words)).capitalize() + "."


def docx(path, dice, paragraphs, sentences=6):
    """Headings, paragraphs and now and then a table; about seven paragraphs fill a page."""
    body = []
    for n in range(paragraphs):
        style = '<w:pPr><w:pStyle w:val="Heading2"/></w:pPr>' if n % 20 == 0 else ""
        text = sentence(dice, 4) if style else " ".join(sentence(dice) for _ in range(sentences))
        body.append(f'<w:p>{style}<w:r><w:t>{text}</w:t></w:r></w:p>')
        if n % 50 == 7:
            cells = "".join(f"<w:tc><w:p><w:r><w:t>{dice.randrange(10000)}</w:t></w:r></w:p></w:tc>" for _ in range(4))
            body.append(f"<w:tbl>{f'<w:tr>{cells}</w:tr>' * 5}</w:tbl>")
    package(path, {"[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
                   "_rels/.rels": RELS.format(REL.format("a", "officeDocument", "word/document.xml")),
                   "word/document.xml": f"<w:document {W}><w:body>{''.join(body)}</w:body></w:document>"})


def xlsx(path, dice, rows, columns):
    """Numbers and shared strings by turns, as Excel writes them."""
    def cell(r, c):
        ref = f"{chr(65 + c)}{r}"
        return f'<c r="{ref}" t="s"><v>{dice.randrange(len(WORDS))}</v></c>' if c % 3 == 0 else f'<c r="{ref}"><v>{dice.random() * 1e4:.2f}</v></c>'
    data = "".join(f'<row r="{r}">{"".join(cell(r, c) for c in range(columns))}</row>' for r in range(1, rows + 1))
    package(path, {"[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
                   "_rels/.rels": RELS.format(REL.format("a", "officeDocument", "xl/workbook.xml")),
                   "xl/workbook.xml": f'<workbook {S} xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
                                      '<sheet name="Sums" sheetId="1" r:id="s"/></sheets></workbook>',
                   "xl/_rels/workbook.xml.rels": RELS.format(REL.format("s", "worksheet", "worksheets/sheet1.xml") +
                                                             REL.format("t", "sharedStrings", "sharedStrings.xml")),
                   "xl/sharedStrings.xml": f"<sst {S}>{''.join(f'<si><t>{w}</t></si>' for w in WORDS)}</sst>",
                   "xl/worksheets/sheet1.xml": f"<worksheet {S}><sheetData>{data}</sheetData></worksheet>"})


def most_memory(build, file):
    """Resident bytes at most of the engine and of the process that reads the file."""
    out = tempfile.mkdtemp(prefix="platen-bench-")
    process = subprocess.Popen([build / "platen-engine-document", "--run", "document.extract", '{"format": "text"}', file, "-o", out],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    shutil.rmtree(out)
    if status != 0:
        raise RuntimeError(f"{file}: exit {status}")
    return usage.ru_maxrss * 1024


def in_server(bench, build, file):
    """Median milliseconds of the task through queue, sandbox and store, the engine warm."""
    times = []
    with bench.Server(build) as s:
        for n in range(RUNS + 1):
            copy = file.with_name(f"{n}-{file.name}")
            shutil.copy(file, copy)
            started = time.monotonic()
            s.run("document.extract", copy, "&format=text")
            times.append((time.monotonic() - started) * 1000)
            copy.unlink()
    return statistics.median(times[1:])


def long_files(build, report, bench, folder):
    dice = random.Random(7)
    docx(folder / "long.docx", dice, 872 * 7)
    xlsx(folder / "wide.xlsx", dice, 100_000, 10)
    pages = bench.make_pdfs_of(folder, [600, 3000])
    ms = in_server(bench, build, folder / "long.docx")
    report.add("DOCX of 872 pages, text", ms / 1000, "s", "<= 0.4 s", ms <= 400)
    ms = in_server(bench, build, folder / "wide.xlsx")
    most = most_memory(build, folder / "wide.xlsx")
    report.add("XLSX of 1,000,000 cells, text", ms / 1000, "s", "<= 2 s (SheetJS 5.1)", ms <= 2000)
    report.add("XLSX of 1,000,000 cells, memory", most / 1e6, "MB", "<= 64 MB (SheetJS 321)", most <= 64e6)
    ms = in_server(bench, build, pages[0])
    report.add("PDF of 600 pages, text", ms / 1000, "s", "<= 3 s", ms <= 3000)
    for file, count in zip(pages, (600, 3000)):
        most = most_memory(build, file)
        report.add(f"PDF of {count:,} pages, memory", most / 1e6, "MB", "<= 64 MB", most <= 64e6)


def small_files(build, report, bench, folder):
    dice = random.Random(8)
    files = []
    for n in range(200):
        path = folder / f"small-{n:03}.{'docx' if n % 2 else 'xlsx'}"
        if n % 2:
            docx(path, dice, 20)
        else:
            xlsx(path, dice, 60, 8)
        files.append(path)
    times = []
    with bench.Server(build) as s:
        s.run("document.extract", files[0])
        for _ in range(RUNS):
            times.append(bench.through_platen(s, "document.extract", files, "&format=text"))
    rate = len(files) / statistics.median(times)
    report.add("200 small office files, text", rate, "files/s", "200/s", rate >= 200)


MIXED = ("csv", "docx", "eml", "epub", "html", "markdown", "odf", "odt", "pdf", "pptx", "rtf", "txt", "xlsx")
PEER = ("docx", "odt", "rtf", "html")  # what LibreOffice turns into text


def mixed(build, report, bench, folder):
    corpus = Path(os.environ.get("PLATEN_CORPUS") or bench.ROOT.parent / "shared/corpus")
    if not corpus.exists() or shutil.which("soffice") is None:
        return
    every = [f for kind in MIXED for f in sorted((corpus / kind).glob("*")) if ".expected." not in f.name]
    peers = [f for f in every if f.parent.name in PEER and f.stat().st_size < 300_000][::6][:8]
    out = folder / "out"
    ours, theirs = [], []
    for _ in range(RUNS):
        started = time.monotonic()
        subprocess.run([build / "platen", "run", "document.extract", *every, "--json", "--ocr", "never", "--format", "text", "-o", out],
                       stdout=subprocess.DEVNULL, check=False)
        ours.append((time.monotonic() - started) / len(every))
        shutil.rmtree(out, ignore_errors=True)
    for f in peers:  # one run each: seconds a file
        started = time.monotonic()
        subprocess.run(["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", "txt", "--outdir", folder / "lo", f],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120, check=False)
        theirs.append(time.monotonic() - started)
    o, p = 1 / statistics.median(ours), 1 / statistics.median(theirs)
    report.add(f"mixed folder of {len(every)} real files, text", o, "files/s", ">= 20x", o / p >= 20,
               {"name": "soffice --headless once per file", "value": p}, o / p)


def measure(build, report, bench):
    folder = Path(tempfile.mkdtemp(prefix="platen-bench-"))
    for part in (small_files, long_files, mixed):
        part(build, report, bench, folder)
    shutil.rmtree(folder)
