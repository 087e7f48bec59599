"""OCR: pages a minute, what a second core brings, and OCRmyPDF on the same pages.

The pages are the book scans of the corpus as one PDF. Everything runs as a process of its own, as a person would start it: the engine at
the desk, its sandbox closed, and `ocrmypdf --output-type pdf` beside it, both on the same cores. Processor time is measured too, because
on a shared machine it says more than the clock.
"""
import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = 3


def scans():
    folder = Path(os.environ.get("PLATEN_CORPUS", ROOT.parent / "shared/corpus")) / "ocr"
    return sorted(folder.glob("old-books-dataset--*.tiff"))


def make_pdf(pictures, path):
    """A PDF of one black-and-white picture a page, at 300 dpi."""
    objects, kids = [b"<< /Type /Catalog /Pages 2 0 R >>", b""], []
    for picture in pictures:
        size = subprocess.run(["identify", "-format", "%w %h", picture], capture_output=True, text=True, check=True).stdout.split()
        width, height = int(size[0]), int(size[1])
        raw = subprocess.run(["convert", picture, "-depth", "1", "gray:-"], capture_output=True, check=True).stdout
        data, first = zlib.compress(raw), len(objects) + 1
        box = (width * 0.24, height * 0.24)
        shown = b"q %.2f 0 0 %.2f 0 0 cm /I Do Q" % box
        objects += [b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.2f %.2f] /Contents %d 0 R /Resources << /XObject << /I %d 0 R >> >> >>"
                    % (*box, first + 1, first + 2),
                    b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown),
                    b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 1 "
                    b"/Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (width, height, len(data), data)]
        kids.append(b"%d 0 R" % first)
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % p for p in places)
    path.write_bytes(out + b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
                     % (len(objects) + 1, table, len(objects) + 1, len(out)))


def timed(command):
    """Seconds by the clock and of the processor."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def bench_ocr(build, report):
    pictures = scans()
    if not pictures:
        raise RuntimeError("the corpus with the book scans is missing")
    with tempfile.TemporaryDirectory(prefix="platen-bench-") as folder:
        measure(Path(folder), pictures * 2, build, report)


def measure(folder, pictures, build, report):
    source, cores = folder / "books.pdf", sorted(os.sched_getaffinity(0))
    make_pdf(pictures, source)
    engine = [str(build / "platen-engine-ocr"), "--run", "ocr.document", '{"format":["pdf"]}', str(source), "-o", str(folder / "out")]
    peer = ["ocrmypdf", "-q", "-l", "eng", "--output-type", "pdf", "--jobs", "2", str(source), str(folder / "peer.pdf")]
    one_core = ["taskset", "-c", str(cores[0])]
    two_cores = ["taskset", "-c", ",".join(str(c) for c in cores[:2])]
    one, two, other = [], [], []
    for _ in range(RUNS):
        one.append(timed(one_core + engine))
        two.append(timed(two_cores + engine))
        if shutil.which("ocrmypdf"):
            other.append(timed(two_cores + peer))
    wall = {name: statistics.median(r[0] for r in runs) for name, runs in (("one", one), ("two", two), ("peer", other)) if runs}
    work = {name: statistics.median(r[1] for r in runs) for name, runs in (("one", one), ("two", two), ("peer", other)) if runs}
    pages = len(pictures)
    rate = pages / wall["one"] * 60
    report.add("OCR, one core", rate, "pages/min", "27", rate >= 27, {"name": "by processor time", "value": pages / work["one"] * 60})
    if len(cores) > 1:
        report.add("OCR, two cores against one", wall["one"] / wall["two"], "x", "1.8", wall["one"] / wall["two"] >= 1.8,
                   {"name": "processor time of two against one", "value": work["two"] / work["one"]})
    if other:
        report.add("OCR against ocrmypdf, two cores", pages / wall["two"] * 60, "pages/min", "1.5x", wall["peer"] / wall["two"] >= 1.5,
                   {"name": f"ocrmypdf (processor time {work['peer'] / work['two']:.2f}x)", "value": pages / wall["peer"] * 60},
                   wall["peer"] / wall["two"])
