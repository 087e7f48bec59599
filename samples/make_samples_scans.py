#!/usr/bin/env python3
"""Make the scan samples: scan.png scan-turned.png receipt.png scan.pdf.

The results are in the repository; run this only to change them. Needs ImageMagick (convert) and DejaVu fonts.

scan.png is a typed letter as a scanner sees it: grey paper, grain, and leaning by a little. scan-turned.png is the same page lying on its
side. receipt.png is a receipt: small print, names on the left and prices on the right. scan.pdf has two pages: the letter as a picture
without any text, and a page of real text that OCR is to leave alone."""
import os
import subprocess
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
LETTER = """Hansen & Lund
Boat builders since 1921

Dear Mrs Okafor,

your boat is ready. We have replaced the keel bolts, both
shrouds and the cutless bearing, and the engine starts at
the first turn of the key.

The invoice 2026-118 comes to 1,482.50 and can be paid
until the end of May. Please bring the old key along.

The harbour is dredged on Tuesday; come by water on any
other day, or by land along the mole.

Yours sincerely,
Ida Lund"""
RECEIPT = [("HARBOUR CAFE", ""), ("12 Mole Street", ""), ("", ""), ("2 Coffee", "5.80"), ("1 Apple cake", "4.20"),
           ("1 Mineral water", "2.50"), ("1 Fish soup", "9.90"), ("", ""), ("TOTAL", "22.40"), ("CASH", "30.00"), ("CHANGE", "7.60"),
           ("", ""), ("Thank you, come again!", "")]


def path(name):
    return os.path.join(HERE, name)


def convert(*args):
    subprocess.run(["convert", *args], check=True)


def letter():
    convert("-size", "1240x1150", "xc:gray90", "-font", "DejaVu-Serif", "-pointsize", "32", "-fill", "gray20", "-annotate", "+110+150",
            LETTER, "-background", "gray90", "-virtual-pixel", "background", "-distort", "SRT", "0.6", "-seed", "5", "-attenuate", "0.04",
            "+noise", "Gaussian", "-colorspace", "Gray", "-blur", "0x0.6", "-depth", "4", "-strip", "-density", "150", "-units", "PixelsPerInch", path("scan.png"))
    convert(path("scan.png"), "-rotate", "-90", "-strip", "-density", "150", "-units", "PixelsPerInch", path("scan-turned.png"))


def receipt():
    draw = []
    for i, (left, right) in enumerate(RECEIPT):
        draw += ["-gravity", "NorthWest", "-annotate", f"+24+{20 + 22 * i}", left] if left else []
        draw += ["-gravity", "NorthEast", "-annotate", f"+24+{20 + 22 * i}", right] if right else []
    convert("-size", "340x330", "xc:gray95", "-font", "DejaVu-Sans-Mono", "-pointsize", "15", "-fill", "gray25", *draw, "-colorspace",
            "Gray", "-strip", path("receipt.png"))


def scan_pdf():
    mono = subprocess.run(["convert", path("scan.png"), "-threshold", "55%", "-depth", "1", "gray:-"], stdout=subprocess.PIPE, check=True).stdout
    width, height = 1240, 1150
    picture = zlib.compress(mono, 9)
    text = b"BT /F1 12 Tf 72 700 Td (Terms of payment) Tj 0 -24 Td (This page was never scanned: its text is its own.) Tj ET"
    shown = b"q 595.2 0 0 552 0 145 cm /Im1 Do Q"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595.2 842] /Contents 5 0 R /Resources << /XObject << /Im1 6 0 R >> >> >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595.2 842] /Contents 7 0 R /Resources << /Font << /F1 8 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown),
        b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /FlateDecode "
        b"/Length %d >>\nstream\n%s\nendstream" % (width, height, len(picture), picture),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % p for p in places)
    out += b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, table, len(objects) + 1, len(out))
    with open(path("scan.pdf"), "wb") as f:
        f.write(out)


if __name__ == "__main__":
    letter()
    receipt()
    scan_pdf()
